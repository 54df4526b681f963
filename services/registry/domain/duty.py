"""Duties that no posting gives: child director, child supervisor, contacts (domain 3.1, DutyHolder)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Final, assert_never

from services.registry.domain.posting import EndsInTheFuture
from shared.commands.command import Aggregate, Claims, Command, NotOnFile
from shared.contracts.event import Event
from shared.contracts.refusal import Refusal
from shared.contracts.roster import DutyHolderNamed, DutyHolderRelieved
from shared.contracts.values import Day, DivisionCode, Duty, DutyId, ReliefReason, SchoolId, ToldPersonId

_LEVELS: Final = {
    Duty.CHILD_DIRECTOR: (12,),
    Duty.CHILD_SUPERVISOR: (9,),
    Duty.SCHOOL_CONTACT: (9, 12),
    Duty.VILLAGE_CONTACT: (12,),
}
"""How many digits the division of a duty may have: 9 is a township, 12 a village."""


class NameDutyHolder(Command):
    """``school`` is for a school's contact alone; the division is where the school lies."""

    duty: DutyId
    person: ToldPersonId
    role: Duty
    division: DivisionCode
    starts: Day
    school: SchoolId | None = None


class RelieveDutyHolder(Command):
    """``ends`` is the first day without the duty; that of a child director has come when it is told."""

    duty: DutyId
    ends: Day
    reason: ReliefReason


class DutyAlreadyNamed(Refusal):
    """This duty is on file already."""

    what_to_do: ClassVar[str] = "Give a new duty an id of its own."


class DutyAlreadyRelieved(Refusal):
    """This duty has ended already."""

    what_to_do: ClassVar[str] = "Nothing: it has ended."


class DutyOfAnotherLevel(Refusal):
    """division: a child director and a village contact belong to a village, a child supervisor to a township."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Name the village or the township itself, not what lies above or below it."


class SchoolOfNoContact(Refusal):
    """school: the contact of a school names it, and no other duty does."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Give the school of a school contact, and leave the field out for other duties."


class RelievedBeforeNamed(Refusal):
    """A duty can not end before its first day."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Check the day; the duty must have begun on or before it."


@dataclass(frozen=True)
class NotNamed:
    pass


@dataclass(frozen=True)
class Holding:
    person: str
    role: Duty
    division: str
    starts: date


@dataclass(frozen=True)
class Relieved:
    division: str


DutyHolder = NotNamed | Holding | Relieved


def decide(
    command: NameDutyHolder | RelieveDutyHolder, holder: DutyHolder
) -> list[DutyHolderNamed | DutyHolderRelieved]:
    match command, holder:
        case NameDutyHolder(), NotNamed():
            return [_named(command)]
        case NameDutyHolder(), _:
            raise DutyAlreadyNamed
        case RelieveDutyHolder(), Holding():
            return [_relieved(command, holder)]
        case RelieveDutyHolder(), Relieved():
            raise DutyAlreadyRelieved
        case RelieveDutyHolder(), NotNamed():
            raise NotOnFile
        case _:
            raise AssertionError(command)


def _named(command: NameDutyHolder) -> DutyHolderNamed:
    if len(command.division) not in _LEVELS[command.role]:
        raise DutyOfAnotherLevel
    if (command.school is None) is (command.role is Duty.SCHOOL_CONTACT):
        raise SchoolOfNoContact
    return DutyHolderNamed(**command.model_dump(exclude={"occurred_at"}))


def _relieved(command: RelieveDutyHolder, holder: Holding) -> DutyHolderRelieved:
    if command.ends < holder.starts:
        raise RelievedBeforeNamed
    if holder.role is Duty.CHILD_DIRECTOR and command.ends > command.occurred_on:
        raise EndsInTheFuture
    return DutyHolderRelieved(
        duty=command.duty,
        person=holder.person,
        role=holder.role,
        division=holder.division,
        ends=command.ends,
        reason=command.reason,
    )


def evolve(holder: DutyHolder, event: DutyHolderNamed | DutyHolderRelieved) -> DutyHolder:
    match event:
        case DutyHolderNamed():
            return Holding(event.person, event.role, event.division, event.starts)
        case DutyHolderRelieved():
            return Relieved(event.division)
        case _:
            assert_never(event)


def claims(events: Sequence[Event]) -> Claims:
    """One active child director per village."""
    taken, released = {}, []
    for event in events:
        match event:
            case DutyHolderNamed(role=Duty.CHILD_DIRECTOR):
                taken[f"child_director/{event.division}"] = event.duty
            case DutyHolderRelieved(role=Duty.CHILD_DIRECTOR):
                released.append(f"child_director/{event.division}")
            case _:
                pass
    return Claims(taken, tuple(released))


DUTY = Aggregate[DutyHolder](NotNamed(), evolve, decide)
