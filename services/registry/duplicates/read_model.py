"""The look-up behind duplicates: under which keys each open file is found, and which pairs are suspected.

What a comparison needs beyond a key is not kept here: it is opened from the files' own events when two are compared.
So this read model holds keyed hashes, ids and codes only, and an erased child leaves nothing in it but its id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import ClassVar, Final

from services.registry.duplicates.keys import BlindKeys
from shared.contracts.child_file import (
    ChildIdentityCorrected,
    ChildIdentityRecorded,
    ChildTransferred,
    Identity,
    IdentityCorrection,
)
from shared.contracts.event import Event
from shared.contracts.registry import (
    ChildFileClosed,
    ChildFileReopened,
    ChildRegistered,
    DuplicateDismissed,
    DuplicateSuspected,
    ParentSituationRecorded,
    ParentsSituation,
    SubjectKeyDestroyed,
)
from shared.contracts.sealed import Kind
from shared.projection.read_model import Document, Index, Occurred, ReadModel, Workspace

FILES: Final = "files"
PAIRS: Final = "pairs"


class PairState(StrEnum):
    """``settled``: nobody has dismissed it, but one of the two files is closed."""

    SUSPECTED = "suspected"
    DISMISSED = "dismissed"
    SETTLED = "settled"


class Duplicates(ReadModel):
    """``files``: ``{_id: child, village, open, own, kin, keys}``, lists of keys; ``{_id, erased}`` of who is erased;
    ``pairs``: ``{_id: duplicate, children, villages, state, score, rule, reasons}``, and ``dismissed_for``.

    A pair is forgotten with the first of its children that is erased. Files and pairs stand in different partitions:
    each document comes out the same in whichever order their events come.
    """

    name: ClassVar[str] = "duplicates"
    services: ClassVar[tuple[str, ...]] = ("registry",)
    events: ClassVar[frozenset[str]] = frozenset(
        {
            "ChildRegistered",
            "ChildIdentityRecorded",
            "ChildIdentityCorrected",
            "ChildTransferred",
            "ParentSituationRecorded",
            "ChildFileClosed",
            "ChildFileReopened",
            "SubjectKeyDestroyed",
            "DuplicateSuspected",
            "DuplicateDismissed",
        }
    )
    opens: ClassVar[frozenset[Kind]] = frozenset({"personal", "counted"})
    collections: ClassVar[Mapping[str, tuple[Index, ...]]] = {
        FILES: (Index((("keys", 1),)),),
        PAIRS: (Index((("children", 1),)), Index((("state", 1), ("villages", 1)))),
    }

    def __init__(self, keys: BlindKeys) -> None:
        self._keys = keys

    async def prepare(self, batch: Sequence[Occurred], work: Workspace) -> None:
        events = [occurred.event for occurred in batch]
        children = {child for event in events for child in _children_of(event)}
        await work.load_where(PAIRS, "children", children)
        await work.load(PAIRS, {pair for event in events if (pair := getattr(event, "duplicate", None))})
        of_pairs = {
            one for child in children for pair in work.where(PAIRS, "children", child) for one in pair["children"]
        }
        await work.load(FILES, children | of_pairs)

    def fold(self, occurred: Occurred, work: Workspace) -> None:
        match occurred.event:
            case DuplicateSuspected() as event:
                _suspect(event, work)
            case DuplicateDismissed() as event:
                if pair := work.get(PAIRS, event.duplicate):
                    _settle(pair | {"dismissed_for": event.reason.value}, work)
            case event:
                self._change(event, work)

    def _change(self, event: Event, work: Workspace) -> None:
        [child] = _children_of(event)
        file = work.get(FILES, child) or {"_id": child}
        if file.get("erased"):
            return
        match event:
            case ChildRegistered():
                file |= {"village": event.residence, "open": True, **self._own_keys(event)}
                file["kin"] = self._kin_keys(event.parents, event.residence)
            case ChildIdentityRecorded():
                file |= self._told_later(file, event.identity.get())
            case ChildIdentityCorrected():
                file |= self._told_later(file, event.correction.get())
            case ChildTransferred():
                file["village"] = event.to_village
            case ParentSituationRecorded():
                file["kin"] = self._kin_keys(event.parents, file["village"])
            case ChildFileClosed():
                file["open"] = False
            case ChildFileReopened():
                file["open"] = True
            case SubjectKeyDestroyed():
                file = {"_id": child, "erased": True}
            case _:
                pass
        if "own" in file:
            file["keys"] = sorted({*file["own"], *file["kin"]})
        work.put(FILES, file)
        for pair in work.where(PAIRS, "children", child):
            _settle(pair, work)

    def _own_keys(self, event: ChildRegistered) -> Document:
        name = event.name.get()
        if name is None:  # the key is gone already; the event that says so follows
            return {"own": []}
        number = event.citizen_number.get() if event.citizen_number else None
        born, month = event.birth_date.get(), event.birth_month.get()
        return {"own": self._keys.of_child(name, born, month, number, event.residence)}

    def _told_later(self, file: Document, told: Identity | IdentityCorrection | None) -> Document:
        """The keys of a number that was told later. What was told before keeps its keys: to compare once too often
        costs a comparison, and the comparison itself reads what holds now."""
        if told is None or told.citizen_number is None:
            return {}
        return {"own": sorted({*file["own"], *self._keys.of_citizen_number(told.citizen_number)})}

    def _kin_keys(self, parents: ParentsSituation, village: str) -> list[int]:
        father, mother = (parent.name.get() if parent.name else None for parent in (parents.father, parents.mother))
        return self._keys.of_parents(father, mother, village)


def _children_of(event: Event) -> Iterable[str]:
    match event:
        case DuplicateSuspected() | DuplicateDismissed():
            return (event.first, event.second)
        case _:
            return (event.child,)  # type: ignore[attr-defined]


def _suspect(event: DuplicateSuspected, work: Workspace) -> None:
    pair: Document = {
        "_id": event.duplicate,
        "children": [event.first, event.second],
        "score": event.score,
        "rule": event.rule,
        "reasons": [reason.value for reason in event.reasons],
    }
    _settle(pair, work)


def _settle(pair: Document, work: Workspace) -> None:
    """Writes a pair as its two files let it stand; files that have not been told of yet count as open."""
    files = [work.get(FILES, child) or {} for child in pair["children"]]
    if any(file.get("erased") for file in files):
        work.delete(PAIRS, pair["_id"])
        return
    if "dismissed_for" in pair:
        state = PairState.DISMISSED
    elif all(file.get("open", True) for file in files):
        state = PairState.SUSPECTED
    else:
        state = PairState.SETTLED
    villages = [file["village"] for file in files if "village" in file]
    work.put(PAIRS, pair | {"state": state.value, "villages": villages})
