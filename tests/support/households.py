"""Households of generated people: what a file without a child holds, and the commands that open and change it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from services.registry.domain.household import OpenHouseholdFile, UpdateHouseholdFile
from services.registry.policies import policies
from shared.commands.policies import PolicySink, WorkItem
from shared.contracts.households import HouseholdDetails, HouseholdMember
from shared.contracts.registry import HouseholdFileOpened
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import Allowance, HouseholdPoverty, HouseholdRelation, IncomeSource, Role
from shared.eventlog.placement import new_id
from shared.eventlog.record import decode, hash_of
from shared.messaging.run import Mark, Run, Source
from tests.support.builders import TOLD, VILLAGE
from tests.support.offices import Offices
from tests.support.registry import NOW

NEIGHBOUR, FAR = "520303105202", "520303106201"
GROUP, ENDED_GROUP, NEIGHBOURS_GROUP = f"{VILLAGE}-1", f"{VILLAGE}-2", f"{NEIGHBOUR}-1"

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


class Township(Offices):
    """The village with a group and one that has ended, its neighbour, and a village of the next township; registry's
    policies react when they are asked to."""

    def __init__(self) -> None:
        super().__init__()
        for code in (GROUP, ENDED_GROUP):
            self.directory.add_division(code, VILLAGE)
        self.directory.end_division(ENDED_GROUP, date(2026, 1, 1))
        self.directory.add_division(NEIGHBOUR, "520303105")
        self.directory.add_division(NEIGHBOURS_GROUP, NEIGHBOUR)
        self.directory.add_division(FAR[:9], "520303")
        self.directory.add_division(FAR, FAR[:9])
        self.directory.add_grant("supervisor-far", Role.CHILD_SUPERVISOR, FAR[:9], date(2026, 1, 1))
        for officer in ("officer-1", "officer-2"):
            self.directory.add_grant(officer, Role.DATA_PROTECTION_OFFICER, "52", date(2026, 1, 1))
        self.items: list[WorkItem] = []
        reacting = policies(self.vault, self.households)
        self.sink = PolicySink("registry", reacting, self.handler, self.sealer, self, lambda: NOW)

    async def react(self) -> None:
        """Hands the whole log to the policies, as to a consumer that begins anew."""
        for partition in range(self.log.partitions):
            if raws := await self.log.read(partition, 0, 10_000):
                upto = Mark(len(raws), hash_of(raws[-1]), None)
                run = Run(Source("registry", partition), Mark(), upto, tuple(map(decode, raws)))
                await self.sink.take(run)

    async def marks(self) -> dict[Source, Mark]:
        return {}

    async def remember(self, source: Source, mark: Mark, items: Sequence[WorkItem]) -> None:
        self.items += items
