"""Rebuilds: the live version answers until the new one is proved, and whatever happens it goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from shared.eventlog.lease import MemoryLeases, Tenure
from shared.eventlog.memory import MemoryLog
from shared.messaging.run import Mark, Sink, Source
from shared.projection import projector as projector_module
from shared.projection import rebuild as rebuild_module
from shared.projection.checkpoint import Checkpoint, ModelVersion
from shared.projection.memory import MemoryProjectionStore
from shared.projection.projector import FoldFailedError, Projector
from shared.projection.read_model import Occurred, Workspace
from shared.projection.rebuild import AlreadyRebuilding, FreezeLost, NothingLive, Progress, Rebuild, Report
from tests.support.counting_model import CHILDREN, SEEN, TOTALS, Closings, Refusing
from tests.support.projecting import PARTITIONS, Reading, a_closing, a_log, a_sealer, tell

OLD, NEW = ModelVersion(Closings.name, 1), ModelVersion(Closings.name, 2)


@pytest.fixture
def log() -> MemoryLog:
    return a_log()


@pytest.fixture
def store() -> MemoryProjectionStore:
    return MemoryProjectionStore()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projector_module, "IDLE_SECONDS", 0.01)
    monkeypatch.setattr(rebuild_module, "CLOSE", 10)


class CountsTwice(Closings):
    """A fold that was changed."""

    def fold(self, occurred: Occurred, work: Workspace) -> None:
        super().fold(occurred, work)
        work.increment(TOTALS, "twice", "n", 2)


async def a_live_model(log: MemoryLog, store: MemoryProjectionStore, count: int = 60) -> None:
    await tell(log, *(a_closing() for _ in range(count)))
    await bring_up(log, store)


async def bring_up(log: MemoryLog, store: MemoryProjectionStore, of: ModelVersion = OLD) -> None:
    projector = Projector(Closings(), of, store, a_sealer(), partitions=PARTITIONS)
    reading = Reading(log, await projector.begin(1), projector)
    while await reading.bring() or await projector.step():
        pass


def a_rebuild(log: MemoryLog, store: MemoryProjectionStore, model: Closings | None = None, **options: Any) -> Rebuild:
    def consumer_from(marks: Mapping[Source, Mark], sink: Sink) -> Reading:
        return Reading(log, marks, sink)

    leases = options.pop("leases", MemoryLeases())
    fixed: dict[str, Any] = {"partitions": PARTITIONS, "grace": 0.0}
    return Rebuild(model or Closings(), store, a_sealer(), consumer_from, leases, "me", **fixed | options)


def seen(store: MemoryProjectionStore, of: ModelVersion) -> int:
    return len(store.collections[of.collection(SEEN)])


async def test_an_equal_rebuild_is_switched_to_and_the_old_version_dropped(
    log: MemoryLog, store: MemoryProjectionStore
) -> None:
    await a_live_model(log, store)
    report = await a_rebuild(log, store).run()
    assert report == Report(OLD, NEW, 60, (), True)
    assert await store.live(OLD.name) == 2
    assert (seen(store, OLD), seen(store, NEW)) == (0, 60)
    assert await store.checkpoint(OLD) == Checkpoint()


async def test_the_next_rebuild_builds_the_next_version(log: MemoryLog, store: MemoryProjectionStore) -> None:
    await a_live_model(log, store)
    await a_rebuild(log, store).run()
    await tell(log, *(a_closing() for _ in range(5)))
    await bring_up(log, store, NEW)
    report = await a_rebuild(log, store).run()
    assert (report.new.version, report.records, report.switched) == (3, 65, True)


async def test_a_changed_fold_is_reported_and_not_switched_to(log: MemoryLog, store: MemoryProjectionStore) -> None:
    await a_live_model(log, store)
    report = await a_rebuild(log, store, CountsTwice()).run()
    [difference] = report.differences
    assert (difference.collection, difference.old.documents, difference.new.documents) == (TOTALS, 1, 2)
    assert not report.switched
    assert await store.live(OLD.name) == 1
    assert (seen(store, OLD), seen(store, NEW)) == (60, 60)
    assert (await store.checkpoint(OLD)).frozen_until is None


async def test_a_difference_can_be_accepted(log: MemoryLog, store: MemoryProjectionStore) -> None:
    await a_live_model(log, store)
    await a_rebuild(log, store, CountsTwice()).run()
    report = await a_rebuild(log, store, CountsTwice(), accept_difference=True).run()
    assert (len(report.differences), report.switched) == (1, True)
    assert store.collections[NEW.collection(TOTALS)]["twice"]["n"] == 120


async def test_a_fresh_rebuild_forgets_what_an_earlier_one_has_built(
    log: MemoryLog, store: MemoryProjectionStore
) -> None:
    await a_live_model(log, store)
    await a_rebuild(log, store, CountsTwice()).run()
    report = await a_rebuild(log, store, fresh=True).run()
    assert (report.differences, report.switched) == ((), True)


async def test_it_is_built_exactly_to_where_the_live_version_stands(
    log: MemoryLog, store: MemoryProjectionStore
) -> None:
    await a_live_model(log, store)
    await tell(log, *(a_closing() for _ in range(40)))  # told, and not taken in by the live version
    report = await a_rebuild(log, store).run()
    assert (report.records, report.switched, seen(store, NEW)) == (60, True, 60)
    await bring_up(log, store, NEW)
    assert seen(store, NEW) == 100


class Interrupted(Closings):
    """Ends the process, so to speak, in the middle."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.left = after

    def fold(self, occurred: Occurred, work: Workspace) -> None:
        self.left -= 1
        if self.left < 0:
            raise asyncio.CancelledError
        super().fold(occurred, work)


async def test_a_stopped_rebuild_goes_on_where_it_stood(log: MemoryLog, store: MemoryProjectionStore) -> None:
    await a_live_model(log, store, 200)
    with pytest.raises(asyncio.CancelledError):
        await a_rebuild(log, store, Interrupted(90), max_batch=20).run()
    stood = seen(store, NEW)
    assert 0 < stood <= 90
    assert await store.live(OLD.name) == 1
    model = Interrupted(200 - stood)  # not one event more than is left
    report = await a_rebuild(log, store, model).run()
    assert (model.left, report.switched, seen(store, NEW)) == (0, True, 200)


async def test_an_event_that_cannot_be_folded_ends_it_and_the_live_version_goes_on(
    log: MemoryLog, store: MemoryProjectionStore
) -> None:
    guilty = a_closing()
    await tell(log, guilty)
    await a_live_model(log, store)
    with pytest.raises(FoldFailedError):
        await a_rebuild(log, store, Refusing(guilty.child)).run()
    assert await store.live(OLD.name) == 1
    await tell(log, a_closing())
    await bring_up(log, store)
    assert seen(store, OLD) == 62


async def test_a_read_model_never_written_is_not_rebuilt(log: MemoryLog, store: MemoryProjectionStore) -> None:
    with pytest.raises(NothingLive):
        await a_rebuild(log, store).run()


async def test_two_do_not_rebuild_at_once(log: MemoryLog, store: MemoryProjectionStore) -> None:
    await a_live_model(log, store)
    leases = MemoryLeases()
    await leases.acquire(str(NEW), "another")
    with pytest.raises(AlreadyRebuilding):
        await a_rebuild(log, store, leases=leases).run()


async def test_progress_is_told_in_records(log: MemoryLog, store: MemoryProjectionStore) -> None:
    await a_live_model(log, store)
    told: list[Progress] = []
    await a_rebuild(log, store, progress=told.append).run()
    assert told[-1] == Progress(60, 60)


async def test_the_live_writer_waits_while_versions_are_compared_and_goes_on_with_the_new_one(
    log: MemoryLog, store: MemoryProjectionStore
) -> None:
    await a_live_model(log, store)
    leases, telling = MemoryLeases(), asyncio.create_task(_tell_on(log))
    writer = asyncio.create_task(_write_as_a_process_does(log, store, leases))
    await asyncio.sleep(0.05)
    report = await asyncio.wait_for(a_rebuild(log, store, leases=leases).run(), 20)
    assert report.switched
    await telling
    async with asyncio.timeout(10):
        while seen(store, NEW) < 260:  # noqa: ASYNC110 - a store knows no events
            await asyncio.sleep(0.01)
    totals = store.collections[NEW.collection(TOTALS)]["all"]["reasons"]
    closed = sum(child["closed"] for child in store.collections[NEW.collection(CHILDREN)].values())
    assert (seen(store, NEW), sum(totals.values()), closed) == (260, 260, 260)
    writer.cancel()
    await asyncio.gather(writer, return_exceptions=True)


async def _tell_on(log: MemoryLog) -> None:
    for _ in range(200):
        await tell(log, a_closing())
        await asyncio.sleep(0.002)


async def _write_as_a_process_does(log: MemoryLog, store: MemoryProjectionStore, leases: MemoryLeases) -> None:
    while True:
        of = ModelVersion(Closings.name, await store.live(Closings.name))
        projector = Projector(Closings(), of, store, a_sealer(), partitions=PARTITIONS)
        await projector.run(lambda marks, sink: Reading(log, marks, sink), Tenure(leases, str(of), "projector"))


class Meddling(MemoryProjectionStore):
    """Has the live writer go on just before the switch, as after a freeze that ran out."""

    async def switch(self, old: ModelVersion, before: Checkpoint, after: Checkpoint, version: int) -> bool:
        stored = await self.checkpoint(old)
        await self.commit(old, {}, stored, Checkpoint(revision=stored.revision + 1, marks=stored.marks))
        return await super().switch(old, before, after, version)


async def test_nothing_is_switched_when_the_live_writer_went_on(log: MemoryLog) -> None:
    store = Meddling()
    await a_live_model(log, store)
    with pytest.raises(FreezeLost):
        await a_rebuild(log, store).run()
    assert await store.live(OLD.name) == 1
    assert (await store.checkpoint(OLD)).frozen_until is None
