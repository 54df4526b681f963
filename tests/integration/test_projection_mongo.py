"""Projector and rebuild on the real MongoDB: whoever writes, dies or compares, each event counts once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any
from uuid import uuid4

import pytest
from motor.motor_asyncio import AsyncIOMotorClient

from shared.eventlog.lease import MemoryLeases, MongoLeases, Tenure
from shared.eventlog.memory import MemoryLog
from shared.eventlog.record import Position
from shared.projection import projector as projector_module
from shared.projection import rebuild as rebuild_module
from shared.projection.checkpoint import ModelVersion
from shared.projection.live import LiveModels
from shared.projection.mongo import MongoProjectionStore
from shared.projection.projector import ConsumerFrom, FoldFailedError, Projector
from shared.projection.read_model import Occurred, Workspace
from shared.projection.rebuild import Rebuild
from tests.support.counting_model import CHILDREN, SEEN, TOTALS, Closings, Refusing
from tests.support.projecting import PARTITIONS, Reading, a_closing, a_log, a_sealer, tell

OF = ModelVersion(Closings.name, 1)
NEXT = ModelVersion(Closings.name, 2)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projector_module, "IDLE_SECONDS", 0.02)


class Reporting:
    """A database with read models, and a log they follow."""

    def __init__(self, client: AsyncIOMotorClient[dict[str, Any]], name: str) -> None:
        self.client = client
        self.database = client[name]
        self.store = MongoProjectionStore(client, name)
        self.live = LiveModels(self.database)
        self.log: MemoryLog = a_log()
        self.consumer_from: ConsumerFrom = lambda marks, sink: Reading(self.log, marks, sink, limit=40)

    def projector(self, model: Closings | None = None, of: ModelVersion = OF, **options: Any) -> Projector:
        return Projector(model or Closings(), of, self.store, a_sealer(), partitions=PARTITIONS, **options)

    def rebuild(self, model: Closings | None = None, **options: Any) -> Rebuild:
        leases, fixed = MongoLeases(self.database), {"partitions": PARTITIONS, "grace": 0.0}
        return Rebuild(
            model or Closings(), self.store, a_sealer(), self.consumer_from, leases, "rebuild", **fixed | options
        )

    async def run(self, holder: str, leases: MemoryLeases | MongoLeases) -> None:
        """As a process does: whichever version is live."""
        while True:
            of = ModelVersion(Closings.name, await self.store.live(Closings.name))
            await self.projector(of=of).run(self.consumer_from, Tenure(leases, str(of), holder))

    async def count(self, of: ModelVersion = OF) -> int:
        """How many events were folded, by three accounts that must agree once nothing is under way."""
        seen = await self.database[of.collection(SEEN)].count_documents({})
        totals = await self.database[of.collection(TOTALS)].find_one({"_id": "all"}) or {"reasons": {}}
        closed = [child["closed"] async for child in self.database[of.collection(CHILDREN)].find()]
        assert seen == sum(totals["reasons"].values()) == sum(closed)
        return int(seen)

    async def reached(self, count: int, of: ModelVersion = OF) -> None:
        async def there() -> bool:
            return await self.database[of.collection(SEEN)].count_documents({}) >= count

        await until(there)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await condition():  # noqa: ASYNC110 - a store knows no events
            await asyncio.sleep(0.02)


@pytest.fixture
async def reporting(mongo_url: str) -> AsyncIterator[Reporting]:
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(mongo_url, tz_aware=True)
    name = f"reporting_{uuid4().hex}"
    yield Reporting(client, name)
    await client.drop_database(name)
    client.close()


async def ended(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    for task in tasks:
        with suppress(asyncio.CancelledError):
            await task


async def test_two_writers_that_both_believe_in_their_lease_double_nothing(reporting: Reporting) -> None:
    writers = [asyncio.create_task(reporting.run(name, MemoryLeases())) for name in ("one", "two")]
    for _ in range(20):
        await tell(reporting.log, *(a_closing() for _ in range(25)))
        await asyncio.sleep(0.01)
    await reporting.reached(500)
    await ended(*writers)
    assert await reporting.count() == 500


async def test_a_writer_that_is_ended_anywhere_is_followed_by_one_that_goes_on(reporting: Reporting) -> None:
    await tell(reporting.log, *(a_closing() for _ in range(600)))
    for pause in (0.02, 0.03, 0.05, 0.08):
        writer = asyncio.create_task(reporting.run("projector", MongoLeases(reporting.database)))
        await asyncio.sleep(pause)
        await ended(writer)
    writer = asyncio.create_task(reporting.run("projector", MongoLeases(reporting.database)))
    await reporting.reached(600)
    await ended(writer)
    assert await reporting.count() == 600


async def test_a_stopped_model_says_so_and_how_far_it_is(reporting: Reporting) -> None:
    events = [a_closing() for _ in range(40)]
    await tell(reporting.log, *events)
    projector = reporting.projector(Refusing(events[10].child))
    reading = Reading(reporting.log, await projector.begin(1), projector, limit=100)
    await reading.bring()
    with pytest.raises(FoldFailedError):
        await projector.step()
    freshness = await reporting.live.freshness(Closings.name)
    assert freshness.stopped is not None
    assert "ChildFileClosed" in freshness.stopped
    assert "KeyError" in freshness.stopped
    assert "村" not in freshness.stopped
    assert await reporting.count() < 40


async def test_a_reader_can_wait_for_what_was_just_told(reporting: Reporting) -> None:
    writer = asyncio.create_task(reporting.run("projector", MongoLeases(reporting.database)))
    closing = a_closing()
    await tell(reporting.log, closing)
    position = Position("registry", int(closing.child[-4:], 16) % PARTITIONS, 1)
    assert await reporting.live.wait_for(Closings.name, position, timeout=10)
    cards = await reporting.live.collection(Closings.name, CHILDREN)
    assert (await cards.find_one({"_id": closing.child}) or {})["closed"] == 1
    assert not await reporting.live.wait_for(Closings.name, position._replace(seq=2), timeout=0.05)
    await ended(writer)


async def test_a_level_writer_tells_how_fresh_it_is(reporting: Reporting) -> None:
    writer = asyncio.create_task(reporting.run("projector", MongoLeases(reporting.database)))
    await tell(reporting.log, *(a_closing() for _ in range(10)))

    async def level() -> bool:
        freshness = await reporting.live.freshness(Closings.name)
        return freshness.complete_up_to is not None and not freshness.waiting

    await until(level)
    first = (await reporting.live.freshness(Closings.name)).complete_up_to

    async def later() -> bool:
        return (await reporting.live.freshness(Closings.name)).complete_up_to != first

    await until(later)
    await ended(writer)


async def test_a_rebuild_under_load_loses_and_doubles_nothing(
    reporting: Reporting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuild_module, "CLOSE", 50)
    await tell(reporting.log, *(a_closing() for _ in range(500)))
    writer = asyncio.create_task(reporting.run("projector", MongoLeases(reporting.database)))
    await reporting.reached(300)

    async def on() -> None:
        for _ in range(100):
            await tell(reporting.log, *(a_closing() for _ in range(5)))
            await asyncio.sleep(0.01)

    telling = asyncio.create_task(on())
    report = await reporting.rebuild().run()
    assert (report.differences, report.switched) == ((), True)
    await telling
    await reporting.reached(1_000, NEXT)
    await ended(writer)
    assert await reporting.count(NEXT) == 1_000
    assert OF.collection(SEEN) not in await reporting.database.list_collection_names()
    indexes = await reporting.database[NEXT.collection(CHILDREN)].index_information()
    assert "reason_1" in indexes


class Forgetful(Closings):
    """A fold that was changed: it keeps no reason."""

    def fold(self, occurred: Occurred, work: Workspace) -> None:
        super().fold(occurred, work)
        child = work.get(CHILDREN, occurred.event.child) or {}  # type: ignore[attr-defined]
        child.pop("reason")


async def test_a_rebuild_that_differs_leaves_the_live_version_writing(reporting: Reporting) -> None:
    await tell(reporting.log, *(a_closing() for _ in range(50)))
    writer = asyncio.create_task(reporting.run("projector", MongoLeases(reporting.database)))
    await reporting.reached(50)
    report = await reporting.rebuild(Forgetful()).run()
    assert [difference.collection for difference in report.differences] == [CHILDREN]
    assert not report.switched
    await tell(reporting.log, a_closing())
    await reporting.reached(51)
    await ended(writer)
    assert await reporting.count() == 51
    assert await reporting.count(NEXT) == 50


async def test_a_rebuild_that_is_ended_anywhere_can_be_finished(reporting: Reporting) -> None:
    await tell(reporting.log, *(a_closing() for _ in range(800)))
    writer = asyncio.create_task(reporting.run("projector", MongoLeases(reporting.database)))
    await reporting.reached(800)
    for pause in (0.05, 0.1, 0.15, 0.25):
        rebuilding = asyncio.create_task(reporting.rebuild(max_batch=50).run())
        await asyncio.sleep(pause)
        if rebuilding.done():
            break
        await ended(rebuilding)
        if await reporting.store.live(Closings.name) != 1:
            break  # it was ended after its switch; another one would build a third version
    if await reporting.store.live(Closings.name) == 1:
        assert (await reporting.rebuild().run()).switched
    await tell(reporting.log, a_closing())
    await reporting.reached(801, NEXT)
    await ended(writer)
    assert await reporting.count(NEXT) == 801
