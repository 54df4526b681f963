"""The intake: messages and owners' heads go in, gapless runs and levels go to one sink. It knows no Kafka.

Whatever a topic lost, doubled, shuffled or never got is fetched from the owner of the log.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import StrEnum
from typing import Final, TypeVar

import structlog

from shared.messaging.gapless import Counters, Line, Message
from shared.messaging.owner import Owner
from shared.messaging.run import Level, Mark, Sink, Source

PULSE_SECONDS: Final = 2.0
HEAL_LIMIT: Final = 1_000
MAX_BACKOFF_SECONDS: Final = 10.0

T = TypeVar("T")

_log = structlog.get_logger()


class LogEvent(StrEnum):
    """What this module logs."""

    OWNER_SILENT = "consumer_owner_silent"
    """The owner of a log did not answer: its service and the exception's class. It is asked again, ever more rarely."""

    OWNER_ANSWERS = "consumer_owner_answers"
    """It answers again; what was missed meanwhile is fetched."""


class Door:
    """One owner, and when it may be asked again after it did not answer."""

    def __init__(self, service: str, owner: Owner, pulse: float, clock: Callable[[], float]) -> None:
        self._service = service
        self._owner = owner
        self._pulse = pulse
        self._clock = clock
        self._failures = 0
        self._open_at = clock()

    async def ask(self, question: Callable[[Owner], Awaitable[T]]) -> T | None:
        """Its answer, or None when it does not answer or has not long ago."""
        if self._clock() < self._open_at:
            return None
        try:
            answer = await question(self._owner)
        except Exception as error:
            # Whatever keeps a neighbour from answering must not end this process: it is asked again.
            self._shut(error)
            return None
        if self._failures:
            self._failures = 0
            _log.info(LogEvent.OWNER_ANSWERS, service=self._service)
        return answer

    def _shut(self, error: Exception) -> None:
        if not self._failures:
            _log.warning(LogEvent.OWNER_SILENT, service=self._service, exception=type(error).__name__)
        self._failures += 1
        self._open_at = self._clock() + min(self._pulse * 2 ** (self._failures - 1), MAX_BACKOFF_SECONDS)


class Feed:
    """One partition: its line, whose turn it is, and where it stood when its owner was last asked for heads."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.turn = asyncio.Lock()
        self.stood: int | None = None


class Intake:
    """``owners`` by service, each with partitions 0 to ``partitions - 1``; ``marks`` say how far the sink has come."""

    def __init__(
        self,
        owners: Mapping[str, Owner],
        partitions: int,
        marks: Mapping[Source, Mark],
        sink: Sink,
        *,
        pulse: float = PULSE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.counters = Counters()
        self.feeds: dict[Source, Feed] = {}
        self._sink = sink
        self._pulse = pulse
        self._doors = {service: Door(service, owner, pulse, clock) for service, owner in owners.items()}
        for source in (Source(service, partition) for service in owners for partition in range(partitions)):
            self.feeds[source] = Feed(Line(source, marks.get(source, Mark()), self.counters))

    @property
    def marks(self) -> dict[Source, Mark]:
        """How far each partition has been handed on."""
        return {source: feed.line.mark for source, feed in self.feeds.items()}

    async def offer(self, source: Source, messages: Sequence[Message]) -> None:
        """Returns when the sink has room again. Raises what the sink raises, and BrokenChainError."""
        feed = self.feeds[source]
        async with feed.turn:
            rest = messages
            while rest:
                run, rest = feed.line.follow(rest)
                if run:
                    await self._sink.take(run)
                if rest:
                    rest = await self._explain(feed, rest)

    async def _explain(self, feed: Feed, rest: Sequence[Message]) -> Sequence[Message]:
        """Asks the owner what comes after the mark; what of ``rest`` is still to be looked at."""
        fetched = await self._fetch(feed)
        if fetched:
            return rest
        if fetched is None:
            feed.line.put_off(rest)
        else:
            feed.line.pass_over(rest)
        return ()

    async def _fetch(self, feed: Feed) -> int | None:
        """Hands on the owner's next records: how many, or None when it does not answer."""
        source, after = feed.line.source, feed.line.mark.seq
        raws = await self._doors[source.service].ask(lambda owner: owner.read(source.partition, after, HEAL_LIMIT))
        if raws is None:
            return None
        if run := feed.line.heal(raws):
            await self._sink.take(run)
        return len(raws)

    async def watch(self, service: str) -> None:
        """For ever, every two seconds: the owner's heads, and what Kafka has not brought since the last time."""
        while True:
            await self._look(service)
            await asyncio.sleep(self._pulse)

    async def _look(self, service: str) -> None:
        feeds = {source.partition: feed for source, feed in self.feeds.items() if source.service == service}
        before = {partition: feed.line.mark for partition, feed in feeds.items()}
        heads = await self._doors[service].ask(lambda owner: owner.heads()) or []
        for head in heads:
            if feed := feeds.get(head.partition):
                feed.line.compare(head, before[head.partition])
                await self._sink.level(Level(feed.line.source, head.seq, head.time))
                await self._catch_up(feed, head.seq)

    async def _catch_up(self, feed: Feed, end: int) -> None:
        """Fetches up to ``end`` when nothing has come from Kafka since the heads were asked before."""
        stood, feed.stood = feed.stood, feed.line.mark.seq
        # A feed whose turn is taken is at work, be it slow: a full sink is no reason to ask the owner.
        if stood != feed.line.mark.seq or feed.turn.locked():
            return
        async with feed.turn:
            while feed.line.mark.seq < end and await self._fetch(feed):
                pass
        feed.stood = feed.line.mark.seq
