"""Where an auditor reads a log from: the database itself, or a folder that was exported from it.

A folder holds for each service ``<service>/heads.json`` and ``<service>/<partition>.jsonl``, the records byte for byte,
one a line.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.read_concern import ReadConcern

from shared.eventlog.mongo import place
from shared.eventlog.port import Head
from shared.eventlog.record import GENESIS
from shared.eventlog.verification import Row

CHUNK: Final = 5_000
_COLUMNS: Final = ("partition", "seq", "stream", "version", "type", "command_id")
_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)


class EvidenceError(Exception):
    """There is nothing to read, or it can not be read."""


class Evidence(Protocol):
    async def partitions(self, service: str) -> set[int]:
        """Those that have a head or a record. Raises EvidenceError."""

    async def head(self, service: str, partition: int) -> Head | None: ...

    def rows(self, service: str, partition: int, head: Head | None) -> AsyncIterator[list[Row]]:
        """All records in the order of their seq, in chunks; what was committed after ``head`` may be left out."""


class DatabaseEvidence:
    """``guanhu_<service>`` of each service, with the columns beside each record."""

    def __init__(self, client: AsyncIOMotorClient[dict[str, Any]]) -> None:
        self._client = client

    async def partitions(self, service: str) -> set[int]:
        database = self._database(service)
        found = {*await database["heads"].distinct("_id"), *await database["log"].distinct("partition")}
        if not found:
            raise EvidenceError(f"the database guanhu_{service} has no log")
        return {partition for partition in found if isinstance(partition, int)}

    async def head(self, service: str, partition: int) -> Head | None:
        head = await self._database(service)["heads"].find_one({"_id": partition})
        if head is None:
            return None
        time = head.get("time")
        time = time.replace(tzinfo=UTC) if isinstance(time, datetime) else _LONG_AGO
        return Head(partition, head.get("seq", 0), head.get("hash", GENESIS), time)

    async def rows(self, service: str, partition: int, head: Head | None) -> AsyncIterator[list[Row]]:
        log = self._database(service)["log"]
        begin, end = place(partition, 0), place(partition + 1, 0)
        here = {"$gt": begin, "$lt": end}
        last = await log.find_one({"_id": here}, {"_id": 1}, sort=[("_id", -1)])
        now = await self.head(service, partition)
        if head and now and (last is None or last["_id"] <= place(partition, now.seq)):
            # Whatever comes after the head that was read first was committed meanwhile: the newer head covered it.
            here["$lt"] = place(partition, head.seq) + 1
        cursor = log.find({"_id": here}, dict.fromkeys((*_COLUMNS, "record"), 1)).sort("_id", 1).batch_size(CHUNK)
        while found := await cursor.to_list(CHUNK):
            yield [_row(document, begin) for document in found]

    def _database(self, service: str) -> Any:
        return self._client.get_database(f"guanhu_{service}", read_concern=ReadConcern("majority"))


def _row(document: dict[str, Any], begin: int) -> Row:
    raw = document.get("record")
    columns = {name: document.get(name) for name in _COLUMNS}
    return Row(raw if isinstance(raw, bytes) else b"", columns, document["_id"] - begin)


class FolderEvidence:
    """What ``export`` wrote."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def partitions(self, service: str) -> set[int]:
        found = {int(file.stem) for file in (self._folder / service).glob("*.jsonl") if file.stem.isdecimal()}
        found |= self._heads(service).keys()
        if not found:
            raise EvidenceError(f"{self._folder / service} has no log")
        return found

    async def head(self, service: str, partition: int) -> Head | None:
        return self._heads(service).get(partition)

    async def rows(self, service: str, partition: int, head: Head | None) -> AsyncIterator[list[Row]]:
        file = self._folder / service / f"{partition}.jsonl"
        if not file.exists():
            return
        with file.open("rb") as lines:
            while chunk := lines.readlines(CHUNK * 1_000):
                yield [Row(line.removesuffix(b"\n")) for line in chunk]

    def _heads(self, service: str) -> dict[int, Head]:
        file = self._folder / service / "heads.json"
        try:
            heads = msgspec.json.decode(file.read_bytes(), type=list[Head]) if file.exists() else []
        except msgspec.DecodeError:
            raise EvidenceError(f"{file} is no list of heads") from None
        return {head.partition: head for head in heads}


async def export(evidence: Evidence, service: str, folder: Path) -> int:
    """Writes the folder of one service; the number of records. Raises EvidenceError, FileExistsError."""
    partitions = sorted(await evidence.partitions(service))
    target = folder / service
    target.mkdir(parents=True)
    count, heads = 0, []
    for partition in partitions:
        head = await evidence.head(service, partition)
        if head:
            heads.append(head)
        with (target / f"{partition}.jsonl").open("wb") as output:
            async for rows in evidence.rows(service, partition, head):
                output.writelines(row.raw + b"\n" for row in rows)
                count += len(rows)
    (target / "heads.json").write_bytes(msgspec.json.encode(heads))
    return count
