"""A child moves to another village: the township it leaves offers it, the township it comes to takes it over.

The file stays one, under its id and beside its household's; what was recorded before stays with the old village.
"""

from __future__ import annotations

from typing import ClassVar

from services.registry.domain.child.situation import HoldsFromTheFuture
from services.registry.domain.child.states import OnFile
from shared.commands.command import Command
from shared.contracts.child_file import ChildTransferOffered, ChildTransferred
from shared.contracts.refusal import Refusal
from shared.contracts.sealed import Personal
from shared.contracts.values import ChildId, Day, PersonId, Text, VillageCode


class OfferTransfer(Command):
    """Told where the child lives. A later offer takes the place of an earlier one."""

    child: ChildId
    to_village: VillageCode
    reason: Personal[Text]


class TakeOverChild(Command):
    """Told where the child comes to. ``moved_on`` is its first day there; without it the day it is told."""

    child: ChildId
    moved_on: Day | None = None


class TakeOverBy(TakeOverChild):
    person: PersonId


class FollowHousehold(Command):
    """The child's household has moved away from its village; ``villages`` are all codes of that one."""

    child: ChildId
    villages: frozenset[VillageCode]
    to_village: VillageCode
    moved_on: Day
    moved_by: PersonId


class ChildLivesThere(Refusal):
    """The child lives in this village as it is."""

    what_to_do: ClassVar[str] = "Nothing: it is on file there."


class NoTransferOffered(Refusal):
    """Nobody has offered this child to another village."""

    what_to_do: ClassVar[str] = "Let the township that the child leaves offer it first."


def offered(command: OfferTransfer, file: OnFile) -> ChildTransferOffered:
    if command.to_village == file.residence:
        raise ChildLivesThere
    return ChildTransferOffered(child=command.child, to_village=command.to_village, reason=command.reason)


def taken_over(command: TakeOverBy, file: OnFile) -> ChildTransferred:
    if file.offered_to is None:
        raise NoTransferOffered
    moved_on = command.moved_on or command.occurred_on
    if moved_on > command.occurred_on:
        raise HoldsFromTheFuture("moved_on: this day lies ahead")
    return ChildTransferred(
        child=command.child,
        from_village=file.residence,
        to_village=file.offered_to,
        taken_over_by=command.person,
        moved_on=moved_on,
    )


def followed(command: FollowHousehold, file: OnFile) -> list[ChildTransferred]:
    """Nothing for a child that lives elsewhere by now, or has been offered to a village of its own."""
    if file.residence not in command.villages or file.offered_to not in (None, command.to_village):
        return []
    return [
        ChildTransferred(
            child=command.child,
            from_village=file.residence,
            to_village=command.to_village,
            taken_over_by=command.moved_by,
            moved_on=command.moved_on,
        )
    ]
