"""Runs the projector: ``python -m services.reporting.projector``. It writes reporting's read models."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final

from fastapi import FastAPI

from services.reporting.domain import SERVICE
from services.reporting.duties.read_model import Duties
from services.reporting.export.traces import Traces
from services.reporting.figures.read_model import FiguresModel
from services.reporting.read_models.access_log import AccessLog
from services.reporting.read_models.children import Children
from services.reporting.read_models.concerns import Concerns
from services.reporting.read_models.field_work import FieldWork
from services.reporting.read_models.households import Households
from services.reporting.read_models.mappings import Mappings
from services.reporting.read_models.postings import Postings
from services.reporting.read_models.protection import ProtectionReports
from services.reporting.read_models.visit_checks import VisitChecks
from shared.adoption.read_model import AdoptionsModel
from shared.identity.directory import DirectoryModel
from shared.projection.read_model import ReadModel
from shared.runtime.kernel import Kernel
from shared.runtime.process import run
from shared.runtime.projections import Projections
from shared.runtime.tasks import Tasks
from shared.web.app import create_app
from shared.web.health import Health
from shared.web.metrics import Metrics
from shared.web.settings import ServiceSettings

READ_MODELS: Final[Mapping[str, Callable[[], ReadModel]]] = {
    Children.name: Children,
    Households.name: Households,
    FiguresModel.name: FiguresModel,
    Mappings.name: Mappings,
    Postings.name: Postings,
    AccessLog.name: AccessLog,
    DirectoryModel.name: DirectoryModel,
    Traces.name: Traces,
    Duties.name: Duties,
    Concerns.name: Concerns,
    ProtectionReports.name: ProtectionReports,
    AdoptionsModel.name: AdoptionsModel,
    FieldWork.name: FieldWork,
    VisitChecks.name: VisitChecks,
}
"""What the projector writes, so that the process that answers questions hears no topic."""


def build(settings: ServiceSettings) -> FastAPI:
    kernel = Kernel(settings, SERVICE, process="projector", hurried=True)
    health, metrics = Health(), Metrics()
    tasks = Tasks(health)
    projections = Projections(kernel, [make() for make in READ_MODELS.values()], tasks, metrics)
    health.add("mongodb", kernel.ping)
    for name in READ_MODELS:
        health.add(f"freshness of {name}", lambda name=name: projections.fresh(name))  # type: ignore[misc]

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await projections.start()
        try:
            yield
        finally:
            await tasks.stop()
            await kernel.close()

    return create_app(title="Guanhu projector", service="projector", lifespan=lifespan, health=health, metrics=metrics)


if __name__ == "__main__":
    run("projector", build)
