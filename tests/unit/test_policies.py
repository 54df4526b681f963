"""What becomes of a policy's command that is not accepted: it comes again, or a person looks at it."""

from __future__ import annotations

from datetime import date

import pytest
from pydantic import TypeAdapter, ValidationError

from services.registry.domain.child import ChildFileIsClosed, ChildFileIsOpen, ReopenChildFile
from shared.commands.command import Told
from shared.commands.policies import Policy, PolicySink, Wanted, WorkItem, policy_command_id
from shared.commands.routes import CommandId
from shared.contracts.sealed import Personal
from shared.eventlog.port import LogUnavailableError, VersionConflict
from shared.eventlog.record import decode, hash_of
from shared.identity.tokens import IssuerUnavailable
from shared.messaging.run import Mark, Run, Source
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


async def taken(outcome) -> Memory:
    registry, memory = Registry(), Memory()
    command = a_registration()
    await registry.handler.handle(Told(command, "command-1", "director-1"))
    [raw] = await registry.log.load(command.child)
    record = decode(raw)
    sink = PolicySink(
        "registry",
        [Policy("reopen", "ChildRegistered", reopen)],
        Answers(outcome),
        registry.sealer,
        memory,
        lambda: NOW,
    )
    await sink.take(Run(Source("registry", record.partition), Mark(), Mark(record.seq, hash_of(raw), None), (record,)))
    return memory


@pytest.mark.parametrize(
    "outcome",
    [LogUnavailableError(), VersionConflict("child-1", 3), IssuerUnavailable()],
    ids=lambda o: type(o).__name__,
)
async def test_a_command_whose_time_has_not_come_makes_the_event_come_again(outcome):
    with pytest.raises(type(outcome)):
        await taken(outcome)


@pytest.mark.parametrize("outcome", [ChildFileIsOpen(), ChildFileIsClosed()], ids=lambda o: type(o).__name__)
async def test_a_refused_command_is_left_for_a_person_and_says_nothing_of_the_child_but_its_id(outcome):
    memory = await taken(outcome)
    [item] = memory.items
    assert (item.policy, item.code, item.since) == ("reopen", outcome.code, NOW)
    assert memory.mark is not None


def test_no_caller_can_use_up_the_command_id_of_a_policy():
    with pytest.raises(ValidationError):
        TypeAdapter(CommandId).validate_python(policy_command_id("event", "policy", "target"))
