"""What FastStream and aiokafka do today where it would lose or double something, and what the consumer is built around.

A test that fails after an upgrade says that the library has changed: read the consumer again before adapting it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaPublishMessage, TopicPartition

PARTITIONS = 4


@pytest.fixture
async def topic(kafka_address: str) -> str:
    name = f"t{uuid4().hex[:12]}"
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_address)
    await admin.start()
    await admin.create_topics([NewTopic(name, PARTITIONS, 1)])
    await admin.close()
    return name


@pytest.fixture
async def producer(kafka_address: str) -> AsyncIterator[Any]:
    producer = AIOKafkaProducer(bootstrap_servers=kafka_address)
    await producer.start()
    yield producer
    await producer.stop()


def a_broker(address: str) -> KafkaBroker:
    silent = logging.getLogger("tests.silent")
    silent.propagate = False
    silent.addHandler(logging.NullHandler())
    return KafkaBroker(address, logger=silent, graceful_timeout=None, apply_types=False)


@asynccontextmanager
async def running(broker: KafkaBroker) -> AsyncIterator[None]:
    await broker.start()
    try:
        yield
    finally:
        await broker.stop()


async def eventually(what: Callable[[], Any], seconds: float = 10) -> None:
    ends = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < ends
        await asyncio.sleep(0.01)


def of_one_partition(topic: str) -> dict[str, Any]:
    """A batch subscriber like the consumer's, from the earliest."""
    return {
        "partitions": [TopicPartition(topic, 0, declare=False)],
        "batch": True,
        "auto_offset_reset": "earliest",
        "batch_timeout_ms": 10,
    }


async def test_by_default_a_subscriber_starts_at_the_latest_offset(
    kafka_address: str, topic: str, producer: Any
) -> None:
    await producer.send_and_wait(topic, b'"before"', partition=0)
    broker, got = a_broker(kafka_address), list[Any]()

    async def handle(body: Any) -> None:
        got.append(body)

    broker.subscriber(topic)(handle)
    async with running(broker):
        await asyncio.sleep(0.3)
        await producer.send_and_wait(topic, b'"after"', partition=0)
        await eventually(lambda: "after" in got)
    assert got == ["after"]


async def test_by_default_what_a_handler_raises_loses_the_message(
    kafka_address: str, topic: str, producer: Any
) -> None:
    broker, got = a_broker(kafka_address), list[Any]()

    async def handle(body: Any) -> None:
        got.append(body)
        raise ValueError

    broker.subscriber(partitions=[TopicPartition(topic, 0, declare=False)], auto_offset_reset="earliest")(handle)
    for n in (b"1", b"2"):
        await producer.send_and_wait(topic, n, partition=0)
    async with running(broker):
        await eventually(lambda: 2 in got)
        await asyncio.sleep(0.6)
    assert got == [1, 2]


async def test_a_header_that_is_not_utf8_makes_a_batch_disappear(kafka_address: str, topic: str, producer: Any) -> None:
    broker, got = a_broker(kafka_address), list[Any]()

    async def handle(body: Any) -> None:
        got.extend(body)

    broker.subscriber(**of_one_partition(topic), ack_policy=AckPolicy.MANUAL)(handle)
    batch = producer.create_batch()
    for value, header in ((b"1", b"good"), (b"2", b"\xff\xfe"), (b"3", b"good")):
        batch.append(key=None, value=value, timestamp=None, headers=[("note", header)])
    batch.close()
    await (await producer.send_batch(batch, topic, partition=0))
    async with running(broker):
        await asyncio.sleep(0.3)
        await producer.send_and_wait(topic, b"4", partition=0)
        await eventually(lambda: got)
    assert got == [4]


async def test_under_manual_what_a_handler_raises_is_swallowed_and_nothing_comes_again(
    kafka_address: str, topic: str, producer: Any
) -> None:
    broker, got = a_broker(kafka_address), list[Any]()

    async def handle(body: Any) -> None:
        got.extend(body)
        raise ValueError

    broker.subscriber(**of_one_partition(topic), ack_policy=AckPolicy.MANUAL)(handle)
    await producer.send_and_wait(topic, b"1", partition=0)
    async with running(broker):
        await eventually(lambda: got)
        await producer.send_and_wait(topic, b"2", partition=0)
        await eventually(lambda: 2 in got)
        await asyncio.sleep(0.6)
    assert got == [1, 2]


async def test_under_nack_a_batch_over_several_partitions_comes_again_and_again(
    kafka_address: str, topic: str, producer: Any
) -> None:
    broker, got = a_broker(kafka_address), list[tuple[int, ...]]()
    both = [TopicPartition(topic, partition, declare=False) for partition in (0, 1)]

    async def handle(body: Any) -> None:
        got.append(tuple(sorted(body)))
        raise ValueError

    settings = of_one_partition(topic) | {"partitions": both, "batch_timeout_ms": 300}
    broker.subscriber(**settings, ack_policy=AckPolicy.NACK_ON_ERROR)(handle)
    for partition, n in ((0, b"1"), (0, b"2"), (1, b"3")):
        await producer.send_and_wait(topic, n, partition=partition)
    async with running(broker):
        await eventually(lambda: sum(1 for batch in got if 1 in batch) >= 3)
    for n in (1, 2, 3):
        assert sum(batch.count(n) for batch in got) >= 2


async def test_a_commit_that_fails_is_swallowed(kafka_address: str, topic: str, producer: Any) -> None:
    broker, got = a_broker(kafka_address), list[Any]()

    async def handle(body: Any) -> None:
        got.extend(body)

    # Without a group there is nothing to commit to: aiokafka raises IllegalOperation.
    broker.subscriber(**of_one_partition(topic), group_id=None, ack_policy=AckPolicy.ACK)(handle)
    async with running(broker):
        for n in (1, 2):
            await producer.send_and_wait(topic, str(n).encode(), partition=0)
            await eventually(lambda n=n: n in got)  # type: ignore[misc]


async def test_a_batch_published_without_a_partition_ignores_its_key(
    kafka_address: str, topic: str, producer: Any
) -> None:
    broker, used = a_broker(kafka_address), set[int]()
    async with running(broker):
        for _ in range(30):
            keyed = [KafkaPublishMessage(n, key=b"the same key") for n in (1, 2)]
            metadata = await broker.publish_batch(*keyed, topic=topic)
            used.add(metadata.partition)
    assert len(used) > 1


async def test_assigned_partitions_call_no_listener(kafka_address: str, topic: str, producer: Any) -> None:
    class Listener(ConsumerRebalanceListener):  # type: ignore[misc]
        called = False

        async def on_partitions_assigned(self, assigned: Any) -> None:
            self.called = True

        async def on_partitions_revoked(self, revoked: Any) -> None:
            self.called = True

    broker, got, listener = a_broker(kafka_address), list[Any](), Listener()

    async def handle(body: Any) -> None:
        got.extend(body)

    broker.subscriber(**of_one_partition(topic), listener=listener, ack_policy=AckPolicy.MANUAL)(handle)
    await producer.send_and_wait(topic, b"1", partition=0)
    async with running(broker):
        await eventually(lambda: got)
    assert not listener.called


async def test_a_topic_that_is_missing_is_made_with_one_partition(kafka_address: str) -> None:
    broker, name = a_broker(kafka_address), f"t{uuid4().hex[:12]}"

    async def handle(body: Any) -> None: ...

    broker.subscriber(name)(handle)
    async with running(broker):
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka_address)
        await admin.start()
        [described] = await admin.describe_topics([name])
        await admin.close()
    assert len(described["partitions"]) == 1


async def test_a_handler_at_work_is_cancelled_by_stop_and_not_waited_for(
    kafka_address: str, topic: str, producer: Any
) -> None:
    broker, entered, left = a_broker(kafka_address), asyncio.Event(), asyncio.Event()

    async def handle(body: Any) -> None:
        entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.3)
            left.set()

    subscriber = broker.subscriber(**of_one_partition(topic), ack_policy=AckPolicy.MANUAL)
    subscriber(handle)
    await producer.send_and_wait(topic, b"1", partition=0)
    await broker.start()
    await asyncio.wait_for(entered.wait(), 10)
    at_work = list(subscriber.tasks)
    await broker.stop()
    assert not left.is_set()
    await asyncio.gather(*at_work, return_exceptions=True)
    assert left.is_set()
