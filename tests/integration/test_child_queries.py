"""Cards asked of a real MongoDB."""

from __future__ import annotations

import uuid
from datetime import date

import pytest
from motor.motor_asyncio import AsyncIOMotorClient

from services.reporting.read_models.child_queries import ChildQueries
from services.reporting.read_models.children import Children
from shared.contracts.child_file import ChildFileReviewConfirmed, ChildFileVerified
from shared.contracts.file_keeping import ChildFilesMerged, ChildMergeUndone
from shared.contracts.registry import ChildFileClosed, ChildFileReopened, SubjectKeyDestroyed
from shared.contracts.sealed import Personal
from shared.contracts.values import CloseReason
from shared.projection.checkpoint import Checkpoint
from shared.projection.mongo import MongoProjectionStore
from shared.projection.workspace import Work
from tests.support.builders import VILLAGE, a_registered_child
from tests.support.child_cards import VERSION, occurrences

ELSEWHERE = "520303106201"


def closed(child: str, on: date) -> ChildFileClosed:
    return ChildFileClosed(child=child, reason=CloseReason.TURNED_16, closed_on=on)


@pytest.fixture
async def database(mongo_url):
    client = AsyncIOMotorClient(mongo_url, tz_aware=True)
    name = f"children_{uuid.uuid4().hex[:12]}"
    yield client, name
    await client.drop_database(name)
    client.close()


async def holding(database, events):
    """Questions to cards of these events."""
    model, store = Children(), MongoProjectionStore(*database)
    await store.prepare(model, VERSION)
    work, batch = Work(store, VERSION), occurrences(events)
    await model.prepare(batch, work)
    for occurred in batch:
        model.fold(occurred, work)
    assert await store.commit(VERSION, work.changes, await store.checkpoint(VERSION), Checkpoint(revision=1))

    async def cards(name):
        client, database_name = database
        return client[database_name][VERSION.collection(name)]

    return ChildQueries(cards)


def merged(child: str, into: str) -> ChildFilesMerged:
    return ChildFilesMerged(
        child=child,
        into=into,
        village=VILLAGE,
        merged_on=date(2026, 8, 14),
        reason=Personal("同一儿童"),
        merged_by="county-1",
    )


async def test_the_files_that_were_merged_into_one_are_found_and_those_merged_into_them(database):
    last, second, first, other, undone, erased = (a_registered_child() for _ in range(6))
    events = [last, second, first, other, undone, erased]
    events += [merged(first.child, second.child), merged(second.child, last.child), merged(undone.child, last.child)]
    events += [ChildMergeUndone(child=undone.child, into=last.child, reason=Personal("误"), undone_by="county-1")]
    events += [merged(erased.child, last.child), SubjectKeyDestroyed(child=erased.child, approved_by="officer-1")]
    queries = await holding(database, events)
    assert [card["_id"] for card in await queries.merged_into(last.child)] == [second.child, first.child]
    assert await queries.merged_into(other.child) == []


async def test_files_merged_in_a_ring_are_found_once_each(database):
    one, two, three = (a_registered_child() for _ in range(3))
    ring = [merged(one.child, two.child), merged(two.child, three.child), merged(three.child, one.child)]
    queries = await holding(database, [one, two, three, *ring])
    assert {card["_id"] for card in await queries.merged_into(one.child)} == {two.child, three.child}


async def test_reviews_are_found_by_the_day_they_are_due_while_the_file_is_open(database):
    first, second, later, shut, away = (a_registered_child() for _ in range(5))
    away = away.model_copy(update={"residence": ELSEWHERE})
    looked = {first.child: 2, second.child: 1, later.child: 3}
    events = [first, second, later, shut, away]
    for file in (first, second, later, shut, away):
        events += [ChildFileVerified(child=file.child, verified_by="county-1")]
        events += [ChildFileReviewConfirmed(child=file.child, as_of=date(2026, 1, looked.get(file.child, 1)))]
    queries = await holding(database, [*events, closed(shut.child, date(2026, 2, 1))])
    found = await queries.due([VILLAGE], "2026-07-04", limit=10)
    assert [(card["_id"], card["file"]["check"]["due_on"]) for card in found] == [
        (second.child, "2026-07-03"),
        (first.child, "2026-07-04"),
    ]


async def test_closed_files_are_found_by_the_day_they_were_closed_in_ones_own_villages(database):
    first, second, recent, reopened, away = (a_registered_child() for _ in range(5))
    away = away.model_copy(update={"residence": ELSEWHERE})
    old, older, new = date(2023, 8, 14), date(2023, 8, 1), date(2023, 8, 15)
    events = [first, second, recent, reopened, away, closed(first.child, old), closed(second.child, older)]
    events += [closed(recent.child, new), closed(reopened.child, old), closed(away.child, old)]
    events += [ChildFileReopened(child=reopened.child, reason=Personal("又外出"), reopened_on=new)]

    queries = await holding(database, events)
    found = await queries.closed([VILLAGE], old.isoformat(), limit=10)
    assert [(card["_id"], card["file"]) for card in found] == [
        (second.child, {"closed_on": "2023-08-01", "closed_for": "turned_16"}),
        (first.child, {"closed_on": "2023-08-14", "closed_for": "turned_16"}),
    ]
