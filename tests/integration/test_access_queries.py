"""Who could and who did see a file on which day, asked of real read models in MongoDB."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime
from functools import partial
from typing import Any
from uuid import uuid4

import httpx
import pytest
from motor.motor_asyncio import AsyncIOMotorClient

from services.reporting.access import handlings
from services.reporting.api.access import access_routes
from services.reporting.read_models.access_log import AccessLog
from services.reporting.read_models.access_queries import AccessQueries
from shared.commands.handler import Handler
from shared.contracts.access import AccessGranted
from shared.contracts.divisions import DivisionSplit, SplitPart
from shared.contracts.registry import DivisionAdded, RoleEnded, RoleGranted
from shared.contracts.values import Access, AccessPurpose, DivisionKind, Role
from shared.eventlog.memory import MemoryLog
from shared.eventlog.placement import new_id
from shared.identity.caller import Caller
from shared.identity.directory import DIVISIONS, DirectoryModel, MongoDirectory
from shared.identity.scope import Scope
from shared.privacy.cipher import Aes256Gcm
from shared.privacy.memory import MemoryVault
from shared.privacy.sealing import Sealer
from shared.projection.checkpoint import ModelVersion
from shared.projection.live import LiveModels
from shared.projection.read_model import Occurred, ReadModel
from shared.web.app import create_app
from tests.support.access_log import CHILD, GLASS, NEXT_VILLAGE, REGISTERED, broken, moved, on, opened
from tests.support.builders import COUNTY, VILLAGE
from tests.support.workspace import fold_all

NOW = datetime(2026, 8, 31, 10, tzinfo=UTC)
TOWNSHIP, NEW_TOWNSHIP = "520303105", "520303106"
TREE = [("52", None), ("5203", "52"), (COUNTY, "5203"), (TOWNSHIP, COUNTY), (NEW_TOWNSHIP, COUNTY)]
TREE += [(VILLAGE, TOWNSHIP), (NEXT_VILLAGE, TOWNSHIP)]
KINDS = {2: DivisionKind.PROVINCE, 4: DivisionKind.CITY, 6: DivisionKind.COUNTY, 9: DivisionKind.TOWNSHIP}


def a_division(code: str, parent: str | None) -> DivisionAdded:
    kind = KINDS.get(len(code), DivisionKind.VILLAGE)
    division = new_id("division")
    return DivisionAdded(division=division, code=code, name="测", kind=kind, parent=parent, valid_from=date(2020, 1, 1))


def held(person: str, role: Role, division: str, told: int = 1, until: int | None = None) -> list[Occurred]:
    """A role from August the first, told on one day and ended on another."""
    role_id = new_id("role")
    granted = RoleGranted(role_id=role_id, person=person, role=role, division=division, starts=date(2026, 8, 1))
    ended = [on(until, RoleEnded(role_id=role_id, person=person, ends=date(2026, 8, until)))] if until else []
    return [on(told, granted), *ended]


ACCESS = AccessGranted(
    access=new_id("access"),
    person="inspector",
    opens=Access.PERSONAL_DATA,
    purpose=AccessPurpose.COMPLAINT,
    division=VILLAGE,
    child=CHILD,
    starts=date(2026, 8, 12),
    ends=date(2026, 8, 20),
    requested_by="leader",
    approved_by="county",
)
SPLIT = DivisionSplit(
    division=new_id("division"),
    code=TOWNSHIP,
    parts=(SplitPart(code=NEW_TOWNSHIP, children=(VILLAGE, NEXT_VILLAGE)),),
    valid_from=date(2026, 8, 25),
)

DIRECTORY = [
    *(on(1, a_division(code, parent)) for code, parent in TREE),
    *held("director", Role.CHILD_DIRECTOR, VILLAGE),
    *held("next director", Role.CHILD_DIRECTOR, NEXT_VILLAGE, told=15),
    *held("cadre", Role.POSTED_CADRE, VILLAGE, until=13),
    *held("supervisor", Role.CHILD_SUPERVISOR, TOWNSHIP),
    *held("new supervisor", Role.CHILD_SUPERVISOR, NEW_TOWNSHIP),
    *held("leader", Role.LEADER, COUNTY),
    *held("county", Role.COUNTY_CIVIL_AFFAIRS, COUNTY),
    *held("other county", Role.COUNTY_CIVIL_AFFAIRS, "520304"),
    *held("officer", Role.DATA_PROTECTION_OFFICER, "52"),
    *held("statistics", Role.STATISTICS_USER, "52"),
    on(12, ACCESS),
    broken(12),
    on(25, SPLIT),
]
LOG = [
    on(10, REGISTERED),
    opened(12, "inspector", "核实投诉", hour=1),
    opened(12, "director"),
    opened(13, "cadre"),
    broken(12),
    broken(12, new_id("glass"), child=new_id("child")),
    moved(14),
]


class Asked:
    """reporting's routes over both read models, with a log of its own in memory."""

    def __init__(self, client: AsyncIOMotorClient[dict[str, Any]]) -> None:
        self.database = client[f"access_{uuid4().hex}"]
        self.caller = "officer"
        live = LiveModels(self.database)
        directory = MongoDirectory(partial(live.collection, DirectoryModel.name))
        scope = Scope(directory, partial(live.collection, DirectoryModel.name, DIVISIONS), lambda: NOW)
        self.log = MemoryLog("reporting", 4, lambda: NOW)
        sealer = Sealer(MemoryVault(), Aes256Gcm())
        handler = Handler(self.log, sealer, directory, handlings(), b"k" * 32, lambda: NOW)
        queries = AccessQueries(partial(live.collection, AccessLog.name), partial(live.collection, DirectoryModel.name))
        routes = access_routes(queries, live, scope, handler, lambda: Caller(self.caller))
        self.app = create_app(title="reporting", service="reporting", routers=[routes])

    async def fold(self, model: ReadModel, history: Sequence[Occurred]) -> None:
        for name, documents in (await fold_all(model, [history])).items():
            if documents:
                await self.database[ModelVersion(model.name, 1).collection(name)].insert_many(documents.values())

    async def get(self, path: str) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://reporting") as http:
            return await http.get(path)

    async def of_the_day(self, day: int) -> dict[str, Any]:
        answer = await self.get(f"/children/{CHILD}/access?on=2026-08-{day:02}")
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told


@pytest.fixture
async def asked(mongo_url: str) -> AsyncIterator[Asked]:
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(mongo_url, tz_aware=True)
    asked = Asked(client)
    await asked.fold(DirectoryModel(), DIRECTORY)
    await asked.fold(AccessLog(), LOG)
    yield asked
    await client.drop_database(asked.database)
    client.close()


ALWAYS = {"supervisor", "county"}


@pytest.mark.parametrize(
    ("day", "could"),
    [
        (9, set()),
        (10, ALWAYS | {"director", "cadre"}),
        (12, ALWAYS | {"director", "cadre", "inspector", "neighbour"}),
        (13, ALWAYS | {"director", "cadre", "inspector", "neighbour"}),
        (14, ALWAYS | {"director", "inspector"}),
        (15, ALWAYS | {"next director"}),
        (24, ALWAYS | {"next director"}),
        (25, {"new supervisor", "county", "next director"}),
    ],
    ids=lambda given: str(given) if isinstance(given, int) else "",
)
async def test_who_could_see_a_file_follows_from_the_grants_the_map_and_where_the_child_lived(
    asked: Asked, day: int, could: set[str]
) -> None:
    assert {one["person"] for one in (await asked.of_the_day(day))["could"]} == could


async def test_who_did_see_it_is_told_with_what_for_and_is_among_those_who_could(asked: Asked) -> None:
    told = await asked.of_the_day(12)
    assert [(one["person"], one["purpose"]) for one in told["did"]] == [
        ("inspector", "核实投诉"),
        ("director", "走访"),
    ]
    for day in range(9, 27):
        told = await asked.of_the_day(day)
        assert {one["person"] for one in told["did"]} <= {one["person"] for one in told["could"]}


async def test_a_glass_is_told_while_it_is_broken_for_the_file_or_its_village(asked: Asked) -> None:
    found = {day: [one["glass"] for one in (await asked.of_the_day(day))["broken"]] for day in (11, 12, 13, 14)}
    assert found == {11: [], 12: [GLASS], 13: [GLASS], 14: []}


@pytest.mark.parametrize(
    ("person", "status"),
    [("officer", 200), ("county", 200), ("other county", 404), ("supervisor", 404), ("leader", 404), ("nobody", 404)],
)
async def test_the_access_log_is_for_the_officer_and_the_county_and_each_reading_is_on_record(
    asked: Asked, person: str, status: int
) -> None:
    asked.caller = person
    answer = await asked.get(f"/children/{CHILD}/access")
    assert answer.status_code == status
    recorded = [raw for partition in range(4) for raw in await asked.log.read(partition, 0, 10)]
    assert len(recorded) == (1 if status == 200 else 0)


async def test_the_log_of_a_child_that_nobody_registered_looks_like_one_out_of_scope(asked: Asked) -> None:
    unknown = await asked.get(f"/children/{new_id('child')}/access")
    asked.caller = "other county"
    outside = await asked.get(f"/children/{CHILD}/access")
    unlike = {"correlation_id": None}
    assert unknown.json() | unlike == outside.json() | unlike


@pytest.mark.parametrize(("person", "seen"), [("new supervisor", 2), ("officer", 2), ("supervisor", 0)])
async def test_a_notice_is_for_those_who_hold_the_village_today(asked: Asked, person: str, seen: int) -> None:
    asked.caller = person
    notices = (await asked.get("/notices")).json()["notices"]
    assert len(notices) == seen
    assert all(notice["unread"] for notice in notices)
