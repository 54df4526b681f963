"""What every directory answers, whether it was told in memory or folded into MongoDB."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection

from shared.contracts.access import AccessGranted
from shared.contracts.divisions import DivisionsMerged
from shared.contracts.registry import RoleGranted
from shared.contracts.roster import DutyHolderNamed
from shared.contracts.values import Access, AccessPurpose, Duty, Role
from shared.eventlog.placement import new_id
from shared.identity.access import Directory, Ending, NoRole, OutOfScope, Place, file_in
from shared.identity.directory import DIVISIONS, DirectoryModel, MemoryDirectory, MongoDirectory
from tests.support.workspace import fold_all
from tests.unit.identity.test_directory_model import COUNTY, TOWNSHIP, TREE, VILLAGE, a_division

ORPHAN = "529903001"
TODAY = date(2026, 8, 14)
ROLE = RoleGranted(
    role_id=new_id("role"),
    person="person-0001",
    role=Role.COUNTY_CIVIL_AFFAIRS,
    division=COUNTY,
    starts=date(2026, 1, 1),
    ends=date(2027, 1, 1),
)
PAST = ROLE.model_copy(
    update={"role_id": new_id("role"), "division": "5299", "starts": date(2025, 1, 1), "ends": date(2026, 1, 1)}
)


MERGED = DivisionsMerged(division=new_id("division"), code=COUNTY, merged=("529902",), valid_from=TODAY)
CONTACT = DutyHolderNamed(
    duty=new_id("duty"),
    person="person-0001",
    role=Duty.VILLAGE_CONTACT,
    division=VILLAGE,
    starts=date(2026, 1, 1),
)
"""A duty that gives no rights: no directory tells of it as a grant."""

CHILD = new_id("child")
ACCESS = AccessGranted(
    access=new_id("access"),
    person="person-0002",
    opens=Access.PERSONAL_DATA,
    purpose=AccessPurpose.COMPLAINT,
    division=VILLAGE,
    child=CHILD,
    starts=TODAY,
    ends=date(2026, 8, 16),
    requested_by="person-0003",
    approved_by="person-0004",
)


def _memory() -> MemoryDirectory:
    directory = MemoryDirectory()
    directory.end_division("529902", MERGED.valid_from, COUNTY, taken_over=True)
    for node in (*TREE, a_division(ORPHAN, "529903")):
        directory.add_division(node.code, node.parent)
    for role in (ROLE, PAST):
        directory.add_grant(role.person, role.role, role.division, role.starts, role.ends, source=role.role_id)
    directory.add_grant("person-0002", ACCESS.opens, file_in(VILLAGE, CHILD), TODAY, ACCESS.ends, ACCESS.access)
    return directory


@pytest.fixture(params=["memory", "mongo"])
async def directory(request: pytest.FixtureRequest) -> AsyncIterator[Directory]:
    if request.param == "memory":
        yield _memory()
        return
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(request.getfixturevalue("mongo_url"))
    database = client[f"directory_{uuid4().hex}"]

    async def collection(name: str) -> AsyncIOMotorCollection[dict[str, Any]]:
        return database[name]

    store = await fold_all(
        DirectoryModel(), [[*TREE, a_division(ORPHAN, "529903"), ROLE, PAST, CONTACT, MERGED, ACCESS]]
    )
    for name, documents in store.items():
        await database[name].insert_many(list(documents.values()))
    yield MongoDirectory(collection)
    await client.drop_database(database)
    client.close()


async def path(directory: Directory, division: str) -> tuple[str, ...] | None:
    place = (await directory.places([division])).get(division)
    return place and place.path


async def test_a_path_leads_from_the_root_to_the_division(directory: Directory) -> None:
    assert await path(directory, VILLAGE) == ("52", "5299", COUNTY, TOWNSHIP, VILLAGE)
    assert await path(directory, "52") == ("52",)


async def test_an_unknown_or_hanging_division_has_no_path(directory: Directory) -> None:
    assert await path(directory, "539901") is None
    assert await path(directory, ORPHAN) is None


async def test_the_paths_of_many_divisions_leave_out_those_without_one(directory: Directory) -> None:
    assert await directory.places([VILLAGE, "52", "539901", ORPHAN]) == {
        VILLAGE: Place(("52", "5299", COUNTY, TOWNSHIP, VILLAGE)),
        "52": Place(("52",)),
    }


async def test_a_division_that_has_ended_says_since_when_and_what_followed(directory: Directory) -> None:
    ended = (await directory.places(["529902"]))["529902"]
    assert ended.ending == Ending(TODAY, (COUNTY,), taken_over=True)
    assert (await directory.places([COUNTY]))[COUNTY].ending is None


async def test_all_grants_of_a_person_are_known(directory: Directory) -> None:
    grants = await directory.grants("person-0001")
    assert {(g.role, g.division, g.starts, g.ends, g.source) for g in grants} == {
        (r.role, r.division, r.starts, r.ends, r.role_id) for r in (ROLE, PAST)
    }
    assert not await directory.grants("person-0009")


async def test_a_person_is_authorised_below_their_division_today(directory: Directory) -> None:
    grant = await directory.authorise("person-0001", "record_child", VILLAGE, TODAY)
    assert (grant.role, grant.division) == (Role.COUNTY_CIVIL_AFFAIRS, COUNTY)


@pytest.mark.parametrize("division", ["5299", "539901", ORPHAN])
async def test_outside_nobody_is_authorised_whether_it_exists_or_not(directory: Directory, division: str) -> None:
    with pytest.raises(OutOfScope) as refused:
        await directory.authorise("person-0001", "record_child", division, TODAY)
    assert division not in refused.value.detail


@pytest.mark.parametrize(
    ("person", "action", "today"),
    [
        ("person-0009", "record_child", TODAY),
        ("person-0001", "approve_erasure", TODAY),
        ("person-0001", "record_child", date(2027, 1, 1)),
    ],
)
async def test_without_a_role_for_it_today_nobody_is_authorised(
    directory: Directory, person: str, action: str, today: date
) -> None:
    with pytest.raises(NoRole):
        await directory.authorise(person, action, VILLAGE, today)


async def test_a_grant_for_one_file_is_for_that_file_alone(directory: Directory) -> None:
    grant = await directory.authorise("person-0002", "open_child_file", VILLAGE, TODAY, CHILD)
    assert (grant.role, grant.source) == (Access.PERSONAL_DATA, ACCESS.access)
    for child in (None, new_id("child")):
        with pytest.raises(OutOfScope):
            await directory.authorise("person-0002", "open_child_file", VILLAGE, TODAY, child)
    with pytest.raises(NoRole):
        await directory.authorise("person-0002", "open_child_file", VILLAGE, ACCESS.ends, CHILD)


async def test_a_path_from_the_store_is_used_for_two_seconds_and_a_missing_one_asked_again(mongo_url: str) -> None:
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(mongo_url)
    divisions = client[f"directory_{uuid4().hex}"][DIVISIONS]
    now = 0.0

    async def collection(name: str) -> AsyncIOMotorCollection[dict[str, Any]]:
        return divisions

    directory = MongoDirectory(collection, clock=lambda: now)
    try:
        assert await path(directory, "5299") is None
        await divisions.insert_one({"_id": "5299", "path": ["5299"], "ends": None})
        assert await path(directory, "5299") == ("5299",)
        await divisions.update_one({"_id": "5299"}, {"$set": {"path": ["52", "5299"]}})
        now = 1.9
        assert await path(directory, "5299") == ("5299",)
        now = 2.0
        assert await path(directory, "5299") == ("52", "5299")
    finally:
        await client.drop_database(divisions.database)
        client.close()


async def test_many_questions_for_one_person_are_one_question_to_the_store(mongo_url: str) -> None:
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(mongo_url)
    database = client[f"directory_{uuid4().hex}"]
    asked = 0

    async def collection(name: str) -> AsyncIOMotorCollection[dict[str, Any]]:
        nonlocal asked
        asked += 1
        return database[name]

    for name, documents in (await fold_all(DirectoryModel(), [[*TREE, ROLE]])).items():
        await database[name].insert_many(list(documents.values()))
    directory = MongoDirectory(collection)
    try:
        answers = await asyncio.gather(*(directory.grants("person-0001") for _ in range(50)))
        assert {len(grants) for grants in answers} == {1}
        assert asked == 1
    finally:
        await client.drop_database(database)
        client.close()
