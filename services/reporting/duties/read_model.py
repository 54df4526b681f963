"""The facts that duties follow from, one document per child, and the policies that divisions have adopted.

No due day is stored: it is derived when it is asked for, so that a policy that changes rewrites nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, timedelta
from typing import Any, ClassVar, Final

from services.reporting.duties.derivation import Assessed, Facts, Move, Override, Seen, Turn
from services.reporting.duties.policies import Adopted
from shared.commands.command import business_day
from shared.contracts.child_file import ChildTransferred
from shared.contracts.event import Event
from shared.contracts.field_work import MajorChangeReported, SchoolVisitLogged
from shared.contracts.file_keeping import ChildFilesMerged, ChildMergeUndone
from shared.contracts.oversight import VisitCancelled, VisitPlanned, VisitRescheduled, VisitsAssigned
from shared.contracts.registry import ChildFileClosed, ChildFileReopened, ChildRegistered, SubjectKeyDestroyed
from shared.contracts.risk import RiskAssessed, RiskLevelOverridden
from shared.contracts.sealed import Kind
from shared.contracts.values import RiskLevel, VisitKind
from shared.contracts.visit_policy import VisitPolicy, VisitPolicyAdopted
from shared.contracts.visits import VisitAmended, VisitAttempted, VisitLogged, VisitReturned
from shared.eventlog.record import Record
from shared.projection.read_model import Document, Index, Occurred, ReadModel, Workspace

CHILDREN: Final = "children"
POLICIES: Final = "policies"
RETURNED: Final = "returned"
PLANS: Final = "plans"
ALONE: Final = 2


class Duties(ReadModel):
    """``children``: ``{_id, village, turns, moves, assessed, overrides, seen, changes, tried, merged_into}``, lists of
    ``[day, version, …]``, and ``assigned: [[day, when it was told, visitor]]``;
    ``policies``: ``{_id: division, adopted: [[day, version, content, may_be_overridden]]}``;
    ``returned``: visits that wait for their visitors; ``plans``: ``{_id, child, kind, on, assignee, since}``, without
    those that were cancelled."""

    name: ClassVar[str] = "duties"
    services: ClassVar[tuple[str, ...]] = ("registry", "visits")
    events: ClassVar[frozenset[str]] = frozenset(
        {
            *("ChildRegistered", "ChildTransferred", "ChildFileClosed", "ChildFileReopened", "SubjectKeyDestroyed"),
            *("RiskAssessed", "RiskLevelOverridden", "VisitLogged", "VisitAttempted", "VisitReturned", "VisitAmended"),
            *("MajorChangeReported", "SchoolVisitLogged", "VisitPolicyAdopted"),
            *("VisitsAssigned", "VisitPlanned", "VisitRescheduled", "VisitCancelled"),
            *("ChildFilesMerged", "ChildMergeUndone"),
        }
    )
    opens: ClassVar[frozenset[Kind]] = frozenset({"counted"})
    collections: ClassVar[Mapping[str, tuple[Index, ...]]] = {
        CHILDREN: (Index((("village", 1),)), Index((("merged_into", 1),))),
        POLICIES: (),
        RETURNED: (Index((("village", 1),)),),
        PLANS: (Index((("child", 1),)),),
    }

    def pause(self, written: int) -> timedelta:
        """A work list follows the visit that was just logged."""
        return timedelta(milliseconds=20 if written > ALONE else 0)

    async def prepare(self, batch: Sequence[Occurred], work: Workspace) -> None:
        await work.load(CHILDREN, {child for occurred in batch for child in _children_of(occurred.event)})
        adopting = {one.event.division for one in batch if isinstance(one.event, VisitPolicyAdopted)}
        await work.load(POLICIES, adopting)
        await work.load(PLANS, {one.record.stream for one in batch if isinstance(one.event, VisitRescheduled)})
        await work.load(RETURNED, {one.record.stream for one in batch if isinstance(one.event, VisitReturned)})

    def fold(self, occurred: Occurred, work: Workspace) -> None:
        record, event = occurred
        match event:
            case VisitPolicyAdopted():
                document = work.get(POLICIES, event.division) or {"_id": event.division, "adopted": []}
                content = event.content.model_dump(mode="json")
                document["adopted"].append([event.starts.isoformat(), record.version, content, event.may_be_overridden])
                work.put(POLICIES, document)
            case VisitReturned():
                work.put(RETURNED, _returned(record, event))
            case VisitAmended():
                work.delete(RETURNED, record.stream)
            case VisitRescheduled() | VisitCancelled():
                _change_plan(event, work)
            case _:
                for child in _children_of(event):
                    self._fold_child(child, occurred, work)

    def _fold_child(self, child: str, occurred: Occurred, work: Workspace) -> None:
        document = work.get(CHILDREN, child) or {"_id": child}
        if document.get("erased"):
            return
        if isinstance(occurred.event, SubjectKeyDestroyed):
            document = {"_id": child, "erased": True}
            work.delete_where(PLANS, "child", child)
        elif isinstance(occurred.event, VisitPlanned):
            work.put(PLANS, _planned(occurred.record, occurred.event))
            return
        else:
            _change(document, *occurred)
        work.put(CHILDREN, document)


def _children_of(event: Event) -> Iterator[str]:
    match event:
        case VisitLogged():
            yield from (finding.child for finding in event.findings)
        case SchoolVisitLogged():
            yield from (one.child for one in event.words)
        case VisitAttempted() | VisitsAssigned():
            yield from event.children
        case VisitPolicyAdopted() | VisitReturned() | VisitAmended() | VisitRescheduled() | VisitCancelled():
            return
        case _:
            yield event.child  # type: ignore[attr-defined]


def _change(document: Document, record: Record, event: Event) -> None:
    def note(name: str, day: date, *values: Any) -> None:
        document.setdefault(name, []).append([day.isoformat(), record.version, *values])

    match event:
        case ChildRegistered():
            begun = business_day(record.occurred_at)
            note("moves", begun, event.residence)
            note("turns", begun, True)
            document.setdefault("village", event.residence)
        case ChildTransferred():
            note("moves", event.moved_on, event.to_village)
            document["village"] = event.to_village
        case ChildFileClosed():
            note("turns", event.closed_on, False)
        case ChildFileReopened():
            note("turns", event.reopened_on, True)
        case ChildFilesMerged():
            document["merged_into"] = event.into
        case ChildMergeUndone():
            document.pop("merged_into", None)
        case RiskAssessed():
            note("assessed", business_day(record.occurred_at), event.level.reveal().value)
        case RiskLevelOverridden():
            note("overrides", business_day(record.occurred_at), event.until.isoformat(), event.level.reveal().value)
        case VisitLogged():
            note("seen", event.visited_on, event.kind.value)
        case SchoolVisitLogged():
            note("seen", event.visited_on, VisitKind.SCHOOL.value)
        case VisitAttempted():
            note("tried", event.attempted_on, event.next_on and event.next_on.isoformat())
        case MajorChangeReported():
            note("changes", event.happened_on)
        case VisitsAssigned():
            # By when it was told: each village's assignments have versions of their own.
            entry = [event.starts.isoformat(), record.recorded_at.astimezone(UTC).isoformat(), event.visitor]
            document.setdefault("assigned", []).append(entry)
        case _:
            raise AssertionError(event)


def _planned(record: Record, event: VisitPlanned) -> Document:
    return {
        "_id": event.appointment,
        "child": event.child,
        "kind": event.kind.value,
        "on": event.planned_for.isoformat(),
        "assignee": event.assignee,
        "since": business_day(record.occurred_at).isoformat(),
    }


def _change_plan(event: VisitRescheduled | VisitCancelled, work: Workspace) -> None:
    if isinstance(event, VisitCancelled):
        work.delete(PLANS, event.appointment)
    elif document := work.get(PLANS, event.appointment):
        told = {"on": event.planned_for.isoformat(), "assignee": event.assignee}
        work.put(PLANS, document | told)


def _returned(record: Record, event: VisitReturned) -> Document:
    return {
        "_id": record.stream,
        "village": event.village,
        "visitors": list(event.visitors),
        "reason": event.reason.value,
        "on": business_day(record.occurred_at).isoformat(),
    }


def facts_of(document: Document, merged: Sequence[Document] = ()) -> Facts:
    """What a child's document holds, with the visits and changes told of the files that were ``merged`` into its own.

    Its risk, and where it lives, are what its own file says.
    """

    def told(name: str, documents: Sequence[Document] = (document,)) -> Iterator[tuple[date, list[Any]]]:
        for day, _, *values in sorted(fact for one in documents for fact in one.get(name, ())):
            yield date.fromisoformat(day), values

    all_of_it = (document, *merged)

    return Facts(
        turns=[Turn(day, opened) for day, (opened,) in told("turns")],
        moves=[Move(day, village) for day, (village,) in told("moves")],
        assessed=[Assessed(day, RiskLevel(level)) for day, (level,) in told("assessed")],
        overrides=[
            Override(day, date.fromisoformat(until), RiskLevel(level)) for day, (until, level) in told("overrides")
        ],
        seen=[Seen(day, VisitKind(kind)) for day, (kind,) in told("seen", all_of_it)],
        changes=[day for day, _ in told("changes", all_of_it)],
    )


def all_merged_into(child: str, merged: Mapping[str, Sequence[Document]]) -> list[Document]:
    """The files that are the same child's, by file those that were ``merged`` into it; were they ever merged in a ring,
    each once."""
    found: dict[str, Document] = {}
    into = [child]
    while into:
        more = {one["_id"]: one for one in merged.get(into.pop(), ()) if one["_id"] not in (child, *found)}
        found |= more
        into += more
    return list(found.values())


def adopted_of(document: Document) -> list[Adopted]:
    """What a division's document holds."""
    return [
        Adopted(date.fromisoformat(starts), version, VisitPolicy.model_validate(content), may_be_overridden)
        for starts, version, content, may_be_overridden in document["adopted"]
    ]
