"""Runs reporting's HTTP side: ``python -m services.reporting``. What it answers from is written by the projector."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, FastAPI
from motor.motor_asyncio import AsyncIOMotorCollection

from services.reporting.api.children import child_routes
from services.reporting.api.concerns import concern_routes, protection_routes
from services.reporting.api.figures import figure_routes
from services.reporting.api.gateway import gateway_limits, gateway_routes
from services.reporting.api.opening import Opener
from services.reporting.api.scope import Scope
from services.reporting.api.visit_checks import visit_check_routes
from services.reporting.api.work_list import work_list_routes
from services.reporting.domain import SERVICE, handlings
from services.reporting.duties.queries import WorkLists
from services.reporting.duties.read_model import Duties
from services.reporting.figures.queries import Figures
from services.reporting.figures.read_model import FiguresModel
from services.reporting.read_models.child_queries import ChildQueries
from services.reporting.read_models.children import Children
from services.reporting.read_models.concerns import Concerns
from services.reporting.read_models.protection import ProtectionReports
from services.reporting.read_models.visit_checks import VisitChecks
from shared.identity.directory import DIVISIONS, DirectoryModel
from shared.identity.issuer import Issuer, issuer_routes
from shared.runtime.kernel import Kernel
from shared.runtime.log_service import LogService
from shared.runtime.process import run
from shared.web.settings import ServiceSettings


def build(settings: ServiceSettings) -> LogService:
    """reporting's API with all its parts, opened by nobody yet."""
    service = LogService(Kernel(settings, SERVICE), [])
    service.handles(handlings())
    return service


def routers(service: LogService) -> list[APIRouter]:
    kernel, settings = service.kernel, service.kernel.settings
    live = kernel.live

    async def divisions() -> AsyncIOMotorCollection[dict[str, Any]]:
        return await kernel.live.collection(DirectoryModel.name, DIVISIONS)

    scope = Scope(kernel.directory, divisions)
    opener = Opener(service.handler)
    work_lists = WorkLists(live.of(Duties.name), live.of(Children.name), kernel.directory)
    found = [
        figure_routes(Figures(live.of(FiguresModel.name)), live, scope, kernel.caller),
        work_list_routes(work_lists, live, scope, kernel.caller),
        child_routes(ChildQueries(live.of(Children.name)), live, scope, opener, kernel.caller),
        concern_routes(live.of(Concerns.name), live, scope, opener, kernel.caller),
        protection_routes(live.of(ProtectionReports.name), live, scope, opener, kernel.caller),
        visit_check_routes(live.of(VisitChecks.name), live, scope, kernel.caller),
        gateway_routes(_others(settings), kernel.http),
    ]
    if settings.issuer == "embedded":
        found.append(issuer_routes(Issuer(settings.data / "issuer", settings.issuer_url)))
    return found


def _others(settings: ServiceSettings) -> dict[str, str]:
    return {"registry": settings.registry_url, "visits": settings.visits_url, "pairing": settings.pairing_url}


def application(settings: ServiceSettings) -> FastAPI:
    service = build(settings)
    return service.app(
        "Guanhu reporting: what supervision sees",
        routers(service),
        commands=False,
        body_limits=gateway_limits(_others(settings)),
    )


if __name__ == "__main__":
    run(SERVICE, application)
