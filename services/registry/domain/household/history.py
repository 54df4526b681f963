"""What the events of a household's file change in its state."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, assert_never

from services.registry.domain.household.contents import told_of
from services.registry.domain.household.states import Closed, Erased, Household, Merged, NotOnRecord, OnFile, Open
from shared.contracts.households import (
    ChildJoinedHousehold,
    HouseholdErasureRequested,
    HouseholdFileClosed,
    HouseholdFileReopened,
    HouseholdFileUpdated,
    HouseholdGivenBack,
    HouseholdKeyDestroyed,
    HouseholdMergeUndone,
    HouseholdMoved,
    HouseholdMoveOffered,
    HouseholdsMerged,
    HouseholdTakenIn,
)
from shared.contracts.registry import HouseholdFileOpened

HouseholdEvent = (
    HouseholdFileOpened
    | ChildJoinedHousehold
    | HouseholdFileUpdated
    | HouseholdMoveOffered
    | HouseholdMoved
    | HouseholdFileClosed
    | HouseholdFileReopened
    | HouseholdsMerged
    | HouseholdMergeUndone
    | HouseholdTakenIn
    | HouseholdGivenBack
    | HouseholdErasureRequested
    | HouseholdKeyDestroyed
)


def evolve(household: Household, event: HouseholdEvent) -> Household:
    match household:
        case NotOnRecord():
            return _begun(event) if isinstance(event, HouseholdFileOpened) else household
        case Erased():
            return household
        case Open() | Closed() | Merged():
            return _evolved(household, event)
        case _:
            assert_never(household)


def _begun(event: HouseholdFileOpened) -> Open:
    begun = Open(
        village=event.village,
        head=event.head,
        address=event.address,
        phone=event.phone,
        group=event.group,
        poverty=event.poverty,
        children=frozenset(event.children),
        # Version 1 had neither a child nor details; today's has one of the two.
        knows_children=bool(event.children) or event.details is not None,
    )
    details = event.details and event.details.get()
    return replace(begun, details=details) if details else begun


def _evolved(file: Open | Closed | Merged, event: HouseholdEvent) -> Household:
    match event:
        case HouseholdFileUpdated():
            return _updated(file, event)
        case ChildJoinedHousehold():
            return replace(file, children=file.children | {event.child})
        case HouseholdMoveOffered():
            return replace(file, offered_to=event.to_village)
        case HouseholdMoved():
            return _moved(file, event)
        case HouseholdFileClosed():
            return Closed(**_kept(file) | {"since": event.closed_on})
        case HouseholdFileReopened():
            return Open(**_kept(file) | {"since": event.reopened_on})
        case HouseholdsMerged():
            return Merged(**_kept(file), into=event.into)
        case HouseholdMergeUndone():
            return Open(**_kept(file))
        case HouseholdTakenIn():
            return replace(file, taken_in={**file.taken_in, event.merged: frozenset(event.children)})
        case HouseholdGivenBack():
            return replace(file, taken_in={one: of for one, of in file.taken_in.items() if one != event.merged})
        case HouseholdErasureRequested():
            return replace(file, erasure_requested_by=event.requested_by)
        case HouseholdKeyDestroyed():
            return Erased(file.village)
        case HouseholdFileOpened():
            return file
        case _:
            assert_never(event)


def _kept(file: OnFile) -> dict[str, Any]:
    """What a file holds, whatever its state."""
    return {name: value for name, value in vars(file).items() if name != "into"}


def _updated(file: Open | Closed | Merged, event: HouseholdFileUpdated) -> Household:
    news: dict[str, Any] = {
        name: value for name, value in event if name not in ("household", "details") and value is not None
    }
    if event.details is not None and (details := event.details.get()) is not None:
        news["details"] = file.details.model_copy(update=dict(told_of(details)))
    return replace(file, **news)


def _moved(file: Open | Closed | Merged, event: HouseholdMoved) -> Household:
    """In another village nothing is known of the new place but what was told."""
    if event.from_village == event.to_village:
        return replace(file, group=event.group or file.group, address=event.address or file.address)
    return replace(file, village=event.to_village, group=event.group, address=event.address, offered_to=None)
