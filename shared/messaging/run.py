"""What the consumer hands on: the next records of one partition, without a hole, each once."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from typing import NamedTuple, Protocol

import msgspec

from shared.eventlog.record import GENESIS, Record


class Mark(msgspec.Struct, frozen=True):
    """How far a partition has been taken in. ``offset`` is Kafka's, and only a hint where to start."""

    seq: int = 0
    hash: str = GENESIS
    offset: int | None = None


class Source(NamedTuple):
    """One partition of one service's log."""

    service: str
    partition: int

    def __str__(self) -> str:
        return f"{self.service}/{self.partition}"


class Run(NamedTuple):
    """Records that follow on ``after`` and end at ``upto``; their prev-hashes have been checked."""

    source: Source
    after: Mark
    upto: Mark
    records: tuple[Record, ...]


class Level(NamedTuple):
    """The owner's head, as last asked: at ``time`` the partition ended with ``seq``."""

    source: Source
    seq: int
    time: datetime


class Sink(Protocol):
    """Who takes runs. ``take`` returns when there is room for more: that is the back-pressure."""

    async def take(self, run: Run) -> None: ...

    async def level(self, level: Level) -> None:
        """The owner's head became known; a sink that is level with it is complete up to its time."""


class Resting:
    """A sink that leaves its process to others: after each run it rests ``times`` as long as that took."""

    def __init__(self, sink: Sink, times: float) -> None:
        self._sink = sink
        self._times = times

    async def take(self, run: Run) -> None:
        begun = time.monotonic()
        await self._sink.take(run)
        await asyncio.sleep(self._times * (time.monotonic() - begun))

    async def level(self, level: Level) -> None:
        await self._sink.level(level)
