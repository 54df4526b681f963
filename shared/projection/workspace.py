"""The documents of one batch: what was loaded, and what is to be written with the checkpoint.

Nothing in here touches a database: documents come through a ``Source``, changes leave as ``Changes``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from shared.projection.checkpoint import ModelVersion
from shared.projection.read_model import Document


class Source(Protocol):
    """Where a workspace loads from: committed documents of one version of a read model."""

    async def find(self, of: ModelVersion, collection: str, field: str, values: Sequence[Any]) -> list[Document]:
        """All documents whose ``field`` (a dotted path) is one of ``values``."""


@dataclass
class Increments:
    """What is added to one document: sums by dotted path, and what is set should it be created."""

    fixed: Mapping[str, Any]
    sums: dict[str, int] = field(default_factory=dict)


@dataclass
class CollectionChanges:
    """Written in this order: deletions by field, deletions by id, puts, inserts, increments.

    ``absent`` are ids that were looked for and not found: what is put there can be written as an insert.
    """

    where_deleted: list[tuple[str, Any]] = field(default_factory=list)
    deleted: set[Any] = field(default_factory=set)
    put: dict[Any, Document] = field(default_factory=dict)
    inserted: dict[Any, Document] = field(default_factory=dict)
    increments: dict[Any, Increments] = field(default_factory=dict)
    absent: set[Any] = field(default_factory=set)

    def sums(self) -> dict[Any, Increments]:
        """The increments without sums of zero."""
        kept = {
            key: Increments(one.fixed, {path: by for path, by in one.sums.items() if by})
            for key, one in self.increments.items()
        }
        return {key: one for key, one in kept.items() if one.sums}

    def remove(self, key: Any) -> None:
        """The document shall not be there after the batch."""
        self.put.pop(key, None)
        self.increments.pop(key, None)
        if self.inserted.pop(key, None) is None:
            self.deleted.add(key)

    def remove_where(self, name: str, value: Any) -> None:
        self.where_deleted.append((name, value))
        # A document that only this batch gave the value has another one in the database: it is deleted by its id.
        for key in [key for key, document in self.put.items() if matches(document, name, value)]:
            self.remove(key)
        for key in [key for key, document in self.inserted.items() if matches(document, name, value)]:
            del self.inserted[key]
        for key in [key for key, one in self.increments.items() if matches(dict(one.fixed), name, value)]:
            del self.increments[key]


Changes = Mapping[str, CollectionChanges]
"""By collection, without prefix. Empty: only the checkpoint moves."""


class Work:
    """The Workspace of ``read_model.py`` over a source, for one batch. Ids must be hashable."""

    def __init__(self, source: Source, of: ModelVersion) -> None:
        self._source = source
        self._of = of
        self._here: defaultdict[str, dict[Any, Document]] = defaultdict(dict)
        self.changes: defaultdict[str, CollectionChanges] = defaultdict(CollectionChanges)

    async def load(self, collection: str, ids: Iterable[Any]) -> None:
        """Loads these documents in one query; those already here stay as they are."""
        if wanted := set(ids) - self._here[collection].keys():
            found = await self._source.find(self._of, collection, "_id", list(wanted))
            self._keep(collection, found)
            self.changes[collection].absent |= wanted - {document["_id"] for document in found}

    async def load_where(self, collection: str, field: str, values: Iterable[Any]) -> None:
        """Loads all documents whose ``field`` is one of ``values``; those already here stay as they are."""
        if wanted := set(values):
            self._keep(collection, await self._source.find(self._of, collection, field, list(wanted)))

    def _keep(self, collection: str, documents: Iterable[Document]) -> None:
        here, gone = self._here[collection], self.changes[collection].deleted
        for document in documents:
            if document["_id"] not in gone:
                here.setdefault(document["_id"], document)

    def get(self, collection: str, key: Any) -> Document | None:
        return self._here[collection].get(key)

    def documents(self, collection: str) -> Collection[Document]:
        """All documents here, loaded or put."""
        return self._here[collection].values()

    def where(self, collection: str, field: str, value: Any) -> list[Document]:
        """The documents here (loaded or put) whose ``field`` equals ``value``."""
        return [document for document in self._here[collection].values() if matches(document, field, value)]

    def put(self, collection: str, document: Document) -> None:
        """Writes the whole document, by its ``_id``; increments that came before are given up."""
        key, changes = document["_id"], self.changes[collection]
        self._here[collection][key] = document
        changes.put[key] = document
        changes.increments.pop(key, None)
        changes.deleted.discard(key)

    def insert(self, collection: str, document: Document) -> None:
        """Adds a document that certainly does not exist yet and is never read back by a fold.

        Two of one id in a batch are refused as the store would refuse the second. Raises ValueError.
        """
        inserted = self.changes[collection].inserted
        if document["_id"] in inserted:
            raise ValueError(f"{collection} has the inserted document already")
        inserted[document["_id"]] = document

    def increment(self, collection: str, key: Any, path: str, by: int, fixed: Mapping[str, Any] | None = None) -> None:
        """Adds to a number at a dotted path when the batch is written; a fold does not read it back."""
        increments = self.changes[collection].increments
        one = increments.get(key)
        if one is None:
            one = increments[key] = Increments(fixed or {})
        one.sums[path] = one.sums.get(path, 0) + by

    def delete(self, collection: str, key: Any) -> None:
        self._here[collection].pop(key, None)
        self.changes[collection].remove(key)

    def delete_where(self, collection: str, field: str, value: Any) -> None:
        """Deletes in the database and here; written before the puts and inserts of the same batch."""
        here = self._here[collection]
        for key in [key for key, document in here.items() if matches(document, field, value)]:
            del here[key]
        self.changes[collection].remove_where(field, value)


def matches(document: Document, path: str, value: Any) -> bool:
    """Whether the field at a dotted path equals the value, or is a list that holds it."""
    found: Any = document
    for step in path.split("."):
        found = found.get(step) if isinstance(found, dict) else None
    return bool(found == value or (isinstance(found, list) and value in found))
