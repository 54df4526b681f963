"""A service that decides and records: its log, its relay, its handler, and the look-ups it keeps of other services."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI

from shared.commands.command import Handling
from shared.commands.handler import Handler
from shared.commands.routes import command_routes
from shared.eventlog.mongo import MongoLog
from shared.eventlog.relay import Relay, RelayState
from shared.eventlog.routes import log_routes
from shared.messaging.kafka_topic import KafkaTopic
from shared.messaging.topics import ensure_topic
from shared.projection.read_model import ReadModel
from shared.runtime.kernel import Kernel, now
from shared.runtime.projections import Projections
from shared.runtime.tasks import Tasks
from shared.web.app import create_app
from shared.web.health import Health
from shared.web.metrics import Metrics
from shared.web.request import BODY_LIMIT, BULK_BODY_LIMIT

Work = Callable[[], Any]


class LogService:
    """``look_ups`` are read models this service keeps for itself, in its own database."""

    def __init__(self, kernel: Kernel, look_ups: Sequence[ReadModel]) -> None:
        self.kernel = kernel
        self.log = MongoLog(
            kernel.client, kernel.service, kernel.settings.partitions, now, on_commit=lambda: self.relay.wake()
        )
        self.topic = KafkaTopic(kernel.settings.kafka)
        self.relay = Relay(self.log, RelayState.in_mongo(kernel.database), self.topic, kernel.holder)
        self.health = Health()
        self.metrics = Metrics()
        self.tasks = Tasks(self.health)
        self.projections = Projections(kernel, look_ups, self.tasks)
        self.handler: Handler

    def handles(self, handlings: Sequence[Handling[Any]]) -> None:
        claim_key = self.kernel.settings.claim_key.get_secret_value()
        self.handler = Handler(self.log, self.kernel.sealer, self.kernel.directory, handlings, claim_key, now)

    def app(
        self, title: str, routers: Sequence[APIRouter] = (), works: dict[str, Work] | None = None, commands: bool = True
    ) -> FastAPI:
        """``works`` are further background tasks by name; without ``commands`` none is taken over HTTP."""
        kernel = self.kernel
        own = [log_routes(self.log, kernel.service_only)]
        if commands:
            own.append(command_routes(self.handler, kernel.caller))
        self.health.add("mongodb", kernel.ping)

        @asynccontextmanager
        async def lifespan(app: FastAPI) -> AsyncIterator[None]:
            await self.open(works or {})
            try:
                yield
            finally:
                await self.close()

        return create_app(
            title=title,
            service=kernel.service,
            routers=[*own, *routers],
            lifespan=lifespan,
            health=self.health,
            metrics=self.metrics,
            body_limits={"/commands/": BODY_LIMIT, "/commands": BULK_BODY_LIMIT},
        )

    async def open(self, works: dict[str, Work]) -> None:
        await self.log.open()
        self.tasks.start("relay", self._relay, vital=False)
        await self.projections.start()
        for name, work in works.items():
            self.tasks.start(name, work)

    async def close(self) -> None:
        await self.tasks.stop()
        await self.topic.close()
        await self.log.close()
        await self.kernel.close()

    async def _relay(self) -> None:
        # Kafka may be down at the start: commands are taken meanwhile, and the topic is made once it is there.
        await ensure_topic(self.kernel.settings.kafka, self.kernel.service, self.kernel.settings.partitions)
        await self.relay.run()
