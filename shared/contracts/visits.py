"""visits' events (domain section 4.2)."""

from __future__ import annotations

from typing import ClassVar

from shared.contracts.event import Event, Fact
from shared.contracts.registry import CareSituation
from shared.contracts.sealed import Personal
from shared.contracts.values import ChildId, Day, HouseholdId, Text, VillageCode, VisitId, VisitKind, VisitPurpose


class ChildFinding(Fact):
    """What was found for one child: the three blocks (S24), and the care found where it differs from the file."""

    subject: ClassVar[str | None] = "child"

    child: ChildId
    life: Personal[Text] | None = None
    learning: Personal[Text] | None = None
    psychology: Personal[Text] | None = None
    care_found: CareSituation | None = None


class VisitLogged(Event):
    """One visit, with an answer for each child (domain 3.2). How late it was told follows from ``recorded_at``."""

    visit: VisitId
    household: HouseholdId
    village: VillageCode
    kind: VisitKind
    purposes: tuple[VisitPurpose, ...]
    visited_on: Day
    findings: tuple[ChildFinding, ...]
    on_stale_standing: bool = False
