"""What a group commit does before it meets the database: who may go together, and which bytes they become."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Final, NamedTuple

from shared.eventlog.placement import partition_of
from shared.eventlog.port import Append, Appended, FirstAnswer, Head, RecordTooLarge, StreamAppend
from shared.eventlog.record import GENESIS, MAX_RECORD_BYTES, Draft, Record, encode, hash_of

MAX_EVENTS: Final = 1_000
MAX_BYTES: Final = 8 * 1024 * 1024
REMEMBERED_STREAMS: Final = 200_000

_SURELY_SMALL: Final = MAX_RECORD_BYTES // 2
_LAST_SEQ: Final = 2**44 - 1


@dataclass(eq=False)
class Member:
    """One append that waits for its answer.

    ``planned`` is where it stands if the last transaction it was in was committed after all.
    ``doubtful`` ones are looked up before they are tried again; ``company`` limits with how many they are tried.
    """

    append: Append
    answer: asyncio.Future[Appended]
    since: float = 0.0
    planned: Appended | None = None
    doubtful: bool = False
    company: int = MAX_EVENTS
    events: int = field(init=False)
    size: int = field(init=False)

    def __post_init__(self) -> None:
        drafts = [draft for stream in self.append.streams for draft in stream.drafts]
        self.events = len(drafts)
        self.size = sum(map(weight, drafts))

    def settle(self, outcome: Appended | Exception) -> None:
        """The caller may have gone away meanwhile: then nobody waits for the outcome."""
        if self.answer.done():
            return
        if isinstance(outcome, Exception):
            self.answer.set_exception(outcome)
        else:
            self.answer.set_result(outcome)

    def is_own(self, first: FirstAnswer) -> bool:
        """Whether a first answer is the one of this very append, whose commit was not heard of."""
        return first.appended == self.planned and first.command_mac == self.append.command_mac


class Line(NamedTuple):
    """A record with its bytes, the append it belongs to, and the place of its draft in the command."""

    record: Record
    raw: bytes
    append: Append
    place: int


OnCommit = Callable[[Sequence[Line]], None]
"""Called in the event loop after each commit of a process, with what was committed."""


class Move(NamedTuple):
    """A head before and after."""

    before: Head
    after: Head


class Plan(NamedTuple):
    """What one transaction writes, and what is true once it is committed: all heads, and where each append stands."""

    moves: list[Move]
    lines: list[Line]
    heads: dict[int, Head]
    answers: dict[Member, Appended]


class VersionCache:
    """The versions of streams this process has seen last; the oldest are forgotten first."""

    def __init__(self, size: int = REMEMBERED_STREAMS) -> None:
        self._size = size
        self._versions: dict[str, int] = {}

    def saw(self, versions: Mapping[str, int]) -> None:
        """A stream never gets shorter, so an answer that was long on its way changes nothing."""
        for stream, version in versions.items():
            self._versions[stream] = max(version, self._versions.pop(stream, 0))
        while len(self._versions) > self._size:
            del self._versions[next(iter(self._versions))]

    def fit(self, append: Append) -> bool:
        """Whether each stream is at the version it is expected at, as far as this process has seen.

        A stream nobody has seen may be new: should it exist, the unique index says so.
        """
        return all(self._versions.get(s.stream, 0) == s.expected_version for s in append.streams)


def milliseconds(moment: datetime) -> datetime:
    """MongoDB keeps no more; what stands in the bytes must be the same."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def empty_heads(partitions: int, time: datetime) -> dict[int, Head]:
    return {partition: Head(partition, 0, GENESIS, milliseconds(time)) for partition in range(partitions)}


def examine(service: str, partitions: int, append: Append) -> None:
    """Raises RecordTooLarge, and ValueError for what no caller should ask: it would harm others in its group."""
    streams = [stream.stream for stream in append.streams]
    if not any(stream.drafts for stream in append.streams):
        raise ValueError("an append has at least one event")
    if len(set(streams)) < len(streams):
        raise ValueError("an append names each stream once")
    if any(partition_of(stream, partitions) != append.partition for stream in streams):
        raise ValueError(f"partition {append.partition} is not where these streams live")
    for stream in append.streams:
        for draft in stream.drafts:
            if weight(draft) > _SURELY_SMALL:
                _measure(service, append, stream, draft)


def weight(draft: Draft) -> int:
    """The bytes of a draft's parts that have no limit of their own; the others come out of request headers."""
    return len(bytes(draft.data)) + sum(len(part.ct) for part in draft.sealed)


def _measure(service: str, append: Append, stream: StreamAppend, draft: Draft) -> None:
    """Measures the record as if it stood at the last place of the log, where numbers are longest."""
    head = Head(append.partition, _LAST_SEQ, GENESIS, draft.occurred_at)
    size = len(encode(_record(service, append, head, stream.stream, _LAST_SEQ, draft, draft.occurred_at)))
    if size > MAX_RECORD_BYTES:
        raise RecordTooLarge(stream.stream, size)


def take(waiting: deque[Member]) -> list[Member]:
    """The first that waits, and as many of those behind it as one transaction should hold."""
    group: list[Member] = []
    events = size = 0
    company = MAX_EVENTS
    while waiting:
        member = waiting[0]
        events, size, company = events + member.events, size + member.size, min(company, member.company)
        if group and (events > MAX_EVENTS or size > MAX_BYTES or len(group) >= company):
            break
        group.append(waiting.popleft())
    return group


def independent(members: Sequence[Member]) -> tuple[list[Member], list[Member]]:
    """Those that touch no stream, command id or claim of an earlier one, and the rest, which must wait a turn."""
    chosen: list[Member] = []
    rest: list[Member] = []
    touched = set[tuple[str, str]]()
    for member in members:
        own = _touched_by(member.append)
        (chosen if own.isdisjoint(touched) else rest).append(member)
        touched |= own
    return chosen, rest


def _touched_by(append: Append) -> set[tuple[str, str]]:
    touched = {("stream", stream.stream) for stream in append.streams}
    touched.add(("command", append.command_id))
    touched.update(("claim", claim) for claim in chain(append.claims, append.releases))
    return touched


def plan(service: str, members: Iterable[Member], heads: Mapping[int, Head], now: datetime) -> Plan:
    """Numbers, chains and encodes the drafts of all members on top of ``heads``."""
    now, after = milliseconds(now), dict(heads)
    lines: list[Line] = []
    answers: dict[Member, Appended] = {}
    for member in members:
        head = after[member.append.partition]
        added = _lines(service, member.append, head, max(now, head.time))
        last = added[-1].record
        after[last.partition] = Head(last.partition, last.seq, hash_of(added[-1].raw), last.recorded_at)
        answers[member] = Appended(last.position, {line.record.stream: line.record.version for line in added})
        lines += added
    moves = [Move(heads[p], head) for p, head in after.items() if head is not heads[p]]
    return Plan(moves, lines, after, answers)


def _lines(service: str, append: Append, head: Head, recorded_at: datetime) -> list[Line]:
    lines: list[Line] = []
    for stream in append.streams:
        for version, draft in enumerate(stream.drafts, stream.expected_version + 1):
            record = _record(service, append, head, stream.stream, version, draft, recorded_at)
            raw = encode(record)
            head = Head(head.partition, record.seq, hash_of(raw), recorded_at)
            lines.append(Line(record, raw, append, len(lines)))
    return lines


def _record(
    service: str, append: Append, head: Head, stream: str, version: int, draft: Draft, recorded_at: datetime
) -> Record:
    return Record(
        id=draft.id,
        service=service,
        partition=head.partition,
        seq=head.seq + 1,
        stream=stream,
        version=version,
        type=draft.type,
        schema=draft.schema,
        occurred_at=draft.occurred_at,
        recorded_at=recorded_at,
        actor=draft.actor,
        command_id=append.command_id,
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
