"""Who is to be visited how often (走访频次; domain 3.2, 5.3): dated policy data of a division, and what ships."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from shared.contracts.event import Event, Fact
from shared.contracts.values import Day, DivisionCode, RiskLevel, Role, VisitKind, VisitPolicyId

Interval = Annotated[int, Field(ge=1, le=400)]


class LevelRule(Fact):
    """In days: a visit at the door every ``home_days``; between them a contact by telephone
    or at school every ``contact_days``, where one is asked for; ``grace_days`` after which a visit is overdue."""

    home_days: Interval
    contact_days: Interval | None = None
    grace_days: Annotated[int, Field(ge=0, le=60)]
    who: tuple[Role, ...] = ()


class Holiday(Fact):
    """In school holidays each child is to be seen within so many days after they begin."""

    name: Annotated[str, Field(min_length=1, max_length=20)]
    starts: Day
    within_days: Annotated[int, Field(ge=0, le=60)]


class VisitPolicy(Fact):
    """A rule for each level of risk. ``satisfy`` are the kinds of visit that count at the door, ``contact`` those that
    count between. ``change_days``: after a major change a child is seen by that day (24 hours are 1)."""

    high: LevelRule
    medium_high: LevelRule
    medium: LevelRule
    low: LevelRule
    satisfy: tuple[VisitKind, ...] = (VisitKind.HOME, VisitKind.CONDOLENCE, VisitKind.MAPPING, VisitKind.SPOT)
    contact: tuple[VisitKind, ...] = (VisitKind.PHONE, VisitKind.VIDEO, VisitKind.SCHOOL)
    change_days: Annotated[int, Field(ge=0, le=30)] = 1
    holidays: tuple[Holiday, ...] = ()

    def rule(self, level: RiskLevel) -> LevelRule:
        rules = {
            RiskLevel.HIGH: self.high,
            RiskLevel.MEDIUM_HIGH: self.medium_high,
            RiskLevel.MEDIUM: self.medium,
            RiskLevel.LOW: self.low,
        }
        return rules[level]


class VisitPolicyAdopted(Event):
    """From ``starts`` on, for the division and all below it that has none of its own. Without ``may_be_overridden`` a
    lower division's own policy does not hold."""

    policy: VisitPolicyId
    division: DivisionCode
    starts: Day
    content: VisitPolicy
    may_be_overridden: bool = True


SHIPPED: Final = VisitPolicy(
    high=LevelRule(home_days=7, contact_days=3, grace_days=1, who=(Role.CHILD_DIRECTOR, Role.GROUP_LEADER)),
    medium_high=LevelRule(home_days=30, contact_days=15, grace_days=7, who=(Role.CHILD_DIRECTOR, Role.FIRST_SECRETARY)),
    medium=LevelRule(home_days=60, contact_days=30, grace_days=15, who=(Role.POSTED_CADRE, Role.CHILD_DIRECTOR)),
    low=LevelRule(home_days=90, grace_days=15),
)
"""Domain 5.3. 7, 30 and 90 days and the 24 hours have a source; the rest is a proposal for the authority."""

UNASSESSED: Final = RiskLevel.LOW
"""The level of a child that nobody has assessed: every quarter, as the others (domain 5.3)."""
