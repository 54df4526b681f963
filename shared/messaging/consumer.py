"""The consumer: the logs of several services, from Kafka and where that fails from their owners, to one sink.

One FastStream batch subscriber with explicitly assigned partitions; no consumer group, no commit. What has been taken
in is known by the marks alone, which the sink stores together with its effect.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

import structlog
from aiokafka.errors import KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage, TopicPartition
from faststream.kafka.subscriber.usecase import BatchSubscriber

from shared.messaging.gapless import Counters, Message
from shared.messaging.intake import MAX_BACKOFF_SECONDS, PULSE_SECONDS, Intake
from shared.messaging.owner import Owner
from shared.messaging.run import Mark, Sink, Source
from shared.messaging.seal import Seal
from shared.messaging.topics import topic_name

MAX_BATCH: Final = 5_000
FETCH_BYTES: Final = 4 * 1024 * 1024
BATCH_TIMEOUT_MS: Final = 10
"""Slept again after an empty poll: 10 gives a lone message 4 ms, 200 up to 171 ms."""

_log = structlog.get_logger()
_quiet = logging.getLogger(__name__)
_quiet.addHandler(logging.NullHandler())


class LogEvent(StrEnum):
    """What this module logs."""

    KAFKA_UNREACHABLE = "consumer_kafka_unreachable"
    """No connection at the start; it is tried again, and the records come from the owners meanwhile."""

    UNREADABLE = "consumer_message_unreadable"
    """A header's name that is no UTF-8: aiokafka can not read on. All topics are read on at their ends, and what lies
    before comes from the owners. Often: find out who else writes to a topic."""


class Consumer:
    """``owners`` by service, each with partitions 0 to ``partitions - 1``; ``marks`` say how far the sink has come.

    With ``seal`` only messages that carry it are looked at; all others are no records, whatever they look like.
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
        seal: Seal | None = None,
        pulse: float = PULSE_SECONDS,
    ) -> None:
        self._kafka_address = kafka_address
        self._seal = seal
        self._pulse = pulse
        self._services = tuple(owners)
        self._intake = Intake(owners, partitions, marks, sink, pulse=pulse)
        self._sources = {(topic_name(source.service), source.partition): source for source in self._intake.feeds}
        self._end: asyncio.Future[None] | None = None

    @property
    def counters(self) -> Counters:
        return self._intake.counters

    @property
    def marks(self) -> dict[Source, Mark]:
        """How far each partition has been handed on."""
        return self._intake.marks

    async def run(self) -> None:
        """Until it is cancelled or stopped. Raises what the sink raises, and BrokenChainError."""
        self._end = end = asyncio.get_running_loop().create_future()
        tasks = [asyncio.create_task(self._intake.watch(service)) for service in self._services]
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
                self._read_on(subscriber.consumer)
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

    def _read_on(self, consumer: Any) -> None:
        """Where aiokafka would meet the same message again and again, for ever, the consumer goes on at the end."""
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

    def _seek(self, consumer: Any) -> None:
        """To the offset hints. Records from before may arrive nevertheless; they are judged by their number."""
        assigned = {(partition.topic, partition.partition): partition for partition in consumer.assignment()}
        marks = self._intake.marks
        for key, source in self._sources.items():
            if (offset := marks[source].offset) is not None:
                consumer.seek(assigned[key], offset)

    async def _receive(self, batch: Sequence[Any]) -> None:
        """FastStream passes over what a handler raises; so the end is told to ``run``, and nothing more is taken."""
        if self._end is None or self._end.done():
            return
        try:
            messages = defaultdict[Source, list[Message]](list)
            for one in batch:
                messages[self._sources[one.topic, one.partition]].append(Message(one.offset, self._genuine(one)))
            for source, those in messages.items():
                await self._intake.offer(source, those)
        except Exception as error:
            self._fail(error)

    def _genuine(self, message: Any) -> bytes:
        """The value, or nothing where the message is not from a service: it is passed over as no record."""
        value: bytes = message.value or b""
        return value if self._seal is None or self._seal.fits(message.headers, value) else b""

    def _fail(self, error: Exception) -> None:
        if self._end is not None and not self._end.done():
            self._end.set_exception(error)


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
