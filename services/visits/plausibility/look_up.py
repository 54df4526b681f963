"""Somebody's visits, as the rules need them: a private look-up without a word of what was noted."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import ClassVar, Final

from services.visits.plausibility.rules import Made, thresholds_on
from shared.commands.command import business_day
from shared.contracts.registry import SubjectKeyDestroyed
from shared.contracts.sealed import Kind
from shared.contracts.values import VisitKind
from shared.contracts.visits import ChildFinding, VisitAmended, VisitLogged
from shared.eventlog.record import Record
from shared.projection.live import LiveModels
from shared.projection.read_model import Document, Index, Occurred, ReadModel, Workspace

VISITS: Final = "visits"

_AT_PLACE: Final = frozenset({VisitKind.HOME, VisitKind.CONDOLENCE, VisitKind.MAPPING, VisitKind.SPOT})
_KEY_BYTES: Final = 8
"""Two notes have one hash by chance once in 2**64: it only costs a look."""


class NoteKeys:
    """Keyed hashes of notes and answers, under a key that its secret's other uses say nothing of."""

    def __init__(self, secret: bytes) -> None:
        self._secret = hmac.digest(secret, b"guanhu/visits/plausibility", hashlib.sha256)

    def notes(self, finding: ChildFinding, at_least: int) -> list[int]:
        """Of each note of so many signs; spaces and the case of letters make no difference. None once erased."""
        lines = (finding.life, finding.learning, finding.psychology, finding.actions, finding.wishes)
        texts = ("".join((line.get() or "").split()).casefold() for line in lines if line is not None)
        return sorted({self._hash("note", text) for text in texts if len(text) >= at_least})

    def answers(self, finding: ChildFinding, form: str | None) -> int | None:
        told = finding.answers.get() if finding.answers is not None else None
        if not told:
            return None
        return self._hash("answers", form or "", json.dumps(dict(told), sort_keys=True))

    def _hash(self, *parts: str) -> int:
        digest = hmac.digest(self._secret, "\0".join(parts).encode(), hashlib.sha256)
        return int.from_bytes(digest[:_KEY_BYTES], "big", signed=True)


class VisitsMade(ReadModel):
    """One document per visit: ``{_id, by, visitors, village, household, at, at_place, form, children, found}``, where
    ``found`` holds for each child ``{notes, answers}``, keyed hashes. What was found of an erased child is gone."""

    name: ClassVar[str] = "visits_made"
    services: ClassVar[tuple[str, ...]] = ("registry", "visits")
    events: ClassVar[frozenset[str]] = frozenset({"VisitLogged", "VisitAmended", "SubjectKeyDestroyed"})
    opens: ClassVar[frozenset[Kind]] = frozenset({"personal"})
    collections: ClassVar[Mapping[str, tuple[Index, ...]]] = {
        VISITS: (Index((("visitors", 1), ("at", 1))), Index((("children", 1),)))
    }

    def __init__(self, keys: NoteKeys) -> None:
        self._keys = keys

    def pause(self, written: int) -> timedelta:
        """Nobody waits for it but a policy that is in no hurry."""
        return timedelta(milliseconds=200)

    async def prepare(self, batch: Sequence[Occurred], work: Workspace) -> None:
        erased = {one.event.child for one in batch if isinstance(one.event, SubjectKeyDestroyed)}
        await work.load_where(VISITS, "children", erased)
        await work.load(VISITS, {one.record.stream for one in batch if isinstance(one.event, VisitAmended)})

    def fold(self, occurred: Occurred, work: Workspace) -> None:
        record, event = occurred
        match event:
            case VisitLogged():
                work.put(VISITS, self._made(record, event))
            case VisitAmended():
                if document := work.get(VISITS, event.visit):
                    at_least = _note_length(document["at"])
                    document["found"][event.finding.child] = self._found(event.finding, document["form"], at_least)
                    work.put(VISITS, document)
            case SubjectKeyDestroyed():
                for document in work.where(VISITS, "children", event.child):
                    document["found"].pop(event.child, None)
                    work.put(VISITS, document)
            case _:
                raise AssertionError(event)

    def _made(self, record: Record, event: VisitLogged) -> Document:
        visitors = list(event.visitors) or [record.actor.id]
        at_least = _note_length(record.occurred_at)
        return {
            "_id": event.visit,
            "by": visitors[0],
            "visitors": visitors,
            "village": event.village,
            "household": event.household,
            "at": record.occurred_at,
            "at_place": event.kind in _AT_PLACE,
            "form": event.form,
            "children": [finding.child for finding in event.findings],
            "found": {one.child: self._found(one, event.form, at_least) for one in event.findings},
        }

    def _found(self, finding: ChildFinding, form: str | None, at_least: int) -> Document:
        return {"notes": self._keys.notes(finding, at_least), "answers": self._keys.answers(finding, form)}


def _note_length(at: datetime) -> int:
    return thresholds_on(business_day(at)).note_length


class VisitsBehindError(Exception):
    """The look-up has not taken in these visits in time: ask again."""


VisitsOf = Callable[[Collection[str], datetime, datetime], Awaitable[Mapping[str, Sequence[Made]]]]
"""The visits of these persons between two moments, by person."""


def visits_of(live: LiveModels) -> VisitsOf:
    async def of(persons: Collection[str], since: datetime, until: datetime) -> Mapping[str, Sequence[Made]]:
        visits = await live.collection(VisitsMade.name, VISITS)
        query = {"visitors": {"$in": sorted(persons)}, "at": {"$gte": since, "$lte": until}}
        found: dict[str, list[Made]] = {}
        async for document in visits.find(query, {"form": 0, "children": 0}):
            for person in set(persons).intersection(document["visitors"]):
                found.setdefault(person, []).append(made_by(person, document))
        return found

    return of


def made_by(person: str, document: Document) -> Made:
    """A visit's document, as one of those who were there made it."""
    found = document["found"].values()
    return Made(
        visit=document["_id"],
        village=document["village"],
        household=document["household"],
        at=document["at"],
        at_place=document["at_place"],
        told=document["by"] == person,
        notes=frozenset(note for one in found for note in one["notes"]),
        answers=frozenset(one["answers"] for one in found if one["answers"] is not None),
    )
