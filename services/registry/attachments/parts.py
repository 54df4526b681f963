"""The desk for attachments put together of registry's own parts."""

from __future__ import annotations

from fastapi import APIRouter

from services.registry.attachments import tidying
from services.registry.attachments.content import FILE_LIMIT
from services.registry.attachments.desk import AttachmentDesk
from services.registry.attachments.routes import attachment_routes, notice_routes
from services.registry.attachments.store import AttachmentStore
from services.registry.attachments.tidying import Tidying
from services.registry.handlings.privacy import desk_handlings
from services.registry.places import Streams
from shared.commands.handler import Handler
from shared.commands.policies import Policy
from shared.eventlog.lease import MongoLeases, Tenure
from shared.privacy.cipher import Aes256Gcm
from shared.runtime.kernel import now
from shared.runtime.log_service import LogService

LIMITS = {"/children/": FILE_LIMIT}


def store_of(service: LogService) -> AttachmentStore:
    return AttachmentStore(service.kernel.database, service.kernel.vault, Aes256Gcm())


def policies_of(service: LogService) -> list[Policy]:
    return tidying.policies(store_of(service))


def attachment_desk(service: LogService) -> list[APIRouter]:
    """Its routes; the task that tidies behind it is started with the service."""
    kernel, log, store = service.kernel, service.log, store_of(service)
    claim_key = kernel.settings.claim_key.get_secret_value()
    handler = Handler(log, kernel.sealer, kernel.directory, desk_handlings(), claim_key, now)
    streams = Streams(log, kernel.sealer)
    tidier = Tidying(store, handler, streams, now)
    tenure = Tenure(MongoLeases(kernel.database), "attachments", kernel.holder)
    service.works("attachments", lambda: tidier.run(tenure))
    desk = AttachmentDesk(store, handler, streams, kernel.directory, now)
    return [attachment_routes(desk, kernel.caller), notice_routes()]
