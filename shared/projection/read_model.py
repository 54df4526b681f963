"""What a read model is: which events it folds, into which documents.

A fold never touches the database. ``prepare`` names the documents that a batch needs (they are loaded in bulk),
``fold`` changes them in the workspace, one event after the other, and ``finish`` settles what is cheaper once a batch.
The projector then writes all that changed, with the checkpoint, in one transaction.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar, NamedTuple, Protocol

from shared.contracts.event import Event
from shared.contracts.sealed import Kind
from shared.eventlog.record import Record

Document = dict[str, Any]


class Occurred(NamedTuple):
    """An event, opened, with the record it came in."""

    record: Record
    event: Event


class Workspace(Protocol):
    """The documents of one batch, in memory. Collections are named without prefix; ids are any BSON value.

    Whatever was not loaded is treated as absent by ``get``: so ``prepare`` must load what ``fold`` reads.
    """

    async def load(self, collection: str, ids: Iterable[Any]) -> None:
        """Loads these documents in one query; those already here stay as they are."""

    async def load_where(self, collection: str, field: str, values: Iterable[Any]) -> None:
        """Loads all documents whose ``field`` is one of ``values``; those already here stay as they are."""

    def get(self, collection: str, key: Any) -> Document | None: ...

    def documents(self, collection: str) -> Collection[Document]:
        """All documents here, loaded or put."""

    def where(self, collection: str, field: str, value: Any) -> list[Document]:
        """The documents here (loaded or put) whose ``field`` equals ``value``."""

    def put(self, collection: str, document: Document) -> None:
        """Writes the whole document, by its ``_id``. A document changed in place must be put again."""

    def insert(self, collection: str, document: Document) -> None:
        """Adds a document that certainly does not exist yet and is never read back by a fold."""

    def increment(self, collection: str, key: Any, path: str, by: int, fixed: Mapping[str, Any] | None = None) -> None:
        """Adds to a number at a dotted path, creating the document; ``fixed`` are fields set when it is created.

        Increments of one batch to one path are summed in memory; a sum of zero is not written.
        """

    def delete(self, collection: str, key: Any) -> None: ...

    def delete_where(self, collection: str, field: str, value: Any) -> None:
        """Deletes in the database and here; written before the puts and inserts of the same batch."""


class Index(NamedTuple):
    """Fields with their direction, e.g. ``("village", 1)``."""

    keys: tuple[tuple[str, int], ...]
    unique: bool = False


class ReadModel(ABC):
    """One read model: one writer, one checkpoint. Instances may cache what they loaded; ``forget`` drops it."""

    name: ClassVar[str]
    services: ClassVar[tuple[str, ...]]
    events: ClassVar[frozenset[str]]
    """Wire names that are folded; all others are passed over without being opened."""
    opens: ClassVar[frozenset[Kind]]
    collections: ClassVar[Mapping[str, tuple[Index, ...]]]

    @abstractmethod
    async def prepare(self, batch: Sequence[Occurred], work: Workspace) -> None: ...

    @abstractmethod
    def fold(self, occurred: Occurred, work: Workspace) -> None:
        """Raises whatever it wants: the read model stops there and says so."""

    def finish(self, work: Workspace) -> None:  # noqa: B027 - most read models have nothing to settle
        """Called once, after the last event of a batch."""

    def pause(self, written: int) -> timedelta:
        """How long a writer that is level waits after a batch of so many records, so that the next is larger.

        The busier the day, the later an answer may be for the sake of the work that is saved.
        """
        return timedelta()

    def forget(self) -> None:  # noqa: B027 - most read models cache nothing
        """The transaction failed, or another writer was here: drop everything that was cached."""
