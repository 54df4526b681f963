"""The roster as it is asked over HTTP, folded into a real MongoDB."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from typing import Any
from uuid import uuid4

import httpx
import pytest
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection

from services.registry.roster import roster_routes
from shared.contracts.registry import RoleGranted
from shared.contracts.values import Role
from shared.eventlog.placement import new_id
from shared.identity.caller import Caller
from shared.identity.directory import DirectoryModel, MongoDirectory
from shared.web.app import create_app
from tests.support.workspace import fold_all
from tests.unit.identity.test_directory_model import (
    COUNTY,
    D1,
    ROSTER,
    TREE,
    VILLAGE,
    WHOLE_GROUP_ENDS,
    a_duty,
    a_relief,
)

OTHER_VILLAGE = "529901001002"
LEADER = RoleGranted(
    role_id=new_id("role"), person="leader", role=Role.LEADER, division=COUNTY, starts=date(2026, 1, 1)
)


@pytest.fixture
async def http(mongo_url: str) -> AsyncIterator[httpx.AsyncClient]:
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(mongo_url)
    database = client[f"roster_{uuid4().hex}"]

    async def collection(name: str) -> AsyncIOMotorCollection[dict[str, Any]]:
        return database[name]

    history = [*TREE, LEADER, *ROSTER, WHOLE_GROUP_ENDS, a_duty(D1), a_relief(D1)]
    for name, documents in (await fold_all(DirectoryModel(), [history])).items():
        await database[name].insert_many(list(documents.values()))
    routes = roster_routes(collection, MongoDirectory(collection), lambda: Caller("leader"))
    app = create_app(title="registry", service="registry", routers=[routes])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://registry") as asking:
        yield asking
    await client.drop_database(database)
    client.close()


@pytest.mark.parametrize(
    ("on", "offices"),
    [
        ("2026-03-31", {("group_leader", "person-0001")}),
        (
            "2026-06-30",
            {
                ("group_leader", "new leader"),
                ("first_secretary", "first"),
                ("posted_cadre", "cadre"),
                ("child_director", "person-0004"),
            },
        ),
        ("2026-07-01", {("group_leader", "new leader"), ("first_secretary", "second")}),
        ("2026-09-01", set()),
    ],
)
async def test_the_roster_of_a_day_holds_who_is_in_office_that_day(
    http: httpx.AsyncClient, on: str, offices: set[tuple[str, str]]
) -> None:
    answer = (await http.get("/roster", params={"division": VILLAGE, "on": on})).json()
    assert {(holder["office"], holder["person"]) for holder in answer["holders"]} == offices


async def test_a_village_without_a_child_director_is_a_visible_gap(http: httpx.AsyncClient) -> None:
    filled = (await http.get("/roster", params={"division": COUNTY, "on": "2026-06-30"})).json()
    assert [village["division"] for village in filled["without_child_director"]] == [OTHER_VILLAGE]
    empty = (await http.get("/roster", params={"division": COUNTY, "on": "2026-07-01"})).json()
    assert [village["division"] for village in empty["without_child_director"]] == [VILLAGE, OTHER_VILLAGE]


async def test_the_roster_of_another_county_is_not_told(http: httpx.AsyncClient) -> None:
    answer = await http.get("/roster", params={"division": "529902"})
    assert (answer.status_code, answer.json()["code"]) == (403, "out_of_scope")
