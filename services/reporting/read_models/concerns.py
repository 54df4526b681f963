"""Concerns as they stand: one document each, with what was told of it in order. An erased child's are gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar, Final

from services.reporting.read_models.shown import told, value
from shared.contracts.concerns import (
    ConcernAssigned,
    ConcernClosureVerified,
    ConcernEscalated,
    ConcernFound,
    ConcernMoved,
    ConcernProgressed,
    ConcernRaised,
    ConcernReferred,
    ConcernReopened,
    ConcernResolved,
    ReferralAnswered,
)
from shared.contracts.event import Event
from shared.contracts.file_keeping import ChildFilesMerged, ChildMergeUndone
from shared.contracts.registry import SubjectKeyDestroyed
from shared.contracts.sealed import Kind
from shared.eventlog.record import Record
from shared.projection.read_model import Document, Index, Occurred, ReadModel, Workspace

CONCERNS: Final = "concerns"
MERGED: Final = "merged"
ERASED: Final = "erased"
FEW: Final = 2

RESOLVED, CLOSED = "resolved", "closed"


class Concerns(ReadModel):
    """``concerns``: ``{_id, village, about, kind, severity, owner, assignee, due, stage, referred: {body: due}, found,
    raised_on, raised_by, steps: [{type, at, by, text}]}``; ``merged``: ``{_id: child, into}`` of files merged into
    another; ``erased``: of whom nothing is kept."""

    name: ClassVar[str] = "concerns"
    services: ClassVar[tuple[str, ...]] = ("registry", "visits")
    events: ClassVar[frozenset[str]] = frozenset(
        {
            *("ConcernRaised", "ConcernFound", "ConcernAssigned", "ConcernProgressed", "ConcernResolved"),
            *("ConcernClosureVerified", "ConcernReopened", "ConcernEscalated", "ConcernReferred", "ReferralAnswered"),
            *("ConcernMoved", "ChildFilesMerged", "ChildMergeUndone", "SubjectKeyDestroyed"),
        }
    )
    opens: ClassVar[frozenset[Kind]] = frozenset({"personal", "counted"})
    collections: ClassVar[Mapping[str, tuple[Index, ...]]] = {
        CONCERNS: (Index((("village", 1), ("stage", 1), ("due", 1))), Index((("about", 1),))),
        MERGED: (Index((("into", 1),)),),
        ERASED: (),
    }

    def pause(self, written: int) -> timedelta:
        return timedelta(milliseconds=50 if written > FEW else 0)

    async def prepare(self, batch: Sequence[Occurred], work: Workspace) -> None:
        await work.load(CONCERNS, {one.record.stream for one in batch})
        raised = {one.event.about for one in batch if isinstance(one.event, ConcernRaised)}
        await work.load(ERASED, raised)

    def fold(self, occurred: Occurred, work: Workspace) -> None:
        record, event = occurred
        if isinstance(event, SubjectKeyDestroyed):
            work.delete_where(CONCERNS, "about", event.child)
            work.put(ERASED, {"_id": event.child})
            return
        if isinstance(event, ChildFilesMerged):
            work.put(MERGED, {"_id": event.child, "into": event.into})
            return
        if isinstance(event, ChildMergeUndone):
            work.delete(MERGED, event.child)
            return
        document = work.get(CONCERNS, record.stream)
        if isinstance(event, ConcernRaised):
            document = None if work.get(ERASED, event.about) else _raised(event, document)
        if document is not None:
            _change(document, event)
            document["steps"].append(_step(record, event))
            work.put(CONCERNS, document)


def _raised(event: ConcernRaised, before: Document | None) -> Document:
    """Raised again, it keeps what was told of it before."""
    return {
        "_id": event.concern,
        "village": event.village,
        "about": event.about,
        "kind": value(event.kind),
        "severity": event.severity.get(),
        "owner": event.owner.value,
        "due": event.due.isoformat(),
        "stage": "raised",
        "raised_on": event.raised_on.isoformat(),
        "raised_by": event.raised_by,
        "found": 1,
        "referred": {},
        "steps": before["steps"] if before else [],
    }


def _change(document: Document, event: Event) -> None:
    match event:
        case ConcernFound():
            document["found"] += 1
        case ConcernMoved():
            document["village"] = event.village
        case ConcernAssigned():
            document.update(owner=event.owner.value, assignee=event.assignee, due=event.due.isoformat())
            _forward(document, "assigned")
        case ConcernProgressed():
            _forward(document, "in_progress")
        case ConcernResolved():
            document["stage"] = RESOLVED
        case ConcernClosureVerified():
            document["stage"] = CLOSED
        case ConcernReopened():
            document.update(stage="in_progress", due=event.due.isoformat())
        case ConcernEscalated():
            document.update(owner=event.owner.value, due=event.due.isoformat())
        case ConcernReferred():
            document["referred"][event.body.value] = event.due.isoformat()
        case ReferralAnswered():
            document["referred"].pop(event.body.value, None)
        case _:
            pass


def _forward(document: Document, stage: str) -> None:
    """Only a reopening takes a resolution back."""
    if document["stage"] != RESOLVED:
        document["stage"] = stage


def _step(record: Record, event: Event) -> Document:
    texts = (getattr(event, name, None) for name in ("text", "reason", "answer"))
    text = next((text.get() for text in texts if text is not None), None)
    body = getattr(event, "body", None)
    facts: dict[str, Any] = told(text=text, body=body.value if body else None)
    return {"type": record.type, "at": record.occurred_at, "by": record.actor.id, **facts}
