"""Read models in memory, for the simulation and for unit tests."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from shared.projection.checkpoint import Checkpoint, ModelVersion
from shared.projection.read_model import Document, ReadModel
from shared.projection.workspace import Changes, Increment


class MemoryProjectionStore:
    """``collections`` holds documents by id, under the collection's full name."""

    def __init__(self) -> None:
        self.collections: dict[str, dict[Any, Document]] = defaultdict(dict)
        self._checkpoints: dict[ModelVersion, Checkpoint] = {}

    async def prepare(self, model: ReadModel, of: ModelVersion) -> None:
        """There is nothing to make."""

    async def checkpoint(self, of: ModelVersion) -> Checkpoint:
        return self._checkpoints.get(of, Checkpoint())

    async def find(self, of: ModelVersion, collection: str, field: str, values: Sequence[Any]) -> list[Document]:
        documents, wanted = self.collections[of.collection(collection)], set(values)
        return [copy.deepcopy(document) for document in documents.values() if document.get(field) in wanted]

    async def commit(self, of: ModelVersion, changes: Changes, before: Checkpoint, after: Checkpoint) -> bool:
        if self._checkpoints.get(of, Checkpoint()).revision != before.revision:
            return False
        self._write(of, changes)
        self._checkpoints[of] = after
        return True

    def _write(self, of: ModelVersion, changes: Changes) -> None:
        for name, fields in changes.deleted_where.items():
            documents = self.collections[of.collection(name)]
            for field, value in fields:
                for key in [key for key, document in documents.items() if document.get(field) == value]:
                    del documents[key]
        for name, keys in changes.deleted.items():
            for key in keys:
                self.collections[of.collection(name)].pop(key, None)
        for name, documents in (*changes.put.items(), *changes.inserted.items()):
            self.collections[of.collection(name)].update(copy.deepcopy(documents))
        for name, increments in changes.incremented.items():
            for key, increment in increments.items():
                _add(self.collections[of.collection(name)], key, increment)


def _add(documents: dict[Any, Document], key: Any, increment: Increment) -> None:
    if not increment.paths:
        return
    document = documents.setdefault(key, {"_id": key, **increment.fixed})
    for path, by in increment.paths.items():
        *outer, last = path.split(".")
        place = document
        for part in outer:
            place = place.setdefault(part, {})
        place[last] = place.get(last, 0) + by
