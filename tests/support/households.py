"""Households of generated people: what a file without a child holds, and the commands that open and change it."""

from __future__ import annotations

from typing import Any

from services.registry.domain.household import OpenHouseholdFile, UpdateHouseholdFile
from shared.contracts.households import HouseholdDetails, HouseholdMember
from shared.contracts.registry import HouseholdFileOpened
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import Allowance, HouseholdPoverty, HouseholdRelation, IncomeSource
from shared.eventlog.placement import new_id
from tests.support.builders import TOLD, VILLAGE

DETAILS = HouseholdDetails(
    members=(
        HouseholdMember(name="测户主", relation=HouseholdRelation.HEAD, phone="13900000001"),
        HouseholdMember(name="测甲一", relation=HouseholdRelation.GRANDCHILD),
    ),
    allowances=(Allowance.MINIMUM_ALLOWANCE,),
    income_sources=(IncomeSource.FARMING, IncomeSource.WAGES),
    housing="砖混结构",
    distance_to_school=3.5,
)


def an_opening(**changes: Any) -> OpenHouseholdFile:
    """A command that opens the file of a generated household of two."""
    fields: dict[str, Any] = {
        "household": new_id("household"),
        "village": VILLAGE,
        "head": "测户主",
        "address": "测村3号",
        "phone": "13900000001",
        "poverty": HouseholdPoverty.LIFTED,
        "details": DETAILS,
        "occurred_at": TOLD,
    }
    return OpenHouseholdFile(**fields | changes)


def an_update(household: str, **changes: Any) -> UpdateHouseholdFile:
    return UpdateHouseholdFile(household=household, occurred_at=TOLD, **changes)


def an_opened_household(**changes: Any) -> HouseholdFileOpened:
    fields: dict[str, Any] = {
        "household": new_id("household"),
        "village": VILLAGE,
        "head": Personal("测户主"),
        "address": Personal("测村3号"),
        "phone": Personal("13900000001"),
        "poverty": Counted(HouseholdPoverty.LIFTED),
        "details": Personal(DETAILS),
    }
    return HouseholdFileOpened(**fields | changes)
