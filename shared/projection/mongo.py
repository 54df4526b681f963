"""Read models in MongoDB: a batch and its checkpoint in one transaction, written by a thread of its own.

The driver's blocking client works in that thread, so that the next batch is decoded and opened in the event loop while
this one is encoded and written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import DeleteMany, DeleteOne, InsertOne, ReplaceOne, UpdateOne, WriteConcern
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError, OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern

from shared.projection.checkpoint import Checkpoint, ModelVersion
from shared.projection.read_model import Document, ReadModel
from shared.projection.workspace import Changes

_CHUNK: Final = 10_000  # ids in one query

Write = DeleteMany | DeleteOne | InsertOne[Document] | ReplaceOne[Document] | UpdateOne


class StoreUnavailableError(Exception):
    """The transaction did not happen, or it is not known whether it did: read the checkpoint and go on from it."""


class MongoProjectionStore:
    """Collections ``<model>_v<version>_<name>`` and ``checkpoints`` of one database."""

    def __init__(self, client: AsyncIOMotorClient[Any], database: str) -> None:
        self._client = client.delegate
        self._db = client.delegate.get_database(
            database, write_concern=WriteConcern("majority"), read_concern=ReadConcern("majority")
        )
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="projection")

    async def prepare(self, model: ReadModel, of: ModelVersion) -> None:
        await self._in_thread(self._prepare, model, of)

    async def checkpoint(self, of: ModelVersion) -> Checkpoint:
        return Checkpoint.of(await self._in_thread(self._db["checkpoints"].find_one, {"_id": str(of)}))

    async def find(self, of: ModelVersion, collection: str, field: str, values: Sequence[Any]) -> list[Document]:
        found: list[Document] = await self._in_thread(self._find, of.collection(collection), field, values)
        return found

    async def commit(self, of: ModelVersion, changes: Changes, before: Checkpoint, after: Checkpoint) -> bool:
        """Raises StoreUnavailableError."""
        try:
            return bool(await self._in_thread(self._transact, of, changes, before, after))
        except PyMongoError as error:
            raise StoreUnavailableError(type(error).__name__) from error

    def close(self) -> None:
        self._thread.shutdown(wait=True)

    def _prepare(self, model: ReadModel, of: ModelVersion) -> None:
        existing = set(self._db.list_collection_names())
        for name, indexes in model.collections.items():
            # A collection that a transaction is the first to write to would make that transaction fail.
            if (collection := of.collection(name)) not in existing:
                self._db.create_collection(collection)
            for index in indexes:
                self._db[collection].create_index(list(index.keys), unique=index.unique)
        if "checkpoints" not in existing:
            self._db.create_collection("checkpoints")

    def _find(self, collection: str, field: str, values: Sequence[Any]) -> list[Document]:
        found: list[Document] = []
        for start in range(0, len(values), _CHUNK):
            found += self._db[collection].find({field: {"$in": list(values[start : start + _CHUNK])}})
        return found

    def _transact(self, of: ModelVersion, changes: Changes, before: Checkpoint, after: Checkpoint) -> bool:
        with self._client.start_session() as session:
            session.start_transaction(ReadConcern("snapshot"), WriteConcern("majority"))
            if not self._move(of, before, after, session):
                session.abort_transaction()
                return False
            for collection, writes in _writes(of, changes).items():
                self._db[collection].bulk_write(writes, ordered=True, session=session)
            session.commit_transaction()
            return True

    def _move(self, of: ModelVersion, before: Checkpoint, after: Checkpoint, session: ClientSession) -> bool:
        """The compare-and-set, first of all: whoever loses it has written nothing."""
        checkpoints, document = self._db["checkpoints"], {"_id": str(of), **after.document()}
        try:
            if before.revision == 0:
                checkpoints.insert_one(document, session=session)
                return True
            was = {"_id": str(of), "revision": before.revision}
            return bool(checkpoints.replace_one(was, document, session=session).matched_count)
        except DuplicateKeyError:
            return False
        except OperationFailure as error:
            if error.has_error_label("TransientTransactionError") and error.code == 112:  # WriteConflict
                return False
            raise

    async def _in_thread(self, work: Any, *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)


def _writes(of: ModelVersion, changes: Changes) -> dict[str, list[Write]]:
    writes: dict[str, list[Write]] = {}

    def to(name: str) -> list[Write]:
        return writes.setdefault(of.collection(name), [])

    for name, fields in changes.deleted_where.items():
        to(name).extend(DeleteMany({field: value}) for field, value in fields)
    for name, keys in changes.deleted.items():
        to(name).extend(DeleteOne({"_id": key}) for key in keys)
    for name, documents in changes.put.items():
        to(name).extend(ReplaceOne({"_id": key}, document, upsert=True) for key, document in documents.items())
    for name, documents in changes.inserted.items():
        to(name).extend(InsertOne(document) for document in documents.values())
    for name, increments in changes.incremented.items():
        to(name).extend(
            UpdateOne({"_id": key}, {"$inc": one.paths, "$setOnInsert": one.fixed}, upsert=True)
            if one.fixed
            else UpdateOne({"_id": key}, {"$inc": one.paths}, upsert=True)
            for key, one in increments.items()
            if one.paths
        )
    return {collection: of_one for collection, of_one in writes.items() if of_one}
