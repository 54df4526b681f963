"""The matching desk put together of registry's own parts."""

from __future__ import annotations

from fastapi import APIRouter

from services.registry.domain.mapping_gap import GapIds
from services.registry.duplicates.parts import Parts, level_of
from services.registry.imports.examiner import Examiner
from services.registry.imports.parts import kept_in
from services.registry.imports.scope import ImportScope
from services.registry.matching.desk import MatchingDesk, export_handling
from services.registry.matching.register import MATCH
from services.registry.matching.routes import matching_routes
from services.registry.matching.store import MatchingStore
from services.registry.matching.worker import MatchingWorker
from shared.commands.handler import Handler
from shared.eventlog.lease import MongoLeases, Tenure
from shared.runtime.kernel import now
from shared.runtime.log_service import LogService
from shared.web.request import FILE_BODY_LIMIT

LIMITS = {"/matchings": FILE_BODY_LIMIT}


def matching_desk(service: LogService, parts: Parts) -> APIRouter:
    """Its routes; the work behind them is started with the service, whose commands must be set."""
    kernel = service.kernel
    claim_key = kernel.settings.claim_key.get_secret_value()
    exports = Handler(service.log, kernel.sealer, kernel.directory, [export_handling()], claim_key, now)
    store = MatchingStore(kernel.database, kernel.vault)
    examiner = Examiner("matching")
    terms = ImportScope(kernel.directory, parts.divisions, now, MATCH, [MATCH])
    desk = MatchingDesk(store, examiner, parts.scope, parts.files, exports, now, kept_in(service))
    worker = MatchingWorker(
        desk,
        store,
        examiner,
        terms,
        parts.scope,
        kernel.directory,
        parts.look_up,
        level_of(service),
        parts.files,
        service.handler,
        GapIds(claim_key),
        now,
    )
    tenure = Tenure(MongoLeases(kernel.database), "matchings", kernel.holder)
    service.works("matchings", lambda: worker.run(tenure))
    return matching_routes(desk, kernel.caller)
