"""Cards asked of a real MongoDB."""

from __future__ import annotations

import uuid
from datetime import date

import pytest
from motor.motor_asyncio import AsyncIOMotorClient

from services.reporting.read_models.child_queries import ChildQueries
from services.reporting.read_models.children import Children
from shared.contracts.registry import ChildFileClosed, ChildFileReopened
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


async def test_closed_files_are_found_by_the_day_they_were_closed_in_ones_own_villages(database):
    first, second, recent, reopened, away = (a_registered_child() for _ in range(5))
    away = away.model_copy(update={"residence": ELSEWHERE})
    old, older, new = date(2023, 8, 14), date(2023, 8, 1), date(2023, 8, 15)
    events = [first, second, recent, reopened, away, closed(first.child, old), closed(second.child, older)]
    events += [closed(recent.child, new), closed(reopened.child, old), closed(away.child, old)]
    events += [ChildFileReopened(child=reopened.child, reason=Personal("又外出"), reopened_on=new)]

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

    queries = ChildQueries(cards)
    found = await queries.closed([([VILLAGE], old.isoformat())], limit=10)
    assert [(card["_id"], card["file"]) for card in found] == [
        (second.child, {"closed_on": "2023-08-01", "closed_for": "turned_16"}),
        (first.child, {"closed_on": "2023-08-14", "closed_for": "turned_16"}),
    ]
