"""The one writer of a read model: takes runs, folds them in memory, writes each batch with the checkpoint.

A batch is whatever has come in while the last one was written: large while the writer is behind, a few events when it
is level. The next batch is opened while the last one is written.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, NoReturn, Protocol

import msgspec
import structlog

from shared.eventlog.lease import Tenure
from shared.messaging.run import Level, Mark, Run, Sink, Source
from shared.projection.batch import PIECE_RECORDS, Batch, Opening, Piece, pieces, up_to
from shared.projection.checkpoint import Checkpoint, ModelVersion, Seen, Stopped
from shared.projection.opener import Opener
from shared.projection.read_model import Occurred, ReadModel
from shared.projection.store import ProjectionStore, ProjectionStoreError, StoreUnavailableError
from shared.projection.workspace import Changes, Work

MAX_BATCH: Final = 10_000
"""Records in one transaction; WiredTiger keeps them in its cache until it commits."""
MAX_BATCH_BYTES: Final = 16 * 1024 * 1024
MAX_QUEUED: Final = 20_000
NOTE_EVERY: Final = timedelta(milliseconds=500)
"""How often a writer notes that it is level, or has passed over what it does not fold, when nothing else is written."""
IDLE_SECONDS: Final = 0.5
UNSAID_SECONDS: Final = 0.1
"""Who waits for a record that is passed over should not wait much longer than ``NOTE_EVERY``."""
RETRY_SECONDS: Final = 30.0
"""A stopped read model tries again: what it met may have been the store's fault, or its own memory's."""
PACED_RECORDS: Final = 500
"""With more in the queue a writer is behind, and makes no pause."""
FOLDS_AT_ONCE: Final = 500
"""Then the consumer and the lease have their turn."""

_log = structlog.get_logger()


class LogEvent(StrEnum):
    """What this package logs."""

    STOPPED = "read_model_stopped"
    """An event could not be folded: its place, type and id, and the exception's class.

    Everything before it is written, nothing after it. Correct the fold and restart the process; when earlier events
    were folded wrongly too, run ``guanhu rebuild`` for the read model.
    """

    SUPERSEDED = "read_model_superseded"
    """Another writer has written, or a rebuild compares: this one begins again from the stored checkpoint."""

    SWITCHED = "read_model_switched"
    """A rebuild has made another version the live one; this one is written no more."""


class FoldFailedError(Exception):
    """The read model stands before this event. Fix its fold, then start the projector again."""

    def __init__(self, stopped: Stopped) -> None:
        super().__init__(f"{stopped.type} {stopped.event} at {stopped.position}: {stopped.error}")
        self.stopped = stopped


class SupersededError(Exception):
    """The checkpoint in the store is not the one this writer wrote last."""


class FrozenError(SupersededError):
    """A rebuild compares this version with another; it lasts until it has done so, or its time has run out."""


class Consuming(Protocol):
    """What brings runs to a sink: ``shared.messaging.consumer.Consumer``."""

    async def run(self) -> None: ...


ConsumerFrom = Callable[[Mapping[Source, Mark], Sink], Consuming]


class Projector:
    """Writes one version of one read model. ``run`` is for service; ``begin``, ``take`` and ``step`` are its parts.

    ``partitions`` is how many each service's log has: the read model is complete only when it is level with all of
    them. Without it those count of which something was heard.
    """

    def __init__(
        self,
        model: ReadModel,
        of: ModelVersion,
        store: ProjectionStore,
        opener: Opener,
        *,
        partitions: int = 0,
        indexed: bool = True,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        max_batch: int = MAX_BATCH,
    ) -> None:
        self.model = model
        self.of = of
        self.checkpoint = Checkpoint()
        self._store = store
        self._opening = Opening(model, opener)
        self._sources = [Source(service, n) for service in model.services for n in range(partitions)]
        self._indexed = indexed
        self._clock = clock
        self._max_batch = max_batch
        self._queue = deque[Piece]()
        self._queued = 0
        self._written = 0
        """Records of the last batch."""
        self._tails: dict[Source, Mark] = {}
        self._passed: dict[Source, Mark] = {}
        """How far it has come where it had nothing to fold, beyond what the checkpoint says."""
        self._heads: dict[Source, Seen] = {}
        self._goals: dict[Source, Seen] = {}
        self._noted_at = clock()
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    # -- what the consumer calls

    async def take(self, run: Run) -> None:
        """Each run must follow on the one before it: then nothing is folded twice, whoever brings it.

        Raises SupersededError.
        """
        if self._tails.get(run.source, Mark()).seq != run.after.seq:
            raise SupersededError(f"{run.source} stands elsewhere")
        self._tails[run.source] = run.upto
        self._queue.extend(pieces(run))
        self._queued += len(run.records)
        self._arrived.set()
        if self._queued >= MAX_QUEUED:
            self._room.clear()
        await self._room.wait()

    async def level(self, level: Level) -> None:
        seen = self._heads[level.source] = Seen(level.seq, level.time)
        self._goals.setdefault(level.source, seen)
        self._arrived.set()

    # -- running

    async def run(self, consumer_from: ConsumerFrom, tenure: Tenure) -> None:
        """Writes while it holds the lease; returns when a later version has become the live one.

        After another writer was here, or an event that cannot be folded, it begins again from the checkpoint in the
        store. Raises StoreUnavailableError, and what the consumer raises.
        """
        try:
            while not await self._is_past():
                if (epoch := await tenure.hold()) is None:
                    await asyncio.sleep(IDLE_SECONDS)
                    continue
                try:
                    await self.follow(consumer_from, tenure, epoch)
                except FrozenError:
                    await asyncio.sleep(IDLE_SECONDS)
                except SupersededError:
                    _log.warning(LogEvent.SUPERSEDED, read_model=str(self.of))
                    tenure.lost()
                except FoldFailedError:
                    await self._rest()
            _log.info(LogEvent.SWITCHED, read_model=str(self.of))
        finally:
            await tenure.release()

    async def _rest(self) -> None:
        """A while without work, ended early when a rebuild has made this version the past."""
        for _ in range(int(RETRY_SECONDS / IDLE_SECONDS)):
            if await self._is_past():
                return
            await asyncio.sleep(IDLE_SECONDS)

    async def follow(
        self, consumer_from: ConsumerFrom, tenure: Tenure, epoch: int, until: Mapping[Source, int] | None = None
    ) -> None:
        """Takes over from the checkpoint and writes until the lease is lost or, exactly, up to the seqs of ``until``.

        Raises SupersededError, FoldFailedError, StoreUnavailableError, and what the consumer raises.
        """
        marks = await self.begin(epoch)
        if await self._is_past():
            return
        sink: Sink = self if until is None else _UpTo(self, until)
        consuming = asyncio.create_task(consumer_from(marks, sink).run())
        writing = asyncio.create_task(self._write_while(tenure, epoch, until))
        try:
            done, _ = await asyncio.wait([consuming, writing], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (consuming, writing):
                task.cancel()
            await asyncio.gather(consuming, writing, return_exceptions=True)

    async def _write_while(self, tenure: Tenure, epoch: int, until: Mapping[Source, int] | None) -> None:
        batch = Batch()
        while await tenure.hold() == epoch and not self.has_reached(until):
            if not batch.records:
                await self._something()
                await self._pause(until)
                batch = await self._open(self._next(self._max_batch))
            if self._can_wait(batch, until):
                self._passed |= batch.marks
                batch = Batch()
            else:
                self._written = batch.records
                batch = await self._write(batch)

    async def _pause(self, until: Mapping[Source, int] | None) -> None:
        """A writer that is level keeps its model's pace: a transaction costs the same for one event and for fifty."""
        rest = self.model.pause(self._written) - (self._clock() - self._noted_at)
        if until is None and rest > timedelta() and self._queued < PACED_RECORDS:
            await asyncio.sleep(rest.total_seconds())

    def _can_wait(self, batch: Batch, until: Mapping[Source, int] | None) -> bool:
        """Whether the batch has no effect but its marks, and they may be written with the next one that has.

        Should they be lost until then, its records are passed over again.
        """
        if until is not None or not batch.is_passed_over or self.checkpoint.stopped:
            return False
        return self._clock() - self._noted_at < NOTE_EVERY

    async def _write(self, batch: Batch) -> Batch:
        """Writes a batch and, meanwhile, opens what comes in: the next one."""
        following = Batch()
        writing = asyncio.create_task(self._apply(batch))
        try:
            while not writing.done():
                room = self._max_batch - following.records if following.size < MAX_BATCH_BYTES else 0
                if next_pieces := self._next(min(room, PIECE_RECORDS)):
                    following.extend((await self._open(next_pieces)).opened)
                    await asyncio.sleep(0)
                else:
                    await self._something(writing, full=room <= 0)
        finally:
            # What a thread writes cannot be called back: nobody may begin again before it has ended.
            await asyncio.gather(writing, return_exceptions=True)
        writing.result()
        return following

    async def _something(self, writing: asyncio.Task[None] | None = None, full: bool = False) -> None:
        """Until a run or a level has come, the write under way has ended, or some time has passed."""
        arrived = asyncio.create_task(self._arrived.wait())
        waiting = {arrived, writing} if writing else {arrived}
        try:
            await asyncio.wait(
                waiting - {arrived} if full else waiting,
                timeout=UNSAID_SECONDS if self._passed else IDLE_SECONDS,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            arrived.cancel()
        self._arrived.clear()

    def has_reached(self, until: Mapping[Source, int] | None) -> bool:
        """Whether all that these seqs name has been committed."""
        return until is not None and all(self.checkpoint.mark(source).seq >= seq for source, seq in until.items())

    async def _is_past(self) -> bool:
        return await self._store.live(self.model.name) > self.of.version

    # -- its parts

    async def begin(self, epoch: int) -> Mapping[Source, Mark]:
        """Takes the build over, whatever was queued or cached is dropped; gives the marks to read on from.

        Raises FrozenError, SupersededError, StoreUnavailableError.
        """
        await self._store.prepare(self.model, self.of, indexed=self._indexed)
        self.model.forget()
        stored = await self._store.checkpoint(self.of)
        if stored.frozen_until and stored.frozen_until > self._clock():
            raise FrozenError(str(self.of))
        self._queue.clear()
        self._queued = 0
        self._room.set()
        self._passed = {}
        self._heads = dict(stored.heads)
        self._goals = {}
        self.checkpoint = stored
        marks = {source: stored.mark(source) for source in self._sources} | dict(stored.marks)
        # To write is what fences an older writer off: its next commit finds the revision moved.
        await self._save({}, msgspec.structs.replace(stored, epoch=epoch, marks=marks, frozen_until=None))
        self._tails = dict(marks)
        return marks

    async def step(self) -> int:
        """Takes what is queued, up to one batch, folds and commits it; how many records that were.

        Raises SupersededError, FoldFailedError, StoreUnavailableError.
        """
        batch = await self._open(self._next(self._max_batch))
        await self._apply(batch)
        return batch.records

    def _next(self, most: int) -> list[Piece]:
        """Pieces from the queue with at most so many records, but at least one piece if ``most`` is not 0."""
        taken: list[Piece] = []
        count = size = 0
        while self._queue and most > 0:
            run, weight = self._queue[0]
            if taken and (count + len(run.records) > most or size + weight > MAX_BATCH_BYTES):
                break
            taken.append(self._queue.popleft())
            count, size = count + len(run.records), size + weight
        self._queued -= count
        if self._queued < MAX_QUEUED:
            self._room.set()
        if self._queue:
            self._arrived.set()
        return taken

    async def _open(self, taken: Sequence[Piece]) -> Batch:
        return Batch(await self._opening.open(taken))

    async def _apply(self, batch: Batch) -> None:
        """Folds and commits a batch; of one that cannot be, all that comes before the guilty event."""
        if not batch.records and not self._news():
            return
        try:
            await self._commit(await self._folded(batch.occurred), batch)
        except (SupersededError, StoreUnavailableError):
            raise
        except Exception as error:
            self.model.forget()
            await self._narrow(batch, error)

    async def _folded(self, occurred: Sequence[Occurred]) -> Changes:
        work = Work(self._store, self.of)
        if occurred:
            await self.model.prepare(occurred, work)
            for start in range(0, len(occurred), FOLDS_AT_ONCE):
                for one in occurred[start : start + FOLDS_AT_ONCE]:
                    self.model.fold(one, work)
                await asyncio.sleep(0)
            self.model.finish(work)
        return work.changes

    async def _narrow(self, batch: Batch, error: Exception) -> None:
        """Half by half, so that whatever refuses the batch (opening, fold or store) the guilty record is found."""
        if batch.records <= 1:
            await self._stop(batch, error)
        for half in batch.halves():
            await self._apply(await self._open([piece for run in half for piece in pieces(run)]))

    async def _stop(self, batch: Batch, error: Exception) -> NoReturn:
        if not batch.records:
            raise error
        record = batch.opened[0].run.records[0]
        why = str(error) if isinstance(error, ProjectionStoreError) else type(error).__name__
        stopped = Stopped(str(record.position), record.type, record.id, why)
        if stopped != self.checkpoint.stopped:
            named = {"position": stopped.position, "type": stopped.type, "event_id": stopped.event}
            _log.error(LogEvent.STOPPED, read_model=str(self.of), exception=stopped.error, **named)
        await self._save({}, msgspec.structs.replace(self.checkpoint, stopped=stopped))
        raise FoldFailedError(stopped) from error

    async def _commit(self, changes: Changes, batch: Batch) -> None:
        before = self.checkpoint
        marks = {**before.marks, **self._passed, **batch.marks}
        incremented = {name for name, one in changes.items() if one.increments}
        await self._save(
            changes,
            msgspec.structs.replace(
                before,
                marks=marks,
                heads=dict(self._heads),
                complete=self._complete(marks),
                stopped=None if batch.records else before.stopped,
                passed=before.passed + batch.passed,
                counted=before.counted | incremented,
            ),
        )

    async def _save(self, changes: Changes, after: Checkpoint) -> None:
        after = msgspec.structs.replace(after, revision=self.checkpoint.revision + 1)
        if not await self._store.commit(self.of, changes, self.checkpoint, after):
            raise SupersededError(str(self.of))
        self.checkpoint = after
        self._noted_at = self._clock()
        self._passed = {}

    def _complete(self, marks: Mapping[Source, Mark]) -> dict[Source, datetime]:
        """A head may move on while the one before it is being reached: a goal is kept until it is."""
        complete = dict(self.checkpoint.complete)
        for source, goal in list(self._goals.items()):
            taken = marks.get(source, Mark()).seq
            reached = [seen for seen in (goal, self._heads[source]) if seen.seq <= taken]
            if reached:
                complete[source] = max(seen.time for seen in reached)
                del self._goals[source]
                if self._heads[source].seq > taken:
                    self._goals[source] = self._heads[source]
        return complete

    def _news(self) -> bool:
        """Whether there is something that the checkpoint does not say and should by now."""
        unsaid = bool(self._passed) or self._heads != self.checkpoint.heads
        return unsaid and self._clock() - self._noted_at >= NOTE_EVERY


class _UpTo:
    """A sink before the projector that lets nothing pass beyond these seqs."""

    def __init__(self, sink: Sink, seqs: Mapping[Source, int]) -> None:
        self._sink = sink
        self._seqs = seqs

    async def take(self, run: Run) -> None:
        if within := up_to(run, self._seqs):
            await self._sink.take(within)

    async def level(self, level: Level) -> None:
        await self._sink.level(level)
