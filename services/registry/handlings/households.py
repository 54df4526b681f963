"""Commands on households' files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.registry.domain import household
from services.registry.domain.child import CHILD, FollowHousehold
from services.registry.domain.household import (
    HOUSEHOLD,
    ApproveHouseholdErasure,
    CloseHouseholdFile,
    EraseLeftHousehold,
    GiveBackHousehold,
    MergeHouseholds,
    MoveHousehold,
    OfferHouseholdMove,
    OpenHouseholdFile,
    ReopenHouseholdFile,
    RequestHouseholdErasure,
    TakeInHousehold,
    TakeOverHousehold,
    UndoHouseholdMerge,
    UpdateHouseholdFile,
)
from services.registry.household_learning import HouseholdLearning
from shared.commands.command import Command, Handling, Target


def handlings(learning: HouseholdLearning) -> list[Handling[Any]]:
    return [
        Handling(
            OpenHouseholdFile,
            action="keep_household",
            targets=_household,
            division=lambda c, _: c.village,
            learn=learning.opened,
        ),
        _of_household(UpdateHouseholdFile, "keep_household", learning.updated),
        _of_household(MoveHousehold, "keep_household", learning.moved),
        _of_household(CloseHouseholdFile, "keep_household", learning.closing),
        _of_household(ReopenHouseholdFile, "keep_household"),
        _of_household(OfferHouseholdMove, "transfer_child", learning.offered),
        Handling(
            TakeOverHousehold,
            action="transfer_child",
            targets=_household,
            division=lambda _, states: household.offered_to(states[0]),
            told_by_state=True,
            learn=learning.taken_over,
        ),
        Handling(
            MergeHouseholds,
            action="merge_households",
            targets=_household,
            division=_village,
            told_by_state=True,
            learn=learning.merging,
            claims=household.claims,
        ),
        Handling(
            UndoHouseholdMerge,
            action="merge_households",
            targets=_household,
            division=_village,
            told_by_state=True,
            learn=learning.undoing,
            claims=household.claims,
        ),
        _of_policy(TakeInHousehold, "merge_households", _household),
        _of_policy(GiveBackHousehold, "merge_households", _household),
        _of_policy(FollowHousehold, "transfer_child", lambda c: (Target(c.child, CHILD),)),
        _of_policy(EraseLeftHousehold, "approve_erasure", _household),
        _of_household(RequestHouseholdErasure, "request_erasure", learning.erasure_requested),
        _of_household(ApproveHouseholdErasure, "approve_erasure", learning.erasure_approved),
    ]


def _of_household(command: type[Any], action: str, learn: Any = None) -> Handling[Any]:
    """A command on a household that is on file: it takes effect where the household lives."""
    return Handling(command, action=action, targets=_household, division=_village, told_by_state=True, learn=learn)


def _of_policy(command: type[Any], action: str, targets: Any) -> Handling[Any]:
    """A command that registry's policies alone give: in no division has a person a right to it."""
    return Handling(command, action=action, targets=targets, division=lambda *_: None, told_by_state=True)


def _household(command: Any) -> tuple[Target, ...]:
    return (Target(command.household, HOUSEHOLD),)


def _village(_: Command, states: Sequence[Any]) -> str | None:
    return household.village_of(states[0])
