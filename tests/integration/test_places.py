"""Schools and village profiles as they are asked over HTTP: from a real MongoDB, and from registry's log."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from typing import Any
from uuid import uuid4

import httpx
import pytest
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection

from services.registry.domain.school import ChangeSchool
from services.registry.domain.village_profile import RecordVillageProfile
from services.registry.places import Streams, place_routes
from shared.commands.command import Told
from shared.contracts.values import Role
from shared.identity.caller import Caller
from shared.identity.directory import DirectoryModel
from shared.web.app import create_app
from tests.support.builders import VILLAGE
from tests.support.registry import TREE, Registry
from tests.support.workspace import fold_all
from tests.unit.identity.test_directory_model import a_division
from tests.unit.test_places import RECORD, REGISTER

TOWNSHIP, COUNTY = "520303105", "520303"


class Asking:
    """registry with a school and a profile, asked by one person after the other."""

    def __init__(self) -> None:
        self.registry = Registry()
        self.registry.directory.add_grant("leader-1", Role.LEADER, COUNTY, date(2026, 1, 1))
        self.registry.directory.add_grant("supervisor-1", Role.CHILD_SUPERVISOR, TOWNSHIP, date(2026, 1, 1))
        self.person = "director-1"

    async def tell(self) -> None:
        change = ChangeSchool(school=REGISTER.school, since=date(2026, 8, 14), closed=True)
        profile = RecordVillageProfile(**RECORD.model_dump(exclude={"occurred_at"}))
        for command, person in ((REGISTER, "office-1"), (change, "office-1"), (profile, "director-1")):
            await self.registry.handler.handle(Told(command, str(uuid4()), person))


@pytest.fixture
def asking() -> Asking:
    return Asking()


@pytest.fixture
async def http(mongo_url: str, asking: Asking) -> AsyncIterator[httpx.AsyncClient]:
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(mongo_url)
    database = client[f"places_{uuid4().hex}"]

    async def collection(name: str) -> AsyncIOMotorCollection[dict[str, Any]]:
        return database[name]

    await asking.tell()
    registry = asking.registry
    history = [*(a_division(code, parent) for code, parent in TREE), *await registry.everything()]
    for name, documents in (await fold_all(DirectoryModel(), [history])).items():
        if documents:
            await database[name].insert_many(list(documents.values()))
    streams = Streams(registry.log, registry.sealer)
    routes = place_routes(collection, streams, registry.directory, lambda: Caller(asking.person))
    app = create_app(title="registry", service="registry", routers=[routes])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://registry") as open_client:
        yield open_client
    await client.drop_database(database)
    client.close()


async def test_the_schools_of_a_division_are_listed_without_their_contacts(
    http: httpx.AsyncClient, asking: Asking
) -> None:
    asking.person = "leader-1"
    assert (await http.get("/schools", params={"division": COUNTY})).json() == [
        {
            "school": REGISTER.school,
            "name": "测试小学",
            "kind": "primary",
            "division": TOWNSHIP,
            "closed_on": "2026-08-14",
        }
    ]


async def test_whom_to_call_at_a_school_is_told_to_those_who_work_with_its_children(
    http: httpx.AsyncClient, asking: Asking
) -> None:
    asking.person = "supervisor-1"
    card = (await http.get(f"/schools/{REGISTER.school}")).json()
    assert (card["contact"]["name"], card["contact"]["phone"], card["closed"]) == ("测老师", "13900000001", True)
    asking.person = "leader-1"
    refused = await http.get(f"/schools/{REGISTER.school}")
    unknown = await http.get("/schools/school-00000000-0000-4000-8000-000000000000")
    assert (refused.status_code, refused.json()["code"]) == (404, "not_on_file")
    assert refused.json()["detail"] == unknown.json()["detail"]


async def test_a_profile_is_asked_for_a_day(http: httpx.AsyncClient) -> None:
    found = (await http.get(f"/villages/{VILLAGE}/profile")).json()
    assert (found["as_of"], found["population"], found["road"]) == ("2026-06-30", 1630, "paved")
    before = await http.get(f"/villages/{VILLAGE}/profile", params={"on": "2026-06-29"})
    assert (before.status_code, before.json()["code"]) == (404, "no_profile")
    other = await http.get("/villages/520303106201/profile")
    assert (other.status_code, other.json()["code"]) == (403, "out_of_scope")
