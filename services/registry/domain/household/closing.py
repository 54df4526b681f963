"""A household's file ends and begins again; as long as a child's file of it is open, it does not end."""

from __future__ import annotations

from typing import ClassVar

from services.registry.domain.child import ClosedBeforeItBegan
from services.registry.domain.household.states import Closed, Open
from shared.commands.command import Command
from shared.contracts.households import HouseholdFileClosed, HouseholdFileReopened
from shared.contracts.refusal import Refusal
from shared.contracts.sealed import Personal
from shared.contracts.values import ChildId, Day, HouseholdCloseReason, HouseholdId, Text


class CloseHouseholdFile(Command):
    """``closed_on`` is the first day closed; without it the day it is told."""

    household: HouseholdId
    reason: HouseholdCloseReason
    closed_on: Day | None = None


class ReopenHouseholdFile(Command):
    household: HouseholdId
    reason: Personal[Text]
    reopened_on: Day | None = None


class ClosingWith(CloseHouseholdFile):
    """``open_children`` are those of the household whose files are open."""

    open_children: frozenset[ChildId]


class HouseholdHasOpenChild(Refusal):
    """A child's file of this household is open."""

    what_to_do: ClassVar[str] = (
        "Close the files of its children first, or merge the household into the one it belongs to."
    )


def closed(command: ClosingWith, file: Open) -> HouseholdFileClosed:
    check_no_child_is_open(command.open_children)
    closed_on = command.closed_on or command.occurred_on
    if closed_on < file.since:
        raise ClosedBeforeItBegan
    return HouseholdFileClosed(household=command.household, reason=command.reason, closed_on=closed_on)


def reopened(command: ReopenHouseholdFile, file: Closed) -> HouseholdFileReopened:
    reopened_on = command.reopened_on or command.occurred_on
    if reopened_on < file.since:
        raise ClosedBeforeItBegan
    return HouseholdFileReopened(household=command.household, reason=command.reason, reopened_on=reopened_on)


def check_no_child_is_open(children: frozenset[str]) -> None:
    """Raises HouseholdHasOpenChild, which names the files."""
    if children:
        raise HouseholdHasOpenChild(f"open: {', '.join(sorted(children))}")
