"""The projector: each event once, whatever happens to it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from shared.eventlog.lease import MemoryLeases, Tenure
from shared.eventlog.memory import MemoryLog
from shared.messaging.run import Level, Mark, Sink, Source
from shared.projection import projector as projector_module
from shared.projection.batch import cut, pieces, up_to
from shared.projection.checkpoint import Checkpoint, ModelVersion
from shared.projection.memory import MemoryProjectionStore
from shared.projection.projector import FoldFailedError, FrozenError, Projector, SupersededError
from shared.projection.read_model import ReadModel, Workspace
from shared.projection.store import StoreUnavailableError
from shared.projection.workspace import Changes
from tests.support.counting_model import CHILDREN, SEEN, TOTALS, Closings, Refusing
from tests.support.projecting import PARTITIONS, Reading, a_closing, a_log, a_sealer, tell
from tests.support.sample_log import Collected

OF = ModelVersion(Closings.name, 1)


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 8, 14, 8, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def log() -> MemoryLog:
    return a_log()


@pytest.fixture
def store() -> MemoryProjectionStore:
    return MemoryProjectionStore()


def a_projector(store: MemoryProjectionStore, model: ReadModel | None = None, **options: Any) -> Projector:
    return Projector(model or Closings(), OF, store, a_sealer(), **{"partitions": PARTITIONS} | options)


async def follow(projector: Projector, log: MemoryLog) -> None:
    """From the checkpoint to the end of the log, as the simulation drives it."""
    reading = Reading(log, await projector.begin(1), projector)
    while await reading.bring() or await projector.step():
        pass


def folded(store: MemoryProjectionStore) -> int:
    return len(store.collections[OF.collection(SEEN)])


def total(store: MemoryProjectionStore) -> int:
    sums = store.collections[OF.collection(TOTALS)].get("all", {"reasons": {}})["reasons"]
    closed = sum(child["closed"] for child in store.collections[OF.collection(CHILDREN)].values())
    assert closed == sum(sums.values())
    return closed


async def test_every_event_is_folded_once(log: MemoryLog, store: MemoryProjectionStore) -> None:
    await tell(log, *(a_closing() for _ in range(50)))
    await follow(a_projector(store), log)
    assert (folded(store), total(store)) == (50, 50)


async def test_a_new_writer_goes_on_where_the_last_one_stood(log: MemoryLog, store: MemoryProjectionStore) -> None:
    for _ in range(3):
        await tell(log, *(a_closing() for _ in range(20)))
        await follow(a_projector(store), log)
    assert (folded(store), total(store)) == (60, 60)


async def test_batches_stay_within_their_size(log: MemoryLog, store: MemoryProjectionStore) -> None:
    await tell(log, *(a_closing() for _ in range(40)))
    projector = a_projector(store, max_batch=7)
    reading = Reading(log, await projector.begin(1), projector)
    while await reading.bring():
        pass
    sizes = []
    while size := await projector.step():
        sizes.append(size)
    assert sum(sizes) == 40
    assert max(sizes) <= 7


async def test_a_writer_whose_checkpoint_was_moved_writes_nothing_and_begins_again(
    log: MemoryLog, store: MemoryProjectionStore
) -> None:
    await tell(log, *(a_closing() for _ in range(30)))
    model = Closings()
    older, newer = a_projector(store, model), a_projector(store)
    reading = Reading(log, await older.begin(1), older, limit=100)
    await reading.bring()
    await follow(newer, log)
    with pytest.raises(SupersededError):
        await older.step()
    assert (folded(store), total(store)) == (30, 30)
    forgotten = model.forgotten
    await tell(log, a_closing())
    await follow(older, log)
    assert model.forgotten > forgotten
    assert (folded(store), total(store)) == (31, 31)


async def test_taking_over_fences_the_older_writer_off(log: MemoryLog, store: MemoryProjectionStore) -> None:
    await tell(log, a_closing())
    older = a_projector(store)
    await Reading(log, await older.begin(1), older).bring()
    await a_projector(store).begin(2)
    with pytest.raises(SupersededError):
        await older.step()
    assert folded(store) == 0


async def test_a_run_that_does_not_follow_is_refused(log: MemoryLog, store: MemoryProjectionStore) -> None:
    await tell(log, *(a_closing() for _ in range(9)))
    projector = a_projector(store)
    await Reading(log, await projector.begin(1), projector).bring()
    with pytest.raises(SupersededError):
        await Reading(log, {}, projector).bring()


class Failing(MemoryProjectionStore):
    """Does not answer some of the commits, or answers them after it has committed."""

    def __init__(self) -> None:
        super().__init__()
        self.silent_before = self.silent_after = False

    async def commit(self, of: ModelVersion, changes: Changes, before: Checkpoint, after: Checkpoint) -> bool:
        if self.silent_before:
            raise StoreUnavailableError("AutoReconnect")
        committed = await super().commit(of, changes, before, after)
        if self.silent_after:
            raise StoreUnavailableError("AutoReconnect")
        return committed


@pytest.mark.parametrize("when", ["silent_before", "silent_after"])
async def test_a_crash_around_the_write_neither_loses_nor_doubles(log: MemoryLog, when: str) -> None:
    store = Failing()
    await tell(log, *(a_closing() for _ in range(20)))
    projector = a_projector(store)
    await Reading(log, await projector.begin(1), projector).bring()
    setattr(store, when, True)
    with pytest.raises(StoreUnavailableError):
        await projector.step()
    setattr(store, when, False)
    await follow(projector, log)
    assert (folded(store), total(store)) == (20, 20)


async def test_an_event_that_cannot_be_folded_stops_the_model_and_is_named(
    log: MemoryLog, store: MemoryProjectionStore
) -> None:
    events = [a_closing() for _ in range(30)]
    await tell(log, *events)
    guilty = events[20].child
    projector = a_projector(store, Refusing(guilty))
    with pytest.raises(FoldFailedError):
        await follow(projector, log)
    stopped = (await store.checkpoint(OF)).stopped
    assert stopped is not None
    assert (stopped.type, stopped.error) == ("ChildFileClosed", "KeyError")
    assert str(Source("registry", int(guilty[-4:], 16) % PARTITIONS)) in stopped.position
    assert folded(store) == total(store) > 0
    assert guilty not in store.collections[OF.collection(CHILDREN)]


async def test_all_that_comes_before_the_guilty_event_is_written_and_nothing_after_it(
    log: MemoryLog, store: MemoryProjectionStore
) -> None:
    first = a_closing()
    events = [first, *(a_closing(f"{first.child[:-4]}{n:02x}{first.child[-2:]}") for n in range(30))]
    await tell(log, *events)
    projector = a_projector(store, Refusing(events[17].child))
    with pytest.raises(FoldFailedError):
        await follow(projector, log)
    assert set(store.collections[OF.collection(CHILDREN)]) == {event.child for event in events[:17]}


async def test_a_stopped_model_goes_on_once_its_fold_is_mended(log: MemoryLog, store: MemoryProjectionStore) -> None:
    events = [a_closing() for _ in range(30)]
    await tell(log, *events)
    for _ in range(2):
        with pytest.raises(FoldFailedError):
            await follow(a_projector(store, Refusing(events[3].child)), log)
    await follow(a_projector(store), log)
    assert (folded(store), total(store)) == (30, 30)
    assert (await store.checkpoint(OF)).stopped is None


class Doubling(Closings):
    """Inserts one id for all, so that only the store can notice."""

    def fold(self, occurred: Any, work: Workspace) -> None:
        super().fold(occurred, work)
        if occurred.record.seq == 2 and occurred.record.partition == 1:
            work.put(CHILDREN, {"_id": "x", "not for a store": object()})


async def test_what_the_store_refuses_stops_the_model_at_its_event(
    log: MemoryLog, store: MemoryProjectionStore
) -> None:
    await tell(log, *(a_closing() for _ in range(40)))
    with pytest.raises(FoldFailedError):
        await follow(a_projector(store, Doubling()), log)
    stopped = (await store.checkpoint(OF)).stopped
    assert stopped is not None
    assert (stopped.position, stopped.error) == ("registry/1/2", "InvalidDocument")


async def test_a_record_that_cannot_be_opened_stops_the_model(log: MemoryLog, store: MemoryProjectionStore) -> None:
    await tell(log, *(a_closing() for _ in range(5)))
    await tell(log, a_closing(), data=msgspec.Raw(b'{"child": 7}'))
    with pytest.raises(FoldFailedError):
        await follow(a_projector(store), log)
    stopped = (await store.checkpoint(OF)).stopped
    assert stopped is not None
    assert stopped.error == "MalformedRecordError"
    assert folded(store) <= 5


async def test_newer_events_are_passed_over_and_counted(log: MemoryLog, store: MemoryProjectionStore) -> None:
    await tell(log, a_closing(), type="ChildSentToTheMoon")
    await tell(log, a_closing(), schema=99)
    await tell(log, a_closing())
    await follow(a_projector(store), log)
    assert folded(store) == 1
    assert (await store.checkpoint(OF)).passed == 2


async def test_events_of_no_concern_are_passed_over_unopened(log: MemoryLog, store: MemoryProjectionStore) -> None:
    await tell(log, a_closing(), type="ChildFileReopened")
    await tell(log, a_closing())
    await follow(a_projector(store), log)
    checkpoint = await store.checkpoint(OF)
    assert (folded(store), checkpoint.passed) == (1, 0)
    assert sum(mark.seq for mark in checkpoint.marks.values()) == 2


async def test_a_frozen_version_is_not_written(log: MemoryLog, store: MemoryProjectionStore) -> None:
    clock = Clock()
    projector = a_projector(store, clock=clock)
    await projector.begin(1)
    now = await store.checkpoint(OF)
    frozen = Checkpoint(revision=now.revision + 1, marks=now.marks, frozen_until=clock.now + timedelta(seconds=60))
    assert await store.commit(OF, {}, now, frozen)
    with pytest.raises(FrozenError):
        await projector.begin(2)
    clock.move(61)
    await tell(log, a_closing())
    await follow(projector, log)
    assert folded(store) == 1
    assert (await store.checkpoint(OF)).frozen_until is None


class TestFreshness:
    async def test_it_is_complete_up_to_the_oldest_level_of_all_partitions(
        self, log: MemoryLog, store: MemoryProjectionStore
    ) -> None:
        clock = Clock()
        projector = a_projector(store, clock=clock)
        await tell(log, a_closing())
        await follow(projector, log)
        clock.move(1)
        await projector.step()
        checkpoint = await store.checkpoint(OF)
        assert checkpoint.complete_up_to == min(checkpoint.complete.values())
        assert len(checkpoint.complete) == PARTITIONS
        assert checkpoint.waiting == 0

    async def test_it_is_not_complete_before_every_partition_was_level(
        self, log: MemoryLog, store: MemoryProjectionStore
    ) -> None:
        clock = Clock()
        projector = a_projector(store, clock=clock)
        await projector.begin(1)
        assert (await store.checkpoint(OF)).complete_up_to is None
        head = (await log.heads())[0]
        await projector.level(a_level(0, head.seq, head.time))
        clock.move(1)
        await projector.step()
        assert (await store.checkpoint(OF)).complete_up_to is None

    async def test_a_head_that_moves_on_takes_nothing_back(self, store: MemoryProjectionStore) -> None:
        clock = Clock()
        projector = a_projector(store, partitions=1, clock=clock)
        await projector.begin(1)
        level_at = clock.now
        await projector.level(a_level(0, 0, level_at))
        clock.move(1)
        await projector.step()
        await projector.level(a_level(0, 5, clock.now))
        clock.move(1)
        await projector.step()
        checkpoint = await store.checkpoint(OF)
        assert (checkpoint.complete_up_to, checkpoint.waiting) == (level_at, 5)

    async def test_being_level_is_noted_at_most_twice_a_second(self, store: MemoryProjectionStore) -> None:
        clock = Clock()
        projector = a_projector(store, partitions=1, clock=clock)
        await projector.begin(1)
        for _ in range(20):
            clock.move(0.1)
            await projector.level(a_level(0, 0, clock.now))
            await projector.step()
        assert (await store.checkpoint(OF)).revision == 1 + 4


def a_level(partition: int, seq: int, time: datetime) -> Level:
    return Level(Source("registry", partition), seq, time)


class TestRunning:
    async def test_it_follows_the_log_and_two_at_once_double_nothing(
        self, log: MemoryLog, store: MemoryProjectionStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(projector_module, "IDLE_SECONDS", 0.01)
        leases = MemoryLeases()
        running = [
            asyncio.create_task(
                a_projector(store).run(
                    reading_of(log), Tenure(leases, lease, "me")
                )  # two leases: the lease is no fence
            )
            for lease in ("one", "two")
        ]
        for _ in range(20):
            await tell(log, *(a_closing() for _ in range(10)))
            await asyncio.sleep(0.005)
        await until(lambda: folded(store) == 200)
        assert total(store) == 200
        await ended(running)

    async def test_it_ends_when_another_version_is_live(self, log: MemoryLog, store: MemoryProjectionStore) -> None:
        await a_projector(store).begin(1)
        before = await store.checkpoint(OF)
        assert await store.switch(OF, before, Checkpoint(revision=before.revision + 1), 2)
        await asyncio.wait_for(a_projector(store).run(reading_of(log), Tenure(MemoryLeases(), "one", "me")), 1)

    async def test_it_stops_exactly_where_it_was_told_to(self, log: MemoryLog, store: MemoryProjectionStore) -> None:
        await tell(log, *(a_closing() for _ in range(100)))
        seqs = {Source("registry", n): n * 3 for n in range(PARTITIONS)}
        tenure = Tenure(MemoryLeases(), "one", "me")
        await a_projector(store).follow(reading_of(log), tenure, await tenure.hold() or 0, until=seqs)
        assert {s: mark.seq for s, mark in (await store.checkpoint(OF)).marks.items()} == seqs
        assert folded(store) == sum(seqs.values())


def reading_of(log: MemoryLog) -> Any:
    def consumer_from(marks: Mapping[Source, Mark], sink: Sink) -> Reading:
        return Reading(log, marks, sink)

    return consumer_from


async def until(condition: Any) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what is waited for knows no events
            await asyncio.sleep(0.01)


async def ended(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    for task in tasks:
        with suppress(asyncio.CancelledError):
            await task


class TestRuns:
    async def test_a_run_is_cut_so_that_the_parts_follow_on_each_other(self, log: MemoryLog) -> None:
        first = a_closing()
        await tell(log, *(a_closing(first.child) for _ in range(5)))
        collected = Collected()
        source = Source("registry", int(first.child[-4:], 16) % PARTITIONS)
        whole: list[Any] = []

        class Whole(Collected):
            async def take(self, run: Any) -> None:
                whole.append(run)

        await Reading(log, {}, Whole(), limit=100).bring()
        [run] = whole
        for part in cut(run, 2):
            await collected.take(part)
        assert collected.seqs(source) == [1, 2, 3, 4, 5]
        assert [len(piece.run.records) for piece in pieces(run)] == [5]
        assert up_to(run, {source: 5}) == run
        assert up_to(run, {source: 0}) is None
        within = up_to(run, {source: 3})
        assert within is not None
        assert [record.seq for record in within.records] == [1, 2, 3]
