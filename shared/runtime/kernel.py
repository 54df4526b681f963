"""What every process has: its settings, one client for MongoDB and one for HTTP, the vault, and who may do what.

Making a kernel opens nothing; connections are made by their first use, and closed by ``close``.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import httpx
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection

from shared.eventlog.client import OwnerClient
from shared.identity.caller import caller_by, identify_by
from shared.identity.directory import DirectoryModel, MongoDirectory
from shared.identity.service_credential import ServiceCredential, service_only
from shared.identity.tokens import IssuerKeys, Tokens
from shared.messaging.consumer import Consumer
from shared.messaging.listener import Listener
from shared.messaging.run import Mark, Sink, Source
from shared.messaging.seal import Seal
from shared.privacy.cipher import Aes256Gcm
from shared.privacy.mongo import MongoVault
from shared.privacy.sealing import Sealer
from shared.projection.live import LiveModels
from shared.web.settings import ServiceSettings

MONGO_PATIENCE_MS: Final = 5_000
"""How long a command waits for a primary before it is answered 503."""


def now() -> datetime:
    return datetime.now(UTC)


class Kernel:
    """``service`` owns a log and a database ``guanhu_<service>``; ``process`` is who of it this is.

    ``hurried`` when the effect of each event is to be seen at once, and not only within some tenths of a second.
    """

    def __init__(
        self, settings: ServiceSettings, service: str, process: str | None = None, *, hurried: bool = False
    ) -> None:
        self.settings = settings
        self.service = service
        self.holder = f"{process or service}@{socket.gethostname()}:{settings.port}"
        """Names this process in leases. The same after a restart, so that it need not wait for its own lease."""
        self.client: AsyncIOMotorClient[Any] = AsyncIOMotorClient(
            settings.mongo_url, tz_aware=True, serverSelectionTimeoutMS=MONGO_PATIENCE_MS, appname=self.holder
        )
        self.database = self.client[f"guanhu_{service}"]
        self.http = httpx.AsyncClient(timeout=10, trust_env=False)
        self.credential = ServiceCredential(self._secret, service)
        self.service_only = service_only(self._secret)
        self.seal = Seal(self._secret)
        self._hurried = hurried
        self.listener = self._listener()
        self.vault = MongoVault(
            self.client,
            settings.master_key.get_secret_value(),
            Aes256Gcm(),
            erasure_list=settings.data / "erased.jsonl",
        )
        self.sealer = Sealer(self.vault, Aes256Gcm())
        self.live = LiveModels(self.database)
        self.directory = MongoDirectory(self._directory_collection)
        tokens = Tokens(IssuerKeys(settings.issuer_url, self.http), settings.issuer_url)
        self.caller = caller_by(tokens)
        self.identify = identify_by(tokens)

    def owner(self, service: str) -> OwnerClient:
        """The owner of a log, asked over HTTP with this service's credential."""
        url = {
            "registry": self.settings.registry_url,
            "visits": self.settings.visits_url,
            "pairing": self.settings.pairing_url,
            "reporting": self.settings.reporting_url,
        }[service]
        return OwnerClient(url, self.http, self.credential.token)

    def consumer(
        self, services: Iterable[str], marks: Mapping[Source, Mark], sink: Sink, *, apart: bool = False
    ) -> Consumer:
        """Brings the logs of these services to the sink, from the marks on.

        ``apart`` gives a sink that is slow a listener of its own: those that share one wait for the slowest.
        """
        listener = self._listener() if apart else self.listener
        owners = {service: self.owner(service) for service in services}
        return Consumer(listener, owners, self.settings.partitions, marks, sink)

    def _listener(self) -> Listener:
        return Listener(self.settings.kafka, seal=self.seal, hurried=self._hurried)

    async def ping(self) -> str:
        """The health check of MongoDB."""
        await self.client.admin.command("ping")
        return "answers"

    async def close(self) -> None:
        await self.http.aclose()
        self.client.close()

    async def _directory_collection(self, name: str) -> AsyncIOMotorCollection[dict[str, Any]]:
        return await self.live.collection(DirectoryModel.name, name)

    @property
    def _secret(self) -> bytes:
        secret: bytes = self.settings.service_secret.get_secret_value()
        return secret
