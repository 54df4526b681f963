"""The child card and its time line: one document per child, fed by three services, and one entry per event.

A card has one part per source (file, visits, pairs); no part depends on whether another has arrived. An erased child
leaves a tombstone, so that a late event brings nothing back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar, Final

from services.reporting.read_models.file_part import DRAFT, care_told, change_file, file_facts
from services.reporting.read_models.file_part import EVENTS as FILE_EVENTS
from services.reporting.read_models.name_keys import name_keys
from services.reporting.read_models.shown import care_of, care_recorded, masked, parents_of, told, value
from shared.contracts.child_file import ChildTransferred
from shared.contracts.event import Event
from shared.contracts.file_keeping import ChildFilesMerged, ChildMergeUndone
from shared.contracts.pairing import PairEnded, PairFormed
from shared.contracts.registry import (
    CareSituationRecorded,
    ChildFileClosed,
    ChildFileReopened,
    ChildRegistered,
    ErasureRequested,
    ParentSituationRecorded,
    SubjectKeyDestroyed,
)
from shared.contracts.sealed import Kind
from shared.contracts.visits import ChildFinding, VisitLogged
from shared.eventlog.record import Record
from shared.projection.read_model import Document, Index, Occurred, ReadModel, Workspace

CARDS: Final = "cards"
ENTRIES: Final = "entries"
FEW: Final = 2


class Children(ReadModel):
    """Cards by child, entries by event and child."""

    name: ClassVar[str] = "children"
    services: ClassVar[tuple[str, ...]] = ("registry", "visits", "pairing")
    events: ClassVar[frozenset[str]] = frozenset(
        {
            *FILE_EVENTS,
            "ChildRegistered",
            "ParentSituationRecorded",
            "CareSituationRecorded",
            "ChildTransferred",
            "ChildFileClosed",
            "ChildFileReopened",
            "ChildFilesMerged",
            "ChildMergeUndone",
            "ErasureRequested",
            "SubjectKeyDestroyed",
            "VisitLogged",
            "PairFormed",
            "PairEnded",
        }
    )
    opens: ClassVar[frozenset[Kind]] = frozenset({"personal", "counted"})
    collections: ClassVar[Mapping[str, tuple[Index, ...]]] = {
        CARDS: (
            Index((("village", 1), ("_id", 1))),
            Index((("file.name_key", 1),)),
            Index((("file.pinyin", 1),)),
            Index((("file.initials", 1),)),
            Index((("file.merged_into", 1),)),
        ),
        ENTRIES: (Index((("child", 1), ("at", 1))),),
    }

    def pause(self, written: int) -> timedelta:
        """Whoever works alone sees the effect at once."""
        return timedelta(milliseconds=20 if written > FEW else 0)

    async def prepare(self, batch: Sequence[Occurred], work: Workspace) -> None:
        await work.load(CARDS, {child for occurred in batch for child in children_of(occurred.event)})

    def fold(self, occurred: Occurred, work: Workspace) -> None:
        for child in children_of(occurred.event):
            card = work.get(CARDS, child) or {"_id": child}
            if card.get("erased"):
                continue
            if isinstance(occurred.event, SubjectKeyDestroyed):
                work.delete_where(ENTRIES, "child", child)
                work.put(CARDS, {"_id": child, "erased": True})
                continue
            _change(card, *occurred)
            work.put(CARDS, card)
            work.insert(ENTRIES, _entry(child, occurred))


def children_of(event: Event) -> Iterator[str]:
    """The children an event is about."""
    match event:
        case VisitLogged():
            yield from (finding.child for finding in event.findings)
        case _:
            yield event.child  # type: ignore[attr-defined]


def _change(card: Document, record: Record, event: Event) -> None:
    if record.type in FILE_EVENTS:
        change_file(card.setdefault("file", {}), record, event)
        return
    match event:
        case ChildRegistered():
            card["village"] = event.residence
            card["file"] = _file(event) | {"care_told": care_told(record)} | card.get("file", {})
        case ChildTransferred():
            card["village"] = event.to_village
            card.setdefault("file", {}).pop("offered_to", None)
        case ParentSituationRecorded():
            card.setdefault("file", {})["parents"] = parents_of(event.parents)
        case CareSituationRecorded():
            card.setdefault("file", {}).update(care=care_recorded(event), care_told=care_told(record))
        case ChildFileClosed():
            card.setdefault("file", {}).update(
                open=False, closed_on=event.closed_on.isoformat(), closed_for=event.reason.value
            )
        case ChildFileReopened():
            file = card.setdefault("file", {})
            file["open"] = True
            file.pop("closed_on", None)
            file.pop("closed_for", None)
        case ChildFilesMerged():
            card.setdefault("file", {})["merged_into"] = event.into
        case ChildMergeUndone():
            card.setdefault("file", {}).pop("merged_into", None)
        case VisitLogged():
            _count_visit(card.setdefault("visits", {"count": 0, "last_on": ""}), event)
        case PairFormed():
            card.setdefault("pairs", {}).setdefault(event.pair, {}).update(
                helper=event.helper, kind=event.kind.value, starts=event.starts.isoformat()
            )
        case PairEnded():
            card.setdefault("pairs", {}).setdefault(event.pair, {})["ends"] = event.ends.isoformat()
        case _:
            pass


def _count_visit(visits: Document, event: VisitLogged) -> None:
    visits["count"] += 1
    if (day := event.visited_on.isoformat()) >= visits["last_on"]:
        visits.update(last_on=day, last_kind=event.kind.value)


def _file(event: ChildRegistered) -> Document:
    name = event.name.get() or ""
    born = event.birth_date.get()
    number = event.citizen_number.get() if event.citizen_number else None
    return {
        "open": True,
        "check": {"stage": DRAFT},
        "household": event.household,
        "hukou": event.hukou,
        "name": name,
        **name_keys(name),
        "birth_date": born.isoformat() if born else None,
        "sex": value(event.sex),
        "citizen_number": masked(number),
        **told(
            citizen_number_status=value(event.citizen_number_status) or ("present" if event.citizen_number else None),
            hukou_kind=value(event.hukou_kind),
        ),
        "parents": parents_of(event.parents),
        "care": care_of(event.care),
    }


def _entry(child: str, occurred: Occurred) -> Document:
    record, event = occurred
    entry: Document = {
        # A visit to siblings is one event and one entry for each of them.
        "_id": f"{record.id}/{child[-17:]}" if isinstance(event, VisitLogged) else record.id,
        "child": child,
        "type": record.type,
        "at": record.occurred_at,
        "told": record.recorded_at,
        "by": record.actor.role,
    }
    if facts := _facts(child, event):
        entry["facts"] = facts
    return entry


def _facts(child: str, event: Event) -> Document:
    """What the time line shows of an event, beside its name and its time."""
    match event:
        case VisitLogged():
            [finding] = [finding for finding in event.findings if finding.child == child]
            return told(kind=event.kind.value, on=event.visited_on.isoformat(), **_finding(finding))
        case ChildTransferred():
            return {"from": event.from_village, "to": event.to_village, "on": event.moved_on.isoformat()}
        case ChildFileClosed():
            return {"reason": event.reason.value, "on": event.closed_on.isoformat()}
        case ChildFileReopened():
            return told(reason=event.reason.get(), on=event.reopened_on.isoformat())
        case ChildFilesMerged():
            return told(into=event.into, on=event.merged_on.isoformat(), reason=event.reason.get())
        case ChildMergeUndone():
            return told(into=event.into, reason=event.reason.get())
        case PairFormed():
            return {"kind": event.kind.value}
        case PairEnded():
            return {"kind": event.kind.value, "reason": event.reason.value}
        case ErasureRequested():
            return told(basis=event.basis.get())
        case _:
            return file_facts(event)


def _finding(finding: ChildFinding) -> dict[str, Any]:
    return {
        "life": finding.life and finding.life.get(),
        "learning": finding.learning and finding.learning.get(),
        "psychology": finding.psychology and finding.psychology.get(),
        "care_found": finding.care_found and care_of(finding.care_found),
    }
