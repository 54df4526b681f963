"""Policies: what an event makes a service do, once, however often it comes."""

from datetime import UTC, date, datetime
from uuid import uuid4

import pytest
from motor.motor_asyncio import AsyncIOMotorClient

from services.registry.division_map import DivisionMap, TakenOver
from services.registry.domain.child import CloseChildFile
from services.registry.held_places import PlaceLearning
from services.registry.household_learning import HouseholdLearning
from services.registry.policies import policies
from services.registry.policies_in_force import PolicyLearning
from services.registry.service import handlings as registry_handlings
from services.visits.domain.visit import VISIT, JudgedVisit
from shared.adoption.read_model import Adoptions
from shared.commands.command import Handling, Target, Told
from shared.commands.handler import Handler
from shared.commands.policies import MongoPolicyMemory, PolicyOfMany, PolicySink
from shared.contracts.registry import ChangeProposed
from shared.contracts.sealed import KINDS, Personal
from shared.contracts.values import CareKind, CloseReason
from shared.contracts.visits import ChildFinding
from shared.eventlog.memory import MemoryLog
from shared.eventlog.record import decode, hash_of
from shared.identity.directory import MemoryDirectory
from shared.messaging.run import Mark, Run, Source
from shared.privacy.cipher import Aes256Gcm
from shared.privacy.memory import MemoryVault
from shared.privacy.sealing import Sealer
from shared.standing.standing import Standing
from tests.support.builders import VILLAGE, a_registration, a_visit, care

NOW = datetime(2026, 8, 14, 10, tzinfo=UTC)
PARTITIONS = 2


async def nothing(*_):
    """The documents of a map without a division."""
    return []


class World:
    """registry with its policies, and visits' log, over one vault."""

    def __init__(self, database) -> None:
        self.vault = MemoryVault()
        self.sealer = Sealer(self.vault, Aes256Gcm())
        self.registry = MemoryLog("registry", PARTITIONS, lambda: NOW)
        self.visits = MemoryLog("visits", PARTITIONS, lambda: NOW)
        taken_over, places, directory = TakenOver(nothing), PlaceLearning(nothing, nothing), MemoryDirectory()
        households = HouseholdLearning(self.registry, self.sealer, directory, taken_over)
        learning = PolicyLearning(self.registry, Adoptions(nothing), directory, nothing)
        divisions = DivisionMap(nothing)
        table = registry_handlings(self.registry, self.sealer, divisions, taken_over, places, households, learning)
        self.handler = self._handler(self.registry, table)
        visit = Handling(
            JudgedVisit, "log_visit", targets=lambda c: (Target(c.visit, VISIT),), division=lambda c, _: c.village
        )
        self.visiting = self._handler(self.visits, [visit])
        self.memory = MongoPolicyMemory(database)
        self.database = database
        reacting = policies(self.vault, households)
        self.sink = PolicySink("registry", reacting, self.handler, self.sealer, self.memory, lambda: NOW)

    def _handler(self, log, handlings):
        return Handler(log, self.sealer, MemoryDirectory(), handlings, b"k" * 32, lambda: NOW)

    async def give(self, command, command_id):
        return await self.handler.handle(Told(command, command_id, "operator", own_right=True))

    async def visit(self, registration, found):
        visit = a_visit(registration.household, registration.child)
        finding = ChildFinding(child=registration.child, life=Personal("如常"), care_found=found)
        judged = JudgedVisit(
            **dict(visit) | {"findings": (finding,)},
            person="operator",
            standings={registration.child: Standing(VILLAGE, open=True)},
        )
        await self.visiting.handle(Told(judged, "visit-1", "operator", own_right=True))

    async def deliver(self, log):
        """Hands the whole log to the policies, as a consumer does that begins anew."""
        for partition in range(PARTITIONS):
            if raws := await log.read(partition, 0, 100):
                upto = Mark(len(raws), hash_of(raws[-1]), None)
                await self.sink.take(Run(Source(log.service, partition), Mark(), upto, tuple(map(decode, raws))))

    async def events(self, stream):
        return await self.sealer.open([decode(raw) for raw in await self.registry.load(stream)], KINDS)


@pytest.fixture
async def world(mongo_url):
    client = AsyncIOMotorClient(mongo_url, tz_aware=True)
    name = f"policies_{uuid4().hex[:8]}"
    yield World(client[name])
    await client.drop_database(name)
    client.close()


async def test_what_a_visit_found_is_proposed_once_however_often_the_event_comes(world):
    child = a_registration()
    await world.give(child, "command-1")
    alone = care(CareKind.NOBODY, alone=True)
    await world.visit(child, alone)
    for _ in range(3):
        await world.deliver(world.visits)
    _, proposed = await world.events(child.child)
    assert isinstance(proposed, ChangeProposed)
    assert proposed.care == alone


async def test_a_visit_that_found_nothing_new_proposes_nothing(world):
    child = a_registration()
    await world.give(child, "command-1")
    await world.visit(child, None)
    await world.deliver(world.visits)
    assert len(await world.events(child.child)) == 1


async def test_a_refused_command_of_a_policy_is_left_as_a_work_item_for_a_person(world):
    child = a_registration()
    await world.give(child, "command-1")
    closed = CloseChildFile(child=child.child, reason=CloseReason.MOVED_OUT, closed_on=date(2026, 8, 14))
    await world.give(closed, "command-2")
    await world.visit(child, care(CareKind.NOBODY))
    for _ in range(2):
        await world.deliver(world.visits)
    [item] = await world.database["work_items"].find().to_list(10)
    assert (item["policy"], item["code"]) == ("propose_what_a_visit_found", "child_file_is_closed")


async def test_how_far_the_policies_have_come_is_remembered(world):
    child = a_registration()
    await world.give(child, "command-1")
    await world.deliver(world.registry)
    [(source, mark)] = (await world.memory.marks()).items()
    assert source.service == "registry"
    assert mark.seq == 2


async def test_a_policy_is_given_of_each_event_no_more_than_it_reads(world):
    child = a_registration()
    await world.give(child, "command-1")
    seen = {}

    def reading(event, *kinds):
        async def react(occurred):
            [(_, seen[event])] = occurred
            return [()]

        return PolicyOfMany(event, frozenset({event}), react, opens=frozenset(kinds))

    policies_of_many = [reading("ChildRegistered", "counted"), reading("HouseholdFileOpened", "personal")]
    world.sink = PolicySink("visits", policies_of_many, world.handler, world.sealer, world.memory, lambda: NOW)
    await world.deliver(world.registry)
    registered, opened = seen["ChildRegistered"], seen["HouseholdFileOpened"]
    assert (registered.name.erased, registered.birth_month.reveal()) == (True, "2016-03")
    assert opened.head.reveal() == child.household_head.reveal()
