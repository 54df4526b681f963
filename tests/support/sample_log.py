"""Facts for logs whose content matters to nobody, and a sink that only collects."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime

import msgspec

from shared.eventlog.placement import new_id, partition_of
from shared.eventlog.port import Append, Log, StreamAppend
from shared.eventlog.record import Actor, Draft, Record, decode, encode
from shared.messaging.run import Level, Mark, Run, Source

MOMENT = datetime(2026, 8, 14, 8, 12, tzinfo=UTC)


async def commit(log: Log, count: int, size: int = 0) -> None:
    """Appends ``count`` events, each in a stream of its own; ``size`` is their weight in bytes."""
    for _ in range(count):
        await commit_to(log, new_id("child"), 0, size)


async def commit_to(log: Log, stream: str, version: int, size: int = 0) -> None:
    data = msgspec.Raw(json.dumps({"note": "x" * size}).encode())
    draft = Draft(new_id("event"), "ChildFileClosed", 1, MOMENT, Actor("a", "system"), data)
    await log.append(
        Append(partition_of(stream, log.partitions), (StreamAppend(stream, version, (draft,)),), new_id("command"))
    )


def forged(raw: bytes, **changes: object) -> bytes:
    """A record like this one, with other bytes."""
    return encode(msgspec.structs.replace(decode(raw), **{"type": "Forged", **changes}))


class Collected:
    """A sink that keeps everything, and checks that each run follows on the one before it."""

    def __init__(self) -> None:
        self.records: defaultdict[Source, list[Record]] = defaultdict(list)
        self.marks: dict[Source, Mark] = {}
        self.levels: dict[Source, Level] = {}

    async def take(self, run: Run) -> None:
        before = self.marks.get(run.source)
        assert before is None or (before.seq, before.hash) == (run.after.seq, run.after.hash)
        self.records[run.source] += run.records
        self.marks[run.source] = run.upto

    async def level(self, level: Level) -> None:
        self.levels[level.source] = level

    def seqs(self, source: Source) -> list[int]:
        return [record.seq for record in self.records[source]]

    @property
    def count(self) -> int:
        return sum(map(len, self.records.values()))
