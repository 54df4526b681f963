"""The log of a service in memory, for the simulation and for unit tests; it passes the same contract as MongoDB's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from shared.eventlog.committer import Member, oversized, plan
from shared.eventlog.port import Append, Appended, ClaimTaken, CommandAlreadyDone, FirstAnswer, Head, VersionConflict
from shared.eventlog.record import GENESIS


class MemoryLog:
    """Each append is one step: nothing is awaited between looking and writing."""

    def __init__(
        self, service: str, partitions: int, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.service = service
        self.partitions = partitions
        self._clock = clock
        now = clock()
        self._heads = {p: Head(p, 0, GENESIS, now) for p in range(partitions)}
        self._lines: dict[int, list[bytes]] = {p: [] for p in range(partitions)}
        self._streams: dict[str, list[bytes]] = {}
        self._answers: dict[tuple[int, str], FirstAnswer] = {}
        self._claims: dict[str, str] = {}

    async def append(self, append: Append) -> Appended:
        if refusal := oversized(append) or self._refusal(append):
            raise refusal
        member = Member(append, asyncio.get_running_loop().create_future())
        planned = plan(self.service, [member], self._heads, self._clock())
        for line in planned.lines:
            self._lines[append.partition].append(line.raw)
            self._streams.setdefault(line.record.stream, []).append(line.raw)
        self._heads |= planned.heads
        self._claims = {c: s for c, s in self._claims.items() if c not in append.releases} | dict(append.claims)
        appended = planned.answers[member]
        actor = planned.lines[0].record.actor.id
        key = append.partition, append.command_id
        self._answers[key] = FirstAnswer(append.command_id, append.command_mac, actor, appended)
        return appended

    def _refusal(self, append: Append) -> Exception | None:
        if first := self._answers.get((append.partition, append.command_id)):
            return CommandAlreadyDone(first)
        for stream in append.streams:
            if len(self._streams.get(stream.stream, ())) != stream.expected_version:
                return VersionConflict(stream.stream, stream.expected_version)
        for claim, holder in append.claims.items():
            if self._claims.get(claim, holder) != holder and claim not in append.releases:
                return ClaimTaken(claim)
        return None

    async def load(self, stream: str) -> list[bytes]:
        return list(self._streams.get(stream, ()))

    async def load_many(self, streams: Sequence[str]) -> dict[str, list[bytes]]:
        return {stream: list(self._streams[stream]) for stream in streams if stream in self._streams}

    async def first_answer(self, partition: int, command_id: str) -> FirstAnswer | None:
        return self._answers.get((partition, command_id))

    async def first_answers(self, commands: Sequence[tuple[int, str]]) -> dict[str, FirstAnswer]:
        return {c: self._answers[p, c] for p, c in commands if (p, c) in self._answers}

    async def read(self, partition: int, after: int, limit: int) -> list[bytes]:
        return self._lines[partition][after : after + limit]

    async def heads(self) -> list[Head]:
        now = self._clock()
        return [head._replace(time=max(head.time, now)) for head in self._heads.values()]
