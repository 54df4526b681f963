"""Builders of generated people and facts: ``a_child()``, ``a_household()``. Nobody in here exists."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from services.registry.domain.child import RegisterChild
from services.visits.domain.visit import LogVisit
from shared.contracts.registry import CareSituation, ChildRegistered, ParentSituation, ParentsSituation
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import CareKind, ParentState, Sex, VisitKind, VisitPurpose
from shared.contracts.visits import ChildFinding
from shared.eventlog.placement import new_id

VILLAGE = "520303105201"
COUNTY = "520303"
TOLD = datetime(2026, 8, 14, 8, 12, tzinfo=UTC)


def parents(
    father: ParentState = ParentState.AWAY, mother: ParentState = ParentState.AWAY, since: date = date(2026, 2, 20)
) -> ParentsSituation:
    return ParentsSituation(
        father=ParentSituation(state=Counted(father), since=Counted(since)),
        mother=ParentSituation(state=Counted(mother), since=Counted(since)),
    )


def care(kind: CareKind = CareKind.GRANDPARENT, alone: bool = False) -> CareSituation:
    return CareSituation(kind=Counted(kind), living_alone=Counted(alone))


def a_registration(**changes: Any) -> RegisterChild:
    """A command that registers a generated child of ten with both parents away."""
    household = changes.pop("household", None) or new_id("household")
    fields: dict[str, Any] = {
        "occurred_at": TOLD,
        "child": new_id("child", beside=household),
        "household": household,
        "residence": VILLAGE,
        "hukou": COUNTY,
        "name": "测甲一",
        "birth_date": date(2016, 3, 9),
        "sex": Sex.FEMALE,
        "parents": parents(),
        "care": care(),
        "household_head": "测户主",
    }
    return RegisterChild(**fields | changes)


def a_registered_child(**changes: Any) -> ChildRegistered:
    household = changes.pop("household", None) or new_id("household")
    fields: dict[str, Any] = {
        "child": new_id("child", beside=household),
        "household": household,
        "residence": VILLAGE,
        "hukou": COUNTY,
        "name": Personal("测甲一"),
        "birth_date": Personal(date(2016, 3, 9)),
        "birth_month": Counted("2016-03"),
        "sex": Counted(Sex.FEMALE),
        "parents": parents(),
        "care": care(),
    }
    return ChildRegistered(**fields | changes)


def a_visit(household: str, *children: str, **changes: Any) -> LogVisit:
    fields: dict[str, Any] = {
        "occurred_at": TOLD,
        "visit": new_id("visit", beside=household),
        "household": household,
        "village": VILLAGE,
        "kind": VisitKind.HOME,
        "purposes": (VisitPurpose.LEFT_BEHIND,),
        "findings": tuple(ChildFinding(child=child, life=Personal("衣食无忧")) for child in children),
    }
    return LogVisit(**fields | changes)
