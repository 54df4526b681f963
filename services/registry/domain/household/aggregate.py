"""A household's file as a whole (一户一档): which command is decided where, and what its events change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, assert_never

from services.registry.domain.child import RegisterChild
from services.registry.domain.household import contents
from services.registry.domain.household.contents import OpenHouseholdFile, UpdateHouseholdFile
from services.registry.domain.household.states import (
    Household,
    HouseholdAlreadyOnFile,
    NotOnRecord,
    Open,
)
from shared.commands.command import Aggregate, NotOnFile
from shared.contracts.event import Event
from shared.contracts.households import ChildJoinedHousehold, HouseholdFileUpdated
from shared.contracts.registry import HouseholdFileOpened

HouseholdCommand = RegisterChild | OpenHouseholdFile | UpdateHouseholdFile
HouseholdEvent = HouseholdFileOpened | ChildJoinedHousehold | HouseholdFileUpdated


def decide(command: HouseholdCommand, household: Household) -> Sequence[Event]:
    match command, household:
        case RegisterChild(), NotOnRecord():
            return [contents.opened_by_child(command)]
        case RegisterChild(), Open():
            return contents.joined(command, household)
        case OpenHouseholdFile(), NotOnRecord():
            return [contents.opened(command)]
        case OpenHouseholdFile(), _:
            raise HouseholdAlreadyOnFile
        case _, NotOnRecord():
            raise NotOnFile
        case UpdateHouseholdFile(), Open():
            return contents.updated(command, household)
        case _:
            raise AssertionError(command)


def evolve(household: Household, event: HouseholdEvent) -> Household:
    match household:
        case NotOnRecord():
            return _begun(event) if isinstance(event, HouseholdFileOpened) else household
        case Open():
            return _evolved(household, event)
        case _:
            assert_never(household)


def _begun(event: HouseholdFileOpened) -> Open:
    details = event.details and event.details.get()
    return Open(
        village=event.village,
        head=event.head,
        address=event.address,
        phone=event.phone,
        group=event.group,
        poverty=event.poverty,
        **({"details": details} if details else {}),
        children=frozenset(event.children),
    )


def _evolved(file: Open, event: HouseholdEvent) -> Household:
    match event:
        case HouseholdFileUpdated():
            return _updated(file, event)
        case ChildJoinedHousehold():
            return replace(file, children=file.children | {event.child})
        case HouseholdFileOpened():
            return file
        case _:
            assert_never(event)


def _updated(file: Open, event: HouseholdFileUpdated) -> Open:
    news: dict[str, Any] = {
        name: value for name, value in event if name not in ("household", "details") and value is not None
    }
    if event.details is not None and (details := event.details.get()) is not None:
        news["details"] = file.details.model_copy(update=dict(contents.told_of(details)))
    return replace(file, **news)


HOUSEHOLD = Aggregate[Household](NotOnRecord(), evolve, decide)
