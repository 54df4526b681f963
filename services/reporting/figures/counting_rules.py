"""Who is a left-behind child: the counting rules of ``shared.contracts.counting``, made ready to be asked."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from functools import cache
from typing import ClassVar, Final

from shared.contracts import counting
from shared.contracts.counting import CountingTerms, ParentsTerm
from shared.contracts.refusal import Refusal


class UnknownCountingRule(Refusal):
    """There is no counting rule of this name."""

    status: ClassVar[int] = 404
    what_to_do: ClassVar[str] = (
        f"Ask for one of {', '.join(counting.RULES)}, for one that an authority adopted, or leave the rule out."
    )


@dataclass(frozen=True)
class CountingRule:
    """``away`` and ``unable`` sort the states of a parent; codes are the texts that stand in facts.

    ``asked`` maps an aspect of a child's facts to the values that count; ``judges_absence`` says that being away is not
    enough, but how long or how far counts too.
    """

    name: str
    parents: ParentsTerm
    max_age: int | None
    away: frozenset[str]
    unable: frozenset[str]
    months_away: int
    across_county: bool
    asked: tuple[tuple[str, frozenset[str]], ...]
    judges_absence: bool

    @classmethod
    def of(cls, name: str, terms: CountingTerms) -> CountingRule:
        asked = {"hukou": terms.hukou_kinds, "care": terms.care_kinds, "school": terms.school_states}
        return cls(
            name=name,
            parents=terms.parents,
            max_age=terms.max_age,
            away=frozenset(state.value for state in terms.away),
            unable=frozenset(state.value for state in terms.unable),
            months_away=terms.months_away,
            across_county=terms.across_county,
            asked=tuple((aspect, frozenset(one.value for one in codes)) for aspect, codes in asked.items() if codes),
            judges_absence=terms.months_away > 0 or terms.across_county,
        )

    def left_behind(self, father: str | None, mother: str | None) -> bool:
        """By the states of both parents; one whose absence does not count is None."""
        gone = (father in self.away) + (mother in self.away)
        if gone == 1 and self.parents is ParentsTerm.BOTH_AWAY_OR_ONE_UNABLE:
            return (mother if father in self.away else father) in self.unable
        return gone > 0 if self.parents is ParentsTerm.ANY_AWAY else gone == 2

    def first_day_too_old(self, birth_month: str) -> str | None:
        """``yyyymmdd``: in figures a birthday counts as the last day of its month, so no exact date is needed.

        None where the rule asks for no age.
        """
        return None if self.max_age is None else _last_day_at(birth_month, self.max_age + 1)

    def first_day_long_enough(self, away_since: str) -> str:
        """``yyyymmdd``: the day on which somebody who left on that day has been away for the months asked for."""
        return _months_later(away_since, self.months_away)


@cache
def _last_day_at(birth_month: str, age: int) -> str:
    return _last_day(int(birth_month[:4]) + age, int(birth_month[5:]))


@cache
def _last_day(year: int, month: int) -> str:
    return f"{year:04}{month:02}{monthrange(year, month)[1]:02}"


@cache
def _months_later(day: str, months: int) -> str:
    """A day that the month does not have is its last one."""
    years, month = divmod(int(day[4:6]) - 1 + months, 12)
    year = int(day[:4]) + years
    return min(f"{year:04}{month + 1:02}{day[6:]}", _last_day(year, month + 1))


RULES: Final = tuple(CountingRule.of(name, terms) for name, terms in counting.RULES.items())
"""The shipped rules, of which sums are kept."""

BRIEF_0_14: Final = RULES[0]

_BY_NAME: Final = {rule.name: rule for rule in RULES}


def shipped(name: str) -> CountingRule | None:
    """The shipped rule of this name."""
    return _BY_NAME.get(name)
