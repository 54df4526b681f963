"""The import desk put together of registry's own parts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from fastapi import APIRouter
from motor.motor_asyncio import AsyncIOMotorCollection

from services.registry.imports.batch_commands import BatchTeller, batch_handlings
from services.registry.imports.desk import ImportDesk
from services.registry.imports.examiner import Examiner
from services.registry.imports.routes import import_routes
from services.registry.imports.scope import ImportScope
from services.registry.imports.store import ImportStore
from services.registry.imports.worker import ImportWorker
from services.registry.policies_in_force import retention_in
from shared.adoption.read_model import Adoptions, live_documents
from shared.commands.command import business_day
from shared.commands.handler import Handler
from shared.eventlog.lease import MongoLeases, Tenure
from shared.identity.directory import DIVISIONS, DirectoryModel
from shared.runtime.kernel import now
from shared.runtime.log_service import LogService
from shared.web.request import FILE_BODY_LIMIT

LIMITS = {"/imports": FILE_BODY_LIMIT}


def import_desk(service: LogService) -> APIRouter:
    """Its routes; the work behind them is started with the service, whose commands must be set."""
    kernel, log = service.kernel, service.log

    async def divisions() -> AsyncIOMotorCollection[dict[str, Any]]:
        return await kernel.live.collection(DirectoryModel.name, DIVISIONS)

    claim_key = kernel.settings.claim_key.get_secret_value()
    teller = BatchTeller(Handler(log, kernel.sealer, kernel.directory, batch_handlings(), claim_key, now))
    store = ImportStore(kernel.database, kernel.vault)
    examiner = Examiner()
    scope = ImportScope(kernel.directory, divisions, now)
    desk = ImportDesk(store, examiner, scope, teller, now, kept_in(service))
    worker = ImportWorker(desk, store, examiner, scope, teller, service.handler, log, now)
    tenure = Tenure(MongoLeases(kernel.database), "imports", kernel.holder)
    service.works("imports", lambda: worker.run(tenure))
    return import_routes(desk, kernel.caller)


def kept_in(service: LogService) -> Callable[[str], Awaitable[timedelta]]:
    """How long files that were sent in, and their rows, are kept in a division."""
    adoptions, directory = Adoptions(live_documents(service.kernel.live)), service.kernel.directory

    async def kept(division: str) -> timedelta:
        periods = await retention_in(adoptions, directory, division, business_day(now()))
        return timedelta(days=periods.import_file_days)

    return kept
