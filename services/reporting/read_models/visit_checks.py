"""What a supervisor checks of visits: ids, codes and days alone. What was found stands in none of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from services.reporting.read_models.shown import value
from shared.commands.command import business_day
from shared.contracts.event import Event
from shared.contracts.oversight import PlausibilityCleared, PlausibilityFlagged
from shared.contracts.sealed import Kind
from shared.contracts.visits import VisitAmended, VisitLogged, VisitReturned, VisitVerified
from shared.eventlog.record import Record
from shared.projection.read_model import Document, Index, Occurred, ReadModel, Workspace

VISITS: Final = "visits"
FLAGS: Final = "flags"


class VisitChecks(ReadModel):
    """``visits``: ``{_id, village, on, kind, visitors, doubts, stage, returned}``; ``flags``: ``{_id, rule, visitor,
    visits, villages, raised_on, open, cleared: {reason, by, on}}``. A flag and its visits stand in different
    partitions, so neither waits for the other: who asks puts them together."""

    name: ClassVar[str] = "visit_checks"
    services: ClassVar[tuple[str, ...]] = ("visits",)
    events: ClassVar[frozenset[str]] = frozenset(
        {
            *("VisitLogged", "VisitAmended", "VisitVerified", "VisitReturned"),
            *("PlausibilityFlagged", "PlausibilityCleared"),
        }
    )
    opens: ClassVar[frozenset[Kind]] = frozenset({"counted"})
    collections: ClassVar[Mapping[str, tuple[Index, ...]]] = {
        VISITS: (Index((("village", 1), ("on", 1))), Index((("village", 1), ("waits", 1)))),
        FLAGS: (Index((("villages", 1), ("open", 1))),),
    }

    async def prepare(self, batch: Sequence[Occurred], work: Workspace) -> None:
        known = {one.record.stream for one in batch if not isinstance(one.event, VisitLogged | PlausibilityFlagged)}
        cleared = {one.record.stream for one in batch if isinstance(one.event, PlausibilityCleared)}
        await work.load(VISITS, known - cleared)
        await work.load(FLAGS, cleared)

    def fold(self, occurred: Occurred, work: Workspace) -> None:
        record, event = occurred
        match event:
            case VisitLogged():
                work.put(VISITS, _logged(record, event))
            case PlausibilityFlagged():
                work.put(FLAGS, _flagged(record, event))
            case PlausibilityCleared():
                if flag := work.get(FLAGS, record.stream):
                    work.put(FLAGS, flag | _cleared(record, event))
            case _:
                if visit := work.get(VISITS, record.stream):
                    work.put(VISITS, visit | _checked(visit, event))


def _logged(record: Record, event: VisitLogged) -> Document:
    """``waits`` while somebody is to look at it or to put it right."""
    return {
        "_id": event.visit,
        "village": event.village,
        "on": event.visited_on.isoformat(),
        "kind": event.kind.value,
        "visitors": list(event.visitors) or [record.actor.id],
        "doubts": [doubt.value for doubt in event.doubts],
        "stage": "recorded",
        "waits": bool(event.doubts),
    }


def _checked(visit: Document, event: Event) -> Document:
    match event:
        case VisitVerified():
            return {"stage": "verified", "waits": False}
        case VisitReturned():
            return {"stage": "returned", "waits": True, "returned": event.reason.value}
        case VisitAmended():
            return {"stage": "recorded", "waits": bool(visit["doubts"])}
        case _:
            raise AssertionError(event)


def _flagged(record: Record, event: PlausibilityFlagged) -> Document:
    return {
        "_id": event.flag,
        "rule": value(event.rule),
        "visitor": event.visitor,
        "visits": list(event.visits),
        "villages": list(event.villages),
        "raised_on": business_day(record.recorded_at).isoformat(),
        "open": True,
    }


def _cleared(record: Record, event: PlausibilityCleared) -> Document:
    on = business_day(record.occurred_at).isoformat()
    return {"open": False, "cleared": {"reason": value(event.reason), "by": event.cleared_by, "on": on}}
