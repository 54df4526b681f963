"""Two values of one block: what was seen earlier, and is told later, never overwrites in silence (domain 9).

A device that was offline tells hours later what its author saw. What has been told meanwhile stays on file; beside it
the late value waits for a reviewer like any other proposal, unless a rule decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import ClassVar, Final, NamedTuple

from services.registry.domain.child.states import BlockEvent, OnFile
from shared.commands.command import Command
from shared.contracts.child_file import (
    ChildIdentityRecorded,
    HealthRecorded,
    RegistrationStatusRecorded,
    SchoolingRecorded,
    WelfareRecorded,
)
from shared.contracts.event import Event
from shared.contracts.file_keeping import ConflictingValueKept
from shared.contracts.registry import CareSituationRecorded, ParentSituation, ParentSituationRecorded
from shared.contracts.sealed import Counted
from shared.contracts.values import ChildId, Count, Day, FileBlock, PersonId, ProposalId

BLOCK_OF: Final[Mapping[type[Event], FileBlock]] = {
    ParentSituationRecorded: FileBlock.PARENTS,
    CareSituationRecorded: FileBlock.CARE,
    SchoolingRecorded: FileBlock.SCHOOLING,
    HealthRecorded: FileBlock.HEALTH,
    WelfareRecorded: FileBlock.WELFARE,
    ChildIdentityRecorded: FileBlock.IDENTITY,
    RegistrationStatusRecorded: FileBlock.REGISTRATION,
}


class ConflictRule(NamedTuple):
    """Policy data: ``later_of_one_author``: of two values that one person told, the one seen later stands."""

    name: str
    later_of_one_author: bool


RULES: Final[Mapping[date, ConflictRule]] = {date.min: ConflictRule("CONFLICT-1", later_of_one_author=True)}
"""By the day each holds from; what the rule in force leaves open is for a reviewer."""


class BlockEntry(Command):
    """Tells one block of a file as a whole. ``seen_version`` is that of the file as its author saw it."""

    block: ClassVar[FileBlock]

    child: ChildId
    seen_version: Count | None = None


class LateEntry(Command):
    """An entry that was told after others had told the block, without having seen it."""

    child: ChildId
    entry: BlockEntry
    proposal: ProposalId
    person: PersonId
    on_file_by: PersonId
    on_file_on: Day


def kept(command: LateEntry, event: BlockEvent, file: OnFile) -> list[Event]:
    """What becomes of it. Nothing, when the file holds the same."""
    held, rule = file.blocks.get(command.entry.block), rule_on(command.occurred_on)
    if held is not None and _undated(event) == _undated(held):
        return []
    if held is not None and command.on_file_by == command.person and rule.later_of_one_author:
        # Told once more, what was seen later stands, and what was seen earlier has its place before it.
        return [_from(event, command.occurred_on), _from(held, command.on_file_on)]
    block = command.entry.block
    return [
        ConflictingValueKept(
            child=command.child,
            proposal=command.proposal,
            block=block,
            found_by=command.person,
            found_on=command.occurred_on,
            on_file_by=command.on_file_by,
            on_file_on=command.on_file_on,
            rule=rule.name,
            **{block.value: _from(event, max(command.occurred_on, command.on_file_on), at_least=True)},
        )
    ]


def kept_value(event: ConflictingValueKept) -> BlockEvent:
    value: BlockEvent = getattr(event, event.block.value)
    return value


def rule_on(day: date) -> ConflictRule:
    return RULES[max(starts for starts in RULES if starts <= day)]


def _undated(event: BlockEvent) -> Event:
    return event.model_copy(update={"since": None}) if "since" in type(event).model_fields else event


def _from(event: BlockEvent, day: date, at_least: bool = False) -> BlockEvent:
    """The value from this day on where it names none itself; ``at_least``: from no earlier day, so that it takes the
    place of a value that holds from this day on."""
    match event:
        case ParentSituationRecorded():
            both = {which: _parent_from(getattr(event.parents, which), day) for which in ("father", "mother")}
            return event.model_copy(update={"parents": event.parents.model_copy(update=both)})
        case CareSituationRecorded() | SchoolingRecorded():
            told = None if event.since is None else event.since.get()
            since = day if told is None or (at_least and told < day) else told
            return event.model_copy(update={"since": Counted(since)})
        case _:
            return event


def _parent_from(parent: ParentSituation, day: date) -> ParentSituation:
    """Since when a parent is away is never moved: counting rules ask for it."""
    return parent if parent.since is not None else parent.model_copy(update={"since": Counted(day)})
