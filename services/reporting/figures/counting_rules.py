"""Who is a left-behind child: versioned rules (domain section 3.1), as data. A new version of a rule is a new rule."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from functools import cache
from typing import Final

from shared.contracts.values import ParentState


@dataclass(frozen=True)
class CountingRule:
    """``away`` and ``unable`` sort the states of a parent; ``max_age`` is the last age that counts, in whole years."""

    name: str
    max_age: int
    away: frozenset[str]
    unable: frozenset[str]

    def left_behind(self, father: str | None, mother: str | None) -> bool:
        """Both parents away, or one away and the other unable to care. A parent at home is enough to be cared for."""
        if father in self.away:
            return mother in self.away or mother in self.unable
        return father in self.unable and mother in self.away

    def first_day_too_old(self, birth_month: str) -> str:
        """``yyyymmdd``: in figures a birthday counts as the last day of its month, so no exact date is needed."""
        return _last_day(int(birth_month[:4]) + self.max_age + 1, int(birth_month[5:]))


@cache
def _last_day(year: int, month: int) -> str:
    return f"{year:04}{month:02}{monthrange(year, month)[1]:02}"


BRIEF_0_14: Final = CountingRule(
    name="BRIEF-0-14",
    max_age=14,
    away=frozenset({ParentState.AWAY.value, ParentState.LOST_CONTACT.value}),
    unable=frozenset({ParentState.INCAPABLE.value, ParentState.DEAD.value}),
)

RULES: Final = (BRIEF_0_14,)
"""The rules that are counted."""
