"""Protection reports as they stand (class C4): one document each, with the persons who may read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Final

from services.reporting.read_models.shown import told, value
from shared.contracts.event import Event
from shared.contracts.protection import (
    EmergencyMeasureTaken,
    GuardianshipInterventionStarted,
    ProtectionAssessed,
    ProtectionReportClosed,
    ProtectionReportFiled,
    ProtectionReportRaised,
    ProtectionWatchAlarmed,
    ReportReaderNamed,
    TemporaryCareArranged,
)
from shared.contracts.registry import SubjectKeyDestroyed
from shared.contracts.sealed import Kind
from shared.eventlog.record import Record
from shared.projection.read_model import Document, Index, Occurred, ReadModel, Workspace

REPORTS: Final = "reports"
ALARMS: Final = "alarms"
ERASED: Final = "erased"

_FIRST: Final = (ProtectionReportRaised, ProtectionWatchAlarmed)
"""What may be the first that is heard of a child."""


class ProtectionReports(ReadModel):
    """``reports``: ``{_id, child, village, situation, discovered_at, reporter, readers, state, filed_at, steps}``. The
    clock runs from ``discovered_at`` to ``filed_at``; ``steps`` are what was done, in order.
    ``alarms``: ``{_id: event, report, child, village, since}``: reports that were demanded and missing."""

    name: ClassVar[str] = "protection"
    services: ClassVar[tuple[str, ...]] = ("registry", "visits")
    events: ClassVar[frozenset[str]] = frozenset(
        {
            *("ProtectionReportRaised", "ReportReaderNamed", "ProtectionReportFiled", "EmergencyMeasureTaken"),
            *("TemporaryCareArranged", "ProtectionAssessed", "GuardianshipInterventionStarted"),
            *("ProtectionReportClosed", "ProtectionWatchAlarmed", "SubjectKeyDestroyed"),
        }
    )
    opens: ClassVar[frozenset[Kind]] = frozenset({"personal", "counted"})
    collections: ClassVar[Mapping[str, tuple[Index, ...]]] = {
        REPORTS: (Index((("village", 1), ("state", 1))), Index((("readers", 1),)), Index((("child", 1),))),
        ALARMS: (Index((("village", 1), ("since", -1))), Index((("child", 1),))),
        ERASED: (),
    }

    async def prepare(self, batch: Sequence[Occurred], work: Workspace) -> None:
        await work.load(REPORTS, {one.record.stream for one in batch})
        raised = {one.event.child for one in batch if isinstance(one.event, _FIRST)}
        await work.load(ERASED, raised)

    def fold(self, occurred: Occurred, work: Workspace) -> None:
        record, event = occurred
        if isinstance(event, SubjectKeyDestroyed):
            work.delete_where(REPORTS, "child", event.child)
            work.delete_where(ALARMS, "child", event.child)
            work.put(ERASED, {"_id": event.child})
            return
        if isinstance(event, ProtectionWatchAlarmed):
            if work.get(ERASED, event.child) is None:
                work.put(ALARMS, _alarm(record, event))
            return
        document = work.get(REPORTS, record.stream)
        if isinstance(event, ProtectionReportRaised):
            document = None if work.get(ERASED, event.child) else _raised(event, document)
        if document is not None:
            _change(document, event)
            document["steps"].append(_step(record, event))
            work.put(REPORTS, document)


def _alarm(record: Record, event: ProtectionWatchAlarmed) -> Document:
    return {
        "_id": record.id,
        "report": event.report,
        "child": event.child,
        "village": event.village,
        "since": event.since,
    }


def _raised(event: ProtectionReportRaised, before: Document | None) -> Document:
    """Raised again, it keeps its steps, and whoever could read it still can."""
    readers = before["readers"] if before else []
    return {
        "_id": event.report,
        "child": event.child,
        "village": event.village,
        "situation": value(event.situation),
        "discovered_at": event.discovered_at,
        "reporter": event.reporter,
        "readers": list(dict.fromkeys((*readers, event.reporter))),
        "state": "raised",
        "steps": before["steps"] if before else [],
    }


def _change(document: Document, event: Event) -> None:
    match event:
        case ReportReaderNamed():
            document["readers"] = list(dict.fromkeys((*document["readers"], event.reader)))
        case ProtectionReportFiled():
            document["filed_at"] = min(document.get("filed_at") or event.filed_at, event.filed_at)
            document["state"] = _state(document, "filed_with_police")
        case EmergencyMeasureTaken():
            document["state"] = _state(document, "emergency_response")
        case TemporaryCareArranged():
            document["state"] = _state(document, "temporary_care")
        case ProtectionAssessed():
            document["state"] = _state(document, "assessed")
        case GuardianshipInterventionStarted():
            document["state"] = _state(document, "guardianship_intervention")
        case ProtectionReportClosed():
            document.update(state="closed", result=value(event.result))
        case _:
            pass


_STATES: Final = (
    *("raised", "filed_with_police", "emergency_response", "temporary_care", "assessed"),
    "guardianship_intervention",
)


def _state(document: Document, state: str) -> str:
    """How far the report has come; what is told late takes it no step back."""
    reached: str = document["state"]
    return max(reached, state, key=_STATES.index)


def _step(record: Record, event: Event) -> Document:
    return {"type": record.type, "at": _moment(record, event), "by": record.actor.id} | told(**_facts(event))


def _moment(record: Record, event: Event) -> datetime:
    return event.filed_at if isinstance(event, ProtectionReportFiled) else record.occurred_at


def _facts(event: Event) -> dict[str, Any]:
    """What a step says, in the words of its event."""
    match event:
        case ProtectionReportRaised():
            return {"text": event.facts and event.facts.get(), "visit": event.visit}
        case ReportReaderNamed():
            return {"reader": event.reader}
        case ProtectionReportFiled():
            receipt = event.receipt and event.receipt.get()
            return {"unit": event.unit.get(), "channel": event.channel.value, "receipt": receipt}
        case EmergencyMeasureTaken():
            return {"measure": value(event.measure), "text": event.note and event.note.get()}
        case TemporaryCareArranged():
            where = event.where and event.where.get()
            return {"care": value(event.care), "text": where, "since": event.since.isoformat()}
        case ProtectionAssessed():
            return {"text": event.result.get()}
        case GuardianshipInterventionStarted():
            return {"text": event.step.get()}
        case ProtectionReportClosed():
            return {"result": value(event.result), "text": event.text.get()}
        case _:
            return {}
