"""Whose a child is to visit, and the visits that are planned with it: what is open is derived, never stored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from services.reporting.duties.derivation import Facts, PolicyOn
from shared.contracts.values import VisitKind
from shared.identity.access import VISITING, Grants, NotPermitted, allowing, permitting
from shared.projection.read_model import Document


class Planned(NamedTuple):
    """``since`` is the day it was planned."""

    appointment: str
    child: str
    kind: VisitKind
    on: date
    assignee: str
    since: date


class Assigned(NamedTuple):
    """From ``day`` on; of two of one day the later told one stands behind."""

    day: date
    visitor: str


class Owner(NamedTuple):
    """``visitor`` is None while the child is without one: then ``former`` has held no office since that day; it is
    None for a child that was given to nobody."""

    visitor: str | None
    former: str | None = None
    since: date | None = None


def open_plans(plans: Iterable[Planned], facts: Facts, policy: PolicyOn, today: date) -> list[Planned]:
    """Those that no visit since has fulfilled, by day."""
    found = [plan for plan in plans if not _fulfilled(plan, facts, policy, today)]
    return sorted(found, key=lambda plan: (plan.on, plan.appointment))


def _fulfilled(plan: Planned, facts: Facts, policy: PolicyOn, today: date) -> bool:
    """By a visit of its kind; what counts at the door does in place of every other, one contact in place of another."""
    holds = policy(facts.village_on(plan.on), plan.on)
    kinds = {plan.kind, *holds.satisfy, *(holds.contact if plan.kind in holds.contact else ())}
    return any(plan.since <= day <= today and kinds & seen for day, seen in facts.kinds_seen.items())


def owner_of(assigned: Sequence[Assigned], grants: Grants, path: tuple[str, ...], today: date) -> Owner:
    """``grants`` are those of whom the child is assigned to, ``path`` leads from the root to its village."""
    visitor = assigned_to(assigned, today)
    if visitor is None:
        return Owner(None)
    try:
        permitting(grants, VISITING, path, today)
    except NotPermitted:
        return Owner(None, visitor, _left_on(grants, path, today))
    return Owner(visitor)


def assigned_to(assigned: Sequence[Assigned], today: date) -> str | None:
    return next((one.visitor for one in reversed(assigned) if one.day <= today), None)


def _left_on(grants: Grants, path: tuple[str, ...], today: date) -> date | None:
    """The first day without any office there; None when none there has ended."""
    there = [grant for grant in grants if grant.division in path and allowing([grant], VISITING, grant.starts)]
    return max((grant.ends for grant in there if grant.ends is not None and grant.ends <= today), default=None)


def plan_of(document: Document) -> Planned:
    return Planned(
        appointment=document["_id"],
        child=document["child"],
        kind=VisitKind(document["kind"]),
        on=date.fromisoformat(document["on"]),
        assignee=document["assignee"],
        since=date.fromisoformat(document["since"]),
    )


def assigned_in(document: Document) -> list[Assigned]:
    """What a child's document holds."""
    return [Assigned(date.fromisoformat(day), visitor) for day, _, visitor in sorted(document.get("assigned", ()))]
