"""What is summed (measures) and what is asked (indicators, domain section 5.2): one a quotient of the other."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final, NamedTuple

from shared.contracts.refusal import Refusal
from shared.contracts.values import VisitPurpose

VISITS: Final = "visits"
VISITS_FOR: Final[Mapping[VisitPurpose, str]] = {purpose: f"{VISITS}-{purpose}" for purpose in VisitPurpose}
"""A visit counts once as a visit, and once in each of its purposes."""


class Measures(NamedTuple):
    """The names of what is summed under one counting rule."""

    children: str
    children_with_posting: str
    villages: str
    villages_with_posting: str

    @classmethod
    @cache
    def of(cls, rule: str) -> Measures:
        return cls(*(f"{measure}@{rule}" for measure in cls._fields))


class Indicator(NamedTuple):
    """``denominator`` is None for a plain count."""

    numerator: str
    denominator: str | None = None


class UnknownIndicator(Refusal):
    """There is no such indicator."""

    status = 404
    what_to_do = "Ask for one of I1, I1b, VISITS, or VISITS-<purpose>."


def indicators_by(rule: str) -> Mapping[str, Indicator]:
    """The indicators under a counting rule, by name."""
    measures = Measures.of(rule)
    return {
        "I1": Indicator(measures.children_with_posting, measures.children),
        "I1b": Indicator(measures.villages_with_posting, measures.villages),
        "VISITS": Indicator(VISITS),
        **{f"VISITS-{purpose}": Indicator(measure) for purpose, measure in VISITS_FOR.items()},
    }


def indicator_named(name: str, rule: str) -> Indicator:
    """Raises UnknownIndicator."""
    try:
        return indicators_by(rule)[name]
    except KeyError:
        raise UnknownIndicator(name) from None


def share(numerator: int, denominator: int) -> str:
    """Percent with one decimal, half up, from the integers alone; "-" for an empty denominator."""
    if denominator == 0:
        return "-"
    tenths = (2000 * numerator + denominator) // (2 * denominator)
    return f"{tenths // 10}.{tenths % 10}"
