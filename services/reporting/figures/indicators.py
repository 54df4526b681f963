"""What is summed (measures) and what is asked (indicators, domain section 5.2): one a quotient of the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from services.reporting.figures.counting_rules import BRIEF_0_14, CountingRule
from shared.contracts.refusal import Refusal

VISITS: Final = "visits"


class Measures(NamedTuple):
    """The names of what is summed under one counting rule."""

    children: str
    children_with_posting: str
    villages: str
    villages_with_posting: str

    @classmethod
    def of(cls, rule: CountingRule) -> Measures:
        return cls(*(f"{measure}@{rule.name}" for measure in cls._fields))


class Indicator(NamedTuple):
    """``denominator`` is None for a plain count."""

    numerator: str
    denominator: str | None = None


class UnknownIndicator(Refusal):
    """There is no such indicator."""

    status = 404
    what_to_do = "Ask for one of I1, I1b, VISITS."


_BRIEF: Final = Measures.of(BRIEF_0_14)

INDICATORS: Final[Mapping[str, Indicator]] = {
    "I1": Indicator(_BRIEF.children_with_posting, _BRIEF.children),
    "I1b": Indicator(_BRIEF.villages_with_posting, _BRIEF.villages),
    "VISITS": Indicator(VISITS),
}


def indicator_named(name: str) -> Indicator:
    """Raises UnknownIndicator."""
    try:
        return INDICATORS[name]
    except KeyError:
        raise UnknownIndicator(name) from None


def share(numerator: int, denominator: int) -> str:
    """Percent with one decimal, half up, from the integers alone; "-" for an empty denominator."""
    if denominator == 0:
        return "-"
    tenths = (2000 * numerator + denominator) // (2 * denominator)
    return f"{tenths // 10}.{tenths % 10}"
