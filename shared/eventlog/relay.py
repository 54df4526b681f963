"""The relay: sends the log of one service to its topic, in order, each record at least once.

It runs in every process of the service; a lease says which one sends. A crash can only send records twice. What this
process has committed it sends from memory; what others have, and what was too much to keep, it reads from the log.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Any, Final, NamedTuple

import msgspec
import structlog
from motor.motor_asyncio import AsyncIOMotorDatabase

from shared.eventlog.cursor import Cursors, MemoryCursors, MongoCursors, Move
from shared.eventlog.group import Line
from shared.eventlog.lease import Leases, MemoryLeases, MongoLeases, Tenure
from shared.eventlog.port import Log
from shared.eventlog.topic import Message, Topic

BATCH: Final = 1_000
POLL_SECONDS: Final = 0.2
"""How often the log is looked at for what other processes have committed."""
NOTE_SECONDS: Final = 0.1
"""How often the cursors are moved: what was sent after that is sent twice should this process be killed."""
REMEMBERED: Final = 1_000
"""Records of a partition that wait in memory, at most."""
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


class _Fresh:
    """The records that this process has committed last, by partition."""

    def __init__(self) -> None:
        self._lines = defaultdict[int, deque[Line]](lambda: deque(maxlen=REMEMBERED))

    def add(self, lines: Iterable[Line]) -> None:
        for line in lines:
            self._lines[line.record.partition].append(line)

    def after(self, cursor: Sequence[int], most: int) -> dict[int, list[Message]]:
        """What follows on the cursor of each partition, as far as it is here without a hole."""
        found = {p: list(self._following(lines, cursor[p], most)) for p, lines in self._lines.items()}
        return {p: messages for p, messages in found.items() if messages}

    @staticmethod
    def _following(lines: deque[Line], seq: int, most: int) -> Iterator[Message]:
        while lines and lines[0].record.seq <= seq:
            lines.popleft()
        for line, expected in zip(lines, range(seq + 1, seq + 1 + most), strict=False):
            if line.record.seq != expected:
                return
            yield Message(line.record.stream.encode(), line.raw)


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
        self._clock = clock
        self._fresh = _Fresh()
        self._epoch: int | None = None
        self._cursor: list[int] | None = None
        self._noted: list[int] = []
        self._note_at = self._look_at = 0.0
        self._failures = 0

    def committed(self, lines: Iterable[Line]) -> None:
        """By this process, just now."""
        self._fresh.add(lines)
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
        try:
            if self._cursor is not None:
                await self._move()
        finally:
            self._epoch = self._cursor = None
            await self._tenure.release()

    async def _holds(self) -> bool:
        epoch = await self._tenure.hold()
        if epoch != self._epoch:
            self._enter(epoch)
        if epoch is not None and self._cursor is None:
            self._cursor = await self._cursors.take_over(self._log.partitions, epoch)
            self._noted = list(self._cursor or ())
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
        assert self._cursor is not None
        batches, faults = await self._unsent(self._cursor)
        outcomes = await asyncio.gather(
            *(self._topic.send(self._log.service, p, messages) for p, messages in batches.items()),
            return_exceptions=True,
        )
        sent = {p: len(batches[p]) for p, outcome in zip(batches, outcomes, strict=True) if outcome is None}
        for partition, count in sent.items():
            self._cursor[partition] += count
        faults += [outcome for outcome in outcomes if outcome is not None]
        if faults or self._clock() >= self._note_at:
            self._note_at = self._clock() + NOTE_SECONDS
            await self._move()
        if faults:
            raise faults[0]
        return sum(sent.values())

    async def _unsent(self, cursor: Sequence[int]) -> tuple[dict[int, list[Message]], list[BaseException]]:
        """By partition, up to a batch of what follows on the cursor; and what keeps partitions from being sent."""
        batches = self._fresh.after(cursor, self._batch)
        faults: list[BaseException] = []
        if not batches or self._clock() >= self._look_at:
            self._look_at = self._clock() + POLL_SECONDS
            ends = {p: cursor[p] + len(batches.get(p, ())) for p in range(self._log.partitions)}
            behind = [h.partition for h in await self._log.heads() if h.seq > ends[h.partition]]
            wanted = [p for p in behind if p not in batches]
            read = await asyncio.gather(*(self._read(p, cursor[p]) for p in wanted), return_exceptions=True)
            for partition, found in zip(wanted, read, strict=True):
                if isinstance(found, BaseException):
                    faults.append(found)
                elif found:
                    batches[partition] = found
        return batches, faults

    async def _read(self, partition: int, after: int) -> list[Message]:
        """Raises LogOutOfOrderError, and what the log raises; the other partitions go on."""
        messages = []
        for expected, raw in enumerate(await self._log.read(partition, after, self._batch), after + 1):
            place = _place_of(raw)
            if place.seq != expected:
                raise LogOutOfOrderError(f"{self._log.service}/{partition}/{expected}")
            messages.append(Message(place.stream.encode(), raw))
        return messages

    async def _move(self) -> None:
        """Notes in the store how far was sent; a cursor that another relay has taken over ends the sending here."""
        assert self._cursor is not None
        assert self._epoch is not None
        ends = zip(self._noted, self._cursor, strict=True)
        moves = {p: Move(before, after) for p, (before, after) in enumerate(ends) if before != after}
        if await self._cursors.move(moves, self._epoch):
            self._noted = list(self._cursor)
        else:
            self._lose()

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
        unsaid = self._cursor is not None and self._cursor != self._noted
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(NOTE_SECONDS if unsaid else POLL_SECONDS):
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
