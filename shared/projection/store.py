"""Where read models are kept: their documents, and the checkpoint that moves in the same transaction.

Adapters: ``mongo.MongoProjectionStore``, ``memory.MemoryProjectionStore``; both pass
``tests/contract/test_projection_store.py``.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from shared.projection.checkpoint import Checkpoint, ModelVersion
from shared.projection.read_model import ReadModel
from shared.projection.workspace import Changes, Source


class ProjectionStoreError(Exception):
    """What the store can answer instead of a commit; each holds the name of the driver's class, not its text.

    ProjectionStoreError
      +- StoreUnavailableError  it is not known whether the commit happened: read the checkpoint and go on from it
      +- UnwritableError        the store refuses a document of the batch: the fold is at fault
    """


class StoreUnavailableError(ProjectionStoreError):
    pass


class UnwritableError(ProjectionStoreError):
    pass


class Digest(NamedTuple):
    """A collection in two numbers: its documents, and a sum of their hashes in which order does not count."""

    documents: int
    sum: str


class ProjectionStore(Source, Protocol):
    async def prepare(self, model: ReadModel, of: ModelVersion, *, indexed: bool = True) -> None:
        """Makes the collections and indexes of this version; again and again without harm.

        Without ``indexed`` an index is only made once a fold looks documents up by its first field.
        """

    async def checkpoint(self, of: ModelVersion) -> Checkpoint:
        """The stored one, or the empty one of a read model that has never been written."""

    async def commit(self, of: ModelVersion, changes: Changes, before: Checkpoint, after: Checkpoint) -> bool:
        """All changes and the new checkpoint in one transaction, if the stored checkpoint is still ``before``.

        False, and nothing is written, when another writer was here. Raises StoreUnavailableError, UnwritableError.
        """

    async def live(self, name: str) -> int:
        """The version that answers; 1 until a rebuild has switched it."""

    async def switch(self, old: ModelVersion, before: Checkpoint, after: Checkpoint, version: int) -> bool:
        """``version`` answers from now on, if ``old`` is live and its checkpoint is ``before``; that becomes ``after``.

        False, and nothing is written, otherwise.
        """

    async def digests(self, model: ReadModel, of: ModelVersion, counted: frozenset[str]) -> dict[str, Digest]:
        """Of each collection; in those ``counted``, zeros and documents of nothing but zeros are left out."""

    async def drop(self, model: ReadModel, of: ModelVersion) -> None:
        """Removes the collections and the checkpoint of this version, if they are there."""
