"""What is known about a child and about the postings of a village, and the step functions that follow from it. Pure.

A fact is ``[rank, known, version, holds from, value]``; that of a parent ends in two more: whether somebody told since
when, and whether across the county's border (None where nobody did). On a day, as known on a day, the greatest of
those that held and were known is the one that counts, whatever order they arrived in. What says itself from when it
holds (a closing) ranks by that day; what is seen at a door (where a parent is, and since when) ranks by the day it was
seen, so that a later look corrects an earlier one also for the days in between.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

from services.reporting.figures.counting_rules import CountingRule
from services.reporting.figures.steps import ALWAYS, Steps, add, mixed_difference, positive, product, step
from shared.commands.command import business_day
from shared.contracts.child_file import (
    ChildIdentityCorrected,
    ChildTransferred,
    RegistrationStatusRecorded,
    SchoolingRecorded,
)
from shared.contracts.event import Event
from shared.contracts.registry import (
    CareSituationRecorded,
    ChildFileClosed,
    ChildFileReopened,
    ChildRegistered,
    ParentSituationRecorded,
    ParentsSituation,
    WorkingGroupPosted,
    WorkingGroupWithdrawn,
)
from shared.contracts.sealed import Counted
from shared.eventlog.record import Record

Fact = list[Any]
Facts = dict[str, list[Fact]]
"""By aspect: residence, born, open, father, mother, care, school, hukou; sorted."""

Posting = dict[str, list[list[str]]]
"""``posted`` and ``withdrawn``: [day, known], sorted."""


@lru_cache(maxsize=8192)
def text_of(day: date) -> str:
    """A day as ``yyyymmdd``."""
    return f"{day.year:04}{day.month:02}{day.day:02}"


def known_on(record: Record) -> str:
    return text_of(business_day(record.recorded_at))


class _Told:
    """What one record tells about a child."""

    def __init__(self, facts: Facts, record: Record) -> None:
        self.on = text_of(business_day(record.occurred_at))
        self._known = known_on(record)
        self._version = record.version
        self._facts = facts

    def add(self, aspect: str, holds_from: str, value: Any, rank: str | None = None, more: Sequence[Any] = ()) -> None:
        """A value whose key is destroyed tells nothing."""
        if value is not None:
            fact = [rank or holds_from, self._known, self._version, holds_from, value, *more]
            insort(self._facts.setdefault(aspect, []), fact)

    def seen(self, aspect: str, code: Counted[StrEnum] | None, since: Counted[date] | None = None) -> None:
        """What was seen on the day, and holds since another where one was told."""
        found, since_day = code and code.get(), since and since.get()
        self.add(aspect, text_of(since_day) if since_day else self.on, found and found.value, rank=self.on)

    def add_parents(self, parents: ParentsSituation) -> None:
        for aspect, parent in (("father", parents.father), ("mother", parents.mother)):
            state, since = parent.state.get(), parent.since and parent.since.get()
            across = parent.across_county and parent.across_county.get()
            holds_from = text_of(since) if since else self.on
            self.add(aspect, holds_from, state and state.value, rank=self.on, more=(bool(since), across))


def add_child_facts(facts: Facts, record: Record, event: Event) -> None:
    """Adds what an event tells about a child, in place."""
    told = _Told(facts, record)
    match event:
        case ChildRegistered():
            told.add("residence", told.on, event.residence)
            told.add("born", ALWAYS, event.birth_month.get())
            # Open from the beginning: a closing may name a day before the registration, and must end the count too.
            told.add("open", ALWAYS, True)
            told.add_parents(event.parents)
            told.seen("care", event.care.kind)
            told.seen("hukou", event.hukou_kind)
        case ChildTransferred():
            told.add("residence", text_of(event.moved_on), event.to_village, rank=told.on)
        case ParentSituationRecorded():
            told.add_parents(event.parents)
        case CareSituationRecorded():
            told.seen("care", event.care.kind, event.since)
        case SchoolingRecorded():
            told.seen("school", event.state, event.since)
        case RegistrationStatusRecorded():
            told.seen("hukou", event.kind)
        case ChildIdentityCorrected():
            told.add("born", ALWAYS, event.birth_month.get())
        case ChildFileClosed():
            told.add("open", text_of(event.closed_on), False)
        case ChildFileReopened():
            told.add("open", text_of(event.reopened_on), True)
        case _:
            raise TypeError(f"{type(event).__name__} tells nothing about a child that is counted")


def knowns_of(facts: Facts) -> set[str]:
    return {fact[1] for aspect in facts.values() for fact in aspect}


def villages_of(facts: Facts) -> set[str]:
    return {fact[4] for fact in facts.get("residence", ())}


def child_counts(facts: Facts, rules: Sequence[CountingRule]) -> dict[tuple[str, str], Steps]:
    """By village and rule: 1 where a child counts, since it lives there, its file is open, and the rule says so."""
    # What is unknown on every day is never true.
    answerable = [rule for rule in rules if all(aspect in facts for aspect, _ in rule.asked)]
    days, villages = _days(facts, answerable), villages_of(facts)
    rows: dict[tuple[str, str], list[tuple[str, list[int]]]] = {}
    for known in sorted(knowns_of(facts)) if villages else ():
        lives = [_life(facts, day, known) for day in days]
        for rule in answerable:
            homes = [life.village if life and _is_left_behind(life, rule) else None for life in lives]
            for village in villages:
                rows.setdefault((village, rule.name), []).append((known, [int(home == village) for home in homes]))
    return {key: steps for key, row in rows.items() if (steps := mixed_difference(days, row))}


def counted_in(facts: Facts, rule: CountingRule, day: str, known: str) -> str | None:
    """The village that a child counts in on a day, as known on a day; None where it counts nowhere."""
    life = _life(facts, day, known)
    return life.village if life and _is_left_behind(life, rule) else None


def _days(facts: Facts, rules: Sequence[CountingRule]) -> list[str]:
    """The days on which the count of a child may change; none comes before it first lives somewhere."""
    first = min((fact[3] for fact in facts.get("residence", ())), default=ALWAYS)
    days = {first}
    days.update(fact[3] for aspect in facts.values() for fact in aspect)
    for rule in rules:
        days.update(day for fact in facts.get("born", ()) if (day := rule.first_day_too_old(fact[4])))
        if rule.months_away:
            parents = [*facts.get("father", ()), *facts.get("mother", ())]
            days.update(rule.first_day_long_enough(fact[3]) for fact in parents if _absence(fact)[0])
    return sorted(day for day in days if day >= first)


class _Life(NamedTuple):
    """How a child whose file is open lives on a day, as it is known on a day; parents are facts."""

    day: str
    village: str
    born: str | None
    father: Fact | None
    mother: Fact | None
    facts: Facts
    known: str


def _life(facts: Facts, day: str, known: str) -> _Life | None:
    village = _held(facts, "residence", day, known)
    if village is None or not _held(facts, "open", day, known):
        return None
    born, father, mother = (
        _held(facts, "born", day, known),
        _fact_held(facts, "father", day, known),
        _fact_held(facts, "mother", day, known),
    )
    return _Life(day, village, born, father, mother, facts, known)


def _is_left_behind(life: _Life, rule: CountingRule) -> bool:
    if rule.max_age is not None and (life.born is None or life.day >= (rule.first_day_too_old(life.born) or "")):
        return False
    return rule.left_behind(_state(life.father, rule, life.day), _state(life.mother, rule, life.day)) and all(
        _held(life.facts, aspect, life.day, life.known) in codes for aspect, codes in rule.asked
    )


def _state(parent: Fact | None, rule: CountingRule, day: str) -> str | None:
    """The state of a parent; None where it is away, but not known to be so long or so far away as the rule asks."""
    if parent is None:
        return None
    state: str = parent[4]
    if not rule.judges_absence or state not in rule.away:
        return state
    told_since, across = _absence(parent)
    long_enough = not rule.months_away or (told_since and rule.first_day_long_enough(parent[3]) <= day)
    return state if long_enough and (across or not rule.across_county) else None


def _absence(parent: Fact) -> tuple[bool, bool | None]:
    """Whether it was told since when, and across the county's border. Facts of before these were asked are short."""
    return (parent[5], parent[6]) if len(parent) > 5 else (False, None)


def _held(facts: Facts, aspect: str, day: str, known: str) -> Any:
    fact = _fact_held(facts, aspect, day, known)
    return None if fact is None else fact[4]


def _fact_held(facts: Facts, aspect: str, day: str, known: str) -> Fact | None:
    for fact in reversed(facts.get(aspect, ())):
        if fact[3] <= day and fact[1] <= known:
            return fact
    return None


def add_posting_fact(posting: Posting, record: Record, event: WorkingGroupPosted | WorkingGroupWithdrawn) -> None:
    match event:
        case WorkingGroupPosted():
            insort(posting.setdefault("posted", []), [text_of(event.starts), known_on(record)])
        case WorkingGroupWithdrawn():
            insort(posting.setdefault("withdrawn", []), [text_of(event.ends), known_on(record)])


def posted_steps(postings: Mapping[str, Posting]) -> Steps:
    """1 where at least one of a village's postings is active."""
    active: Steps = {}
    for posting in postings.values():
        add(active, _active(posting))
    return positive(active)


def _active(posting: Posting) -> Steps:
    active: Steps = {}
    for starts, known in posting.get("posted", ()):
        add(active, step(starts, known))
    for ends, known in posting.get("withdrawn", ()):
        add(active, product(active, step(ends, known)), -1)
    return active


def knowns_of_postings(postings: Mapping[str, Posting]) -> set[str]:
    return {known for posting in postings.values() for told in posting.values() for _, known in told}
