"""What becomes of a policy's command that is not accepted: it comes again, or a person looks at it."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest
from pydantic import TypeAdapter, ValidationError

from services.registry.domain.child import ChildFileIsClosed, ChildFileIsOpen, ReopenChildFile
from shared.commands.command import Told
from shared.commands.policies import NOTE_EVERY, Policy, PolicyOfMany, PolicySink, Wanted, WorkItem, policy_command_id
from shared.commands.routes import CommandId
from shared.contracts.registry import ChildRegistered
from shared.contracts.sealed import Personal
from shared.eventlog.placement import new_id, partition_of
from shared.eventlog.port import LogUnavailableError, VersionConflict
from shared.eventlog.record import decode, hash_of
from shared.identity.tokens import IssuerUnavailable
from shared.messaging.run import Level, Mark, Run, Source
from shared.privacy.sealing import UnknownEventError
from tests.support.builders import a_registration
from tests.support.registry import NOW, Registry


class Answers:
    """A handler that has one answer to everything."""

    def __init__(self, outcome) -> None:
        self.outcome = outcome

    async def handle_many(self, batch):
        return [self.outcome for _ in batch]


class Memory:
    def __init__(self) -> None:
        self.mark: Mark | None = None
        self.items: list[WorkItem] = []

    async def marks(self):
        return {}

    async def remember(self, source, mark, items) -> None:
        self.mark = mark
        self.items += items


async def reopen(record, event):
    return [
        Wanted(event.child, ReopenChildFile(child=event.child, reason=Personal("测"), reopened_on=date(2026, 8, 14)))
    ]


async def taken(outcome, memory: Memory, **changes) -> None:
    registry = Registry()
    command = a_registration()
    await registry.handler.handle(Told(command, "command-1", "director-1"))
    [raw] = await registry.log.load(command.child)
    record = msgspec.structs.replace(decode(raw), **changes)
    sink = PolicySink(
        "registry",
        [Policy("reopen", "ChildRegistered", reopen)],
        Answers(outcome),
        registry.sealer,
        memory,
        lambda: NOW,
    )
    await sink.take(Run(Source("registry", record.partition), Mark(), Mark(record.seq, hash_of(raw), None), (record,)))


@pytest.mark.parametrize(
    "outcome",
    [LogUnavailableError(), VersionConflict("child-1", 3), IssuerUnavailable()],
    ids=lambda o: type(o).__name__,
)
async def test_a_command_whose_time_has_not_come_makes_the_event_come_again(outcome):
    memory = Memory()
    with pytest.raises(type(outcome)):
        await taken(outcome, memory)
    assert memory.mark is None


@pytest.mark.parametrize("outcome", [ChildFileIsOpen(), ChildFileIsClosed()], ids=lambda o: type(o).__name__)
async def test_a_refused_command_is_left_for_a_person_and_says_nothing_of_the_child_but_its_id(outcome):
    memory = Memory()
    await taken(outcome, memory)
    [item] = memory.items
    assert (item.policy, item.code, item.since) == ("reopen", outcome.code, NOW)
    assert memory.mark is not None


def test_no_caller_can_use_up_the_command_id_of_a_policy():
    with pytest.raises(ValidationError):
        TypeAdapter(CommandId).validate_python(policy_command_id("event", "policy", "target"))


async def test_an_event_newer_than_the_code_waits_for_the_upgrade():
    memory = Memory()
    with pytest.raises(UnknownEventError):
        await taken(ChildFileIsOpen(), memory, schema=ChildRegistered.schema_version + 1)
    assert memory.mark is None


async def test_an_event_no_policy_asks_for_is_passed_over_however_new():
    memory = Memory()
    await taken(ChildFileIsOpen(), memory, type="ChildPainted", schema=2)
    assert (memory.items, memory.mark is None) == ([], False)


async def test_what_is_passed_over_within_a_second_is_noted_when_the_owner_is_heard_of_again():
    memory, times = Memory(), iter([NOW, NOW, NOW, NOW + NOTE_EVERY, NOW + NOTE_EVERY])
    sink = PolicySink("registry", [], Answers(None), Registry().sealer, memory, lambda: next(times))
    source, marks = Source("registry", 0), [Mark(seq, str(seq), None) for seq in range(4)]
    await sink.take(Run(source, marks[0], marks[1], ()))
    await sink.take(Run(source, marks[1], marks[2], ()))
    assert memory.mark == marks[1]
    await sink.level(Level(source, 2, NOW))
    assert memory.mark == marks[2]


async def test_a_policy_of_many_is_asked_once_for_a_run_and_what_is_wanted_keeps_the_order_of_the_events():
    registry, asked, told = Registry(), [], []
    household = new_id("household")
    for number in range(3):
        command = a_registration(household=household, child=new_id("child", beside=household))
        await registry.handler.handle(Told(command, f"command-{number}", "director-1"))
    partition = partition_of(household, 4)
    raws = await registry.log.read(partition, 0, 10)
    records = tuple(map(decode, raws))

    class Noted(Answers):
        async def handle_many(self, batch):
            told.extend((one.causation_id, one.person) for one in batch)
            return await super().handle_many(batch)

    async def reopen_all(occurred):
        asked.append(len(occurred))
        return [await reopen(record, event) for record, event in occurred]

    both = [Policy("one", "ChildRegistered", reopen), PolicyOfMany("many", frozenset({"ChildRegistered"}), reopen_all)]
    sink = PolicySink("registry", both, Noted(ChildFileIsOpen()), registry.sealer, Memory(), lambda: NOW)
    await sink.take(Run(Source("registry", partition), Mark(), Mark(len(raws), hash_of(raws[-1]), None), records))
    assert asked == [3]
    begun = [record.id for record in records if record.type == "ChildRegistered"]
    assert told == [(event, f"registry/{policy}") for event in begun for policy in ("one", "many")]
