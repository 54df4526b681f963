"""Read models in memory, for the simulation and for unit tests.

Documents pass through BSON, so that what MongoDB would refuse or round is refused and rounded here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC
from typing import Any, Final

import bson
from bson.codec_options import CodecOptions
from bson.errors import InvalidDocument

from shared.projection.checkpoint import Checkpoint, ModelVersion
from shared.projection.digest import digest
from shared.projection.read_model import Document, ReadModel
from shared.projection.store import Digest, UnwritableError
from shared.projection.workspace import Changes, CollectionChanges, Increments, matches

_CODEC: Final[CodecOptions[Document]] = CodecOptions(tz_aware=True, tzinfo=UTC)


class MemoryProjectionStore:
    """``collections`` holds documents by id, under the collection's full name. Nothing is awaited in a commit."""

    def __init__(self) -> None:
        self.collections: dict[str, dict[Any, Document]] = defaultdict(dict)
        self._checkpoints: dict[ModelVersion, Checkpoint] = {}
        self._live: dict[str, int] = {}

    async def prepare(self, model: ReadModel, of: ModelVersion, *, indexed: bool = True) -> None:
        """There is nothing to make; unique indexes are MongoDB's to enforce."""

    async def checkpoint(self, of: ModelVersion) -> Checkpoint:
        return self._checkpoints.get(of, Checkpoint())

    async def find(self, of: ModelVersion, collection: str, field: str, values: Sequence[Any]) -> list[Document]:
        documents = self.collections[of.collection(collection)]
        if field == "_id":
            return [_copied(documents[key]) for key in values if key in documents]
        return [_copied(one) for one in documents.values() if any(matches(one, field, value) for value in values)]

    async def commit(self, of: ModelVersion, changes: Changes, before: Checkpoint, after: Checkpoint) -> bool:
        if self._checkpoints.get(of, Checkpoint()).revision != before.revision:
            return False
        written = {
            of.collection(name): _changed(self.collections[of.collection(name)], one) for name, one in changes.items()
        }
        self.collections.update(written)
        self._checkpoints[of] = after
        return True

    async def live(self, name: str) -> int:
        return self._live.get(name, 1)

    async def switch(self, old: ModelVersion, before: Checkpoint, after: Checkpoint, version: int) -> bool:
        if self._live.get(old.name, 1) != old.version or not await self.commit(old, {}, before, after):
            return False
        self._live[old.name] = version
        return True

    async def digests(self, model: ReadModel, of: ModelVersion, counted: frozenset[str]) -> dict[str, Digest]:
        return {
            name: digest(self.collections[of.collection(name)].values(), name in counted) for name in model.collections
        }

    async def drop(self, model: ReadModel, of: ModelVersion) -> None:
        for name in model.collections:
            self.collections.pop(of.collection(name), None)
        self._checkpoints.pop(of, None)


def _changed(documents: dict[Any, Document], changes: CollectionChanges) -> dict[Any, Document]:
    """A collection with the changes in it; the old one stays as it is. Raises UnwritableError."""
    kept = documents.copy()
    for field, value in changes.where_deleted:
        kept = {key: document for key, document in kept.items() if not matches(document, field, value)}
    for key in changes.deleted:
        kept.pop(key, None)
    for key, document in changes.put.items():
        kept[key] = _copied(document)
    for key, document in changes.inserted.items():
        if key in kept:
            raise UnwritableError("DuplicateKeyError")
        kept[key] = _copied(document)
    for key, one in changes.sums().items():
        kept[key] = _increased(_copied(kept.get(key, {"_id": key, **one.fixed})), one)
    return kept


def _increased(document: Document, one: Increments) -> Document:
    for path, by in one.sums.items():
        *outer, last = path.split(".")
        place = document
        for step in outer:
            place = place.setdefault(step, {})
        place[last] = place.get(last, 0) + by
    return document


def _copied(document: Document) -> Document:
    try:
        return bson.decode(bson.encode(document), _CODEC)
    except (InvalidDocument, OverflowError, TypeError) as error:
        raise UnwritableError(type(error).__name__) from None
