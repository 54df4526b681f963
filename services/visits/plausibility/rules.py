"""The rules over one person's visits. Pure; they go by when a visit was made, and never by when it was told.

A pattern that grows is found anew when it has doubled, so that each set of visits is told once and few are told.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from itertools import groupby, pairwise
from typing import Final, NamedTuple

from shared.commands.command import CHINA, business_day
from shared.contracts.oversight import PlausibilityRule


class Thresholds(NamedTuple):
    """When a rule finds something; from its first day on."""

    starts: date
    between_villages: timedelta = timedelta(minutes=10)
    within: timedelta = timedelta(minutes=1)
    visits_within: int = 10
    note_length: int = 20
    """Signs that a note has at least; a shorter one is often the same for good reason."""
    households_of_a_note: int = 3
    households_of_answers: int = 10
    visits_on_last_day: int = 5
    quarter_judged_after: timedelta = timedelta(days=30)
    """So long a device may tell of it."""


THRESHOLDS: Final = (Thresholds(date.min),)
"""In order of their first days; the last that has begun holds (prop)."""

REACH: Final = timedelta(days=220)
"""No rule looks further back from a visit: a quarter, the one after it, and the days it may be told within."""

MOST: Final = 500
"""Visits of one finding, so that it fits into an event."""


def thresholds_on(day: date) -> Thresholds:
    return [one for one in THRESHOLDS if one.starts <= day][-1]


class Made(NamedTuple):
    """A visit as a rule sees it. ``notes`` and ``answers`` (one for each child) are keyed hashes; ``told`` says that
    the person told it and did not only come along; ``at_place`` that it is made where the family lives."""

    visit: str
    village: str
    household: str
    at: datetime
    at_place: bool = True
    told: bool = True
    notes: frozenset[int] = frozenset()
    answers: frozenset[int] = frozenset()

    @property
    def has_time(self) -> bool:
        """Midnight tells the day alone."""
        return self.at.astimezone(CHINA).time() != time()


class Found(NamedTuple):
    """The visits, in order of time."""

    rule: PlausibilityRule
    visits: tuple[Made, ...]


def findings(visits: Iterable[Made], known_on: date) -> list[Found]:
    """What the rules find in one person's visits, as they are known on a day."""
    made = sorted(visits, key=lambda one: (one.at, one.visit))
    limits = thresholds_on(known_on)
    told = [one for one in made if one.told]
    return [
        *_two_villages(made, limits),
        *_many_in_a_minute(told, limits),
        *_same_note(told, limits),
        *_same_answers(told, limits),
        *_last_day_of_quarter(told, limits, known_on),
    ]


def _two_villages(made: Sequence[Made], limits: Thresholds) -> Iterator[Found]:
    """How far apart two villages lie is unknown: one after the other so soon asks for a look."""
    at_places = [one for one in made if one.at_place and one.has_time]
    for one, other in pairwise(at_places):
        if one.village != other.village and other.at - one.at <= limits.between_villages:
            yield Found(PlausibilityRule.TWO_VILLAGES, (one, other))


def _many_in_a_minute(made: Sequence[Made], limits: Thresholds) -> Iterator[Found]:
    moments = [one for one in made if one.has_time]
    start = 0
    while start < len(moments):
        end = bisect_left(moments, moments[start].at + limits.within, start, key=lambda one: one.at)
        if end - start >= limits.visits_within:
            yield Found(PlausibilityRule.MANY_IN_A_MINUTE, _doubled(moments[start:end], limits.visits_within))
            start = end
        else:
            start += 1


def _same_note(made: Sequence[Made], limits: Thresholds) -> Iterator[Found]:
    having: dict[int, list[Made]] = {}
    for one in made:
        for note in sorted(one.notes):
            having.setdefault(note, []).append(one)
    found = dict.fromkeys(
        _doubled(households, limits.households_of_a_note)
        for visits in having.values()
        if len(households := _first_of_each_household(visits)) >= limits.households_of_a_note
    )
    yield from (Found(PlausibilityRule.SAME_NOTE, visits) for visits in found)


def _same_answers(made: Sequence[Made], limits: Thresholds) -> Iterator[Found]:
    """One visit after the other; visits without a form are passed over."""
    answered = [one for one in made if one.answers]
    for _, run in groupby(answered, key=lambda one: one.answers):
        households = _first_of_each_household(run)
        if len(households) >= limits.households_of_answers:
            yield Found(PlausibilityRule.SAME_ANSWERS, _doubled(households, limits.households_of_answers))


def _last_day_of_quarter(made: Sequence[Made], limits: Thresholds, known_on: date) -> Iterator[Found]:
    """Of the last quarter that a device can tell nothing more of."""
    last = _quarter_starts(known_on - limits.quarter_judged_after) - timedelta(days=1)
    in_quarter = [one for one in made if _quarter_starts(last) <= business_day(one.at) <= last]
    if len(in_quarter) >= limits.visits_on_last_day and all(business_day(one.at) == last for one in in_quarter):
        yield Found(PlausibilityRule.LAST_DAY_OF_QUARTER, tuple(in_quarter[:MOST]))


def _quarter_starts(day: date) -> date:
    return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)


def _first_of_each_household(visits: Iterable[Made]) -> list[Made]:
    first: dict[str, Made] = {}
    for one in visits:
        first.setdefault(one.household, one)
    return list(first.values())


def _doubled(visits: Sequence[Made], least: int) -> tuple[Made, ...]:
    """The first of them: as many as the threshold, or the most doublings of it that there are, up to ``MOST``."""
    while least * 2 <= min(len(visits), MOST):
        least *= 2
    return tuple(visits[:least])
