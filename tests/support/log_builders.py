"""Appends of small facts that mean nothing: for tests of the log itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import msgspec

from shared.eventlog.placement import new_id, partition_of
from shared.eventlog.port import Append, Log, StreamAppend
from shared.eventlog.record import GENESIS, Actor, Draft, Record, decode, hash_of

PARTITIONS = 4
TOLD = datetime(2026, 8, 14, 8, 12, tzinfo=UTC)


def a_draft(size: int = 20, **changes: Any) -> Draft:
    """``size`` is how many bytes of text it carries."""
    fields: dict[str, Any] = {
        "id": str(uuid4()),
        "type": "ChildFileClosed",
        "schema": 1,
        "occurred_at": TOLD,
        "actor": Actor("person-1", "child_director", "520303105201"),
        "data": msgspec.Raw(msgspec.json.encode({"reason": "x" * size})),
    }
    return Draft(**fields | changes)


def a_stream(partition: int = 1) -> str:
    """The id of a new stream in this partition."""
    while partition_of(stream := new_id("child"), PARTITIONS) != partition:
        pass
    return stream


def to(stream: str, expected_version: int = 0, events: int = 1, size: int = 20) -> StreamAppend:
    return StreamAppend(stream, expected_version, tuple(a_draft(size) for _ in range(events)))


def an_append(
    *streams: StreamAppend,
    command: str | None = None,
    mac: bytes = b"mac",
    claims: Mapping[str, str] | None = None,
    releases: Sequence[str] = (),
) -> Append:
    partition = partition_of(streams[0].stream, PARTITIONS)
    return Append(partition, streams, command or str(uuid4()), mac, claims or {}, tuple(releases))


async def records_of(log: Log, partition: int) -> list[Record]:
    """The whole partition, having checked that its numbers have no hole and each record names the one before."""
    before, records = GENESIS, []
    while raw := await log.read(partition, len(records), 500):
        for one in raw:
            records.append(decode(one))
            assert records[-1].prev == before
            assert records[-1].seq == len(records)
            before = hash_of(one)
    head = (await log.heads())[partition]
    assert (head.seq, head.hash) == (len(records), before)
    return records
