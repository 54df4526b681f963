"""Which protection reports are demanded by what children's files say, and which are open: a private look-up.

It hears the same events as the policy that raises the reports, on a way of its own: so it tells when that has failed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import ClassVar, Final, NamedTuple

from services.visits.domain.danger import may_live_alone
from services.visits.domain.demand import CARE, TELLING, demanded
from services.visits.domain.protection_report import report_stream
from shared.commands.command import business_day
from shared.contracts.event import Event
from shared.contracts.protection import ProtectionReportClosed, ProtectionReportRaised, ProtectionWatchAlarmed
from shared.contracts.registry import ChildRegistered, SubjectKeyDestroyed
from shared.contracts.sealed import Kind
from shared.eventlog.record import Record
from shared.projection.live import Collections
from shared.projection.read_model import Document, Index, Occurred, ReadModel, Workspace

REPORTS: Final = "reports"
ERASED: Final = "erased"

_ON_REPORT: Final = (ProtectionReportRaised, ProtectionReportClosed, ProtectionWatchAlarmed)


class Demands(ReadModel):
    """``reports``: ``{_id, child, told: {moment: day}, alarmed: [moment], open, closed_at, waits_since}``: at which
    moments it was demanded, with the day on which the child's age decides, or None where no age does.

    Which situation it is stands nowhere: the id of a report follows from it.
    """

    name: ClassVar[str] = "demands"
    services: ClassVar[tuple[str, ...]] = ("registry", "visits")
    events: ClassVar[frozenset[str]] = frozenset(
        {*TELLING, *(event.__name__ for event in _ON_REPORT), "SubjectKeyDestroyed"}
    )
    opens: ClassVar[frozenset[Kind]] = frozenset({"personal", "counted"})
    collections: ClassVar[Mapping[str, tuple[Index, ...]]] = {
        REPORTS: (Index((("waits_since", 1),)), Index((("child", 1),))),
        ERASED: (),
    }

    async def prepare(self, batch: Sequence[Occurred], work: Workspace) -> None:
        await work.load(REPORTS, {report for one in batch for report in _reports_of(*one)})
        await work.load(ERASED, {one.event.child for one in batch if isinstance(one.event, _ON_REPORT)})

    def fold(self, occurred: Occurred, work: Workspace) -> None:
        record, event = occurred
        if isinstance(event, SubjectKeyDestroyed):
            work.delete_where(REPORTS, "child", event.child)
            work.put(ERASED, {"_id": event.child})
            return
        for report in _reports_of(record, event):
            child: str = event.child  # type: ignore[attr-defined]
            if work.get(ERASED, child) is None:
                document = work.get(REPORTS, report) or {"_id": report, "child": child, "told": {}, "alarmed": []}
                _change(document, record, event)
                document["waits_since"] = _waits_since(document)
                work.put(REPORTS, document)


def _reports_of(record: Record, event: Event) -> set[str]:
    """Those that an event demands, or the one it tells of."""
    if isinstance(event, _ON_REPORT):
        return {event.report}
    if isinstance(event, ChildRegistered) and may_live_alone(event.birth_month.get(), business_day(record.occurred_at)):
        return set()
    return {report_stream(event.child, situation) for situation in demanded(event)}  # type: ignore[attr-defined]


def _change(document: Document, record: Record, event: Event) -> None:
    match event:
        case ProtectionReportRaised():
            document["open"] = True
        case ProtectionReportClosed():
            document.update(open=False, closed_at=_text(record.recorded_at))
        case ProtectionWatchAlarmed():
            document["alarmed"].append(_text(event.since))
        case _:
            day = business_day(record.occurred_at).isoformat()
            document["told"][_text(record.recorded_at)] = day if record.type in CARE else None


def _waits_since(document: Document) -> str | None:
    """Of the demands that no report was open for, then or later, the earliest that nobody was alarmed of."""
    if document.get("open"):
        return None
    answered = document.get("closed_at", "")
    return min((told for told in document["told"] if told > answered and told not in document["alarmed"]), default=None)


def _text(moment: datetime) -> str:
    """So written, moments sort as they follow each other; a name of a field, it has no dot."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S,%fZ}"


class Demand(NamedTuple):
    """``alone_on`` is the day on which the child must not have been old enough; None where its age does not matter."""

    report: str
    child: str
    since: datetime
    alone_on: date | None


class DemandLookUp:
    """``collections`` are those of ``Demands``."""

    def __init__(self, collections: Collections) -> None:
        self._collections = collections

    async def unanswered(self, until: datetime) -> AsyncIterator[Demand]:
        """Those told until then for which no report has been open since, and nobody was alarmed; the oldest first."""
        waiting = (await self._collections(REPORTS)).find({"waits_since": {"$lte": _text(until)}})
        async for found in waiting.sort("waits_since", 1):
            since, day = found["waits_since"], found["told"][found["waits_since"]]
            yield Demand(
                found["_id"],
                found["child"],
                datetime.strptime(since, "%Y-%m-%dT%H:%M:%S,%fZ").replace(tzinfo=UTC),
                day and date.fromisoformat(day),
            )
