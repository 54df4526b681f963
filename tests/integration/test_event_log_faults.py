"""The log while its MongoDB is killed, steps down or loses an answer: nothing acknowledged is lost, nothing doubled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.errors import PyMongoError

from deploy.local import mongo
from deploy.local.child import Child
from deploy.local.port import free_port
from shared.eventlog import committer
from shared.eventlog.mongo import MongoLog
from shared.eventlog.port import Append, CommandAlreadyDone, LogUnavailableError
from tests.support.log_builders import PARTITIONS, a_stream, an_append, records_of, to


class OwnMongo:
    """A server of this test's own, which may be killed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._child: Child | None = None

    async def start(self) -> None:
        self._child = mongo.start(
            self.folder / "db", self.port, log=self.folder / "mongod.log", cache_gb=0.25, oplog_mb=64
        )
        await mongo.ready(self._child, self.port)

    def kill(self) -> None:
        assert self._child is not None
        self._child.stop(grace=0.0)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[OwnMongo]:
    server = OwnMongo(tmp_path)
    await server.start()
    yield server
    server.kill()


@asynccontextmanager
async def log_at(url: str, database: str) -> AsyncIterator[MongoLog]:
    client: AsyncIOMotorClient[Any] = AsyncIOMotorClient(url, serverSelectionTimeoutMS=1_000)
    log = MongoLog(client, "registry", PARTITIONS, database=database)
    await log.open()
    try:
        yield log
    finally:
        await log.close()
        await asyncio.to_thread(client.close)  # it talks to the server, which may be in this event loop


class Callers:
    """Append without pause, and repeat what was answered 503 under the same command id until it is done."""

    def __init__(self, log: MongoLog, count: int) -> None:
        self._log = log
        self._stop = asyncio.Event()
        self._progress = asyncio.Event()
        self._tasks = [asyncio.create_task(self._work(n)) for n in range(count)]
        self.done: list[str] = []

    async def _work(self, n: int) -> None:
        while not self._stop.is_set():
            append = an_append(to(a_stream(n % PARTITIONS)))
            while not await self._done(append):
                pass
            self.done.append(append.command_id)
            self._progress.set()

    async def _done(self, append: Append) -> bool:
        try:
            await self._log.append(append)
        except CommandAlreadyDone:
            return True
        except LogUnavailableError:
            await asyncio.sleep(0.05)
            return False
        return True

    async def until(self, count: int) -> None:
        async with asyncio.timeout(40):
            while len(self.done) < count:
                self._progress.clear()
                await self._progress.wait()

    async def stop(self) -> None:
        self._stop.set()
        await asyncio.gather(*self._tasks)


async def nothing_lost_or_doubled(log: MongoLog, callers: Callers) -> None:
    records = [record for partition in range(PARTITIONS) for record in await records_of(log, partition)]
    assert sorted(record.command_id for record in records) == sorted(callers.done)


async def test_a_killed_server_costs_nothing_that_was_acknowledged(server: OwnMongo) -> None:
    async with log_at(mongo.url(server.port), "log") as log:
        callers = Callers(log, 16)
        for _ in range(2):
            await callers.until(len(callers.done) + 200)
            await asyncio.to_thread(server.kill)
            await server.start()
        await callers.until(len(callers.done) + 200)
        await callers.stop()
        await nothing_lost_or_doubled(log, callers)


async def test_a_server_that_stays_away_is_answered_as_unavailable(
    server: OwnMongo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(committer, "PATIENCE_SECONDS", 1.0)
    async with log_at(mongo.url(server.port), "log") as log:
        await log.append(an_append(to(a_stream())))
        await asyncio.to_thread(server.kill)
        appends = [an_append(to(a_stream(n % PARTITIONS))) for n in range(8)]
        async with asyncio.timeout(60):
            answers = await asyncio.gather(*map(log.append, appends), log.heads(), return_exceptions=True)
        assert {type(answer) for answer in answers} == {LogUnavailableError}
        await server.start()
        async with asyncio.timeout(60):
            assert [(await log.append(append)).position.partition for append in appends] == [0, 1, 2, 3] * 2


async def test_a_primary_that_steps_down_costs_nothing_that_was_acknowledged(server: OwnMongo) -> None:
    admin: AsyncIOMotorClient[Any] = AsyncIOMotorClient(mongo.url(server.port))
    async with log_at(mongo.url(server.port), "log") as log:
        callers = Callers(log, 16)
        await callers.until(200)
        with suppress(PyMongoError):  # it closes this connection too
            await admin.admin.command({"replSetStepDown": 1, "force": True})
        await callers.until(len(callers.done) + 200)
        await callers.stop()
        await nothing_lost_or_doubled(log, callers)
    admin.close()


class DeafProxy:
    """Stands before a server. The answers to the next ``deaf`` commits are dropped, and their lines are cut."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._lines = set[asyncio.Task[None]]()
        self.deaf = 0
        self.dropped = 0

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[int]:
        door = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        yield door.sockets[0].getsockname()[1]
        door.close()
        await asyncio.gather(*self._lines)

    async def _serve(self, asks: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        line = asyncio.current_task()
        assert line is not None
        self._lines.add(line)
        answers, server = await asyncio.open_connection("127.0.0.1", self._port)
        cut = asyncio.Event()
        with suppress(ConnectionError):
            await asyncio.gather(self._up(asks, server, cut), self._down(answers, back, cut))

    async def _up(self, asks: asyncio.StreamReader, server: asyncio.StreamWriter, cut: asyncio.Event) -> None:
        while some := await asks.read(1 << 20):
            if self.deaf and b"commitTransaction" in some:
                self.deaf -= 1
                cut.set()
            server.write(some)
        server.close()

    async def _down(self, answers: asyncio.StreamReader, back: asyncio.StreamWriter, cut: asyncio.Event) -> None:
        while some := await answers.read(1 << 20):
            if cut.is_set():
                self.dropped += 1
                break
            back.write(some)
        back.close()


async def test_a_commit_whose_answer_is_lost_has_happened_once(mongo_url: str) -> None:
    port = int(mongo_url.split(":")[2].split("/")[0])
    proxy, database = DeafProxy(port), f"log_{uuid4().hex}"
    async with proxy.listening() as door, log_at(f"mongodb://127.0.0.1:{door}/?directConnection=true", database) as log:
        await log.append(an_append(to(a_stream())))
        proxy.deaf = 3
        appends = [an_append(to(a_stream(n % PARTITIONS))) for n in range(12)]
        async with asyncio.timeout(20):
            answers = await asyncio.gather(*map(log.append, appends))
        assert proxy.dropped >= 1
        assert len({answer.position for answer in answers}) == 12
        assert sum([len(await records_of(log, partition)) for partition in range(PARTITIONS)]) == 13
    cleaner: AsyncIOMotorClient[Any] = AsyncIOMotorClient(mongo_url)
    await cleaner.drop_database(database)
    cleaner.close()
