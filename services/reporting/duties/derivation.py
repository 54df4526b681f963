"""Duties of one child, derived from what is known of it (domain 3.2, 5.3): due, fulfilled or cancelled, each by a day.

What is due follows from the last visit and the interval that holds for the child. When the interval changes (its risk,
the policy, its village), what is not yet due is planned anew, and what is due stays due. A file that closes cancels.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple, TypeVar

from shared.contracts.values import RiskLevel, VisitKind
from shared.contracts.visit_policy import UNASSESSED, VisitPolicy


class Reason(StrEnum):
    """Why a visit is due."""

    REGULAR = "regular"
    CONTACT = "contact"
    MAJOR_CHANGE = "major_change"
    HOLIDAY = "holiday"


class Turn(NamedTuple):
    """From this day on the file is open, or closed."""

    day: date
    open: bool


class Move(NamedTuple):
    day: date
    village: str


class Assessed(NamedTuple):
    day: date
    level: RiskLevel


class Override(NamedTuple):
    """Holds from ``day`` to before ``until``, unless the child was assessed since."""

    day: date
    until: date
    level: RiskLevel


class Seen(NamedTuple):
    day: date
    kind: VisitKind


@dataclass(frozen=True)
class Facts:
    """What is known of a child, each list in order of days; of two of one day the later told one stands behind. Whose
    file was opened has a village."""

    turns: Sequence[Turn] = ()
    moves: Sequence[Move] = ()
    assessed: Sequence[Assessed] = ()
    overrides: Sequence[Override] = ()
    seen: Sequence[Seen] = ()
    changes: Sequence[date] = ()

    def open_on(self, day: date) -> bool:
        turn = _last(self.turns, day)
        return turn is not None and turn.open

    def village_on(self, day: date) -> str:
        return (_last(self.moves, day) or self.moves[0]).village

    def level_on(self, day: date) -> RiskLevel:
        assessed, override = _last(self.assessed, day), _last(self.overrides, day)
        if override is not None and day < override.until and (assessed is None or assessed.day <= override.day):
            return override.level
        return assessed.level if assessed else UNASSESSED

    @cached_property
    def kinds_seen(self) -> dict[date, set[VisitKind]]:
        found: dict[date, set[VisitKind]] = {}
        for seen in self.seen:
            found.setdefault(seen.day, set()).add(seen.kind)
        return found


class Duty(NamedTuple):
    """``done`` is the day it was fulfilled, ``cancelled`` the day the file closed; with neither it is open. ``grace``
    days after ``due`` it is overdue."""

    reason: Reason
    due: date
    grace: int
    done: date | None = None
    cancelled: date | None = None

    @property
    def open(self) -> bool:
        return self.done is None and self.cancelled is None

    def overdue(self, today: date) -> bool:
        return self.open and today > self.due + timedelta(days=self.grace)


PolicyOn = Callable[[str, date], VisitPolicy]
"""The policy that is in force in a village on a day."""


def duties(facts: Facts, policy: PolicyOn, days_of_policy: Iterable[date], today: date) -> list[Duty]:
    """All there have been up to ``today``, and the one of each reason that comes next, by due day.

    ``days_of_policy`` are those on which any policy begins that may hold for the child.
    """
    found = [
        *_recurring(facts, policy, days_of_policy, today, Reason.REGULAR),
        *_recurring(facts, policy, days_of_policy, today, Reason.CONTACT),
        *_after_changes(facts, policy, today),
        *_in_holidays(facts, policy, today),
    ]
    return sorted(found, key=lambda duty: (duty.due, duty.reason))


def _recurring(
    facts: Facts, policy: PolicyOn, days_of_policy: Iterable[date], today: date, reason: Reason
) -> Iterator[Duty]:
    plan = _Plan(reason)
    for day in _days_of_change(facts, days_of_policy, today):
        terms = _Terms.on(day, facts, policy, reason) if facts.open_on(day) else None
        yield from plan.turn(day, terms)
        if terms is not None and terms.kinds & facts.kinds_seen.get(day, set()):
            yield from plan.visited(day, terms)
    yield from plan.rest()


class _Terms(NamedTuple):
    """What holds for the child on a day: every so many days (None: not asked for), and by which kinds of visit."""

    days: int | None
    grace: int
    kinds: frozenset[VisitKind]

    @classmethod
    def on(cls, day: date, facts: Facts, policy: PolicyOn, reason: Reason) -> _Terms:
        holds = policy(facts.village_on(day), day)
        rule = holds.rule(facts.level_on(day))
        at_the_door = frozenset(holds.satisfy)
        if reason is Reason.REGULAR:
            return cls(rule.home_days, rule.grace_days, at_the_door)
        return cls(rule.contact_days, rule.grace_days, at_the_door | frozenset(holds.contact))


class _Plan:
    """What is due next, on its way from day to day."""

    def __init__(self, reason: Reason) -> None:
        self._reason = reason
        self._since: date | None = None
        self._days: int | None = None
        self._due: date | None = None
        self._grace = 0

    def turn(self, day: date, terms: _Terms | None) -> Iterator[Duty]:
        """The file, the risk, the village or the policy is another one from this day on, or all is as it was."""
        if terms is None:
            yield from self._end(cancelled=day)
            self._since = None
        elif self._since is None:
            self._since, self._days = day, terms.days
            self._plan(terms)
        elif terms.days != self._days:
            self._days = terms.days
            if self._due is None or self._due > day:
                self._plan(terms, not_before=day)
        if terms is not None and self._due is not None and self._due > day:
            self._grace = terms.grace

    def visited(self, day: date, terms: _Terms) -> Iterator[Duty]:
        yield from self._end(done=day)
        self._since = day
        self._plan(terms)

    def rest(self) -> Iterator[Duty]:
        yield from self._end()

    def _plan(self, terms: _Terms, not_before: date = date.min) -> None:
        self._due, self._grace = None, terms.grace
        if self._since is not None and terms.days is not None:
            self._due = max(not_before, self._since + timedelta(days=terms.days))

    def _end(self, done: date | None = None, cancelled: date | None = None) -> Iterator[Duty]:
        if self._due is not None:
            yield Duty(self._reason, self._due, self._grace, done, cancelled)
        self._due = None


def _after_changes(facts: Facts, policy: PolicyOn, today: date) -> Iterator[Duty]:
    for day in facts.changes:
        if day <= today and facts.open_on(day):
            holds = policy(facts.village_on(day), day)
            due = day + timedelta(days=holds.change_days)
            yield _once(Reason.MAJOR_CHANGE, facts, holds, day, due, today)


def _in_holidays(facts: Facts, policy: PolicyOn, today: date) -> Iterator[Duty]:
    """By the policy in force as they begin."""
    if not facts.moves:
        return
    for holiday in policy(facts.village_on(today), today).holidays:
        if holiday.starts <= today and facts.open_on(holiday.starts):
            holds = policy(facts.village_on(holiday.starts), holiday.starts)
            due = holiday.starts + timedelta(days=holiday.within_days)
            yield _once(Reason.HOLIDAY, facts, holds, holiday.starts, due, today)


def _once(reason: Reason, facts: Facts, holds: VisitPolicy, since: date, due: date, today: date) -> Duty:
    """Fulfilled by the first visit at the door from ``since`` on, cancelled by a closing before that."""
    satisfying = frozenset(holds.satisfy)
    days = (day for day, kinds in facts.kinds_seen.items() if since <= day <= today and kinds & satisfying)
    done = min(days, default=None)
    closed = min((turn.day for turn in facts.turns if since < turn.day <= today and not turn.open), default=None)
    if closed is not None and (done is None or closed <= done):
        return Duty(reason, due, 0, cancelled=closed)
    return Duty(reason, due, 0, done=done)


def _days_of_change(facts: Facts, days_of_policy: Iterable[date], today: date) -> list[date]:
    """In order, the days on which anything may be otherwise than the day before."""
    days = {
        *(turn.day for turn in facts.turns),
        *(move.day for move in facts.moves),
        *(assessed.day for assessed in facts.assessed),
        *(day for override in facts.overrides for day in (override.day, override.until)),
        *(seen.day for seen in facts.seen),
        *days_of_policy,
    }
    return sorted(day for day in days if day <= today)


_Fact = TypeVar("_Fact", Turn, Move, Assessed, Override)


def _last(facts: Sequence[_Fact], day: date) -> _Fact | None:
    """The last that had begun by then."""
    place = bisect_right(facts, day, key=lambda fact: fact.day)
    return facts[place - 1] if place else None
