"""The relay: sends the log of one service to its topic, in order, each record at least once.

It runs in every process of the service; a lease says which one sends. A crash can only send records twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final, NamedTuple

import msgspec
import structlog
from motor.motor_asyncio import AsyncIOMotorDatabase

from shared.eventlog.cursor import Cursors, MemoryCursors, MongoCursors, Move
from shared.eventlog.lease import Leases, MemoryLeases, MongoLeases, Tenure
from shared.eventlog.port import Log
from shared.eventlog.topic import Message, Topic

BATCH: Final = 1_000
POLL_SECONDS: Final = 0.2
MAX_BACKOFF_SECONDS: Final = 2.0
GOODBYE_SECONDS: Final = 2.0

_log = structlog.get_logger()


class LogEvent(StrEnum):
    """What this module logs."""

    LEASE_GAINED = "relay_lease_gained"
    """This process sends from now on: its name and the epoch."""

    LEASE_LOST = "relay_lease_lost"
    """Another process may send from now on. Often: the machine is too busy to renew a lease within 15 seconds."""

    FAILING = "relay_failing"
    """A round failed: the exception's class and the seconds until the next. Look at Kafka, then at MongoDB."""

    RECOVERED = "relay_recovered"
    """A round succeeded again; what waited is being sent."""


class LogOutOfOrderError(Exception):
    """The log gave a record that does not follow the one before it; nothing was sent. Run ``guanhu audit verify``."""


class RelayState(NamedTuple):
    """What relays of one service share."""

    leases: Leases
    cursors: Cursors

    @classmethod
    def in_mongo(cls, database: AsyncIOMotorDatabase[dict[str, Any]]) -> RelayState:
        return cls(MongoLeases(database), MongoCursors(database))

    @classmethod
    def in_memory(cls, clock: Callable[[], float] = time.monotonic) -> RelayState:
        return cls(MemoryLeases(clock), MemoryCursors())


class _Place(msgspec.Struct, frozen=True):
    """The two members of a record that a relay needs."""

    seq: int
    stream: str


_place_of = msgspec.json.Decoder(_Place).decode


class Relay:
    """``holder`` names this process among those that could send; ``clock`` gives seconds for the lease."""

    def __init__(
        self,
        log: Log,
        state: RelayState,
        topic: Topic,
        holder: str,
        *,
        batch: int = BATCH,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log = log
        self._cursors = state.cursors
        self._topic = topic
        self._tenure = Tenure(state.leases, "relay", holder, clock=clock)
        self._batch = batch
        self._woken = asyncio.Event()
        self._epoch: int | None = None
        self._cursor: list[int] | None = None
        self._failures = 0

    def wake(self) -> None:
        """Something was committed in this process."""
        self._woken.set()

    @property
    def sends(self) -> bool:
        """Whether this process is the one that sends."""
        return self._epoch is not None

    async def run(self) -> None:
        """Until it is cancelled; then the lease is given back. No fault of Kafka or MongoDB ends it."""
        try:
            while True:
                await self._round()
        finally:
            await self._give_back()

    async def step(self) -> int:
        """One round without waiting: what is new in each partition, up to a batch. How many records were acknowledged.

        Raises whatever log, state and topic raise; the next step then sends again what was not acknowledged.
        """
        try:
            if not await self._holds():
                return 0
            return await self._relay()
        except BaseException:
            # Whether the cursors moved is not known here: they are read again.
            self._cursor = None
            raise

    async def release(self) -> None:
        """Another relay may send at once."""
        self._epoch = self._cursor = None
        await self._tenure.release()

    async def _holds(self) -> bool:
        epoch = await self._tenure.hold()
        if epoch != self._epoch:
            self._enter(epoch)
        if epoch is not None and self._cursor is None:
            self._cursor = await self._cursors.take_over(self._log.partitions, epoch)
            if self._cursor is None:
                self._lose()
        return self._cursor is not None

    def _enter(self, epoch: int | None) -> None:
        self._epoch, self._cursor = epoch, None
        event = LogEvent.LEASE_LOST if epoch is None else LogEvent.LEASE_GAINED
        _log.info(event, service=self._log.service, holder=self._tenure.holder, epoch=epoch)

    def _lose(self) -> None:
        self._tenure.lost()
        self._enter(None)

    async def _relay(self) -> int:
        batches = await self._read()
        if not batches:
            return 0
        outcomes = await asyncio.gather(
            *(self._topic.send(self._log.service, p, messages) for p, messages in batches.items()),
            return_exceptions=True,
        )
        sent = {p: len(batches[p]) for p, outcome in zip(batches, outcomes, strict=True) if outcome is None}
        await self._move(sent)
        for outcome in outcomes:
            if outcome is not None:
                raise outcome
        return sum(sent.values())

    async def _read(self) -> dict[int, list[Message]]:
        assert self._cursor is not None
        cursor = self._cursor
        behind = [head.partition for head in await self._log.heads() if head.seq > cursor[head.partition]]
        read = await asyncio.gather(*(self._log.read(p, cursor[p], self._batch) for p in behind))
        return {p: self._messages(p, cursor[p], records) for p, records in zip(behind, read, strict=True) if records}

    def _messages(self, partition: int, after: int, records: list[bytes]) -> list[Message]:
        messages = []
        for expected, raw in enumerate(records, after + 1):
            place = _place_of(raw)
            if place.seq != expected:
                raise LogOutOfOrderError(f"{self._log.service}/{partition}/{expected}")
            messages.append(Message(place.stream.encode(), raw))
        return messages

    async def _move(self, sent: dict[int, int]) -> None:
        assert self._cursor is not None
        assert self._epoch is not None
        moves = {p: Move(self._cursor[p], self._cursor[p] + count) for p, count in sent.items()}
        if not await self._cursors.move(moves, self._epoch):
            self._lose()
            return
        for partition, move in moves.items():
            self._cursor[partition] = move.after

    async def _round(self) -> None:
        self._woken.clear()
        try:
            sent = await self.step()
        except Exception as error:
            await self._back_off(error)
            return
        if self._failures:
            self._failures = 0
            _log.info(LogEvent.RECOVERED, service=self._log.service)
        if not sent:
            await self._wait()

    async def _wait(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(POLL_SECONDS):
                await self._woken.wait()

    async def _back_off(self, error: Exception) -> None:
        self._failures += 1
        seconds = min(POLL_SECONDS * 2 ** (self._failures - 1), MAX_BACKOFF_SECONDS)
        _log.warning(LogEvent.FAILING, service=self._log.service, exception=type(error).__name__, seconds=seconds)
        await asyncio.sleep(seconds)

    async def _give_back(self) -> None:
        # A store that does not answer must not keep the process from stopping: the lease then runs out by itself.
        with contextlib.suppress(Exception):
            async with asyncio.timeout(GOODBYE_SECONDS):
                await self.release()
