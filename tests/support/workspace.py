"""A workspace over documents in memory: folds a read model's batches as a projector does, without a database."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from shared.contracts.event import Event
from shared.eventlog.record import GENESIS, Actor, Record
from shared.projection.read_model import Document, Occurred, ReadModel
from shared.projection.workspace import matches

Store = dict[str, dict[Any, Document]]
"""Collections by name, documents by id."""


class MemoryWorkspace:
    """One batch: sees only what it loaded or wrote, as the real one does."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._here: Store = defaultdict(dict)

    async def load(self, collection: str, ids: Iterable[Any]) -> None:
        for key in ids:
            self._take(collection, self._store[collection].get(key))

    async def load_where(self, collection: str, field: str, values: Iterable[Any]) -> None:
        wanted = set(values)
        for document in self._store[collection].values():
            if any(matches(document, field, value) for value in wanted):
                self._take(collection, document)

    def _take(self, collection: str, document: Document | None) -> None:
        if document is not None:
            self._here[collection].setdefault(document["_id"], copy.deepcopy(document))

    def get(self, collection: str, key: Any) -> Document | None:
        return self._here[collection].get(key)

    def where(self, collection: str, field: str, value: Any) -> list[Document]:
        return [document for document in self._here[collection].values() if matches(document, field, value)]

    def put(self, collection: str, document: Document) -> None:
        self._here[collection][document["_id"]] = document

    insert = put

    def increment(self, collection: str, key: Any, path: str, by: int, fixed: Mapping[str, Any] | None = None) -> None:
        document = self._here[collection].setdefault(key, {"_id": key, **(fixed or {})})
        *outer, last = path.split(".")
        for part in outer:
            document = document.setdefault(part, {})
        document[last] = document.get(last, 0) + by

    def delete(self, collection: str, key: Any) -> None:
        self._here[collection].pop(key, None)
        self._store[collection].pop(key, None)

    def delete_where(self, collection: str, field: str, value: Any) -> None:
        for documents in (self._here[collection], self._store[collection]):
            for key in [key for key, document in documents.items() if document.get(field) == value]:
                del documents[key]

    def commit(self) -> None:
        for collection, documents in self._here.items():
            self._store[collection].update(copy.deepcopy(documents))


async def fold_all(model: ReadModel, batches: Iterable[Sequence[Event | Occurred]]) -> Store:
    """What the read model holds after these batches, each committed before the next.

    An event alone is given an envelope whose place in the log matters to nobody.
    """
    store: Store = defaultdict(dict)
    for batch in batches:
        work = MemoryWorkspace(store)
        occurred = [one if isinstance(one, Occurred) else Occurred(a_record(one), one) for one in batch]
        await model.prepare(occurred, work)
        for one in occurred:
            model.fold(one, work)
        model.finish(work)
        work.commit()
    return store


def a_record(
    event: Event,
    moment: datetime = datetime(2026, 8, 14, 8, 12, tzinfo=UTC),
    actor: Actor = Actor("person", "system"),  # noqa: B008 - it is frozen
    event_id: str = "event",
) -> Record:
    return Record(
        id=event_id,
        service="registry",
        partition=0,
        seq=1,
        stream="stream",
        version=1,
        type=type(event).__name__,
        schema=event.schema_version,
        occurred_at=moment,
        recorded_at=moment,
        actor=actor,
        command_id="command",
        data=msgspec.Raw(b"{}"),
        prev=GENESIS,
    )
