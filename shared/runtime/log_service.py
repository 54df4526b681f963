"""A service that decides and records: its log, its relay, its handler, and the look-ups it keeps of other services."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from fastapi import APIRouter, FastAPI

from shared.commands.command import Handling
from shared.commands.handler import Handler
from shared.commands.policies import AnyPolicy, MongoPolicyMemory, PolicySink
from shared.commands.routes import command_routes
from shared.eventlog.lease import MongoLeases, Tenure
from shared.eventlog.mongo import MongoLog
from shared.eventlog.relay import Relay, RelayState
from shared.eventlog.routes import log_routes
from shared.eventlog.witness import Witness, make_keys, private_key
from shared.messaging.kafka_topic import KafkaTopic
from shared.messaging.run import Resting
from shared.messaging.topics import ensure_topic
from shared.projection.read_model import ReadModel
from shared.runtime.kernel import Kernel, now
from shared.runtime.measures import LogMeasures
from shared.runtime.projections import Projections
from shared.runtime.tasks import Tasks
from shared.web.app import create_app
from shared.web.health import Health
from shared.web.metrics import Metrics
from shared.web.request import BODY_LIMIT, BULK_BODY_LIMIT

Work = Callable[[], Awaitable[None]]

POLICIES: Final = "policies"
"""The line of policies that a service is not of use without."""

REST: Final = 3.0
LEASE_LOOK_SECONDS: Final = 1.0
"""How often a process that reacts looks whether it still holds the lease."""


class LogService:
    """``look_ups`` are read models this service keeps for itself, in its own database."""

    def __init__(self, kernel: Kernel, look_ups: Sequence[ReadModel]) -> None:
        self.kernel = kernel
        self.log = MongoLog(
            kernel.client,
            kernel.service,
            kernel.settings.partitions,
            now,
            on_commit=lambda lines: self.relay.committed(lines),
        )
        self.topic = KafkaTopic(kernel.settings.kafka, seal=kernel.seal)
        self.relay = Relay(self.log, RelayState.in_mongo(kernel.database), self.topic, kernel.holder)
        self.health = Health()
        self.metrics = Metrics()
        self.tasks = Tasks(self.health)
        self.projections = Projections(kernel, look_ups, self.tasks, self.metrics)
        self._measures = LogMeasures(self.metrics)
        self.handler: Handler
        self._works: dict[str, Work] = {}

    def handles(self, handlings: Sequence[Handling[Any]]) -> None:
        claim_key = self.kernel.settings.claim_key.get_secret_value()
        self.handler = Handler(self.log, self.kernel.sealer, self.kernel.directory, handlings, claim_key, now)

    def reacts(self, policies: Sequence[AnyPolicy], services: Sequence[str], line: str = POLICIES) -> None:
        """``services`` are those whose events the policies answer to; handlings come first.

        Policies of another ``line`` stand still alone: for those that wait for a look-up, and that are not vital. They
        leave the service three quarters of its time, and catch up when it is asked for less.
        """
        kernel = self.kernel
        memory = MongoPolicyMemory(kernel.database, "policy_marks" if line == POLICIES else f"policy_marks_{line}")
        reacting = PolicySink(kernel.service, policies, self.handler, kernel.sealer, memory, now)
        sink = reacting if line == POLICIES else Resting(reacting, REST)
        tenure = Tenure(MongoLeases(kernel.database), line, kernel.holder)

        async def react() -> None:
            if await tenure.hold() is None:
                return  # another process reacts; the task asks again after a while
            consumer = kernel.consumer(services, await memory.marks(), sink, apart=line != POLICIES)
            consuming = asyncio.create_task(consumer.run())
            try:
                while await tenure.hold() is not None and not consuming.done():
                    await asyncio.wait([consuming], timeout=LEASE_LOOK_SECONDS)
            finally:
                consuming.cancel()
                try:
                    with suppress(asyncio.CancelledError):
                        await consuming
                finally:
                    await tenure.release()

        self._works[line] = react

    def works(self, name: str, work: Work) -> None:
        """A background task without which the service is of use all the same; it runs until it is cancelled."""
        self._works[name] = work

    def app(
        self,
        title: str,
        routers: Sequence[APIRouter] = (),
        commands: bool = True,
        body_limits: Mapping[str, int] | None = None,
    ) -> FastAPI:
        """Without ``commands`` none is taken over HTTP; ``body_limits`` are those of ``routers``."""
        kernel = self.kernel
        own = [log_routes(self.log, kernel.service_only)]
        if commands:
            own.append(command_routes(self.handler, kernel.caller, kernel.identify))
        self.health.add("mongodb", kernel.ping)

        @asynccontextmanager
        async def lifespan(app: FastAPI) -> AsyncIterator[None]:
            await self.open()
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
            body_limits={"/commands/": BODY_LIMIT, "/commands": BULK_BODY_LIMIT} | dict(body_limits or {}),
        )

    async def open(self) -> None:
        await self.log.open()
        self.tasks.start("relay", self._relay, vital=False)
        self.tasks.start("log measures", lambda: self._measures.keep(self.log, self.relay), vital=False)
        await self.projections.start()
        self._start_witness()
        for name, work in self._works.items():
            self.tasks.start(name, work, vital=name == POLICIES)

    async def close(self) -> None:
        await self.tasks.stop()
        await self.topic.close()
        await self.log.close()
        await self.kernel.close()

    def _start_witness(self) -> None:
        settings = self.kernel.settings
        if settings.witness_key is not None and settings.checkpoints is not None:
            with suppress(FileExistsError):
                make_keys(settings.witness_key, settings.witness_key.with_suffix(".pub"))
            witness = Witness(self.log, settings.checkpoints, private_key(settings.witness_key))
            self.tasks.start("witness", witness.run, vital=False)

    async def _relay(self) -> None:
        # Kafka may be down at the start: commands are taken meanwhile, and the topic is made once it is there.
        await ensure_topic(self.kernel.settings.kafka, self.kernel.service, self.kernel.settings.partitions)
        await self.relay.run()
