"""``guanhu audit`` on a real log that somebody has been at."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import MongoClient
from pymongo.database import Database
from typer.testing import CliRunner, Result

from deploy.local import audit
from deploy.local.refusal import CannotRun
from deploy.local.settings import kept_witness_keys, witness_keys
from shared.eventlog.evidence import DatabaseEvidence
from shared.eventlog.mongo import MongoLog
from shared.eventlog.port import Append, StreamAppend
from shared.eventlog.record import Actor, Draft, decode, encode, hash_of
from shared.eventlog.witness import Witness, make_keys, private_key

PARTITIONS = 2
NOW = datetime(2026, 8, 14, tzinfo=UTC)


class World:
    """A log of ten records a partition in MongoDB, witnessed at its end, its services stopped."""

    def __init__(self, mongo_url: str, folder: Path) -> None:
        self.service = f"t{uuid4().hex[:12]}"
        self.mongo_url = mongo_url
        self.folder = folder
        self.private, self.public = folder / "witness.pem", folder / "witness.pub"
        make_keys(self.private, self.public)
        self.client: MongoClient[dict[str, Any]] = MongoClient(mongo_url)
        self.database: Database[dict[str, Any]] = self.client[f"guanhu_{self.service}"]

    async def fill(self) -> None:
        client: AsyncIOMotorClient[Any] = AsyncIOMotorClient(self.mongo_url, tz_aware=True)
        log = MongoLog(client, self.service, PARTITIONS)
        await log.open()
        await asyncio.gather(*(self._append(log, number) for number in range(20)))
        await Witness(log, self.folder / "checkpoints", private_key(self.private)).step()
        await log.close()
        client.close()

    async def _append(self, log: MongoLog, number: int) -> None:
        draft = Draft(f"{self.service}-{number}", "VisitLogged", 1, NOW, Actor("a", "system"), msgspec.Raw(b"{}"))
        stream = StreamAppend(f"child-{number:04x}", 0, (draft,))
        await log.append(Append(number % PARTITIONS, (stream,), f"command-{number}"))

    def audit(self, *options: str) -> Result:
        common = ["verify", "--service", self.service, "--public-key", str(self.public)]
        where = [] if "--dump" in options else ["--mongo-url", self.mongo_url]
        place = ["--checkpoints", str(self.folder / "checkpoints")]
        return CliRunner().invoke(audit.app, [*common, *where, *place, *options])


@pytest.fixture
def world(mongo_url: str, tmp_path: Path) -> Iterator[World]:
    world = World(mongo_url, tmp_path)
    asyncio.run(world.fill())
    yield world
    world.client.drop_database(world.database)
    world.client.close()


def test_an_untouched_log_is_clean(world: World) -> None:
    result = world.audit()
    assert result.exit_code == 0, result.output
    assert result.output.count("none") == PARTITIONS


def _flip(database: Database[dict[str, Any]]) -> None:
    found = database["log"].find_one({"partition": 1, "seq": 4}) or {}
    flipped = found["record"].replace(b'"system"', b'"sistem"')
    database["log"].update_one({"_id": found["_id"]}, {"$set": {"record": flipped}})


def _drop(database: Database[dict[str, Any]]) -> None:
    database["log"].delete_one({"partition": 1, "seq": 4})


def _relabel(database: Database[dict[str, Any]]) -> None:
    database["log"].update_one({"partition": 1, "seq": 4}, {"$set": {"type": "VisitCorrected"}})


def _move_elsewhere(database: Database[dict[str, Any]]) -> None:
    database["log"].update_one({"partition": 1, "seq": 4}, {"$set": {"partition": 7}})


def _cut(database: Database[dict[str, Any]]) -> None:
    database["log"].delete_many({"partition": 1, "seq": {"$gt": 4}})


def _cut_with_head(database: Database[dict[str, Any]]) -> None:
    _cut(database)
    last = database["log"].find_one({"partition": 1, "seq": 4}) or {}
    database["heads"].update_one({"_id": 1}, {"$set": {"seq": 4, "hash": hash_of(last["record"])}})


def _remove_partition(database: Database[dict[str, Any]]) -> None:
    database["log"].delete_many({"partition": 1})
    database["heads"].delete_one({"_id": 1})


def _rewrite(database: Database[dict[str, Any]]) -> None:
    """All of the partition, consistently: chain, columns and head."""
    prev = "0" * 64
    for line in list(database["log"].find({"partition": 1}).sort("seq", 1)):
        record = msgspec.structs.replace(decode(line["record"]), data=msgspec.Raw(b'{"false":1}'), prev=prev)
        database["log"].update_one({"_id": line["_id"]}, {"$set": {"record": encode(record)}})
        prev = hash_of(encode(record))
    database["heads"].update_one({"_id": 1}, {"$set": {"hash": prev}})


@pytest.mark.parametrize(
    ("deed", "finding"),
    [
        (_flip, "record 4 is not what the record after it was chained to"),
        (_drop, "record 4 is missing"),
        (_relabel, "record 4 stands beside columns that say something else: type"),
        (_move_elsewhere, "record 4 stands beside columns that say something else: partition"),
        (_cut, "record 4 is where the log ends, before its head: the head is at 10"),
        (_cut_with_head, "record 10 was witnessed, and the log ends before it"),
        (_remove_partition, "record 10 was witnessed, and the log ends before it"),
        (_rewrite, "record 10 is not what was witnessed"),
    ],
)
def test_what_was_done_by_hand_is_found(
    world: World, deed: Callable[[Database[dict[str, Any]]], None], finding: str
) -> None:
    deed(world.database)
    result = world.audit()
    assert result.exit_code == 1
    assert f"{world.service}/1: {finding}" in result.output


def test_a_checkpoint_file_that_was_changed_is_a_finding(world: World) -> None:
    file = world.folder / "checkpoints" / f"{world.service}.jsonl"
    file.write_text(file.read_text().replace('"seq":10', '"seq":9', 1))
    result = world.audit()
    assert result.exit_code == 1
    assert "lines that the key did not sign: 1" in result.output


def test_what_was_exported_is_verified_without_the_database(world: World) -> None:
    dump = world.folder / "dump"
    done = CliRunner().invoke(
        audit.app, ["export", str(dump), "--service", world.service, "--mongo-url", world.mongo_url]
    )
    assert done.output == f"{world.service}: 20 records\n"
    assert world.audit("--dump", str(dump)).exit_code == 0
    lines = (dump / world.service / "0.jsonl").read_bytes().splitlines(keepends=True)
    (dump / world.service / "0.jsonl").write_bytes(b"".join(lines[:6] + lines[7:]))
    result = world.audit("--dump", str(dump))
    assert result.exit_code == 1
    assert "record 7 is missing" in result.output


async def test_a_log_that_grows_meanwhile_is_clean(mongo_url: str, tmp_path: Path) -> None:
    world = World(mongo_url, tmp_path)
    client: AsyncIOMotorClient[Any] = AsyncIOMotorClient(mongo_url, tz_aware=True)
    log = MongoLog(client, world.service, PARTITIONS)
    await log.open()
    growing = asyncio.create_task(_grow(world, log))
    for _ in range(20):
        assert (await audit.examine(DatabaseEvidence(client), world.service, [])).clean
    growing.cancel()
    await asyncio.gather(growing, return_exceptions=True)
    await log.close()
    await client.drop_database(world.database.name)
    client.close()
    world.client.close()


async def _grow(world: World, log: MongoLog) -> None:
    for number in itertools.count():
        await asyncio.gather(*(world._append(log, 20 * number + more) for more in range(20)))


def test_the_keys_of_the_local_stack_are_made_once(tmp_path: Path) -> None:
    private, public = kept_witness_keys(tmp_path)
    before = private.read_bytes()
    assert kept_witness_keys(tmp_path) == (private, public) == witness_keys(tmp_path)
    assert private.read_bytes() == before
    assert (private.stat().st_mode & 0o777, private.parent) == (0o600, tmp_path / "data")


@pytest.mark.parametrize("arguments", [["--service", "nobody"], ["--mongo-url", "mongodb://127.0.0.1:1"]])
def test_what_cannot_be_read_is_one_line(world: World, arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "MONGO_PATIENCE_MS", 200)
    result = world.audit(*arguments)
    assert isinstance(result.exception, CannotRun)


def test_a_key_of_another_kind_is_one_line(world: World) -> None:
    world.public.write_text("no key")
    assert isinstance(world.audit().exception, CannotRun)
