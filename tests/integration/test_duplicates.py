"""Duplicates over a real MongoDB: whom the policy suspects, who hears of it, and who may dismiss it."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection

from services.registry.domain.child import (
    ApproveErasure,
    CloseChildFile,
    MergeChildFiles,
    RecordIdentity,
    RecordParentSituation,
    ReopenChildFile,
    RequestErasure,
    UndoChildMerge,
)
from services.registry.domain.citizen_number import check_character
from services.registry.domain.duplicate import DismissDuplicate, ReviewerIsRegistrar, SuspectDuplicate, duplicate_of
from services.registry.duplicates.files import Files, PlaceNotKnownYet
from services.registry.duplicates.keys import BlindKeys
from services.registry.duplicates.look_up import MOST_ALIKE, DuplicateLookUp
from services.registry.duplicates.policy import DuplicatesBehindError, suspecting
from services.registry.duplicates.read_model import Duplicates
from services.registry.duplicates.routes import duplicate_routes
from services.registry.duplicates.scope import Scope
from services.registry.duplicates.service import handlings as duplicate_handlings
from services.registry.policies import policies
from shared.commands.command import Command, NotOnFile, Told
from shared.commands.handler import Handler
from shared.commands.policies import MongoPolicyMemory, PolicySink
from shared.contracts.child_file import Identity
from shared.contracts.event import Event
from shared.contracts.file_keeping import ChildFilesMerged, ChildMergeUndone
from shared.contracts.registry import DuplicateDismissed, DuplicateSuspected, ParentSituation, ParentsSituation
from shared.contracts.sealed import KINDS, Counted, Personal
from shared.contracts.values import CitizenNumberStatus, CloseReason, DismissReason, ParentState, Role, Sex
from shared.eventlog.placement import new_id
from shared.eventlog.port import ClaimTaken
from shared.eventlog.record import Position, decode, hash_of
from shared.identity.caller import Caller
from shared.identity.directory import DIVISIONS, DirectoryModel
from shared.messaging.run import Mark, Run, Source
from shared.projection.checkpoint import ModelVersion
from shared.projection.mongo import MongoProjectionStore
from shared.projection.projector import Projector
from shared.web.app import create_app
from tests.support.builders import a_registration
from tests.support.projecting import Reading
from tests.support.registry import Registry

NOW = datetime(2026, 8, 14, 10, tzinfo=UTC)
PARTITIONS = 4
HERE, NEXT_DOOR, NEXT_TOWNSHIP, NEXT_COUNTY = "529901100201", "529901100202", "529901101201", "529902100201"
NOT_HEARD_OF = "529901100203"
TREE = {
    "52": None,
    "5299": "52",
    "529901": "5299",
    "529902": "5299",
    "529901100": "529901",
    "529901101": "529901",
    "529902100": "529902",
    HERE: "529901100",
    NEXT_DOOR: "529901100",
    NEXT_TOWNSHIP: "529901101",
    NEXT_COUNTY: "529902100",
}
GRANTS = {
    "director": (Role.CHILD_DIRECTOR, HERE),
    "supervisor": (Role.CHILD_SUPERVISOR, "529901100"),
    "other supervisor": (Role.CHILD_SUPERVISOR, "529901101"),
    "county": (Role.COUNTY_CIVIL_AFFAIRS, "529901"),
    "other county": (Role.COUNTY_CIVIL_AFFAIRS, "529902"),
    "city": (Role.COUNTY_CIVIL_AFFAIRS, "5299"),
    "officer": (Role.DATA_PROTECTION_OFFICER, "52"),
}
NUMBER = "52990120160309001" + check_character("52990120160309001")
WANG = {"name": "王志明", "birth_date": date(2016, 3, 9), "sex": Sex.MALE}


class World:
    """registry with its look-up of duplicates, its policies and its routes; the log is in memory, the rest is real."""

    def __init__(self, client: AsyncIOMotorClient[dict[str, Any]], name: str) -> None:
        self.database, self.store = client[name], MongoProjectionStore(client, name)
        self.of = ModelVersion(Duplicates.name, 1)
        registry = Registry()
        self.vault, self.sealer, self.log = registry.vault, registry.sealer, registry.log
        self.directory = registry.directory
        for code, parent in TREE.items():
            self.directory.add_division(code, parent)
        for person, (role, division) in GRANTS.items():
            self.directory.add_grant(person, role, division, date(2026, 1, 1))
        self.files = Files(self.log, self.sealer, self.directory)
        scope = Scope(self.directory, self._divisions, lambda: NOW)
        keys = BlindKeys(b"secret")
        self.model = Duplicates(keys)
        self.look_up = DuplicateLookUp(self._collection, self.files, keys)
        table = [*registry.handlings, *duplicate_handlings(self.files, scope)]
        self.handler = Handler(self.log, self.sealer, self.directory, table, b"k" * 32, lambda: NOW)
        self.memory = MongoPolicyMemory(self.database)
        reacting = [*policies(self.vault), suspecting(self.look_up, self._is_level)]
        self.sink = PolicySink("registry", reacting, self.handler, self.sealer, self.memory, lambda: NOW)
        self.level, self.caller = True, ""
        routes = duplicate_routes(self.look_up, scope, lambda: self._is_level(()), lambda: Caller(self.caller))
        self.app = create_app(title="registry", service="registry", routers=[routes])
        self._told = 0

    async def _is_level(self, positions: Iterable[Position]) -> bool:
        marks = (await self.store.checkpoint(self.of)).marks
        return self.level and all(
            marks.get(Source(service, partition), Mark()).seq >= seq for service, partition, seq in positions
        )

    async def _collection(self, name: str) -> AsyncIOMotorCollection[dict[str, Any]]:
        return self.database[self.of.collection(name)]

    async def _divisions(self) -> AsyncIOMotorCollection[dict[str, Any]]:
        return self.database[ModelVersion(DirectoryModel.name, 1).collection(DIVISIONS)]

    async def open(self) -> None:
        places = await self.directory.places(TREE)
        nodes = [
            {"_id": code, "path": places[code].path, "kind": "village" if len(code) == 12 else "other"} for code in TREE
        ]
        await (await self._divisions()).insert_many(nodes)

    async def give(self, command: Command, person: str = "operator") -> None:
        self._told += 1
        own_right = person not in GRANTS
        await self.handler.handle(Told(command, f"command-{self._told}", person, own_right=own_right))

    async def register(self, village: str, person: str = "operator", **changes: Any) -> str:
        command = a_registration(**WANG | {"residence": village} | changes)
        await self.give(command, person)
        child: str = command.child
        return child

    async def project(self) -> None:
        projector = Projector(self.model, self.of, self.store, self.sealer, partitions=PARTITIONS)
        reading = Reading(self.log, await projector.begin(1), projector, limit=500)
        while await reading.bring():
            await projector.step()

    async def react(self) -> None:
        """Hands the whole log to the policies, as to a consumer that begins anew."""
        for partition in range(PARTITIONS):
            if raws := await self.log.read(partition, 0, 500):
                upto = Mark(len(raws), hash_of(raws[-1]), None)
                await self.sink.take(Run(Source("registry", partition), Mark(), upto, tuple(map(decode, raws))))

    async def in_any_order(self, chance: random.Random) -> None:
        """Record by record, the look-up takes in and the policies react, each in its own order of the partitions."""
        projector = Projector(self.model, self.of, self.store, self.sealer, partitions=PARTITIONS)
        await projector.begin(1)

        async def take_in(run: Run) -> None:
            await projector.take(run)
            await projector.step()

        lines = [(Source("registry", n), sink) for n in range(PARTITIONS) for sink in (take_in, self.sink.take)]
        marks = dict.fromkeys(range(len(lines)), Mark())
        for _ in range(1_000):
            number = chance.randrange(len(lines))
            source, take = lines[number]
            if raws := await self.log.read(source.partition, marks[number].seq, 1):
                upto = Mark(marks[number].seq + 1, hash_of(raws[0]), None)
                with suppress(DuplicatesBehindError):
                    await take(Run(source, marks[number], upto, (decode(raws[0]),)))
                    marks[number] = upto
        heads = await self.log.heads()
        assert all(marks[number].seq == heads[source.partition].seq for number, (source, _) in enumerate(lines))

    async def settle(self) -> None:
        await self.project()
        await self.react()
        await self.project()

    async def of_kind(self, kind: type[Event]) -> list[Any]:
        raws = [raw for partition in range(PARTITIONS) for raw in await self.log.read(partition, 0, 500)]
        return [event for event in await self.sealer.open([decode(raw) for raw in raws], KINDS) if type(event) is kind]

    async def erase(self, child: str) -> None:
        await self.give(RequestErasure(child=child, basis=Personal("监护人申请"), occurred_at=NOW))
        await self.give(ApproveErasure(child=child, occurred_at=NOW), "officer")

    async def listed(self, person: str, **parameters: str) -> list[dict[str, Any]]:
        return list((await self.ask("GET", "/duplicates", person, params=parameters)).json()["pairs"])

    async def check(self, person: str, village: str = HERE, **told: str) -> dict[str, Any]:
        body = {"village": village, "name": "王志明", "birth_date": "2016-03-09", "sex": "1"} | told
        answer = await self.ask("POST", "/duplicates/check", person, json=body)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def ask(self, method: str, path: str, person: str, **options: Any) -> httpx.Response:
        self.caller = person
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://registry") as http:
            return await http.request(method, path, **options)

    async def work_items(self) -> int:
        return await self.database["work_items"].count_documents({})


@pytest.fixture
async def world(mongo_url: str) -> AsyncIterator[World]:
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(mongo_url, tz_aware=True)
    name = f"duplicates_{uuid4().hex}"
    world = World(client, name)
    await world.open()
    yield world
    await client.drop_database(name)
    client.close()


def dismiss(one: str, other: str) -> DismissDuplicate:
    return DismissDuplicate(duplicate=duplicate_of(one, other), reason=DismissReason.SAME_NAME, occurred_at=NOW)


def merge(one: str, into: str) -> MergeChildFiles:
    return MergeChildFiles(child=one, into=into, reason=Personal("同一儿童"), occurred_at=NOW)


def undo(one: str, into: str) -> UndoChildMerge:
    return UndoChildMerge(child=one, into=into, reason=Personal("两名儿童"), occurred_at=NOW)


class TestSuspecting:
    async def test_two_files_of_one_child_are_suspected_once_however_often_they_are_told(self, world: World) -> None:
        one, other = await world.register(HERE), await world.register(NEXT_DOOR, name="王智明")
        await world.register(HERE, name="王志亮")  # a twin
        await world.settle()
        for _ in range(2):
            await world.react()
        [suspected] = await world.of_kind(DuplicateSuspected)
        assert {suspected.first, suspected.second} == {one, other}
        assert suspected.division == "529901100"
        assert await world.work_items() == 0

    @pytest.mark.parametrize("seed", range(8))
    async def test_they_are_suspected_once_in_whatever_order_they_are_told(self, world: World, seed: int) -> None:
        one, other = await world.register(HERE), await world.register(NEXT_DOOR)
        await world.register(NEXT_TOWNSHIP, name="李红")
        await world.in_any_order(random.Random(seed))
        [suspected] = await world.of_kind(DuplicateSuspected)
        assert {suspected.first, suspected.second} == {one, other}
        assert await world.work_items() == 0

    async def test_what_is_told_later_of_the_parents_can_tell(self, world: World) -> None:
        one = await world.register(HERE)
        other = await world.register(NEXT_COUNTY, birth_date=date(2016, 3, 11), sex=Sex.UNKNOWN)
        await world.settle()
        assert await world.of_kind(DuplicateSuspected) == []
        told = ParentsSituation(
            father=ParentSituation(state=Counted(ParentState.AWAY), name=Personal("王建国")),
            mother=ParentSituation(state=Counted(ParentState.AWAY), name=Personal("李秀英")),
        )
        for child in (one, other):
            await world.give(RecordParentSituation(child=child, parents=told, occurred_at=NOW))
        await world.settle()
        [suspected] = await world.of_kind(DuplicateSuspected)
        assert suspected.division == "5299"

    async def test_a_number_told_later_can_tell(self, world: World) -> None:
        await world.register(HERE, citizen_number=NUMBER)
        other = await world.register(NEXT_COUNTY, name="李红")
        await world.settle()
        assert await world.of_kind(DuplicateSuspected) == []
        identity = Identity(citizen_number_status=CitizenNumberStatus.PRESENT, citizen_number=NUMBER)
        await world.give(RecordIdentity(child=other, identity=Personal(identity), occurred_at=NOW))
        await world.settle()
        [suspected] = await world.of_kind(DuplicateSuspected)
        assert other in {suspected.first, suspected.second}

    async def test_a_closed_file_is_not_suspected_until_it_is_opened_again(self, world: World) -> None:
        child = await world.register(HERE)
        await world.give(CloseChildFile(child=child, reason=CloseReason.MOVED_OUT, occurred_at=NOW))
        await world.register(NEXT_DOOR)
        await world.settle()
        assert await world.of_kind(DuplicateSuspected) == []
        await world.give(ReopenChildFile(child=child, reason=Personal("又回来"), occurred_at=NOW))
        await world.settle()
        assert len(await world.of_kind(DuplicateSuspected)) == 1

    async def test_an_erased_child_is_suspected_of_nothing_however_late_the_look_up_hears_of_it(
        self, world: World
    ) -> None:
        child = await world.register(HERE)
        await world.register(NEXT_DOOR)
        await world.project()
        await world.erase(child)
        await world.react()  # the look-up still holds the keys
        assert await world.of_kind(DuplicateSuspected) == []

    async def test_a_name_on_many_files_makes_few_pairs_of_each(self, world: World) -> None:
        children = [await world.register(HERE, name="无名", birth_date=date(2016, 1, 1)) for _ in range(12)]
        await world.settle()
        suspected = await world.of_kind(DuplicateSuspected)
        assert len(suspected) <= MOST_ALIKE * len(children)
        assert {child for pair in suspected for child in (pair.first, pair.second)} == set(children)

    async def test_nothing_is_passed_over_while_the_look_up_is_behind(self, world: World) -> None:
        await world.register(HERE)
        world.level = False
        with pytest.raises(DuplicatesBehindError):
            await world.react()
        assert await world.memory.marks() == {}

    async def test_nothing_is_passed_over_while_the_directory_is_behind(self, world: World) -> None:
        await world.register(HERE)
        await world.register(NOT_HEARD_OF)
        await world.project()
        with pytest.raises(PlaceNotKnownYet):
            await world.react()
        world.directory.add_division(NOT_HEARD_OF, "529901100")
        await world.react()
        [suspected] = await world.of_kind(DuplicateSuspected)
        assert suspected.division == "529901100"

    async def test_no_person_makes_a_suspicion(self, world: World) -> None:
        one, other = await world.register(HERE), await world.register(NEXT_DOOR)
        for person in ("county", "city", "supervisor"):
            with pytest.raises(NotOnFile):
                await world.give(SuspectDuplicate(one=one, other=other, occurred_at=NOW), person)
        assert await world.of_kind(DuplicateSuspected) == []


class TestDismissing:
    async def test_a_dismissal_ends_it_for_good(self, world: World) -> None:
        one, other = await world.register(HERE), await world.register(NEXT_DOOR)
        await world.settle()
        await world.give(dismiss(one, other), "supervisor")
        await world.settle()
        [dismissed] = await world.of_kind(DuplicateDismissed)
        assert (dismissed.dismissed_by, dismissed.reason) == ("supervisor", DismissReason.SAME_NAME)
        assert len(await world.of_kind(DuplicateSuspected)) == 1
        assert await world.listed("supervisor") == []
        [pair] = await world.listed("supervisor", state="dismissed")
        assert pair["dismissed_for"] == "same_name"

    async def test_who_registered_one_of_the_two_does_not_dismiss(self, world: World) -> None:
        one, other = await world.register(HERE, "supervisor"), await world.register(NEXT_DOOR)
        await world.settle()
        with pytest.raises(ReviewerIsRegistrar):
            await world.give(dismiss(one, other), "supervisor")
        await world.give(dismiss(one, other), "county")

    @pytest.mark.parametrize("person", ["director", "supervisor", "other supervisor", "other county"])
    async def test_who_does_not_hold_both_villages_does_not_dismiss(self, world: World, person: str) -> None:
        one, other = await world.register(HERE), await world.register(NEXT_TOWNSHIP)
        await world.settle()
        refusals = []
        for pair in (dismiss(one, other), dismiss(one, one)):  # one that is not there
            with pytest.raises(Exception) as refused:  # noqa: PT011 - the two must be the same
                await world.give(pair, person)
            refusals.append((type(refused.value), str(refused.value)))
        assert refusals[0] == refusals[1]
        assert await world.of_kind(DuplicateDismissed) == []

    async def test_a_pair_with_an_erased_child_is_on_file_no_more(self, world: World) -> None:
        one, other = await world.register(HERE), await world.register(NEXT_DOOR)
        await world.settle()
        assert len(await world.listed("supervisor")) == 1
        await world.erase(one)
        await world.settle()
        assert await world.listed("supervisor") == []
        with pytest.raises(NotOnFile):
            await world.give(dismiss(one, other), "supervisor")

    async def test_a_pair_one_of_whose_files_is_closed_is_settled_and_can_be_dismissed(self, world: World) -> None:
        one, other = await world.register(HERE), await world.register(NEXT_DOOR)
        await world.settle()
        await world.give(CloseChildFile(child=one, reason=CloseReason.REGISTERED_IN_ERROR, occurred_at=NOW))
        await world.settle()
        assert await world.listed("supervisor") == []
        assert len(await world.listed("supervisor", state="settled")) == 1
        await world.give(dismiss(one, other), "supervisor")


class TestMerging:
    async def test_a_merge_settles_the_pair_and_its_undoing_brings_the_suspicion_back(self, world: World) -> None:
        one, other = await world.register(HERE), await world.register(NEXT_DOOR)
        await world.settle()
        await world.give(merge(one, other), "supervisor")
        await world.settle()
        assert await world.listed("supervisor") == []
        [pair] = await world.listed("supervisor", state="settled")
        assert set(pair["children"]) == {one, other}
        assert {file["child"] for file in (await world.check("supervisor"))["files"]} == {other}
        await world.give(undo(one, other), "supervisor")
        await world.settle()
        assert len(await world.listed("supervisor")) == 1
        assert {file["child"] for file in (await world.check("supervisor"))["files"]} == {one, other}
        assert len(await world.of_kind(DuplicateSuspected)) == 1

    async def test_who_registered_one_of_the_two_neither_merges_nor_undoes(self, world: World) -> None:
        one, other = await world.register(HERE, "supervisor"), await world.register(NEXT_DOOR)
        with pytest.raises(ReviewerIsRegistrar):
            await world.give(merge(one, other), "supervisor")
        await world.give(merge(one, other), "county")
        with pytest.raises(ReviewerIsRegistrar):
            await world.give(undo(one, other), "supervisor")

    @pytest.mark.parametrize("person", ["director", "supervisor", "other supervisor", "other county"])
    async def test_who_does_not_hold_both_villages_neither_merges_nor_undoes(self, world: World, person: str) -> None:
        one, other = await world.register(HERE), await world.register(NEXT_TOWNSHIP)
        with pytest.raises(NotOnFile):
            await world.give(merge(one, other), person)
        await world.give(merge(one, other), "county")
        with pytest.raises(NotOnFile):
            await world.give(undo(one, other), person)
        await world.give(undo(one, other), "county")

    async def test_nothing_is_merged_into_a_file_that_is_unknown_or_erased(self, world: World) -> None:
        one, other = await world.register(HERE), await world.register(NEXT_DOOR)
        with pytest.raises(NotOnFile):
            await world.give(merge(one, new_id("child")), "county")
        await world.erase(other)
        with pytest.raises(NotOnFile):
            await world.give(merge(one, other), "county")

    async def test_a_merge_can_be_undone_when_the_file_that_went_on_is_erased(self, world: World) -> None:
        one, other = await world.register(HERE), await world.register(NEXT_DOOR)
        await world.give(merge(one, other), "supervisor")
        await world.erase(other)
        await world.give(undo(one, other), "supervisor")
        assert len(await world.of_kind(ChildMergeUndone)) == 1

    async def test_a_pair_is_merged_one_way_round_alone(self, world: World) -> None:
        one, other = await world.register(HERE), await world.register(NEXT_DOOR)
        both = [
            Told(merge(a, b), f"merge-{n}-of-two", "supervisor")
            for n, (a, b) in enumerate([(one, other), (other, one)])
        ]
        outcomes = await world.handler.handle_many(both)
        assert sorted(isinstance(outcome, ClaimTaken) for outcome in outcomes) == [False, True]
        assert len(await world.of_kind(ChildFilesMerged)) == 1


class TestList:
    async def test_a_pair_is_listed_for_who_holds_both_villages_alone(self, world: World) -> None:
        one, other = await world.register(HERE), await world.register(NEXT_TOWNSHIP)
        await world.settle()
        for person in ("county", "city"):
            [pair] = await world.listed(person)
            assert (sorted(pair["children"]), pair["elsewhere"]) == (sorted([one, other]), False)
            assert pair["duplicate"] == duplicate_of(one, other)
        for person in ("supervisor", "other supervisor", "other county"):
            assert await world.listed(person) == []

    async def test_across_counties_each_learns_of_its_own_file_when_the_numbers_are_equal(self, world: World) -> None:
        one = await world.register(HERE, citizen_number=NUMBER)
        other = await world.register(NEXT_COUNTY, citizen_number=NUMBER, name="李小红")
        await world.settle()
        for person, own, village in (("county", one, HERE), ("other county", other, NEXT_COUNTY)):
            [pair] = await world.listed(person)
            assert (pair["children"], pair["villages"], pair["elsewhere"]) == ([own], [village], True)
            assert (pair["duplicate"], pair["score"], pair["reasons"]) == (None, None, ["number_equal"])
        assert await world.listed("supervisor") == []
        [pair] = await world.listed("city")
        assert sorted(pair["children"]) == sorted([one, other])

    async def test_across_counties_nobody_learns_of_a_pair_that_is_only_alike(self, world: World) -> None:
        await world.register(HERE)
        await world.register(NEXT_COUNTY)
        await world.settle()
        assert len(await world.of_kind(DuplicateSuspected)) == 1
        assert await world.listed("county") == await world.listed("other county") == []
        assert len(await world.listed("city")) == 1

    async def test_who_reviews_nowhere_is_refused(self, world: World) -> None:
        answer = await world.ask("GET", "/duplicates", "director")
        assert (answer.status_code, answer.json()["code"]) == (403, "no_role")

    async def test_a_list_is_read_page_by_page(self, world: World) -> None:
        for _ in range(3):  # three files of one child are three pairs
            await world.register(HERE)
        await world.settle()
        seen: list[str] = []
        after: dict[str, str] = {}
        while True:
            page = (await world.ask("GET", "/duplicates", "county", params={"limit": "2"} | after)).json()
            seen += [pair["duplicate"] for pair in page["pairs"]]
            if page["next"] is None:
                break
            after = {"after": page["next"]}
        assert len(seen) == len(set(seen)) == 3


class TestCheck:
    async def test_at_the_door_the_likely_files_of_the_scope_are_shown(self, world: World) -> None:
        child = await world.register(HERE)
        await world.register(HERE, name="王志亮")
        await world.project()
        found = await world.check("director", name="王智明")
        assert [file["child"] for file in found["files"]] == [child]
        assert "name_sound" in found["files"][0]["reasons"]
        assert (found["exists_elsewhere"], found["complete"], found["rule"]) == (False, True, "likeness@1")

    async def test_a_village_learns_nothing_of_the_next_one_not_even_by_a_citizen_number(self, world: World) -> None:
        await world.register(NEXT_DOOR, citizen_number=NUMBER)
        await world.project()
        nothing = await world.check("director", name="李红", birth_date="2012-01-01")
        assert await world.check("director", citizen_number=NUMBER) == nothing

    async def test_the_county_learns_that_a_number_exists_elsewhere_and_no_more(self, world: World) -> None:
        await world.register(NEXT_COUNTY, citizen_number=NUMBER)
        await world.project()
        alike = await world.check("county")
        assert (alike["files"], alike["exists_elsewhere"]) == ([], False)
        equal = await world.check("county", citizen_number=NUMBER)
        assert equal == alike | {"exists_elsewhere": True}
        supervisor = await world.check("supervisor", citizen_number=NUMBER)
        assert supervisor == alike

    async def test_an_equal_number_within_the_scope_is_shown_and_is_not_elsewhere(self, world: World) -> None:
        child = await world.register(NEXT_TOWNSHIP, citizen_number=NUMBER, name="李小红")
        await world.project()
        found = await world.check("county", citizen_number=NUMBER)
        assert ([file["child"] for file in found["files"]], found["exists_elsewhere"]) == ([child], False)

    async def test_closed_and_erased_files_are_not_shown(self, world: World) -> None:
        closed, erased = await world.register(HERE), await world.register(HERE)
        await world.give(CloseChildFile(child=closed, reason=CloseReason.MOVED_OUT, occurred_at=NOW))
        await world.project()
        await world.erase(erased)  # the look-up has not heard of it
        assert (await world.check("county"))["files"] == []

    async def test_where_only_the_month_is_known_it_is_asked_with_the_month(self, world: World) -> None:
        child = await world.register(HERE)
        await world.project()
        body = {"village": HERE, "name": "王志明", "birth_month": "2016-03", "sex": "1", "household_head": "测户主"}
        answer = await world.ask("POST", "/duplicates/check", "director", json=body)
        assert [file["child"] for file in answer.json()["files"]] == [child]

    @pytest.mark.parametrize(
        ("told", "status", "code"),
        [
            ({"village": NEXT_DOOR}, 403, "out_of_scope"),
            ({"citizen_number": "529901201603090018"}, 422, "citizen_number_invalid"),
            ({"birth_month": "2016-04"}, 422, "two_births"),
            ({"name": ""}, 422, "invalid"),
            ({"nickname": "小明"}, 422, "invalid"),
        ],
    )
    async def test_what_cannot_be_asked_is_refused_and_not_repeated(
        self, world: World, told: dict[str, str], status: int, code: str
    ) -> None:
        body = {"village": HERE, "name": "王志明", "birth_date": "2016-03-09"} | told
        answer = await world.ask("POST", "/duplicates/check", "director", json=body)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert "王志明" not in answer.text
        assert "52990120160309" not in answer.text

    async def test_an_answer_says_when_the_last_moments_are_missing(self, world: World) -> None:
        world.level = False
        assert not (await world.check("director"))["complete"]
