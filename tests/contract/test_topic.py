"""What every topic promises to the relay."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.eventlog.topic import Fault, MemoryTopic, Message, Topic, TopicUnavailableError
from shared.messaging.kafka_topic import KafkaTopic
from shared.messaging.topics import ensure_topic, topic_name

PARTITIONS = 3

Stored = Callable[[int, int], Awaitable[list[Message]]]
"""The first messages of a partition: how many are expected."""


class Bench:
    """A topic under test, and how to look into it."""

    def __init__(self, topic: Topic, service: str, stored: Stored) -> None:
        self.topic = topic
        self.service = service
        self.stored = stored


@pytest.fixture(params=["memory", "kafka"])
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    service = f"t{uuid4().hex[:12]}"
    if request.param == "memory":
        memory = MemoryTopic()

        async def held(partition: int, count: int) -> list[Message]:
            return memory.stored[service, partition][:count]

        yield Bench(memory, service, held)
        return
    address = request.getfixturevalue("kafka_address")
    await ensure_topic(address, service, PARTITIONS)
    topic = KafkaTopic(address)

    async def fetched(partition: int, count: int) -> list[Message]:
        return await fetch(address, service, partition, count)

    yield Bench(topic, service, fetched)
    await topic.close()


async def fetch(address: str, service: str, partition: int, count: int) -> list[Message]:
    consumer = AIOKafkaConsumer(bootstrap_servers=address, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic_name(service), partition)])
        records = [await consumer.getone() for _ in range(count)]
        return [Message(record.key, record.value) for record in records]
    finally:
        await consumer.stop()


def messages(count: int, size: int = 10) -> list[Message]:
    return [Message(f"child-{n % 5}".encode(), f"{n:0{size}}".encode()) for n in range(count)]


async def test_messages_stand_in_order(bench: Bench) -> None:
    sent = messages(2_000, size=1_000)  # more than one batch of Kafka's
    await bench.topic.send(bench.service, 1, sent[:1_500])
    await bench.topic.send(bench.service, 1, sent[1_500:])
    assert await bench.stored(1, 2_000) == sent


async def test_a_message_stands_in_the_partition_it_was_sent_to(bench: Bench) -> None:
    for partition in range(PARTITIONS):
        await bench.topic.send(bench.service, partition, [Message(b"child-1", str(partition).encode())])
    for partition in range(PARTITIONS):
        assert await bench.stored(partition, 1) == [Message(b"child-1", str(partition).encode())]


async def test_the_largest_records_pass(bench: Bench) -> None:
    sent = messages(5, size=256 * 1024)
    await bench.topic.send(bench.service, 0, sent)
    assert await bench.stored(0, 5) == sent


async def test_after_a_send_was_cancelled_the_next_one_works(bench: Bench) -> None:
    cancelled = asyncio.create_task(bench.topic.send(bench.service, 0, messages(10)))
    await asyncio.sleep(0.01)
    cancelled.cancel()
    await asyncio.gather(cancelled, return_exceptions=True)
    await bench.topic.send(bench.service, 1, messages(10))
    assert await bench.stored(1, 10) == messages(10)


async def test_a_topic_that_is_not_there_is_unavailable(kafka_address: str) -> None:
    topic = KafkaTopic(kafka_address, patience=0.5)
    with pytest.raises(TopicUnavailableError):
        await topic.send(f"t{uuid4().hex}", 0, messages(1))
    await topic.close()


async def test_without_kafka_a_topic_is_unavailable() -> None:
    topic = KafkaTopic("127.0.0.1:1", patience=0.5)
    with pytest.raises(TopicUnavailableError):
        await topic.send("registry", 0, messages(1))
    await topic.close()


@pytest.mark.parametrize(("fault", "kept"), [(Fault.REFUSED, 0), (Fault.HALF_STORED, 2), (Fault.UNANSWERED, 4)])
async def test_a_topic_in_memory_fails_as_it_is_told(fault: Fault, kept: int) -> None:
    topic = MemoryTopic()
    topic.fault = fault
    with pytest.raises(TopicUnavailableError):
        await topic.send("registry", 0, messages(4))
    assert topic.stored["registry", 0] == messages(4)[:kept]
