"""The one writer of a read model: takes runs, folds them in memory, writes each batch with the checkpoint.

A batch is whatever has come in while the last one was written: large while the writer is behind, a few events when it
is level. The next batch is opened while the last one is written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

import msgspec
import structlog

from shared.contracts.catalogue import newer_than_code
from shared.contracts.event import Event
from shared.eventlog.lease import Tenure
from shared.eventlog.record import Record
from shared.messaging.run import Level, Mark, Run, Sink, Source
from shared.privacy.sealing import Sealer
from shared.projection.checkpoint import Checkpoint, ModelVersion, Seen, Stopped
from shared.projection.read_model import Occurred, ReadModel
from shared.projection.store import ProjectionStore
from shared.projection.workspace import Changes, Work

MAX_BATCH: Final = 10_000
"""Records in one transaction; WiredTiger keeps them in its cache until it commits."""
MAX_QUEUED: Final = 20_000
NOTE_EVERY: Final = timedelta(milliseconds=500)
"""How often a level writer notes that it is level, when nothing else is written."""
IDLE_SECONDS: Final = 0.5

_log = structlog.get_logger()


class LogEvent(StrEnum):
    """What this package logs."""

    STOPPED = "read_model_stopped"
    """An event could not be folded: its place, type and id, and the exception's class. Fix the fold and start again."""

    SUPERSEDED = "read_model_superseded"
    """Another writer has written, or a transaction failed: this one begins again from the stored checkpoint."""


class FoldFailedError(Exception):
    """The read model stands before this event. Fix its fold, then start the projector again."""

    def __init__(self, stopped: Stopped) -> None:
        super().__init__(f"{stopped.type} {stopped.event} at {stopped.position}: {stopped.error}")
        self.stopped = stopped


class SupersededError(Exception):
    """The checkpoint in the store is not the one this writer wrote last."""


class Consuming(Protocol):
    """What brings runs to a sink: ``shared.messaging.consumer.Consumer``."""

    async def run(self) -> None: ...


ConsumerFrom = Callable[[Mapping[Source, Mark], Sink], Consuming]


class Opened:
    """A batch on its way: its records with their events, and the marks it leads to."""

    def __init__(self, occurred: list[Occurred], marks: dict[Source, Mark], passed: int) -> None:
        self.occurred = occurred
        self.marks = marks
        self.passed = passed


class Projector:
    """Writes one version of one read model. ``run`` is for service; ``begin``, ``take`` and ``step`` are its parts."""

    def __init__(
        self,
        model: ReadModel,
        of: ModelVersion,
        store: ProjectionStore,
        sealer: Sealer,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        max_batch: int = MAX_BATCH,
    ) -> None:
        self.model = model
        self.of = of
        self.checkpoint = Checkpoint()
        self._store = store
        self._sealer = sealer
        self._clock = clock
        self._max_batch = max_batch
        self._queue: list[Run] = []
        self._queued = 0
        self._marks: dict[Source, Mark] = {}
        self._heads: dict[Source, Seen] = {}
        self._noted_at = clock()
        self._epoch = 0
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    # -- what the consumer calls

    async def take(self, run: Run) -> None:
        self._queue.append(run)
        self._queued += len(run.records)
        self._arrived.set()
        if self._queued >= MAX_QUEUED:
            self._room.clear()
        await self._room.wait()

    async def level(self, level: Level) -> None:
        self._heads[level.source] = Seen(level.seq, level.time)
        self._arrived.set()

    # -- running

    async def run(self, consumer_from: ConsumerFrom, tenure: Tenure) -> None:
        """Writes while it holds the lease, until it is cancelled. Raises FoldFailedError.

        After another writer was here it begins again from the checkpoint in the store.
        """
        try:
            while True:
                if (epoch := await tenure.hold()) is None:
                    await asyncio.sleep(IDLE_SECONDS)
                    continue
                try:
                    await self._serve(consumer_from, tenure, epoch)
                except SupersededError:
                    _log.warning(LogEvent.SUPERSEDED, read_model=str(self.of))
                    await asyncio.sleep(IDLE_SECONDS)
        finally:
            await tenure.release()

    async def _serve(self, consumer_from: ConsumerFrom, tenure: Tenure, epoch: int) -> None:
        marks = await self.begin(epoch)
        consuming = asyncio.create_task(consumer_from(marks, self).run())
        writing = asyncio.create_task(self._write_while(tenure, epoch))
        try:
            done, _ = await asyncio.wait([consuming, writing], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (consuming, writing):
                task.cancel()
            await asyncio.gather(consuming, writing, return_exceptions=True)

    async def _write_while(self, tenure: Tenure, epoch: int) -> None:
        """The pipeline: while one batch is written, the next is awaited and opened."""
        writing: asyncio.Task[None] | None = None
        try:
            while await tenure.hold() == epoch:
                await self._something(writing)
                opened = await self._open(self._next())
                if writing is not None:
                    await writing
                    writing = None
                if opened.marks or self._news():
                    changes = await self._fold(opened)
                    writing = asyncio.create_task(self._commit(changes, opened))
                    await asyncio.sleep(0)  # lets the write begin before the next batch is opened
        finally:
            if writing is not None:
                await asyncio.gather(writing, return_exceptions=True)

    async def _something(self, writing: asyncio.Task[None] | None) -> None:
        """Until a run or a level has come, the write under way has ended, or some time has passed."""
        arrived = asyncio.create_task(self._arrived.wait())
        waiting = [arrived] if writing is None else [arrived, writing]
        await asyncio.wait(waiting, timeout=IDLE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        arrived.cancel()
        self._arrived.clear()

    # -- its parts

    async def begin(self, epoch: int) -> Mapping[Source, Mark]:
        """Drops all that was queued or cached; the marks to read on from. Raises StoreUnavailableError."""
        await self._store.prepare(self.model, self.of)
        self.model.forget()
        self.checkpoint = await self._store.checkpoint(self.of)
        self._epoch = epoch
        self._marks = dict(self.checkpoint.marks)
        self._heads = dict(self.checkpoint.heads)
        self._queue, self._queued = [], 0
        self._room.set()
        return self.checkpoint.marks

    async def step(self) -> int:
        """Takes what is queued, folds and commits it; how many records that were.

        Raises SupersededError, FoldFailedError, StoreUnavailableError.
        """
        opened = await self._open(self._next())
        if not opened.marks and not self._news():
            return 0
        await self._commit(await self._fold(opened), opened)
        return len(opened.occurred) + opened.passed

    def _next(self) -> list[Run]:
        """Whole runs from the queue, up to the size of a batch."""
        size, count = 0, 0
        for run in self._queue:
            if count and size + len(run.records) > self._max_batch:
                break
            size, count = size + len(run.records), count + 1
        runs, self._queue = self._queue[:count], self._queue[count:]
        self._queued -= size
        if self._queued < MAX_QUEUED:
            self._room.set()
        if self._queue:
            self._arrived.set()
        return runs

    async def _open(self, runs: list[Run]) -> Opened:
        """Each run must follow on the one before it: then nothing is folded twice, whoever brings it."""
        marks: dict[Source, Mark] = {}
        records: list[Record] = []
        passed = 0
        for run in runs:
            if self._marks.get(run.source, Mark()).seq != run.after.seq:
                raise SupersededError(f"{run.source} stands elsewhere")
            self._marks[run.source] = marks[run.source] = run.upto
            for record in run.records:
                if record.type in self.model.events and not newer_than_code(record.type, record.schema):
                    records.append(record)
                else:
                    passed += newer_than_code(record.type, record.schema)
        events = await self._events(records)
        return Opened([Occurred(r, e) for r, e in zip(records, events, strict=True)], marks, passed)

    async def _events(self, records: list[Record]) -> list[Event]:
        return await self._sealer.open(records, self.model.opens) if records else []

    async def _fold(self, opened: Opened) -> Changes:
        work = Work(self._store, self.of)
        await self.model.prepare(opened.occurred, work)
        for number, occurred in enumerate(opened.occurred):
            try:
                self.model.fold(occurred, work)
            except Exception as error:
                await self._stop_before(opened, number, error)
        self.model.finish(work)
        return work.changes

    async def _stop_before(self, opened: Opened, number: int, error: Exception) -> None:
        """Nothing of the batch is written: the model stands at its last checkpoint, and says what it cannot fold."""
        record = opened.occurred[number].record
        stopped = Stopped(str(record.position), record.type, record.id, type(error).__name__)
        _log.error(LogEvent.STOPPED, read_model=str(self.of), **msgspec.structs.asdict(stopped))
        after = self._after({}, 0, stopped)
        await self._store.commit(self.of, Changes(), self.checkpoint, after)
        raise FoldFailedError(stopped) from error

    async def _commit(self, changes: Changes, opened: Opened) -> None:
        if self.checkpoint.frozen_until and self.checkpoint.frozen_until > self._clock():
            raise SupersededError("frozen")
        after = self._after(opened.marks, opened.passed, None)
        if not await self._store.commit(self.of, changes, self.checkpoint, after):
            self.model.forget()
            raise SupersededError(str(self.of))
        self.checkpoint = after
        self._noted_at = self._clock()

    def _after(self, marks: Mapping[Source, Mark], passed: int, stopped: Stopped | None) -> Checkpoint:
        before = self.checkpoint
        return Checkpoint(
            revision=before.revision + 1,
            epoch=self._epoch,
            marks={**before.marks, **marks},
            heads=dict(self._heads),
            stopped=stopped,
            passed=before.passed + passed,
        )

    def _news(self) -> bool:
        """Whether a level has come that the checkpoint should note by now."""
        return self._heads != self.checkpoint.heads and self._clock() - self._noted_at >= NOTE_EVERY
