"""A flag on a pattern in somebody's visits (domain 3.2): raised by a rule, once for a set of visits; cleared by a
supervisor who has looked. It asks for a look, and says nothing certain."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from pydantic import Field

from shared.commands.command import Aggregate, Command, NothingToRecord, NotOnFile
from shared.contracts.oversight import ClearReason, PlausibilityCleared, PlausibilityFlagged, PlausibilityRule
from shared.contracts.refusal import Refusal
from shared.contracts.sealed import Counted
from shared.contracts.values import FlagId, PersonId, VillageCode, VisitId
from shared.eventlog.placement import derived_id


class FlagPlausibility(Command):
    """By the policy alone. ``visits`` and their ``villages`` are in order of time; the last village's supervisor is
    asked to look."""

    rule: PlausibilityRule
    visitor: PersonId
    visits: tuple[VisitId, ...] = Field(min_length=1)
    villages: tuple[VillageCode, ...] = Field(min_length=1)


class ClearPlausibility(Command):
    flag: FlagId
    reason: ClearReason


class ClearanceBy(ClearPlausibility):
    person: PersonId


def flag_of(command: FlagPlausibility) -> str:
    """The stream of a flag: the same for one rule and one set of visits of a visitor."""
    return derived_id("/".join((command.rule, command.visitor, *sorted(command.visits))), "flag")


class VisitorClears(Refusal):
    """Nobody clears what is about their own visits."""

    status: ClassVar[int] = 403
    what_to_do: ClassVar[str] = "Let another supervisor look at it."


class AlreadyFlagged(NothingToRecord):
    """This was flagged for these visits before."""


class AlreadyCleared(NothingToRecord):
    """The flag was cleared before."""


@dataclass(frozen=True)
class NotFlagged:
    pass


@dataclass(frozen=True)
class Flagged:
    visitor: str
    village: str
    cleared: bool = False


Flag = NotFlagged | Flagged


def village_of(flag: Flag) -> str | None:
    """Where a command on this flag takes effect."""
    return flag.village if isinstance(flag, Flagged) else None


def decide(command: FlagPlausibility | ClearanceBy, flag: Flag) -> list[PlausibilityFlagged | PlausibilityCleared]:
    match command, flag:
        case FlagPlausibility(), NotFlagged():
            return [
                PlausibilityFlagged(
                    flag=flag_of(command),
                    rule=Counted(command.rule),
                    visitor=command.visitor,
                    visits=command.visits,
                    villages=command.villages,
                )
            ]
        case FlagPlausibility(), _:
            raise AlreadyFlagged
        case ClearanceBy(), Flagged():
            return [_cleared(command, flag)]
        case _:
            raise NotOnFile


def _cleared(command: ClearanceBy, flag: Flagged) -> PlausibilityCleared:
    if command.person == flag.visitor:
        raise VisitorClears
    if flag.cleared:
        raise AlreadyCleared
    return PlausibilityCleared(flag=command.flag, reason=Counted(command.reason), cleared_by=command.person)


def evolve(flag: Flag, event: PlausibilityFlagged | PlausibilityCleared) -> Flag:
    match event, flag:
        case PlausibilityFlagged(), _:
            return Flagged(event.visitor, event.villages[-1])
        case PlausibilityCleared(), Flagged():
            return replace(flag, cleared=True)
        case _:
            raise AssertionError(event)


FLAG = Aggregate[Flag](NotFlagged(), evolve, decide)
