"""A household moves: within its village at once, to another one when that one's township takes it over.

Its children follow it, each on its own (docs/decisions/0021).
"""

from __future__ import annotations

from typing import ClassVar

from services.registry.domain.child import HoldsFromTheFuture
from services.registry.domain.household.states import OnFile
from shared.commands.command import Command
from shared.contracts.households import HouseholdMoved, HouseholdMoveOffered
from shared.contracts.refusal import Refusal
from shared.contracts.sealed import Personal
from shared.contracts.values import Day, HouseholdId, NodeCode, PersonId, Text, VillageCode


class MoveHousehold(Command):
    """Within its village, to another group or address. ``moved_on`` is its first day there; without it the day it is
    told."""

    household: HouseholdId
    group: NodeCode | None = None
    address: Personal[Text] | None = None
    moved_on: Day | None = None


class OfferHouseholdMove(Command):
    """Told where the household lives. A later offer takes the place of an earlier one."""

    household: HouseholdId
    to_village: VillageCode
    reason: Personal[Text]


class TakeOverHousehold(Command):
    """Told where the household comes to. What is not said of the new place is not known."""

    household: HouseholdId
    group: NodeCode | None = None
    address: Personal[Text] | None = None
    moved_on: Day | None = None


class MoveBy(MoveHousehold):
    person: PersonId


class HouseholdTakeOverBy(TakeOverHousehold):
    person: PersonId


class HouseholdLivesThere(Refusal):
    """The household lives in this village as it is."""

    what_to_do: ClassVar[str] = "Nothing: it is on file there. Within its village it is moved without an offer."


class NoMoveOffered(Refusal):
    """Nobody has offered this household to another village."""

    what_to_do: ClassVar[str] = "Let the township that the household leaves offer it first."


def moved(command: MoveBy, file: OnFile) -> list[HouseholdMoved]:
    """Nothing when it lives there."""
    if command.group in (None, file.group) and command.address in (None, file.address):
        return []
    return [_moved(command, file, file.village)]


def offered(command: OfferHouseholdMove, file: OnFile) -> HouseholdMoveOffered:
    if command.to_village == file.village:
        raise HouseholdLivesThere
    return HouseholdMoveOffered(household=command.household, to_village=command.to_village, reason=command.reason)


def taken_over(command: HouseholdTakeOverBy, file: OnFile) -> HouseholdMoved:
    if file.offered_to is None:
        raise NoMoveOffered
    return _moved(command, file, file.offered_to)


def _moved(command: MoveBy | HouseholdTakeOverBy, file: OnFile, to_village: str) -> HouseholdMoved:
    moved_on = command.moved_on or command.occurred_on
    if moved_on > command.occurred_on:
        raise HoldsFromTheFuture("moved_on: this day lies ahead")
    return HouseholdMoved(
        household=command.household,
        from_village=file.village,
        to_village=to_village,
        moved_on=moved_on,
        moved_by=command.person,
        group=command.group,
        address=command.address,
        children=() if to_village == file.village else tuple(sorted(file.all_children)),
    )
