"""What a group commit does before it meets the database: who may go together, and which bytes they become."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from shared.eventlog.port import Append, Appended, Head, RecordTooLarge
from shared.eventlog.record import MAX_RECORD_BYTES, Position, Record, encode, hash_of

REMEMBERED_STREAMS: Final = 200_000
_ENVELOPE_BYTES: Final = 2048


@dataclass(eq=False)
class Member:
    """One append that waits for its answer."""

    append: Append
    answer: asyncio.Future[Appended]
    attempts: int = 0

    def settle(self, outcome: Appended | Exception) -> None:
        """The caller may have gone away meanwhile: then nobody waits for the outcome."""
        if self.answer.done():
            return
        if isinstance(outcome, Exception):
            self.answer.set_exception(outcome)
        else:
            self.answer.set_result(outcome)

    @property
    def events(self) -> int:
        return sum(len(stream.drafts) for stream in self.append.streams)


class Line(NamedTuple):
    """A record with its bytes, and the place of its draft in the command."""

    record: Record
    raw: bytes
    member: Member
    place: int


class Plan(NamedTuple):
    """What one transaction writes: the new heads of the partitions it touches, and the records in order."""

    heads: dict[int, Head]
    lines: list[Line]
    answers: dict[Member, Appended]


class VersionCache:
    """The versions of streams this process has seen last; the oldest are forgotten first."""

    def __init__(self, size: int = REMEMBERED_STREAMS) -> None:
        self._size = size
        self._versions: dict[str, int] = {}

    def get(self, stream: str, otherwise: int) -> int:
        return self._versions.get(stream, otherwise)

    def saw(self, stream: str, version: int) -> None:
        self._versions.pop(stream, None)
        self._versions[stream] = version
        if len(self._versions) > self._size:
            del self._versions[next(iter(self._versions))]

    def forget(self, streams: Iterable[str]) -> None:
        for stream in streams:
            self._versions.pop(stream, None)


def independent(members: Sequence[Member]) -> tuple[list[Member], list[Member]]:
    """Those that touch no stream, command id or claim of an earlier one, and the rest, which must wait a turn."""
    chosen: list[Member] = []
    rest: list[Member] = []
    touched = set[str]()
    for member in members:
        append = member.append
        own = {stream.stream for stream in append.streams} | {f"command/{append.partition}/{append.command_id}"}
        own |= {f"claim/{claim}" for claim in (*append.claims, *append.releases)}
        (rest if own & touched else chosen).append(member)
        touched |= own
    return chosen, rest


def plan(service: str, members: Sequence[Member], heads: Mapping[int, Head], now: datetime) -> Plan:
    """Numbers, chains and encodes the drafts of all members on top of ``heads``."""
    moved: dict[int, Head] = {}
    lines: list[Line] = []
    answers: dict[Member, Appended] = {}
    for member in members:
        partition = member.append.partition
        head = moved.get(partition, heads[partition])
        recorded_at, versions, index = max(now, head.time), {}, 0
        for stream in member.append.streams:
            for number, draft in enumerate(stream.drafts, start=stream.expected_version + 1):
                record = Record(
                    id=draft.id,
                    service=service,
                    partition=partition,
                    seq=head.seq + 1,
                    stream=stream.stream,
                    version=number,
                    type=draft.type,
                    schema=draft.schema,
                    occurred_at=draft.occurred_at,
                    recorded_at=recorded_at,
                    actor=draft.actor,
                    command_id=member.append.command_id,
                    data=draft.data,
                    prev=head.hash,
                    sealed=draft.sealed,
                    source=draft.source,
                    device=draft.device,
                    policy_version=draft.policy_version,
                    causation_id=draft.causation_id,
                    correlation_id=draft.correlation_id,
                    traceparent=draft.traceparent,
                )
                raw = encode(record)
                head = Head(partition, record.seq, hash_of(raw), recorded_at)
                lines.append(Line(record, raw, member, index))
                versions[stream.stream] = number
                index += 1
        moved[partition] = head
        answers[member] = Appended(Position(service, partition, head.seq), versions)
    return Plan(moved, lines, answers)


def oversized(append: Append) -> RecordTooLarge | None:
    """The refusal for an append with a record over 256 KiB, by its parts: the envelope adds under 2 KiB."""
    for stream in append.streams:
        for draft in stream.drafts:
            size = len(bytes(draft.data)) + sum(len(part.ct) for part in draft.sealed) + _ENVELOPE_BYTES
            if size > MAX_RECORD_BYTES:
                return RecordTooLarge(stream.stream, size)
    return None
