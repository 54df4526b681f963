"""Read models in MongoDB: a batch and its checkpoint in one transaction, written by a thread.

The driver's blocking client works in threads, so that the next batch is opened in the event loop while this one is
encoded and written.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC
from typing import Any, Final

from bson.codec_options import CodecOptions
from bson.errors import InvalidDocument
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import DeleteMany, DeleteOne, InsertOne, ReplaceOne, UpdateOne, WriteConcern
from pymongo.client_session import ClientSession
from pymongo.errors import (
    BulkWriteError,
    CollectionInvalid,
    DocumentTooLarge,
    DuplicateKeyError,
    OperationFailure,
    PyMongoError,
    WriteError,
)
from pymongo.read_concern import ReadConcern

from shared.projection.checkpoint import Checkpoint, ModelVersion
from shared.projection.digest import digest
from shared.projection.read_model import Document, Index, ReadModel
from shared.projection.store import Digest, StoreUnavailableError, UnwritableError
from shared.projection.workspace import Changes, CollectionChanges

PATIENCE_SECONDS: Final = 8.0
_CHUNK: Final = 10_000  # ids in one query
_REFUSED: Final = (BulkWriteError, WriteError, DocumentTooLarge, InvalidDocument, OverflowError)
_TOO_LARGE: Final = {225, 257, 10334, 17280}
"""TransactionTooLargeForCache, TransactionTooLarge, BSONObjectTooLarge, KeyTooLong: less in a batch may do."""

_NAMESPACE_EXISTS: Final = 48

Write = DeleteMany | DeleteOne | InsertOne[Document] | ReplaceOne[Document] | UpdateOne
Work = Callable[[ClientSession], bool]


class MongoProjectionStore:
    """Collections ``<model>_v<version>_<name>``, ``checkpoints`` and ``read_models`` of one database."""

    def __init__(self, client: AsyncIOMotorClient[Any], database: str) -> None:
        self._client = client.delegate
        self._db = client.delegate.get_database(
            database,
            codec_options=CodecOptions(tz_aware=True, tzinfo=UTC),
            write_concern=WriteConcern("majority"),
            read_concern=ReadConcern("majority"),
        )
        self._lacking: dict[str, frozenset[Index]] = {}
        """By full name of the collection: indexes that are declared and may not be there yet."""

    async def prepare(self, model: ReadModel, of: ModelVersion, *, indexed: bool = True) -> None:
        await self._in_thread(self._prepare, model, of, indexed)

    async def checkpoint(self, of: ModelVersion) -> Checkpoint:
        return Checkpoint.of(await self._in_thread(self._db["checkpoints"].find_one, {"_id": str(of)}))

    async def find(self, of: ModelVersion, collection: str, field: str, values: Sequence[Any]) -> list[Document]:
        found: list[Document] = await self._in_thread(self._find, of, collection, field, values)
        return found

    async def commit(self, of: ModelVersion, changes: Changes, before: Checkpoint, after: Checkpoint) -> bool:
        return bool(await self._in_thread(self._commit, of, changes, before, after))

    async def live(self, name: str) -> int:
        pointer = await self._in_thread(self._db["read_models"].find_one, {"_id": name})
        return pointer["live"] if pointer else 1

    async def switch(self, old: ModelVersion, before: Checkpoint, after: Checkpoint, version: int) -> bool:
        return bool(await self._in_thread(self._switch, old, before, after, version))

    async def digests(self, model: ReadModel, of: ModelVersion, counted: frozenset[str]) -> dict[str, Digest]:
        return {
            name: await self._in_thread(self._digest, of.collection(name), name in counted)
            for name in model.collections
        }

    async def drop(self, model: ReadModel, of: ModelVersion) -> None:
        await self._in_thread(self._drop, model, of)

    # -- making and removing

    def _prepare(self, model: ReadModel, of: ModelVersion, indexed: bool) -> None:
        # A collection that a transaction is the first to write to would make that transaction wait or fail.
        wanted = {"checkpoints", "read_models", *(of.collection(name) for name in model.collections)}
        for collection in wanted - set(self._db.list_collection_names()):
            self._create(collection)
        for name, indexes in model.collections.items():
            self._lacking[of.collection(name)] = frozenset(indexes)
            if indexed:
                self._index(of.collection(name))

    def _create(self, collection: str) -> None:
        try:
            self._db.create_collection(collection)
        except CollectionInvalid:
            pass
        except OperationFailure as error:
            if error.code != _NAMESPACE_EXISTS:  # another process was faster
                raise

    def _index(self, collection: str, field: str | None = None) -> None:
        """Makes what is lacking, all of it or what begins with the field."""
        lacking = self._lacking.get(collection, frozenset())
        wanted = {index for index in lacking if field is None or index.keys[0][0] == field}
        for index in wanted:
            self._db[collection].create_index(list(index.keys), unique=index.unique)
        if wanted:
            self._lacking[collection] = lacking - wanted

    def _drop(self, model: ReadModel, of: ModelVersion) -> None:
        self._db["checkpoints"].delete_one({"_id": str(of)})
        for name in model.collections:
            self._db[of.collection(name)].drop()

    # -- reading

    def _find(self, of: ModelVersion, name: str, field: str, values: Sequence[Any]) -> list[Document]:
        self._index(of.collection(name), field)
        collection, found = self._db[of.collection(name)], list[Document]()
        for start in range(0, len(values), _CHUNK):
            found += collection.find({field: {"$in": list(values[start : start + _CHUNK])}}, batch_size=_CHUNK)
        return found

    def _digest(self, collection: str, counted: bool) -> Digest:
        return digest(self._db[collection].find(batch_size=1_000), counted)

    # -- writing

    def _commit(self, of: ModelVersion, changes: Changes, before: Checkpoint, after: Checkpoint) -> bool:
        writes = {of.collection(name): _writes(one) for name, one in changes.items()}
        for name, one in changes.items():
            for field, _ in one.where_deleted:  # an index cannot be made within the transaction
                self._index(of.collection(name), field)

        def work(session: ClientSession) -> bool:
            if not self._move(of, before, after, session):
                return False
            for collection, of_one in writes.items():
                if of_one:
                    self._db[collection].bulk_write(of_one, ordered=True, session=session)
            return True

        return self._transact(work)

    def _switch(self, old: ModelVersion, before: Checkpoint, after: Checkpoint, version: int) -> bool:
        pointers = self._db["read_models"]

        def work(session: ClientSession) -> bool:
            if not self._move(old, before, after, session):
                return False
            pointer = pointers.find_one({"_id": old.name}, session=session) or {"live": 1}
            if pointer["live"] != old.version:
                return False
            moved = {"_id": old.name, "live": version, "previous": old.version}
            pointers.replace_one({"_id": old.name}, moved, upsert=True, session=session)
            return True

        return self._transact(work)

    def _move(self, of: ModelVersion, before: Checkpoint, after: Checkpoint, session: ClientSession) -> bool:
        """The compare-and-set, first of all: whoever loses it has written nothing."""
        checkpoints, document = self._db["checkpoints"], {"_id": str(of), **after.document()}
        if before.revision == 0:
            try:
                checkpoints.insert_one(document, session=session)
            except DuplicateKeyError:
                return False
            return True
        was = {"_id": str(of), "revision": before.revision}
        return bool(checkpoints.replace_one(was, document, session=session).matched_count)

    def _transact(self, work: Work) -> bool:
        """Commits what the work has written if it says True; repeats what the server calls transient.

        Repeating is harmless: should an attempt have been committed after all, the next finds the checkpoint moved.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                with self._client.start_session() as session:
                    session.start_transaction(ReadConcern("snapshot"), WriteConcern("majority"))
                    if not work(session):
                        session.abort_transaction()
                        return False
                    _commit(session, deadline)
                    return True
            except PyMongoError as error:
                if not error.has_error_label("TransientTransactionError") or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    async def _in_thread(self, work: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.to_thread(_translated, work, *arguments)


def _translated(work: Callable[..., Any], *arguments: Any) -> Any:
    with _in_our_words():
        return work(*arguments)


@contextmanager
def _in_our_words() -> Iterator[None]:
    try:
        yield
    except (*_REFUSED, PyMongoError) as error:
        raise (UnwritableError if _is_refusal(error) else StoreUnavailableError)(type(error).__name__) from None


def _is_refusal(error: Exception) -> bool:
    if isinstance(error, PyMongoError) and error.has_error_label("TransientTransactionError"):
        return False
    return isinstance(error, _REFUSED) or (isinstance(error, OperationFailure) and error.code in _TOO_LARGE)


def _commit(session: ClientSession, deadline: float) -> None:
    """Commits; while it is unknown whether the commit happened, only the commit is repeated."""
    while True:
        try:
            session.commit_transaction()
            return
        except PyMongoError as error:
            if not error.has_error_label("UnknownTransactionCommitResult") or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _writes(changes: CollectionChanges) -> list[Write]:
    writes: list[Write] = [DeleteMany({field: value}) for field, value in changes.where_deleted]
    writes += [DeleteOne({"_id": key}) for key in changes.deleted]
    absent = changes.put.keys() & changes.absent
    writes += [ReplaceOne({"_id": k}, document, upsert=True) for k, document in changes.put.items() if k not in absent]
    # An insert costs the server half of what a replacement does that finds nothing to replace.
    writes += [InsertOne(changes.put[key]) for key in absent]
    writes += [InsertOne(document) for document in changes.inserted.values()]
    for key, one in changes.sums().items():
        update: dict[str, Any] = {"$inc": one.sums}
        if one.fixed:
            update["$setOnInsert"] = dict(one.fixed)
        writes.append(UpdateOne({"_id": key}, update, upsert=True))
    return writes
