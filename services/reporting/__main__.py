"""Runs reporting's HTTP side: ``python -m services.reporting``. What it answers from is written by the projector."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, FastAPI
from motor.motor_asyncio import AsyncIOMotorCollection

from services.reporting import access
from services.reporting.api.access import access_routes
from services.reporting.api.children import child_routes
from services.reporting.api.concerns import concern_routes, protection_routes
from services.reporting.api.exports import export_routes
from services.reporting.api.field_work import help_plan_routes, work_log_routes
from services.reporting.api.figures import figure_routes
from services.reporting.api.gateway import gateway_limits, gateway_routes
from services.reporting.api.households import household_routes
from services.reporting.api.mapping import mapping_routes
from services.reporting.api.opening import Opener
from services.reporting.api.postings import posting_routes
from services.reporting.api.visit_checks import visit_check_routes
from services.reporting.api.work_list import work_list_routes
from services.reporting.domain import SERVICE, handlings
from services.reporting.duties.queries import WorkLists
from services.reporting.duties.read_model import Duties
from services.reporting.export.person_log import PersonLog
from services.reporting.export.traces import Traces
from services.reporting.figures.queries import Figures
from services.reporting.figures.read_model import FiguresModel
from services.reporting.figures.rules_in_force import RulesInForce
from services.reporting.read_models.access_log import AccessLog
from services.reporting.read_models.access_queries import AccessQueries
from services.reporting.read_models.child_queries import ChildQueries
from services.reporting.read_models.children import Children
from services.reporting.read_models.concerns import Concerns
from services.reporting.read_models.field_work import FieldWork
from services.reporting.read_models.household_queries import HouseholdQueries
from services.reporting.read_models.households import Households
from services.reporting.read_models.mapping_queries import MappingQueries
from services.reporting.read_models.mappings import Mappings
from services.reporting.read_models.postings import PostingQueries, Postings
from services.reporting.read_models.protection import ProtectionReports
from services.reporting.read_models.visit_checks import VisitChecks
from services.reporting.retention import Retention
from shared.adoption.read_model import Adoptions, live_documents
from shared.identity.directory import DIVISIONS, DirectoryModel
from shared.identity.issuer import Issuer, issuer_routes
from shared.identity.scope import Scope
from shared.runtime.kernel import Kernel
from shared.runtime.log_service import LogService
from shared.runtime.process import run
from shared.web.settings import ServiceSettings


def build(settings: ServiceSettings) -> LogService:
    """reporting's API with all its parts, opened by nobody yet."""
    service = LogService(Kernel(settings, SERVICE), [])
    service.handles([*handlings(), *access.handlings()])
    return service


def routers(service: LogService) -> list[APIRouter]:
    kernel, settings = service.kernel, service.kernel.settings
    live = kernel.live

    async def divisions() -> AsyncIOMotorCollection[dict[str, Any]]:
        return await kernel.live.collection(DirectoryModel.name, DIVISIONS)

    adoptions = Adoptions(live_documents(kernel.live))
    scope = Scope(kernel.directory, divisions)
    opener = Opener(service.handler)
    queries, of_households = ChildQueries(live.of(Children.name)), HouseholdQueries(live.of(Households.name))
    work_lists = WorkLists(live.of(Duties.name), live.of(Children.name), kernel.directory)
    streams = {SERVICE: service.log.load} | {name: kernel.owner(name).stream for name in _others(settings)}
    person_log = PersonLog(live.of(Traces.name), streams, kernel.vault, kernel.sealer)
    retention = Retention(adoptions, kernel.directory)
    found = [
        figure_routes(Figures(live.of(FiguresModel.name)), RulesInForce(adoptions), live, scope, kernel.caller),
        work_list_routes(work_lists, live, scope, kernel.caller),
        child_routes(queries, of_households, retention, live, scope, opener, kernel.caller),
        household_routes(of_households, queries, live, scope, opener, kernel.caller),
        export_routes(queries, person_log, live, scope, service.handler, kernel.caller),
        concern_routes(live.of(Concerns.name), live, scope, opener, kernel.caller),
        protection_routes(live.of(ProtectionReports.name), live, scope, opener, kernel.caller),
        mapping_routes(MappingQueries(live.of(Mappings.name)), live, scope, kernel.caller),
        posting_routes(PostingQueries(live.of(Postings.name)), live, scope, kernel.caller),
        access_routes(
            AccessQueries(live.of(AccessLog.name), live.of(DirectoryModel.name)),
            live,
            scope,
            service.handler,
            kernel.caller,
        ),
        help_plan_routes(live.of(FieldWork.name), live, scope, opener, kernel.caller),
        work_log_routes(live.of(FieldWork.name), live, scope, kernel.caller),
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
