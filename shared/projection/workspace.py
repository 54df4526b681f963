"""The documents of one batch, in memory: what was loaded, what has changed, and what is to be written of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from shared.projection.checkpoint import ModelVersion
from shared.projection.read_model import Document


class Increment(NamedTuple):
    """Numbers to add, by dotted path, and what a new document has beside them."""

    paths: dict[str, int]
    fixed: dict[str, Any]


@dataclass
class Changes:
    """What one batch writes, by collection, in this order: deletions by field, deletions, puts, inserts, increments."""

    deleted_where: dict[str, list[tuple[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    deleted: dict[str, set[Any]] = field(default_factory=lambda: defaultdict(set))
    put: dict[str, dict[Any, Document]] = field(default_factory=lambda: defaultdict(dict))
    inserted: dict[str, dict[Any, Document]] = field(default_factory=lambda: defaultdict(dict))
    incremented: dict[str, dict[Any, Increment]] = field(default_factory=lambda: defaultdict(dict))


class Source(Protocol):
    """Where a workspace loads from."""

    async def find(self, of: ModelVersion, collection: str, field: str, values: Sequence[Any]) -> list[Document]: ...


class Work:
    """The Workspace of ``read_model.py`` over a source."""

    def __init__(self, source: Source, of: ModelVersion) -> None:
        self._source = source
        self._of = of
        self._here: dict[str, dict[Any, Document]] = defaultdict(dict)
        self.changes = Changes()

    async def load(self, collection: str, ids: Iterable[Any]) -> None:
        await self.load_where(collection, "_id", ids)

    async def load_where(self, collection: str, field: str, values: Iterable[Any]) -> None:
        here = self._here[collection]
        wanted = [value for value in values if field != "_id" or value not in here]
        if not wanted:
            return
        for document in await self._source.find(self._of, collection, field, wanted):
            here.setdefault(document["_id"], document)

    def get(self, collection: str, key: Any) -> Document | None:
        return self._here[collection].get(key)

    def where(self, collection: str, field: str, value: Any) -> list[Document]:
        return [document for document in self._here[collection].values() if document.get(field) == value]

    def put(self, collection: str, document: Document) -> None:
        key = document["_id"]
        self._here[collection][key] = document
        self.changes.put[collection][key] = document
        self.changes.deleted[collection].discard(key)

    def insert(self, collection: str, document: Document) -> None:
        self.changes.inserted[collection][document["_id"]] = document

    def increment(self, collection: str, key: Any, path: str, by: int, fixed: Mapping[str, Any] | None = None) -> None:
        increments = self.changes.incremented[collection]
        paths, _ = increments.setdefault(key, Increment({}, dict(fixed or {})))
        if total := paths.get(path, 0) + by:
            paths[path] = total
        else:
            paths.pop(path, None)

    def delete(self, collection: str, key: Any) -> None:
        self._here[collection].pop(key, None)
        self.changes.put[collection].pop(key, None)
        self.changes.inserted[collection].pop(key, None)
        self.changes.incremented[collection].pop(key, None)
        self.changes.deleted[collection].add(key)

    def delete_where(self, collection: str, field: str, value: Any) -> None:
        self.changes.deleted_where[collection].append((field, value))
        for documents in (self._here[collection], self.changes.put[collection], self.changes.inserted[collection]):
            for key in [key for key, document in documents.items() if document.get(field) == value]:
                del documents[key]
