"""What visits' events change on a child's card, and what its time line shows of them.

A plan and a concern are named and say nothing here; of protection reports there is nothing at all.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from services.reporting.read_models.shown import care_of, told, value
from shared.contracts.concerns import ConcernRaised
from shared.contracts.event import Event
from shared.contracts.field_work import (
    HelpPlanAdopted,
    HelpPlanClosed,
    HelpPlanReviewed,
    MajorChangeReported,
    SchoolVisitLogged,
)
from shared.contracts.visits import ChildFinding, VisitAmended, VisitAttempted, VisitLogged
from shared.projection.read_model import Document

EVENTS: Final = frozenset(
    {
        *("VisitLogged", "VisitAttempted", "VisitAmended", "SchoolVisitLogged", "MajorChangeReported"),
        *("HelpPlanAdopted", "HelpPlanProgressed", "HelpPlanReviewed", "HelpPlanClosed"),
        *("ConcernRaised", "ConcernClosureVerified"),
    }
)


def change_visits(card: Document, event: Event) -> None:
    """Visits to a school are counted apart from those to the household. Changes the card in place."""
    match event:
        case VisitLogged():
            _count(card.setdefault("visits", {}), event.visited_on, last_kind=event.kind.value)
        case SchoolVisitLogged():
            _count(card.setdefault("visits", {}).setdefault("school", {}), event.visited_on)
        case _:
            pass


def _count(visits: Document, on: date, **of_the_last: str) -> None:
    visits["count"] = visits.get("count", 0) + 1
    if (day := on.isoformat()) >= visits.get("last_on", ""):
        visits.update(last_on=day, **of_the_last)


def visits_facts(child: str, event: Event) -> Document:
    """What the time line shows of such an event."""
    match event:
        case VisitLogged():
            [finding] = [finding for finding in event.findings if finding.child == child]
            return told(kind=event.kind.value, on=event.visited_on.isoformat(), **_finding(finding))
        case VisitAmended():
            return told(number=event.number, reason=event.reason.value, **_finding(event.finding))
        case VisitAttempted():
            return told(on=event.attempted_on.isoformat(), next_on=event.next_on and event.next_on.isoformat())
        case SchoolVisitLogged():
            [word] = [one.word.get() for one in event.words if one.child == child]
            return told(on=event.visited_on.isoformat(), word=word)
        case MajorChangeReported():
            return told(kind=value(event.kind), on=event.happened_on.isoformat(), text=event.text and event.text.get())
        case ConcernRaised():
            return told(kind=value(event.kind))
        case HelpPlanAdopted() | HelpPlanReviewed():
            return {"review_on": event.review_on.isoformat()}
        case HelpPlanClosed():
            return told(result=value(event.result))
        case _:
            return {}


def _finding(finding: ChildFinding) -> dict[str, Any]:
    return {
        "life": finding.life and finding.life.get(),
        "learning": finding.learning and finding.learning.get(),
        "psychology": finding.psychology and finding.psychology.get(),
        "care_found": finding.care_found and care_of(finding.care_found),
    }
