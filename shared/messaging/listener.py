"""The one ear of a process: what the topics bring, decoded once, for all its consumers.

One FastStream batch subscriber with explicitly assigned partitions; no consumer group, no commit. When a consumer
joins, listening begins again from the lowest offset that one of them asks for; what the others have seen they drop.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, Protocol

import structlog
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage, TopicPartition
from faststream.kafka.subscriber.usecase import BatchSubscriber

from shared.messaging.gapless import Message
from shared.messaging.intake import MAX_BACKOFF_SECONDS, PULSE_SECONDS
from shared.messaging.run import Mark, Source
from shared.messaging.seal import Seal
from shared.messaging.topics import topic_name

MAX_BATCH: Final = 5_000
FETCH_BYTES: Final = 4 * 1024 * 1024
BATCH_TIMEOUT_MS: Final = 10
"""Slept again after an empty poll: 10 gives a lone message 4 ms, 200 up to 171 ms."""
HURRIED_MS: Final = 500
"""How long Kafka holds a fetch for which it has nothing."""
UNHURRIED_MS: Final = 200
UNHURRIED_BYTES: Final = 16 * 1024
"""Kafka lets an unhurried listener wait for so much, or so long: at fifty commands a second, nine fetches of ten less.
"""
GATHER_SECONDS: Final = 0.02
"""Consumers that join at the same time, as at the start of a process, are waited for."""

_log = structlog.get_logger()
_quiet = logging.getLogger(__name__)
_quiet.addHandler(logging.NullHandler())


class LogEvent(StrEnum):
    """What this module logs."""

    KAFKA_UNREACHABLE = "consumer_kafka_unreachable"
    """No connection at the start, or it ended: the exception's class. It is tried again, and the records come from the
    owners meanwhile."""

    UNREADABLE = "consumer_message_unreadable"
    """A header's name that is no UTF-8: aiokafka can not read on. All topics are read on at their ends, and what lies
    before comes from the owners. Often: find out who else writes to a topic."""


class Hearer(Protocol):
    """Who listens: ``shared.messaging.consumer.Consumer``."""

    @property
    def marks(self) -> Mapping[Source, Mark]:
        """How far each partition it wants has been taken in; a mark without an offset asks for the whole topic."""

    async def hear(self, messages: Mapping[Source, Sequence[Message]]) -> None:
        """Of any partitions, also of those it does not want. Returns when it has room for more. Never raises."""


class Listener:
    """With ``seal`` only messages that carry it are looked at; all others are no records, whatever they look like.

    ``hurried`` when somebody waits to see the effect of each event.
    """

    def __init__(
        self,
        kafka_address: str,
        *,
        seal: Seal | None = None,
        hurried: bool = True,
        pulse: float = PULSE_SECONDS,
    ) -> None:
        self._kafka_address = kafka_address
        self._seal = seal
        self._hurried = hurried
        self._pulse = pulse
        self._hearers: list[Hearer] = []
        self._joined = asyncio.Event()
        self._listening: asyncio.Task[None] | None = None

    def join(self, hearer: Hearer) -> None:
        self._hearers.append(hearer)
        self._joined.set()
        if self._listening is None:
            self._listening = asyncio.create_task(self._listen())

    async def leave(self, hearer: Hearer) -> None:
        """When it returns and nobody else listens, the connections to Kafka are closed."""
        self._hearers.remove(hearer)
        if not self._hearers and self._listening is not None:
            listening, self._listening = self._listening, None
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    async def _listen(self) -> None:
        failures = 0
        while True:
            await asyncio.sleep(GATHER_SECONDS)
            self._joined.clear()
            try:
                await self._listen_for(_Round(self._hearers, self._seal))
                failures = 0
            except Exception as error:
                # Whatever Kafka or its client does is no reason to end: the records come from the owners.
                _log.warning(LogEvent.KAFKA_UNREACHABLE, exception=type(error).__name__)
                failures += 1
                await asyncio.sleep(min(self._pulse * 2 ** (failures - 1), MAX_BACKOFF_SECONDS))

    async def _listen_for(self, these: _Round) -> None:
        """Until somebody joins. Raises what Kafka's client raises."""
        broker = KafkaBroker(
            self._kafka_address,
            consumer_only=True,
            allow_auto_create_topics=False,
            graceful_timeout=None,
            logger=_quiet,
            log_level=logging.DEBUG,
            apply_types=False,
        )
        subscriber = _subscribe(broker, these.sources, these.receive, hurried=self._hurried)
        try:
            await broker.start()
            _read_on(subscriber.consumer)
            _seek(subscriber.consumer, these.offsets())
            await self._joined.wait()
        finally:
            at_work = list(subscriber.tasks)
            await broker.stop()
            # FastStream cancels what is at work and does not wait until it has ended.
            await asyncio.gather(*at_work, return_exceptions=True)


class _Round:
    """Those for whom it is listened between two joinings, and what they hear."""

    def __init__(self, hearers: Collection[Hearer], seal: Seal | None) -> None:
        self._hearers = tuple(hearers)
        self._seal = seal
        wanted = {source for hearer in hearers for source in hearer.marks}
        self.sources = {(topic_name(source.service), source.partition): source for source in wanted}

    def offsets(self) -> dict[tuple[str, int], int]:
        """Where to begin. Where one hearer has no hint, at the topic's beginning, which is where Kafka begins."""
        offsets = {}
        for place, source in self.sources.items():
            hints = [hearer.marks[source].offset for hearer in self._hearers if source in hearer.marks]
            known = [hint for hint in hints if hint is not None]
            if len(known) == len(hints):
                offsets[place] = min(known)
        return offsets

    async def receive(self, batch: Sequence[Any]) -> None:
        messages = defaultdict[Source, list[Message]](list)
        for one in batch:
            messages[self.sources[one.topic, one.partition]].append(Message.of(one.offset, self._genuine(one)))
        for hearer in self._hearers:
            await hearer.hear(messages)

    def _genuine(self, message: Any) -> bytes:
        """The value, or nothing where the message is not from a service: it is passed over as no record."""
        value: bytes = message.value or b""
        return value if self._seal is None or self._seal.fits(message.headers, value) else b""


def _subscribe(
    broker: KafkaBroker, places: Collection[tuple[str, int]], receive: Callable[[Sequence[Any]], Any], *, hurried: bool
) -> BatchSubscriber:
    subscriber = broker.subscriber(
        partitions=[TopicPartition(topic, partition, declare=False) for topic, partition in places],
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
        fetch_min_bytes=1 if hurried else UNHURRIED_BYTES,
        fetch_max_wait_ms=HURRIED_MS if hurried else UNHURRIED_MS,
    )
    subscriber(receive)
    return subscriber


def _read_on(consumer: Any) -> None:
    """Where aiokafka would meet the same message again and again, for ever, it goes on at the end."""
    poll = consumer.getmany

    async def getmany(**options: Any) -> Mapping[Any, Any]:
        try:
            found: Mapping[Any, Any] = await poll(**options)
        except UnicodeDecodeError:
            _log.warning(LogEvent.UNREADABLE)
            await consumer.seek_to_end()
            return {}
        return found

    consumer.getmany = getmany


def _seek(consumer: Any, offsets: Mapping[tuple[str, int], int]) -> None:
    """Records from before may arrive nevertheless; they are judged by their number."""
    for partition in consumer.assignment():
        if (offset := offsets.get((partition.topic, partition.partition))) is not None:
            consumer.seek(partition, offset)


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
