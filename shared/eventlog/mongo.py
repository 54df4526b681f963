"""The log of a service in MongoDB: one database, one committer per process, one transaction per group of appends.

The driver's blocking client works in one thread of the committer's: a transaction is four round trips, and a hop
between threads for each of them would cost more than the round trips.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any, Final

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import ReadPreference, UpdateOne, WriteConcern
from pymongo.client_session import ClientSession
from pymongo.errors import BulkWriteError, ConnectionFailure, DuplicateKeyError, OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern

from shared.eventlog.committer import Line, Member, Plan, VersionCache, independent, oversized, plan
from shared.eventlog.placement import partition_of
from shared.eventlog.port import (
    Append,
    Appended,
    ClaimTaken,
    CommandAlreadyDone,
    FirstAnswer,
    Head,
    LogUnavailableError,
    PartitionsDifferError,
    VersionConflict,
)
from shared.eventlog.record import GENESIS, Position

STORE_VERSION: Final = 1
PATIENCE_SECONDS: Final = 8.0
TOUCH_SECONDS: Final = 2.0
MAX_GROUP_EVENTS: Final = 1_000


class MongoLog:
    """``on_commit`` is called in the event loop after each commit, to wake the relay."""

    def __init__(
        self,
        client: AsyncIOMotorClient[Any],
        service: str,
        partitions: int,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        on_commit: Callable[[], None] | None = None,
        database: str | None = None,
    ) -> None:
        self.service = service
        self.partitions = partitions
        self._clock = clock
        self._on_commit = on_commit
        name = database or f"guanhu_{service}"
        options: dict[str, Any] = {
            "read_concern": ReadConcern("majority"),
            "write_concern": WriteConcern("majority", j=True),
            "read_preference": ReadPreference.PRIMARY,
        }
        self._db = client.get_database(name, **options)
        self._blocking = client.delegate
        self._blocking_db = client.delegate.get_database(name, **options)
        self._queue: asyncio.Queue[Member] = asyncio.Queue()
        self._heads: dict[int, Head] = {}
        self._versions = VersionCache()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"{service}-committer")
        self._task: asyncio.Task[None] | None = None

    # -- opening and closing

    async def open(self) -> None:
        """Makes the store at the first start. Raises PartitionsDifferError, LogUnavailableError."""
        try:
            await self._in_thread(self._prepare)
            self._heads = await self._in_thread(self._read_heads)
        except ConnectionFailure:
            raise LogUnavailableError("MongoDB does not answer") from None
        self._task = asyncio.create_task(self._commit_for_ever(), name=f"{self.service} committer")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        while not self._queue.empty():
            self._queue.get_nowait().settle(LogUnavailableError("the service is stopping"))
        self._thread.shutdown(wait=True)

    def _prepare(self) -> None:
        db = self._blocking_db
        log = db["log"]
        log.create_index([("partition", 1), ("seq", 1)], unique=True)
        log.create_index([("partition", 1), ("stream", 1), ("version", 1)], unique=True)
        log.create_index([("partition", 1), ("command_id", 1), ("command_index", 1)], unique=True)
        # A collection that a transaction is the first to write to would make that transaction wait.
        if "claims" not in db.list_collection_names():
            with suppress(PyMongoError):
                db.create_collection("claims")
        now = self._clock()
        meta = {"partitions": self.partitions, "store": STORE_VERSION}
        with suppress(DuplicateKeyError):
            db["meta"].insert_one({"_id": "log", **meta, "since": now})
        found = db["meta"].find_one({"_id": "log"}) or {}
        if {name: found.get(name) for name in meta} != meta:
            raise PartitionsDifferError(
                f"the log of {self.service} was made with {found.get('partitions')} partitions in store version "
                f"{found.get('store')}; this process is set to {self.partitions} in version {STORE_VERSION}"
            )
        for partition in range(self.partitions):
            with suppress(DuplicateKeyError):
                db["heads"].insert_one({"_id": partition, "seq": 0, "hash": GENESIS, "time": now})

    # -- appending

    async def append(self, append: Append) -> Appended:
        """Durable when it returns. Raises any LogError."""
        member = Member(append, asyncio.get_running_loop().create_future())
        if too_large := oversized(append):
            raise too_large
        self._queue.put_nowait(member)
        return await member.answer

    async def _commit_for_ever(self) -> None:
        while True:
            try:
                first = await asyncio.wait_for(self._queue.get(), TOUCH_SECONDS)
            except TimeoutError:
                with suppress(PyMongoError):
                    await self._in_thread(self._touch)
                continue
            # Whoever was answered by the last commit and goes on at once shall be in this group, not in the next.
            await asyncio.sleep(0)
            members = self._take(first)
            try:
                await self._commit(members)
            except Exception as fault:
                for member in members:
                    member.settle(LogUnavailableError(type(fault).__name__))

    def _take(self, first: Member) -> list[Member]:
        """The first that waits and as many of the others as one transaction should hold."""
        members, events = [first], first.events
        while events < MAX_GROUP_EVENTS and not self._queue.empty():
            members.append(self._queue.get_nowait())
            events += members[-1].events
        return members

    async def _commit(self, members: Sequence[Member]) -> None:
        waiting = list(members)
        while waiting:
            chosen, waiting = independent(waiting)
            await self._commit_independent(chosen)

    async def _commit_independent(self, members: list[Member]) -> None:
        """Commits until every member is settled, or patience ends."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        attempt = 0
        if strangers := [m for m in members if not self._known(m)]:
            members = await self._settle_guilty(members, strangers)
        while members:
            outcome = plan(self.service, members, self._heads, self._now())
            try:
                await self._in_thread(self._transact, outcome, members)
            except Retriable as retriable:
                attempt += 1
                if time.monotonic() > deadline:
                    return _give_up(members, retriable)
                await asyncio.sleep(random.uniform(0, min(0.25, 0.002 * 2**attempt)))
                members = await self._recover(members)
                continue
            self._heads |= outcome.heads
            for member, appended in outcome.answers.items():
                for stream, version in appended.versions.items():
                    self._versions.saw(stream, version)
                member.settle(appended)
            if self._on_commit:
                self._on_commit()
            return None
        return None

    def _known(self, member: Member) -> bool:
        """Whether every stream is at the version the caller expects, as far as this process has seen.

        A stream nobody has seen may be new: should it exist, the unique index says so.
        """
        return all(self._versions.get(s.stream, 0) == s.expected_version for s in member.append.streams)

    async def _recover(self, members: list[Member]) -> list[Member]:
        """After a surprise: the guilty are found by look-up and answered, the heads are read again."""
        try:
            members = await self._settle_guilty(members, members)
            self._heads = await self._in_thread(self._read_heads)
        except PyMongoError:
            pass  # still unreachable: the next attempt says so
        return members

    async def _settle_guilty(self, members: list[Member], suspects: list[Member]) -> list[Member]:
        try:
            found = await self._in_thread(self._look_up, suspects)
        except PyMongoError:
            return members
        for member, refusal in found.items():
            member.settle(refusal)
        return [member for member in members if member not in found]

    def _look_up(self, members: list[Member]) -> dict[Member, Exception]:
        """What is wrong with each member, by what the database holds now."""
        first = self._first_answers([(m.append.partition, m.append.command_id) for m in members])
        versions = self._stream_versions({s.stream for m in members for s in m.append.streams})
        claims = {claim for m in members for claim in m.append.claims}
        held = (
            {c["_id"]: c["stream"] for c in self._blocking_db["claims"].find({"_id": {"$in": list(claims)}})}
            if claims
            else {}
        )
        guilty: dict[Member, Exception] = {}
        for member in members:
            append = member.append
            stale = next((s for s in append.streams if versions.get(s.stream, 0) != s.expected_version), None)
            taken = next((c for c, s in append.claims.items() if held.get(c, s) != s), None)
            if answer := first.get(append.command_id):
                guilty[member] = CommandAlreadyDone(answer)
            elif stale:
                guilty[member] = VersionConflict(stale.stream, stale.expected_version)
            elif taken:
                guilty[member] = ClaimTaken(taken)
        for stream in {s.stream for m in members for s in m.append.streams}:
            self._versions.saw(stream, versions.get(stream, 0))
        return guilty

    def _stream_versions(self, streams: set[str]) -> dict[str, int]:
        matches = [
            {"$match": self._of_streams(streams)},
            {"$group": {"_id": "$stream", "version": {"$max": "$version"}}},
        ]
        return {found["_id"]: found["version"] for found in self._blocking_db["log"].aggregate(matches)}

    def _of_streams(self, streams: set[str] | Sequence[str]) -> dict[str, Any]:
        by_partition: dict[int, list[str]] = {}
        for stream in streams:
            by_partition.setdefault(partition_of(stream, self.partitions), []).append(stream)
        return {"$or": [{"partition": p, "stream": {"$in": names}} for p, names in by_partition.items()]}

    def _transact(self, outcome: Plan, members: Sequence[Member]) -> None:
        """One transaction: the heads by compare-and-set, the records, the claims. Raises Retriable."""
        try:
            with self._blocking.start_session() as session:
                session.start_transaction(ReadConcern("snapshot"), WriteConcern("majority", j=True))
                self._write(session, outcome, members)
                _commit(session)
        except (DuplicateKeyError, BulkWriteError, ConnectionFailure, OperationFailure) as error:
            raise Retriable(error) from error

    def _write(self, session: ClientSession, outcome: Plan, members: Sequence[Member]) -> None:
        db = self._blocking_db
        moves = [
            UpdateOne(
                {"_id": p, "seq": self._heads[p].seq, "hash": self._heads[p].hash},
                {"$set": {"seq": head.seq, "hash": head.hash, "time": head.time}},
            )
            for p, head in outcome.heads.items()
        ]
        if db["heads"].bulk_write(moves, ordered=True, session=session).matched_count != len(moves):
            raise Retriable(None)
        released = [c for m in members for c in m.append.releases]
        if released:
            holders = [s.stream for m in members for s in m.append.streams]
            db["claims"].delete_many({"_id": {"$in": released}, "stream": {"$in": holders}}, session=session)
        claims = [{"_id": c, "stream": s} for m in members for c, s in m.append.claims.items()]
        if claims:
            db["claims"].insert_many(claims, session=session)
        db["log"].insert_many([_document(line) for line in outcome.lines], session=session)

    # -- reading

    async def load(self, stream: str) -> list[bytes]:
        return (await self.load_many([stream])).get(stream, [])

    async def load_many(self, streams: Sequence[str]) -> dict[str, list[bytes]]:
        if not streams:
            return {}
        found: dict[str, list[bytes]] = {}
        versions: dict[str, int] = dict.fromkeys(streams, 0)
        fields = {"_id": 0, "stream": 1, "version": 1, "record": 1}
        query = self._db["log"].find(self._of_streams(streams), fields).sort([("stream", 1), ("version", 1)])
        with unavailable():
            async for line in query:
                found.setdefault(line["stream"], []).append(line["record"])
                versions[line["stream"]] = line["version"]
        for stream, version in versions.items():
            self._versions.saw(stream, version)
        return found

    async def first_answer(self, partition: int, command_id: str) -> FirstAnswer | None:
        return (await self.first_answers([(partition, command_id)])).get(command_id)

    async def first_answers(self, commands: Sequence[tuple[int, str]]) -> dict[str, FirstAnswer]:
        with unavailable():
            return await asyncio.to_thread(self._first_answers, commands)

    def _first_answers(self, commands: Sequence[tuple[int, str]]) -> dict[str, FirstAnswer]:
        by_partition: dict[int, list[str]] = {}
        for partition, command_id in commands:
            by_partition.setdefault(partition, []).append(command_id)
        if not by_partition:
            return {}
        wanted = {"$or": [{"partition": p, "command_id": {"$in": ids}} for p, ids in by_partition.items()]}
        lines: dict[str, list[dict[str, Any]]] = {}
        for line in self._blocking_db["log"].find(wanted, {"record": 0}).sort("seq", 1):
            lines.setdefault(line["command_id"], []).append(line)
        return {command_id: self._answer(of_one) for command_id, of_one in lines.items()}

    def _answer(self, lines: list[dict[str, Any]]) -> FirstAnswer:
        last = lines[-1]
        appended = Appended(
            Position(self.service, last["partition"], last["seq"]), {line["stream"]: line["version"] for line in lines}
        )
        return FirstAnswer(last["command_id"], bytes(last["command_mac"]), last["actor"], appended)

    async def read(self, partition: int, after: int, limit: int) -> list[bytes]:
        query = {"partition": partition, "seq": {"$gt": after}}
        found = self._db["log"].find(query, {"_id": 0, "record": 1}).sort([("partition", 1), ("seq", 1)]).limit(limit)
        with unavailable():
            return [line["record"] for line in await found.to_list(limit)]

    async def heads(self) -> list[Head]:
        with unavailable():
            return list((await asyncio.to_thread(self._read_heads)).values())

    def _read_heads(self) -> dict[int, Head]:
        found = self._blocking_db["heads"].find().sort("_id", 1)
        return {h["_id"]: Head(h["_id"], h["seq"], h["hash"], h["time"].replace(tzinfo=UTC)) for h in found}

    def _touch(self) -> None:
        """Idle heads get the time: whoever has read up to them then knows how fresh that is."""
        now = self._now()
        old = [head for head in self._heads.values() if head.time < now]
        touches = [UpdateOne({"_id": h.partition, "seq": h.seq, "hash": h.hash}, {"$max": {"time": now}}) for h in old]
        if touches and self._blocking_db["heads"].bulk_write(touches).matched_count < len(touches):
            self._heads = self._read_heads()
        else:
            self._heads |= {h.partition: h._replace(time=max(h.time, now)) for h in old}

    def _now(self) -> datetime:
        """MongoDB keeps milliseconds; what stands in the bytes must be the same."""
        now = self._clock()
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    async def _in_thread(self, work: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)


class Retriable(Exception):
    """The transaction did not happen, or may not have: look up what is there and try again."""

    def __init__(self, cause: PyMongoError | None) -> None:
        super().__init__(type(cause).__name__ if cause else "another committer moved the heads")
        self.cause = cause


def _commit(session: ClientSession) -> None:
    """Commits; while it is unknown whether the commit happened, only the commit is repeated."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            session.commit_transaction()
            return
        except PyMongoError as error:
            if not error.has_error_label("UnknownTransactionCommitResult") or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _document(line: Line) -> dict[str, Any]:
    record, append = line.record, line.member.append
    return {
        "_id": record.id,
        "partition": record.partition,
        "seq": record.seq,
        "stream": record.stream,
        "version": record.version,
        "command_id": append.command_id,
        "command_index": line.place,
        "command_mac": append.command_mac,
        "actor": record.actor.id,
        "type": record.type,
        "recorded_at": record.recorded_at,
        "record": line.raw,
    }


def _give_up(members: Sequence[Member], reason: Retriable) -> None:
    for member in members:
        member.settle(LogUnavailableError(str(reason)))


@contextmanager
def unavailable() -> Iterator[None]:
    """What the driver says of a server it cannot reach, in the log's words."""
    try:
        yield
    except (ConnectionFailure, OperationFailure) as error:
        raise LogUnavailableError(type(error).__name__) from None
