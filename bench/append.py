"""The event log alone: events a second with many callers, beside pyeventsourcing on PostgreSQL and SQLite.

All are durable: MongoDB majority and journaled, PostgreSQL and SQLite as their own settings, which are read and shown,
say. Each is measured with as many callers as serve it best; each append is one event of a new stream.
"""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
import uvloop
from motor.motor_asyncio import AsyncIOMotorClient

from bench.generator import aside
from bench.report import Row, percentile
from deploy.local import mongo
from deploy.local.settings import Settings
from shared.eventlog.mongo import MongoLog
from shared.eventlog.placement import new_id, partition_of
from shared.eventlog.port import Append, StreamAppend
from shared.eventlog.record import Actor, Draft
from shared.runtime.memory import collect_rarely

SECONDS: Final = 8.0
PAYLOAD: Final = msgspec.Raw(msgspec.json.encode({"filler": "x" * 330}))
"""Makes a record of about 700 bytes."""
PARTITIONS: Final = 8


async def measure() -> list[Row]:
    """The log, its peers, and how many times their figures it has, each at its best, in one run."""
    async with mongodb() as url:
        rows = await log_rows(url)
    peers = await asyncio.to_thread(peer_rows)
    best = max((row for row in rows if row.unit == "events/s"), key=lambda row: row.figure)
    compared = [Row(f"{best.measure} / {peer.measure}", best.figure / peer.figure, "times", 3) for peer in peers]
    few = rows[0]
    compared += [Row(f"{few.measure} / {peer.measure}", few.figure / peer.figure, "times") for peer in peers]
    return [*rows, *peers, *compared]


@asynccontextmanager
async def mongodb() -> AsyncIterator[str]:
    """A MongoDB of its own, as the local stack starts it."""
    settings = Settings.on_free_ports()
    with tempfile.TemporaryDirectory(prefix="guanhu-bench-") as folder:
        port, home = settings.mongodb_port, Path(folder)
        child = mongo.start(home / "mongodb", port, log=home / "mongodb.log", cache_gb=settings.cache_gb)
        try:
            await mongo.ready(child, port)
            yield mongo.url(port)
        finally:
            child.stop()


async def log_rows(mongo_url: str) -> list[Row]:
    """8 partitions, one process as the services run it, events of 700 B, each append one event of a new stream."""
    rows = []
    for callers, target in ((32, 8_000), (256, 20_000)):
        async with aside() as run:
            rate, latencies = await run(_log_rate, mongo_url, callers)
        p99 = percentile(latencies, 0.99) * 1000
        note = f"majority, journaled; p50 {percentile(latencies, 0.5) * 1000:.1f} ms, p99 {p99:.1f} ms"
        rows.append(Row(f"append, {callers} callers", rate, "events/s", target, note=note))
        if callers == 32:
            rows.append(Row("append, 32 callers, p99", p99, "ms", 15, better="lower"))
    return rows


def _log_rate(mongo_url: str, callers: int) -> tuple[float, list[float]]:
    collect_rarely()
    return uvloop.run(_append_all(mongo_url, callers))


async def _append_all(mongo_url: str, callers: int) -> tuple[float, list[float]]:
    """Events a second, and the seconds each caller waited, sorted."""
    client: AsyncIOMotorClient[Any] = AsyncIOMotorClient(mongo_url, tz_aware=True)
    database = f"bench_{uuid.uuid4().hex[:8]}"
    log = MongoLog(client, "registry", PARTITIONS, database=database)
    await log.open()
    latencies: list[float] = []
    actor = Actor("bench", "system")

    async def caller(until: float) -> None:
        while (begun := time.perf_counter()) < until:
            stream = new_id("child")
            draft = Draft(str(uuid.uuid4()), "Benched", 1, datetime.now(UTC), actor, PAYLOAD)
            append = Append(partition_of(stream, PARTITIONS), (StreamAppend(stream, 0, (draft,)),), uuid.uuid4().hex)
            await log.append(append)
            latencies.append(time.perf_counter() - begun)

    begun = time.perf_counter()
    await asyncio.gather(*(caller(begun + SECONDS) for _ in range(callers)))
    rate = len(latencies) / (time.perf_counter() - begun)
    await log.close()
    await client.drop_database(database)
    client.close()
    return rate, sorted(latencies)


def peer_rows() -> list[Row]:
    """pyeventsourcing's own recorders, called from as many threads as serve each of them best."""
    from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteDatastore

    rows = []
    with tempfile.TemporaryDirectory() as folder:
        store = SQLiteDatastore(f"{folder}/peer.db", pool_size=1, max_overflow=0)
        recorder = SQLiteApplicationRecorder(store)
        recorder.create_table()
        rate = _peer_rate(recorder, threads=1)
        rows.append(Row("pyeventsourcing, SQLite, 1 thread", rate, "events/s", note=_sqlite_settings(store)))
    if shutil.which("psql") and Path("/usr/lib/postgresql").exists():
        with _postgres() as (port, folder):
            from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore

            datastore = PostgresDatastore("postgres", folder, str(port), "postgres", "", pool_size=32, max_overflow=8)
            peer = PostgresApplicationRecorder(datastore, events_table_name="peer_events")
            peer.create_table()
            rate = _peer_rate(peer, threads=32)
            rows.append(
                Row("pyeventsourcing, PostgreSQL, 32 threads", rate, "events/s", note=_postgres_settings(datastore))
            )
            datastore.close()
    return rows


def _sqlite_settings(store: Any) -> str:
    """As the connection that was measured has them."""
    names = ("journal_mode", "synchronous")
    with store.transaction(commit=False) as cursor:
        found = {}
        for name in names:
            cursor.execute(f"PRAGMA {name}")
            found[name] = cursor.fetchone()[0]
    said = {0: "OFF", 1: "NORMAL", 2: "FULL", 3: "EXTRA"}[found["synchronous"]]
    return f"journal_mode={found['journal_mode']}, synchronous={said}"


def _postgres_settings(datastore: Any) -> str:
    names = ("fsync", "synchronous_commit", "full_page_writes")
    with datastore.get_connection() as connection, connection.cursor() as cursor:
        found = {name: next(iter(cursor.execute(f"SHOW {name}").fetchone().values())) for name in names}
    return ", ".join(f"{name}={value}" for name, value in found.items())


def _peer_rate(recorder: Any, threads: int) -> float:
    from eventsourcing.persistence import StoredEvent

    counts = [0] * threads
    until = time.perf_counter() + SECONDS
    state = bytes(PAYLOAD) + b" " * 350

    def work(number: int) -> None:
        while time.perf_counter() < until:
            recorder.insert_events([StoredEvent(uuid.uuid4(), 0, "Benched", state)])
            counts[number] += 1

    workers = [threading.Thread(target=work, args=(n,)) for n in range(threads)]
    begun = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(counts) / (time.perf_counter() - begun)


@contextmanager
def _postgres() -> Iterator[tuple[int, str]]:
    """A PostgreSQL of its own on 127.0.0.1, as the package's user where this runs as root."""
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tempfile.mkdtemp(prefix="guanhu-peer-")
    user: dict[str, Any] = {}
    if os.geteuid() == 0:
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        user = {"user": owner.pw_uid, "group": owner.pw_gid}
    run: Any = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder, **user}
    data = f"{folder}/data"
    subprocess.run([binaries / "initdb", "-D", data, "-U", "postgres", "--auth=trust"], **run)
    options = f"-p {port} -h 127.0.0.1 -k {folder} -c shared_buffers=1GB"
    subprocess.run([binaries / "pg_ctl", "-D", data, "-w", "-o", options, "-l", f"{folder}/log", "start"], **run)
    try:
        yield port, "127.0.0.1"
    finally:
        subprocess.run([binaries / "pg_ctl", "-D", data, "-m", "fast", "stop"], **run)
        shutil.rmtree(folder, ignore_errors=True)
