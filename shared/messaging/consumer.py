"""The consumer: the logs of several services, from Kafka and where that fails from their owners, to one sink.

One FastStream batch subscriber with explicitly assigned partitions; no consumer group, no commit. What has been taken
in is known by the marks alone, which the sink stores together with its effect.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

import structlog
from aiokafka.errors import KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage, TopicPartition
from faststream.kafka.subscriber.usecase import BatchSubscriber

from shared.messaging.gapless import Counters, Line, Message
from shared.messaging.owner import Owner
from shared.messaging.run import Level, Mark, Sink, Source
from shared.messaging.topics import topic_name

PULSE_SECONDS: Final = 2.0
HEAL_LIMIT: Final = 1_000
MAX_BATCH: Final = 5_000
FETCH_BYTES: Final = 4 * 1024 * 1024
BATCH_TIMEOUT_MS: Final = 10
"""Slept again after an empty poll: 10 gives a lone message 4 ms, 200 up to 171 ms."""
MAX_BACKOFF_SECONDS: Final = 10.0

_log = structlog.get_logger()
_quiet = logging.getLogger(__name__)
_quiet.addHandler(logging.NullHandler())


class LogEvent(StrEnum):
    """What this module logs."""

    OWNER_SILENT = "consumer_owner_silent"
    """The owner of a log did not answer: its service and the exception's class. It is asked again, ever more rarely."""

    OWNER_ANSWERS = "consumer_owner_answers"
    """It answers again; what was missed meanwhile is fetched."""

    KAFKA_UNREACHABLE = "consumer_kafka_unreachable"
    """No connection at the start; it is tried again, and the records come from the owners meanwhile."""


class _Door:
    """One owner, and when it may be asked again after it did not answer."""

    def __init__(self, service: str, owner: Owner, pulse: float, clock: Callable[[], float]) -> None:
        self._service = service
        self._owner = owner
        self._pulse = pulse
        self._clock = clock
        self._failures = 0
        self._open_at = clock()

    async def ask(self, question: Callable[[Owner], Any]) -> Any:
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


class _Feed:
    """One partition: its line, whose turn it is, and where it stood when its owner was last asked for heads."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.turn = asyncio.Lock()
        self.stood: int | None = None


class Consumer:
    """``owners`` by service, each with partitions 0 to ``partitions - 1``; ``marks`` say how far the sink has come.

    A consumer runs once: after it has ended, make another one from the marks the sink has stored.
    """

    def __init__(
        self,
        kafka_address: str,
        owners: Mapping[str, Owner],
        partitions: int,
        marks: Mapping[Source, Mark],
        sink: Sink,
        *,
        pulse: float = PULSE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.counters = Counters()
        self._kafka_address = kafka_address
        self._sink = sink
        self._pulse = pulse
        self._doors = {service: _Door(service, owner, pulse, clock) for service, owner in owners.items()}
        self._feeds: dict[Source, _Feed] = {}
        for source in (Source(service, partition) for service in owners for partition in range(partitions)):
            self._feeds[source] = _Feed(Line(source, marks.get(source, Mark()), self.counters))
        self._sources = {(topic_name(source.service), source.partition): source for source in self._feeds}
        self._end: asyncio.Future[None] | None = None

    @property
    def marks(self) -> dict[Source, Mark]:
        """How far each partition has been handed on."""
        return {source: feed.line.mark for source, feed in self._feeds.items()}

    async def run(self) -> None:
        """Until it is cancelled or stopped. Raises what the sink raises, and BrokenChainError."""
        self._end = end = asyncio.get_running_loop().create_future()
        tasks = [asyncio.create_task(self._watch(service)) for service in self._doors]
        tasks.append(asyncio.create_task(self._listen()))
        try:
            await asyncio.wait([end, *tasks], return_when=asyncio.FIRST_COMPLETED)
            for ended in (end, *tasks):
                if ended.done():
                    ended.result()
        finally:
            if not end.done():
                end.cancel()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def stop(self) -> None:
        """Lets ``run`` return."""
        if self._end is not None and not self._end.done():
            self._end.set_result(None)

    async def _listen(self) -> None:
        failures = 0
        while True:
            broker = KafkaBroker(
                self._kafka_address,
                consumer_only=True,
                allow_auto_create_topics=False,
                graceful_timeout=None,
                logger=_quiet,
                log_level=logging.DEBUG,
                apply_types=False,
            )
            subscriber = self._subscribe(broker)
            try:
                await broker.start()
                self._seek(subscriber.consumer)
                await asyncio.Event().wait()
            except KafkaError as error:
                # Kafka being away is no reason to end: the records come from the owners.
                _log.warning(LogEvent.KAFKA_UNREACHABLE, exception=type(error).__name__)
            finally:
                at_work = list(subscriber.tasks)
                await broker.stop()
                # FastStream cancels what is at work and does not wait for it to leave the sink.
                await asyncio.gather(*at_work, return_exceptions=True)
            failures += 1
            await asyncio.sleep(min(self._pulse * 2 ** (failures - 1), MAX_BACKOFF_SECONDS))

    def _subscribe(self, broker: KafkaBroker) -> BatchSubscriber:
        subscriber = broker.subscriber(
            partitions=[TopicPartition(topic, partition, declare=False) for topic, partition in self._sources],
            batch=True,
            group_id=None,
            ack_policy=AckPolicy.MANUAL,
            auto_offset_reset="earliest",
            batch_timeout_ms=BATCH_TIMEOUT_MS,
            max_records=MAX_BATCH,
            max_partition_fetch_bytes=FETCH_BYTES,
            fetch_max_bytes=4 * FETCH_BYTES,
            parser=_unparsed,
            decoder=_undecoded,
            no_reply=True,
        )
        subscriber(self._receive)
        return subscriber

    def _seek(self, consumer: Any) -> None:
        """To the offset hints. Records from before may arrive nevertheless; they are judged by their number."""
        assigned = {(partition.topic, partition.partition): partition for partition in consumer.assignment()}
        for key, source in self._sources.items():
            if (offset := self._feeds[source].line.mark.offset) is not None:
                consumer.seek(assigned[key], offset)

    async def _receive(self, batch: Sequence[Any]) -> None:
        """FastStream passes over what a handler raises; so the end is told to ``run``, and nothing more is taken."""
        if self._end is None or self._end.done():
            return
        messages = defaultdict[Source, list[Message]](list)
        for one in batch:
            messages[self._sources[one.topic, one.partition]].append(Message(one.offset, one.value or b""))
        try:
            for source, those in messages.items():
                await self._offer(self._feeds[source], those)
        except Exception as error:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        if self._end is not None and not self._end.done():
            self._end.set_exception(error)

    async def _offer(self, feed: _Feed, messages: Sequence[Message]) -> None:
        async with feed.turn:
            rest = messages
            while rest:
                run, rest = feed.line.follow(rest)
                if run:
                    await self._sink.take(run)
                if rest:
                    rest = await self._explain(feed, rest)

    async def _explain(self, feed: _Feed, rest: Sequence[Message]) -> Sequence[Message]:
        """Asks the owner what comes after the mark; what of ``rest`` is still to be looked at."""
        fetched = await self._fetch(feed)
        if fetched:
            return rest
        if fetched is None:
            feed.line.put_off(rest)
        else:
            feed.line.pass_over(rest)
        return ()

    async def _fetch(self, feed: _Feed) -> int | None:
        """Hands on the owner's next records: how many, or None when it does not answer."""
        source, after = feed.line.source, feed.line.mark.seq
        raws = await self._doors[source.service].ask(lambda owner: owner.read(source.partition, after, HEAL_LIMIT))
        if raws is None:
            return None
        if run := feed.line.heal(raws):
            await self._sink.take(run)
        return len(raws)

    async def _watch(self, service: str) -> None:
        """Every two seconds: the owner's heads, and what Kafka has not brought since the last time."""
        while True:
            await self._look(service)
            await asyncio.sleep(self._pulse)

    async def _look(self, service: str) -> None:
        feeds = {source.partition: feed for source, feed in self._feeds.items() if source.service == service}
        before = {partition: feed.line.mark for partition, feed in feeds.items()}
        heads = await self._doors[service].ask(lambda owner: owner.heads()) or []
        for head in heads:
            if feed := feeds.get(head.partition):
                feed.line.compare(head, before[head.partition])
                await self._sink.level(Level(feed.line.source, head.seq, head.time))
                await self._catch_up(feed, head.seq)

    async def _catch_up(self, feed: _Feed, end: int) -> None:
        """Fetches up to ``end`` when nothing has come from Kafka since the heads were asked before."""
        stood, feed.stood = feed.stood, feed.line.mark.seq
        # A feed whose turn is taken is at work, be it slow: a full sink is no reason to ask the owner.
        if stood != feed.line.mark.seq or feed.turn.locked():
            return
        async with feed.turn:
            while feed.line.mark.seq < end and await self._fetch(feed):
                pass
        feed.stood = feed.line.mark.seq


async def _unparsed(batch: Sequence[Any]) -> KafkaMessage:
    """Headers are not read: one that is not UTF-8 would make FastStream lose the whole batch."""
    return KafkaMessage(body=b"", raw_message=tuple(batch), consumer=_NOBODY)


async def _undecoded(message: KafkaMessage) -> Any:
    return message.raw_message


class _Nobody:
    """Nothing is committed and nothing sought through a message."""

    async def commit(self) -> None: ...

    def seek(self, partition: Any, offset: int) -> None: ...


_NOBODY = _Nobody()
