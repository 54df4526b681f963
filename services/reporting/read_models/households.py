"""The household's card and what became of its file: one document per household, one entry per later event.

A merge is told in the stream of the file that ends; both cards show it, in whichever order their events come. An erased
household leaves a tombstone, so that a late event brings nothing back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, Final

from services.reporting.read_models.shown import told, value
from shared.commands.command import business_day
from shared.contracts.event import Event
from shared.contracts.households import (
    HouseholdErasureRequested,
    HouseholdFileClosed,
    HouseholdFileReopened,
    HouseholdFileUpdated,
    HouseholdKeyDestroyed,
    HouseholdMergeUndone,
    HouseholdMoved,
    HouseholdMoveOffered,
    HouseholdsMerged,
)
from shared.contracts.registry import ChildRegistered, HouseholdFileOpened
from shared.contracts.sealed import Kind
from shared.eventlog.record import Record
from shared.projection.read_model import Document, Index, Occurred, ReadModel, Workspace

CARDS: Final = "cards"
ENTRIES: Final = "entries"
_LATER: Final = frozenset(
    {
        "HouseholdFileUpdated",
        "HouseholdMoveOffered",
        "HouseholdMoved",
        "HouseholdFileClosed",
        "HouseholdFileReopened",
        "HouseholdsMerged",
        "HouseholdMergeUndone",
        "HouseholdErasureRequested",
    }
)
"""What is an entry of its own; the opening and the children stand on the card."""


class Households(ReadModel):
    """Cards by household, entries by event."""

    name: ClassVar[str] = "households"
    services: ClassVar[tuple[str, ...]] = ("registry",)
    events: ClassVar[frozenset[str]] = _LATER | {"HouseholdFileOpened", "ChildRegistered", "HouseholdKeyDestroyed"}
    opens: ClassVar[frozenset[Kind]] = frozenset({"personal", "counted"})
    collections: ClassVar[Mapping[str, tuple[Index, ...]]] = {
        CARDS: (Index((("village", 1), ("_id", 1))),),
        ENTRIES: (Index((("household", 1), ("at", 1))),),
    }

    async def prepare(self, batch: Sequence[Occurred], work: Workspace) -> None:
        await work.load(CARDS, {household for occurred in batch for household in _households_of(occurred.event)})

    def fold(self, occurred: Occurred, work: Workspace) -> None:
        record, event = occurred
        for household in _households_of(event):
            card = work.get(CARDS, household) or {"_id": household}
            if card.get("erased"):
                continue
            if isinstance(event, HouseholdKeyDestroyed):
                work.delete_where(ENTRIES, "household", household)
                work.put(CARDS, {"_id": household, "erased": True})
                continue
            if isinstance(event, HouseholdsMerged | HouseholdMergeUndone) and household == event.into:
                _change_merged(card, event)
            else:
                _change(card, record, event)
            work.put(CARDS, card)
            if record.type in _LATER:
                work.insert(ENTRIES, _entry(household, occurred))


def _households_of(event: Event) -> Iterator[str]:
    yield event.household  # type: ignore[attr-defined]
    if isinstance(event, HouseholdsMerged | HouseholdMergeUndone):
        yield event.into


def _change(card: Document, record: Record, event: Event) -> None:
    match event:
        case HouseholdFileOpened():
            card |= {"state": "open", "opened_on": business_day(record.occurred_at).isoformat()}
            card |= {"village": event.village, "file": _file(event)}
        case ChildRegistered():
            card["children"] = [*card.get("children", ()), event.child]
        case HouseholdFileUpdated():
            card["file"] = card.get("file", {}) | _file(event)
        case HouseholdMoveOffered():
            card["offered_to"] = event.to_village
        case HouseholdMoved():
            _move(card, event)
        case HouseholdFileClosed():
            card |= {"state": "closed", "closed_on": event.closed_on.isoformat(), "closed_for": event.reason.value}
        case HouseholdFileReopened():
            card["state"] = "open"
            _drop(card, "closed_on", "closed_for")
        case HouseholdsMerged():
            card |= {"state": "merged", "merged_into": event.into}
        case HouseholdMergeUndone():
            card["state"] = "open"
            _drop(card, "merged_into")
        case _:
            pass


def _change_merged(card: Document, event: HouseholdsMerged | HouseholdMergeUndone) -> None:
    """Of the household that goes on."""
    merged = set(card.get("merged", ())) - {event.household}
    if isinstance(event, HouseholdsMerged):
        merged.add(event.household)
    card["merged"] = sorted(merged)
    if not merged:
        del card["merged"]


def _move(card: Document, event: HouseholdMoved) -> None:
    """In another village nothing is known of the new place but what was told."""
    file = card.setdefault("file", {})
    if event.from_village != event.to_village:
        _drop(card, "offered_to")
        _drop(file, "group", "address")
    card |= {"village": event.to_village, "moved_on": event.moved_on.isoformat()}
    file |= told(group=event.group, address=event.address and event.address.get())


def _file(event: HouseholdFileOpened | HouseholdFileUpdated) -> Document:
    details = event.details and event.details.get()
    return told(
        head=event.head and event.head.get(),
        group=event.group,
        address=event.address and event.address.get(),
        phone=event.phone and event.phone.get(),
        poverty=value(event.poverty),
        **(details.model_dump(mode="json", exclude_none=True) if details else {}),
    )


def _drop(document: Document, *names: str) -> None:
    for name in names:
        document.pop(name, None)


def _entry(household: str, occurred: Occurred) -> Document:
    record, event = occurred
    entry: Document = {
        # A merge is one event and an entry of both households.
        "_id": f"{record.id}/{household[-17:]}",
        "household": household,
        "type": record.type,
        "at": record.occurred_at,
        "told": record.recorded_at,
        "by": record.actor.role,
    }
    if facts := _facts(event):
        entry["facts"] = facts
    return entry


def _facts(event: Event) -> Document:
    match event:
        case HouseholdFileUpdated():
            return _file(event)
        case HouseholdMoveOffered():
            return told(to=event.to_village, reason=event.reason.get())
        case HouseholdMoved():
            return told(
                **{"from": event.from_village, "to": event.to_village, "on": event.moved_on.isoformat()},
                group=event.group,
                address=event.address and event.address.get(),
            )
        case HouseholdFileClosed():
            return {"reason": event.reason.value, "on": event.closed_on.isoformat()}
        case HouseholdFileReopened():
            return told(reason=event.reason.get(), on=event.reopened_on.isoformat())
        case HouseholdsMerged() | HouseholdMergeUndone():
            return told(household=event.household, into=event.into, reason=event.reason.get())
        case HouseholdErasureRequested():
            return told(basis=event.basis.get())
        case _:
            return {}
