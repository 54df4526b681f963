"""Which version of a read model answers, and how fresh it is: for whoever asks questions of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime
from functools import partial
from typing import Any, Final, NamedTuple

from motor.motor_asyncio import AsyncIOMotorCollection, AsyncIOMotorDatabase

from shared.eventlog.record import Position
from shared.messaging.run import Source
from shared.projection.checkpoint import Checkpoint, ModelVersion
from shared.projection.read_model import Document

Collections = Callable[[str], Awaitable[AsyncIOMotorCollection[Document]]]
"""The live collection of a read model under a name."""

POINTER_SECONDS: Final = 1.0
POLL_SECONDS: Final = 0.005
PATIENCE_SECONDS: Final = 2.0


class Freshness(NamedTuple):
    """``complete_up_to`` is the oldest of the partitions' times; None while one has never been level.

    ``waiting`` is how many events the owners had, when last heard of, that the read model has not.
    """

    complete_up_to: datetime | None
    waiting: int
    stopped: str | None


class LiveModels:
    """The pointers (collection ``read_models``) and checkpoints of one database."""

    def __init__(self, database: AsyncIOMotorDatabase[dict[str, Any]]) -> None:
        self._db = database
        self._pointers: dict[str, tuple[float, int]] = {}

    async def version(self, name: str) -> ModelVersion:
        """The live version; 1 until a rebuild has switched it."""
        asked, version = self._pointers.get(name, (float("-inf"), 1))
        if time.monotonic() - asked > POINTER_SECONDS:
            pointer = await self._db["read_models"].find_one({"_id": name}) or {"live": 1}
            version = pointer["live"]
            self._pointers[name] = time.monotonic(), version
        return ModelVersion(name, version)

    async def collection(self, name: str, collection: str) -> AsyncIOMotorCollection[Document]:
        return self._db[(await self.version(name)).collection(collection)]

    def of(self, name: str) -> Collections:
        """The live collections of one read model."""
        return partial(self.collection, name)

    async def checkpoint(self, name: str) -> Checkpoint:
        of = await self.version(name)
        return Checkpoint.of(await self._db["checkpoints"].find_one({"_id": str(of)}))

    async def freshness(self, name: str) -> Freshness:
        return freshness_of(await self.checkpoint(name))

    async def wait_for(self, name: str, position: Position, timeout: float = PATIENCE_SECONDS) -> bool:  # noqa: ASYNC109
        """Whether the read model has reached the position within ``timeout`` seconds."""
        return await self.wait_for_all(name, [position], timeout)

    async def wait_for_all(
        self,
        name: str,
        positions: Collection[Position],
        timeout: float = PATIENCE_SECONDS,  # noqa: ASYNC109
    ) -> bool:
        """Whether it has reached all of them; however many they are, it is one question at a time to the database."""
        deadline = time.monotonic() + timeout
        while positions and not _reached(await self.checkpoint(name), positions):
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(POLL_SECONDS)
        return True


def _reached(checkpoint: Checkpoint, positions: Collection[Position]) -> bool:
    return all(checkpoint.mark(Source(service, partition)).seq >= seq for service, partition, seq in positions)


def freshness_of(checkpoint: Checkpoint) -> Freshness:
    stopped = checkpoint.stopped
    said = f"{stopped.type} {stopped.event} at {stopped.position}: {stopped.error}" if stopped else None
    return Freshness(checkpoint.complete_up_to, checkpoint.waiting, said)
