"""Where read models are kept: their documents, and the checkpoint that moves in the same transaction.

Adapters: ``mongo.MongoProjectionStore``, ``memory.MemoryProjectionStore``; both pass
``tests/contract/test_projection_store.py``.
"""

from __future__ import annotations

from typing import Protocol

from shared.projection.checkpoint import Checkpoint, ModelVersion
from shared.projection.read_model import ReadModel
from shared.projection.workspace import Changes, Source


class ProjectionStore(Source, Protocol):
    async def prepare(self, model: ReadModel, of: ModelVersion) -> None:
        """Makes the collections and indexes of this version; again and again without harm."""

    async def checkpoint(self, of: ModelVersion) -> Checkpoint:
        """The stored one, or the empty one of a read model that has never been written."""

    async def commit(self, of: ModelVersion, changes: Changes, before: Checkpoint, after: Checkpoint) -> bool:
        """All changes and the new checkpoint in one transaction, if the stored checkpoint is still ``before``.

        False, and nothing is written, when another writer was here.
        """
