"""The child card and its time line: one document per child, fed by three services, and one entry per event.

A card has one part per source (file, visits, pairs, consents, attachments); no part depends on whether another has
arrived. An erased child leaves a tombstone, so that a late event brings nothing back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import ClassVar, Final

from services.reporting.read_models.file_part import DRAFT, care_told, change_file, file_facts
from services.reporting.read_models.file_part import EVENTS as FILE_EVENTS
from services.reporting.read_models.name_keys import name_keys
from services.reporting.read_models.privacy_part import EVENTS as PRIVACY_EVENTS
from services.reporting.read_models.privacy_part import change_privacy, privacy_facts
from services.reporting.read_models.shown import care_of, care_recorded, masked, parents_of, told, value
from services.reporting.read_models.visits_part import EVENTS as VISITS_EVENTS
from services.reporting.read_models.visits_part import change_visits, visits_facts
from shared.contracts.child_file import ChildTransferred
from shared.contracts.concerns import ConcernClosureVerified, ConcernRaised
from shared.contracts.event import Event
from shared.contracts.field_work import SchoolVisitLogged
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
from shared.contracts.visits import VisitAmended, VisitAttempted, VisitLogged
from shared.eventlog.record import Record
from shared.projection.read_model import Document, Index, Occurred, ReadModel, Workspace

CARDS: Final = "cards"
ENTRIES: Final = "entries"
CONCERNS: Final = "concerns"
FEW: Final = 2
_OF_SEVERAL: Final = (VisitLogged, VisitAttempted, SchoolVisitLogged)


class Children(ReadModel):
    """Cards by child, entries by event and child; of a concern, which child it is about."""

    name: ClassVar[str] = "children"
    services: ClassVar[tuple[str, ...]] = ("registry", "visits", "pairing")
    events: ClassVar[frozenset[str]] = frozenset(
        {
            *FILE_EVENTS,
            *PRIVACY_EVENTS,
            *VISITS_EVENTS,
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
        CONCERNS: (Index((("child", 1),)),),
    }

    def pause(self, written: int) -> timedelta:
        """Whoever works alone sees the effect at once."""
        return timedelta(milliseconds=20 if written > FEW else 0)

    async def prepare(self, batch: Sequence[Occurred], work: Workspace) -> None:
        await work.load(CONCERNS, {one.event.concern for one in batch if isinstance(one.event, ConcernClosureVerified)})
        await work.load(CARDS, {child for one in batch for child in children_of(one.event, work)})

    def fold(self, occurred: Occurred, work: Workspace) -> None:
        for child in children_of(occurred.event, work):
            card = work.get(CARDS, child) or {"_id": child}
            if card.get("erased"):
                continue
            if isinstance(occurred.event, SubjectKeyDestroyed):
                work.delete_where(ENTRIES, "child", child)
                work.delete_where(CONCERNS, "child", child)
                work.put(CARDS, {"_id": child, "erased": True})
                continue
            if isinstance(occurred.event, ConcernRaised):
                work.put(CONCERNS, {"_id": occurred.event.concern, "child": child})
            _change(card, *occurred)
            work.put(CARDS, card)
            work.insert(ENTRIES, _entry(child, occurred))


def card_of(child: str, told: Iterable[Occurred]) -> Document:
    """A card folded of these events, in memory: as the read model has it, for who has opened the records themselves."""
    card: Document = {"_id": child}
    for record, event in told:
        if record.type in Children.events:
            _change(card, record, event)
    return card


def children_of(event: Event, work: Workspace) -> Iterator[str]:
    """The children an event is about."""
    match event:
        case VisitLogged():
            yield from (finding.child for finding in event.findings)
        case SchoolVisitLogged():
            yield from (one.child for one in event.words)
        case VisitAttempted():
            yield from event.children
        case VisitAmended():
            yield event.finding.child
        case ConcernRaised():
            if event.about.startswith("child-"):
                yield event.about
        case ConcernClosureVerified():
            if known := work.get(CONCERNS, event.concern):
                yield known["child"]
        case _:
            yield event.child  # type: ignore[attr-defined]


def _change(card: Document, record: Record, event: Event) -> None:
    if record.type in FILE_EVENTS:
        change_file(card.setdefault("file", {}), record, event)
        return
    if record.type in PRIVACY_EVENTS:
        change_privacy(card, record, event)
        return
    if record.type in VISITS_EVENTS:
        change_visits(card, event)
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
        case ErasureRequested():
            card.setdefault("file", {})["erasure_requested"] = True
        case PairFormed():
            card.setdefault("pairs", {}).setdefault(event.pair, {}).update(
                helper=event.helper, kind=event.kind.value, starts=event.starts.isoformat()
            )
        case PairEnded():
            card.setdefault("pairs", {}).setdefault(event.pair, {})["ends"] = event.ends.isoformat()
        case _:
            pass


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
        # A visit to several children is one event and one entry for each of them.
        "_id": f"{record.id}/{child[-17:]}" if isinstance(event, _OF_SEVERAL) else record.id,
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
        case ParentSituationRecorded():
            return parents_of(event.parents)
        case CareSituationRecorded():
            return care_recorded(event)
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
            return file_facts(event) or privacy_facts(event) or visits_facts(child, event)
