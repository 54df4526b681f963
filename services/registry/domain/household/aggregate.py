"""A household's file as a whole (一户一档): which command is decided where, and what follows for it.

``history`` says what its events change.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from services.registry.domain.child import RegisterChild
from services.registry.domain.household import closing, contents, erasure, merge, move
from services.registry.domain.household.closing import ClosingWith, ReopenHouseholdFile
from services.registry.domain.household.contents import OpenHouseholdFile, UpdateHouseholdFile
from services.registry.domain.household.erasure import (
    EraseLeftHousehold,
    HouseholdErasureApprovalBy,
    HouseholdErasureRequestBy,
)
from services.registry.domain.household.history import evolve
from services.registry.domain.household.merge import GiveBackHousehold, MergeBy, TakeInHousehold, UndoingBy
from services.registry.domain.household.move import HouseholdTakeOverBy, MoveBy, OfferHouseholdMove
from services.registry.domain.household.states import (
    Closed,
    Erased,
    Household,
    HouseholdAlreadyOnFile,
    HouseholdFileIsClosed,
    HouseholdFileIsOpen,
    HouseholdIsErased,
    HouseholdIsMerged,
    Merged,
    NotOnRecord,
    OnFile,
    Open,
)
from shared.commands.command import Aggregate, NotOnFile
from shared.contracts.event import Event

OnOpenFile = (
    RegisterChild | UpdateHouseholdFile | MoveBy | OfferHouseholdMove | HouseholdTakeOverBy | ClosingWith | MergeBy
)
HouseholdCommand = (
    OnOpenFile
    | OpenHouseholdFile
    | ReopenHouseholdFile
    | UndoingBy
    | TakeInHousehold
    | GiveBackHousehold
    | HouseholdErasureRequestBy
    | HouseholdErasureApprovalBy
    | EraseLeftHousehold
)


def decide(command: HouseholdCommand, household: Household) -> Sequence[Event]:
    match command, household:
        case RegisterChild(), NotOnRecord():
            return [contents.opened_by_child(command)]
        case OpenHouseholdFile(), NotOnRecord():
            return [contents.opened(command)]
        case OpenHouseholdFile(), _:
            raise HouseholdAlreadyOnFile
        case _, NotOnRecord():
            raise NotOnFile
        case EraseLeftHousehold(), Erased():
            return []
        case _, Erased():
            raise HouseholdIsErased
        case EraseLeftHousehold(), OnFile():
            return erasure.erased_with_children(command, household)
        case HouseholdErasureRequestBy(), OnFile():
            return [erasure.requested(command)]
        case HouseholdErasureApprovalBy(), OnFile():
            return [erasure.erased(command, household)]
        case GiveBackHousehold(), OnFile():
            return merge.given_back(command, household)
        case _:
            return _on_file(command, household)


def _on_file(command: OnOpenFile | ReopenHouseholdFile | UndoingBy | TakeInHousehold, file: OnFile) -> Sequence[Event]:
    if isinstance(command, RegisterChild):
        # Who works in another village learns nothing of what became of the household.
        contents.check_village(command, file)
    match command, file:
        case UndoingBy(), Merged():
            return [merge.undone(command, file)]
        case UndoingBy(), _:
            raise merge.HouseholdNotMerged
        case _, Merged():
            raise HouseholdIsMerged(file.into)
        case TakeInHousehold(), _:
            return merge.taken_in(command, file)
        case ReopenHouseholdFile(), Closed():
            return [closing.reopened(command, file)]
        case ReopenHouseholdFile(), _:
            raise HouseholdFileIsOpen
        case _, Closed():
            raise HouseholdFileIsClosed
        case _, Open():
            return _on_open_file(command, file)
        case _:
            raise AssertionError(command)


def _on_open_file(command: OnOpenFile, file: Open) -> Sequence[Event]:
    match command:
        case RegisterChild():
            return contents.joined(command, file)
        case UpdateHouseholdFile():
            return contents.updated(command, file)
        case MoveBy():
            return move.moved(command, file)
        case OfferHouseholdMove():
            return [move.offered(command, file)]
        case HouseholdTakeOverBy():
            return [move.taken_over(command, file)]
        case ClosingWith():
            return [closing.closed(command, file)]
        case MergeBy():
            return [merge.merged(command, file)]
        case _:
            assert_never(command)


HOUSEHOLD = Aggregate[Household](NotOnRecord(), evolve, decide)
