"""What is known about a child and about the postings of a village, and the step functions that follow from it. Pure.

A fact is ``[holds from, known, version, value]``. On a day, as known on a day, the greatest of those that held and were
known is the one that counts, whatever order they arrived in.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Any

from services.reporting.figures.counting_rules import CountingRule
from services.reporting.figures.steps import ALWAYS, Steps, add, mixed_difference, positive, product, step
from shared.commands.command import business_day
from shared.contracts.event import Event
from shared.contracts.registry import (
    ChildFileClosed,
    ChildFileReopened,
    ChildRegistered,
    ParentSituation,
    ParentSituationRecorded,
    ParentsSituation,
    WorkingGroupPosted,
    WorkingGroupWithdrawn,
)
from shared.eventlog.record import Record

Fact = list[Any]
Facts = dict[str, list[Fact]]
"""By aspect: residence, born, open, father, mother; sorted."""

Posting = dict[str, list[list[str]]]
"""``posted`` and ``withdrawn``: [day, known], sorted."""


@lru_cache(maxsize=8192)
def text_of(day: date) -> str:
    """A day as ``yyyymmdd``."""
    return f"{day.year:04}{day.month:02}{day.day:02}"


def known_on(record: Record) -> str:
    return text_of(business_day(record.recorded_at))


def add_child_facts(facts: Facts, record: Record, event: Event) -> None:
    """Adds what an event tells about a child, in place; a value whose key is destroyed tells nothing."""
    match event:
        case ChildRegistered():
            _add(facts, record, "residence", _told_on(record), event.residence)
            _add(facts, record, "born", ALWAYS, event.birth_month.get())
            # Open from the beginning: a closing may name a day before the registration, and must end the count too.
            _add(facts, record, "open", ALWAYS, True)
            _add_parents(facts, record, event.parents)
        case ParentSituationRecorded():
            _add_parents(facts, record, event.parents)
        case ChildFileClosed():
            _add(facts, record, "open", text_of(event.closed_on), False)
        case ChildFileReopened():
            _add(facts, record, "open", text_of(event.reopened_on), True)
        case _:
            raise TypeError(f"{type(event).__name__} tells nothing about a child that is counted")


def _add_parents(facts: Facts, record: Record, parents: ParentsSituation) -> None:
    for aspect, parent in (("father", parents.father), ("mother", parents.mother)):
        state = parent.state.get()
        _add(facts, record, aspect, _since(record, parent), state and state.value)


def _since(record: Record, parent: ParentSituation) -> str:
    since = parent.since.get() if parent.since else None
    return text_of(since) if since else _told_on(record)


def _told_on(record: Record) -> str:
    return text_of(business_day(record.occurred_at))


def _add(facts: Facts, record: Record, aspect: str, holds_from: str, value: Any) -> None:
    if value is not None:
        insort(facts.setdefault(aspect, []), [holds_from, known_on(record), record.version, value])


def knowns_of(facts: Facts) -> set[str]:
    return {fact[1] for aspect in facts.values() for fact in aspect}


def villages_of(facts: Facts) -> set[str]:
    return {fact[3] for fact in facts.get("residence", ())}


def child_steps(facts: Facts, rule: CountingRule, village: str) -> Steps:
    """1 where a child counts in a village: it lives there, its file is open, it is of age and left behind."""
    days = sorted(
        {fact[0] for aspect in facts.values() for fact in aspect}
        | {rule.first_day_too_old(fact[3]) for fact in facts.get("born", ())}
    )
    rows = (
        (known, [int(_counts(facts, rule, village, day, known)) for day in days]) for known in sorted(knowns_of(facts))
    )
    return mixed_difference(days, rows)


def _counts(facts: Facts, rule: CountingRule, village: str, day: str, known: str) -> bool:
    def held(aspect: str) -> Any:
        return next((fact[3] for fact in reversed(facts.get(aspect, ())) if fact[0] <= day and fact[1] <= known), None)

    return (
        held("residence") == village
        and bool(held("open"))
        and (born := held("born")) is not None
        and day < rule.first_day_too_old(born)
        and rule.left_behind(held("father"), held("mother"))
    )


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
