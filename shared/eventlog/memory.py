"""The log of a service in memory, for the simulation and for unit tests; it passes the same contract as MongoDB's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from datetime import UTC, datetime

from shared.eventlog.group import Member, OnCommit, Plan, empty_heads, examine, milliseconds, plan
from shared.eventlog.port import (
    Append,
    Appended,
    ClaimTaken,
    CommandAlreadyDone,
    FirstAnswer,
    Found,
    Head,
    LogError,
    VersionConflict,
)


class MemoryLog:
    """Each append is one step: nothing is awaited between looking and writing."""

    def __init__(
        self,
        service: str,
        partitions: int,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        on_commit: OnCommit | None = None,
    ) -> None:
        self.service = service
        self.partitions = partitions
        self._clock = clock
        self._on_commit = on_commit
        self._heads = empty_heads(partitions, clock())
        self._lines: dict[int, list[bytes]] = {p: [] for p in range(partitions)}
        self._streams: dict[str, list[bytes]] = {}
        self._answers: dict[tuple[int, str], FirstAnswer] = {}
        self._claims: dict[str, str] = {}

    async def append(self, append: Append) -> Appended:
        examine(self.service, self.partitions, append)
        if refusal := self._refusal(append):
            raise refusal
        member = Member(append, asyncio.get_running_loop().create_future())
        planned = plan(self.service, [member], self._heads, self._clock())
        self._write(append, planned)
        if self._on_commit is not None:
            self._on_commit(planned.lines)
        return self._remember(append, planned, planned.answers[member])

    def _refusal(self, append: Append) -> LogError | None:
        if first := self._answers.get((append.partition, append.command_id)):
            return CommandAlreadyDone(first)
        for stream in append.streams:
            if len(self._streams.get(stream.stream, ())) != stream.expected_version:
                return VersionConflict(stream.stream, stream.expected_version)
        released = self._released_by(append)
        for claim, holder in append.claims.items():
            if claim not in released and self._claims.get(claim, holder) != holder:
                return ClaimTaken(claim)
        return None

    def _released_by(self, append: Append) -> set[str]:
        streams = {stream.stream for stream in append.streams}
        return {claim for claim in append.releases if self._claims.get(claim) in streams}

    def _write(self, append: Append, planned: Plan) -> None:
        for line in planned.lines:
            self._lines[append.partition].append(line.raw)
            self._streams.setdefault(line.record.stream, []).append(line.raw)
        self._heads = planned.heads
        for claim in self._released_by(append):
            del self._claims[claim]
        self._claims |= append.claims

    def _remember(self, append: Append, planned: Plan, appended: Appended) -> Appended:
        actor = planned.lines[-1].record.actor.id
        first = FirstAnswer(append.command_id, append.command_mac, actor, appended)
        self._answers[append.partition, append.command_id] = first
        return appended

    async def load(self, stream: str) -> list[bytes]:
        return list(self._streams.get(stream, ()))

    async def look_up(self, streams: Collection[str], commands: Collection[tuple[int, str]]) -> Found:
        histories = {stream: list(self._streams[stream]) for stream in streams if stream in self._streams}
        return Found(histories, {c: self._answers[p, c] for p, c in commands if (p, c) in self._answers})

    async def read(self, partition: int, after: int, limit: int) -> list[bytes]:
        return self._lines[partition][after : after + limit]

    async def heads(self) -> list[Head]:
        now = milliseconds(self._clock())
        self._heads = {p: head._replace(time=max(head.time, now)) for p, head in self._heads.items()}
        return list(self._heads.values())
