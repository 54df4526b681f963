"""The log of a service in MongoDB: one database, and one committer per process that writes to it.

Collection ``log`` holds a document for each record, ``heads`` one for each partition, ``claims`` one for each unique
value that is taken, ``committers`` the session of each process that writes, ``meta`` with how many partitions the store
was made. A record's ``_id`` is its partition and seq
in one number: that saves the index on both, a tenth of the time of an append.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pymongo
from bson.codec_options import CodecOptions
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import DeleteOne, MongoClient, ReadPreference, UpdateOne, WriteConcern
from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    DuplicateKeyError,
    OperationFailure,
    PyMongoError,
)
from pymongo.read_concern import ReadConcern

from shared.eventlog.committer import Cause, Committer, Heads, NotCommitted
from shared.eventlog.group import (
    Line,
    Member,
    Move,
    OnCommit,
    Plan,
    VersionCache,
    empty_heads,
    examine,
    milliseconds,
    plan,
)
from shared.eventlog.placement import partition_of
from shared.eventlog.port import (
    Append,
    Appended,
    ClaimTaken,
    CommandAlreadyDone,
    FirstAnswer,
    Found,
    Head,
    LogError,
    LogUnavailableError,
    PartitionsDifferError,
    VersionConflict,
)
from shared.eventlog.record import Position

STORE_VERSION: Final = 1
ATTEMPT_SECONDS: Final = 5.0

_FORGOTTEN_AFTER: Final = timedelta(days=1)
_SEQ_BITS: Final = 44
_NAMESPACE_EXISTS: Final = 48
_NO_SUCH_TRANSACTION: Final = 251
_MAJORITY: Final = WriteConcern("majority", j=True)
_OPTIONS: Final[dict[str, Any]] = {
    "codec_options": CodecOptions(tz_aware=True),
    "read_concern": ReadConcern("majority"),
    "read_preference": ReadPreference.PRIMARY,
    "write_concern": _MAJORITY,
}

Document = dict[str, Any]


class MongoLog:
    """``on_commit`` hears of each commit of this process."""

    def __init__(
        self,
        client: AsyncIOMotorClient[Any],
        service: str,
        partitions: int,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        on_commit: OnCommit | None = None,
        database: str | None = None,
    ) -> None:
        self.service = service
        self.partitions = partitions
        name = database or f"guanhu_{service}"
        self._db = client.get_database(name, **_OPTIONS)
        self._store = _MongoStore(client.delegate, name, service, partitions, clock)
        self._versions = VersionCache()
        self._committer = Committer(self._store, self._versions, on_commit)

    async def open(self) -> None:
        """Makes the store at the first start. Raises PartitionsDifferError, LogUnavailableError."""
        with _unavailable():
            await self._committer.in_thread(self._store.prepare)
        self._committer.start()

    async def close(self) -> None:
        """What waits is committed first; when the store does not answer, that takes some seconds."""
        await self._committer.stop()
        await asyncio.to_thread(self._store.release)

    async def append(self, append: Append) -> Appended:
        """Durable when it returns. Raises any LogError; ValueError for an append that can be in no log."""
        examine(self.service, self.partitions, append)
        return await self._committer.append(append)

    async def load(self, stream: str) -> list[bytes]:
        """Raises LogUnavailableError, like all reads."""
        return (await self.look_up([stream], ())).histories.get(stream, [])

    async def look_up(self, streams: Collection[str], commands: Collection[tuple[int, str]]) -> Found:
        """One query sees each record as one document: with its bytes it shows the command it is of."""
        ways = _any_of("stream", ((partition_of(stream, self.partitions), stream) for stream in streams))
        ways += _any_of("command_id", commands)
        lines = await _all(self._db["log"].find({"$or": ways})) if ways else []
        histories: dict[str, list[bytes]] = {}
        wanted, asked = set(streams), set(commands)
        for line in sorted(lines, key=lambda line: int(line["version"])):
            if line["stream"] in wanted:
                histories.setdefault(line["stream"], []).append(line["record"])
        self._versions.saw({stream: len(records) for stream, records in histories.items()})
        done = (line for line in lines if (line["partition"], line["command_id"]) in asked)
        return Found(histories, {c: first for (_, c), first in _first_answers(self.service, done).items()})

    async def read(self, partition: int, after: int, limit: int) -> list[bytes]:
        places = {"$gt": place(partition, after), "$lt": place(partition + 1, 0)}
        # The partition is named for a cluster that shards on it.
        query = self._db["log"].find({"_id": places, "partition": partition}, {"_id": 0, "record": 1})
        return [line["record"] for line in await _all(query.sort("_id", 1).limit(limit))]

    async def heads(self) -> list[Head]:
        return [_head(found) for found in await _all(self._db["heads"].find().sort("_id", 1))]


class _MongoStore:
    """What the committer asks of MongoDB, through the driver's blocking client."""

    def __init__(
        self, client: MongoClient[Document], name: str, service: str, partitions: int, clock: Callable[[], datetime]
    ) -> None:
        self._client = client
        self._db: Database[Document] = client.get_database(name, **_OPTIONS)
        self._service = service
        self._partitions = partitions
        self._clock = clock
        self._session: ClientSession | None = None

    def prepare(self) -> None:
        """Safe to repeat, and to do in several processes at once."""
        log = self._db["log"]
        log.create_index([("partition", 1), ("stream", 1), ("version", 1)], unique=True)
        log.create_index([("partition", 1), ("command_id", 1), ("command_index", 1)], unique=True)
        self._make_claims()
        self._agree_on_partitions()
        self._end_predecessors()
        for head in empty_heads(self._partitions, self._clock()).values():
            fresh = {"seq": head.seq, "hash": head.hash, "time": head.time}
            with suppress(DuplicateKeyError):
                self._db["heads"].update_one({"_id": head.partition}, {"$setOnInsert": fresh}, upsert=True)

    def _make_claims(self) -> None:
        """A transaction that is the first to write to a collection has to make it, and others conflict with it."""
        try:
            self._db.create_collection("claims", check_exists=False)
        except OperationFailure as refused:
            if refused.code != _NAMESPACE_EXISTS:
                raise

    def _end_predecessors(self) -> None:
        """A killed process has left its transaction open, which would hold the heads for a minute.

        One that is alive after all only has to try again.
        """
        now = self._clock()
        found = [committer["_id"] for committer in self._db["committers"].find()]
        if found:
            self._client.admin.command("killSessions", [{"id": session} for session in found])
        self._db["committers"].delete_many({"since": {"$lt": now - _FORGOTTEN_AFTER}})
        self._db["committers"].insert_one({"_id": self._own_session().session_id["id"], "since": now})

    def _agree_on_partitions(self) -> None:
        meta = {"partitions": self._partitions, "store": STORE_VERSION}
        with suppress(DuplicateKeyError):
            self._db["meta"].insert_one({"_id": "log", **meta, "since": self._clock()})
        found = self._db["meta"].find_one({"_id": "log"}) or {}
        if {name: found.get(name) for name in meta} != meta:
            raise PartitionsDifferError(
                f"the log of {self._service} was made with {found.get('partitions')} partitions in store version "
                f"{found.get('store')}; this process is set to {self._partitions} in version {STORE_VERSION}"
            )

    def commit(self, members: Sequence[Member], heads: Heads | None) -> Plan:
        with _not_committed(), self._transaction() as session:
            if heads is None:
                heads = self._seize({m.append.partition for m in members}, session)
            planned = plan(self._service, members, heads, self._clock())
            self._move(planned.moves, session)
            self._claim([m.append for m in members], session)
            self._db["log"].insert_many(map(_document, planned.lines), session=session)
            for member in members:
                member.planned = planned.answers[member]
            _commit(session)
            return planned

    @contextmanager
    def _transaction(self) -> Iterator[ClientSession]:
        session = self._own_session()
        session.start_transaction(ReadConcern("snapshot"), _MAJORITY)
        try:
            yield session
        finally:
            if session.in_transaction:
                session.abort_transaction()

    def _own_session(self) -> ClientSession:
        """One session for all that is written: whatever it does next ends the transaction that it did before.

        A transaction that a lost line has left open would hold the heads until the server gives it up, for a minute.
        """
        if self._session is None:
            self._session = self._client.start_session(causal_consistency=False)
        return self._session

    def release(self) -> None:
        if self._session is not None:
            with suppress(PyMongoError), pymongo.timeout(ATTEMPT_SECONDS):
                self._db["committers"].delete_one({"_id": self._session.session_id["id"]})
            self._session.end_session()

    def _seize(self, partitions: Iterable[int], session: ClientSession) -> dict[int, Head]:
        """All heads, and no other committer can move those of these partitions until the transaction ends.

        Without that, a committer would lose several times in a row against one that is never idle.
        """
        seized = {"_id": {"$in": list(partitions)}}
        self._db["heads"].update_many(seized, {"$inc": {"seized": 1}}, session=session)
        return self._heads(session)

    def _heads(self, session: ClientSession | None = None) -> dict[int, Head]:
        return {found["_id"]: _head(found) for found in self._db["heads"].find(session=session)}

    def _move(self, moves: Sequence[Move], session: ClientSession) -> None:
        """Not under a time that another process has told already: recorded_at never runs backwards."""
        updates = [
            UpdateOne(
                _stands_at(before) | {"time": {"$lte": after.time}},
                {"$set": {"seq": after.seq, "hash": after.hash, "time": after.time}},
            )
            for before, after in moves
        ]
        if self._db["heads"].bulk_write(updates, session=session).matched_count < len(moves):
            raise NotCommitted(Cause.MOVED, "heads have moved")

    def _claim(self, appends: Sequence[Append], session: ClientSession) -> None:
        changes: list[DeleteOne | UpdateOne] = []
        for append in appends:
            streams = [stream.stream for stream in append.streams]
            changes += [DeleteOne({"_id": claim, "stream": {"$in": streams}}) for claim in append.releases]
            # Held by another stream, it is not found, and cannot be inserted.
            changes += [
                UpdateOne({"_id": claim, "stream": stream}, {"$setOnInsert": {}}, upsert=True)
                for claim, stream in append.claims.items()
            ]
        if changes:
            self._db["claims"].bulk_write(changes, session=session)

    def look_up(self, members: Sequence[Member]) -> dict[Member, LogError]:
        with _not_committed():
            appends = [member.append for member in members]
            first, versions, holders = self._done(appends), self._versions(appends), self._holders(appends)
        found = ((member, _guilt(member.append, first, versions, holders)) for member in members)
        return {member: guilt for member, guilt in found if guilt is not None}

    def _done(self, appends: Sequence[Append]) -> dict[tuple[int, str], FirstAnswer]:
        wanted = {"$or": _any_of("command_id", ((append.partition, append.command_id) for append in appends))}
        return _first_answers(self._service, self._db["log"].find(wanted, {"record": 0}))

    def _versions(self, appends: Sequence[Append]) -> dict[str, int]:
        wanted = {
            "$or": _any_of("stream", ((append.partition, s.stream) for append in appends for s in append.streams))
        }
        highest = {"$group": {"_id": "$stream", "version": {"$max": "$version"}}}
        return {s["_id"]: s["version"] for s in self._db["log"].aggregate([{"$match": wanted}, highest])}

    def _holders(self, appends: Sequence[Append]) -> dict[str, str]:
        """Who holds the claims these want; a claim they give up themselves is free for them."""
        wanted = [claim for append in appends for claim in append.claims]
        if not wanted:
            return {}
        return {claim["_id"]: claim["stream"] for claim in self._db["claims"].find({"_id": {"$in": wanted}})}

    def touch(self, heads: Heads | None) -> dict[int, Head]:
        with _not_committed():
            heads = dict(heads) if heads is not None else self._heads()
            now = milliseconds(self._clock())
            old = [head for head in heads.values() if head.time < now]
            updates = [UpdateOne(_stands_at(head), {"$max": {"time": now}}) for head in old]
            if updates and self._db["heads"].bulk_write(updates, session=self._own_session()).matched_count < len(
                updates
            ):
                return self._heads()
            return heads | {head.partition: head._replace(time=now) for head in old}


def _commit(session: ClientSession) -> None:
    """While it is unknown whether the commit happened, only the commit is repeated, as long as an attempt may last."""
    while True:
        try:
            return session.commit_transaction()
        except PyMongoError as error:
            if not error.has_error_label("UnknownTransactionCommitResult") or error.timeout:
                raise


def _guilt(
    append: Append,
    first: Mapping[tuple[int, str], FirstAnswer],
    versions: Mapping[str, int],
    holders: Mapping[str, str],
) -> LogError | None:
    if answer := first.get((append.partition, append.command_id)):
        return CommandAlreadyDone(answer)
    for stream in append.streams:
        if versions.get(stream.stream, 0) != stream.expected_version:
            return VersionConflict(stream.stream, stream.expected_version)
    streams = {stream.stream for stream in append.streams}
    for claim, taker in append.claims.items():
        holder = holders.get(claim, taker)
        if holder != taker and not (claim in append.releases and holder in streams):
            return ClaimTaken(claim)
    return None


def _any_of(name: str, values: Iterable[tuple[int, str]]) -> list[Document]:
    """Alternatives for (partition, value) pairs: one for each partition, as the indexes begin with it."""
    by_partition: dict[int, list[str]] = {}
    for partition, value in values:
        by_partition.setdefault(partition, []).append(value)
    return [{"partition": partition, name: {"$in": some}} for partition, some in by_partition.items()]


def _first_answers(service: str, lines: Iterable[Document]) -> dict[tuple[int, str], FirstAnswer]:
    """By partition and command id: the same id in two partitions is two commands."""
    commands: dict[tuple[int, str], list[Document]] = {}
    for line in sorted(lines, key=lambda line: int(line["seq"])):
        commands.setdefault((line["partition"], line["command_id"]), []).append(line)
    return {command: _first_answer(service, of_one) for command, of_one in commands.items()}


def _first_answer(service: str, lines: Sequence[Document]) -> FirstAnswer:
    last = lines[-1]
    versions = {line["stream"]: line["version"] for line in lines}
    appended = Appended(Position(service, last["partition"], last["seq"]), versions)
    return FirstAnswer(last["command_id"], last["command_mac"], last["actor"], appended)


def place(partition: int, seq: int) -> int:
    """The ``_id`` of a record, in the order of partition and seq."""
    return partition << _SEQ_BITS | seq


def _document(line: Line) -> Document:
    record, append = line.record, line.append
    return {
        "_id": place(record.partition, record.seq),
        "partition": record.partition,
        "seq": record.seq,
        "stream": record.stream,
        "version": record.version,
        "command_id": record.command_id,
        "command_index": line.place,
        "command_mac": append.command_mac,
        "actor": record.actor.id,
        "type": record.type,
        "recorded_at": record.recorded_at,
        "record": line.raw,
    }


def _head(found: Document) -> Head:
    return Head(found["_id"], found["seq"], found["hash"], found["time"])


def _stands_at(head: Head) -> Document:
    return {"_id": head.partition, "seq": head.seq, "hash": head.hash}


async def _all(cursor: Any) -> list[Document]:
    with _unavailable():
        found: list[Document] = await cursor.to_list(None)
        return found


@contextmanager
def _unavailable() -> Iterator[None]:
    """What the driver says of a server that does not answer in time, in the log's words."""
    try:
        with pymongo.timeout(ATTEMPT_SECONDS):
            yield
    except PyMongoError as error:
        if isinstance(error, ConnectionFailure) or error.timeout:
            raise LogUnavailableError(type(error).__name__) from error
        raise


@contextmanager
def _not_committed() -> Iterator[None]:
    """What the driver says of a transaction that failed, in the committer's words."""
    try:
        with pymongo.timeout(ATTEMPT_SECONDS):
            yield
    except PyMongoError as error:
        raise NotCommitted(_cause(error), type(error).__name__) from error


def _cause(error: PyMongoError) -> Cause:
    if isinstance(error, ConnectionFailure) or error.timeout:
        return Cause.LOST
    if isinstance(error, BulkWriteError | DuplicateKeyError):
        return Cause.REFUSED
    if isinstance(error, OperationFailure) and error.code == _NO_SUCH_TRANSACTION:
        return Cause.LOST  # a restarted server says so, whatever became of the commit
    return Cause.MOVED if error.has_error_label("TransientTransactionError") else Cause.REFUSED
