"""Two files of one household: one goes on, the other is merged into it and keeps its history (domain 3.1).

A merge is decided in the stream of the file that ends, which may stand in another partition than the one that goes on.
That one hears of it afterwards, from a policy (docs/decisions/0021).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from services.registry.domain.household.states import (
    Closed,
    Household,
    HouseholdFileIsClosed,
    HouseholdIsMerged,
    Merged,
    OnFile,
    Open,
)
from shared.commands.command import Claims, Command
from shared.contracts.event import Event
from shared.contracts.households import (
    HouseholdGivenBack,
    HouseholdMergeUndone,
    HouseholdsMerged,
    HouseholdTakenIn,
)
from shared.contracts.refusal import Refusal
from shared.contracts.sealed import Personal
from shared.contracts.values import ChildId, HouseholdId, PersonId, Text, VillageCode


class MergeHouseholds(Command):
    """``household`` is the file that ends, ``into`` the one that goes on."""

    household: HouseholdId
    into: HouseholdId
    reason: Personal[Text]


class UndoHouseholdMerge(Command):
    """``household`` is the file that was merged."""

    household: HouseholdId
    reason: Personal[Text]


class MergeBy(MergeHouseholds):
    """The merge, with what the file that goes on is now; ``villages`` are all codes of the household's village."""

    person: PersonId
    goes_on: Household
    villages: frozenset[VillageCode]


class UndoingBy(UndoHouseholdMerge):
    person: PersonId


class TakeInHousehold(Command):
    household: HouseholdId
    merged: HouseholdId
    children: tuple[ChildId, ...]


class GiveBackHousehold(Command):
    household: HouseholdId
    merged: HouseholdId


class MergedIntoItself(Refusal):
    """into: a household is not merged into itself."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Name two files."


class NoSuchHouseholdInVillage(Refusal):
    """into: this household is not on file in the same village."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Check the id; move one of the two first when they are on file in different villages."


class HouseholdHasTakenIn(Refusal):
    """Another file was merged into this one."""

    what_to_do: ClassVar[str] = "Merge the other way round, so that this file goes on, or undo that merge first."


class HouseholdNotMerged(Refusal):
    """This household's file was not merged into another one."""

    what_to_do: ClassVar[str] = "Nothing: it stands by itself."


def merged(command: MergeBy, file: Open) -> HouseholdsMerged:
    if command.into == command.household:
        raise MergedIntoItself
    if file.taken_in:
        raise HouseholdHasTakenIn
    _check_goes_on(command)
    return HouseholdsMerged(
        household=command.household,
        into=command.into,
        children=tuple(sorted(file.children)),
        merged_by=command.person,
        reason=command.reason,
    )


def _check_goes_on(command: MergeBy) -> None:
    other = command.goes_on
    if not isinstance(other, OnFile) or other.village not in command.villages:
        raise NoSuchHouseholdInVillage
    if isinstance(other, Merged):
        raise HouseholdIsMerged(other.into)
    if isinstance(other, Closed):
        raise HouseholdFileIsClosed("into: the household's file is closed")


def undone(command: UndoingBy, file: Merged) -> HouseholdMergeUndone:
    return HouseholdMergeUndone(
        household=command.household, into=file.into, undone_by=command.person, reason=command.reason
    )


def taken_in(command: TakeInHousehold, file: OnFile) -> list[HouseholdTakenIn]:
    if command.merged in file.taken_in:
        return []
    return [HouseholdTakenIn(household=command.household, merged=command.merged, children=command.children)]


def given_back(command: GiveBackHousehold, file: OnFile) -> list[HouseholdGivenBack]:
    if command.merged not in file.taken_in:
        return []
    return [HouseholdGivenBack(household=command.household, merged=command.merged)]


def claims(events: Sequence[Event]) -> Claims:
    """Of two files one goes on: two people who merge them both ways at one moment are not both heard."""
    taken, released = {}, []
    for event in events:
        match event:
            case HouseholdsMerged():
                taken[_pair(event.household, event.into)] = event.household
            case HouseholdMergeUndone():
                released.append(_pair(event.household, event.into))
            case _:
                pass
    return Claims(taken, tuple(released))


def _pair(household: str, other: str) -> str:
    return "/".join(("households_merged", *sorted((household, other))))
