"""The consumer over the real Kafka, with owners in memory: whatever the topic does, nothing is lost or doubled."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

from deploy.local import kafka
from deploy.local.port import free_port
from shared.eventlog.memory import MemoryLog
from shared.eventlog.port import Head
from shared.eventlog.topic import Message
from shared.messaging.consumer import Consumer
from shared.messaging.gapless import BrokenChainError
from shared.messaging.kafka_topic import KafkaTopic
from shared.messaging.listener import Listener
from shared.messaging.run import Mark, Run, Source
from shared.messaging.seal import Seal
from shared.messaging.topics import ensure_topic, topic_name
from tests.support.sample_log import Collected, commit, forged

PARTITIONS = 4
PULSE = 0.1
"""A short pulse, where healing from the owner is the subject."""
NEVER = 600.0
"""A pulse that never comes again, where records must come from Kafka."""


class World:
    """A log, its topic, and consumers of it."""

    def __init__(self, address: str, partitions: int = PARTITIONS) -> None:
        self.address = address
        self.service = f"t{uuid4().hex[:12]}"
        self.log = MemoryLog(self.service, partitions)
        self.sink = Collected()
        self.consumer: Consumer | None = None

    @property
    def sources(self) -> list[Source]:
        return [Source(self.service, partition) for partition in range(self.log.partitions)]

    async def records(self) -> dict[Source, list[bytes]]:
        return {source: await self.log.read(source.partition, 0, 100_000) for source in self.sources}

    async def send(self, but: Callable[[int], bool] = lambda seq: False) -> None:
        """Sends the whole log again, in order, but for the records whose number is left out."""
        topic = KafkaTopic(self.address)
        for source, raws in (await self.records()).items():
            messages = [Message(b"stream", raw) for seq, raw in enumerate(raws, 1) if not but(seq)]
            if messages:
                await topic.send(self.service, source.partition, messages)
        await topic.close()

    @asynccontextmanager
    async def consuming(
        self, pulse: float = NEVER, marks: dict[Source, Mark] | None = None, owner: Any = None
    ) -> AsyncIterator[Consumer]:
        self.consumer = Consumer(
            Listener(self.address),
            {self.service: owner or self.log},
            self.log.partitions,
            marks or {},
            self.sink,
            pulse=pulse,
        )
        running = asyncio.create_task(self.consumer.run())
        try:
            yield self.consumer
            assert not running.done() or running.result() is None
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def complete(self, seconds: float = 15) -> None:
        """Waits until the sink has all, and sees that it has nothing twice."""
        wanted = {source: list(range(1, len(raws) + 1)) for source, raws in (await self.records()).items()}
        ends = time.monotonic() + seconds
        while {source: self.sink.seqs(source) for source in self.sources} != wanted:
            assert time.monotonic() < ends, f"{self.sink.count} of {sum(map(len, wanted.values()))}"
            await asyncio.sleep(0.01)


@asynccontextmanager
async def produced(address: str) -> AsyncIterator[Any]:
    producer = AIOKafkaProducer(bootstrap_servers=address)
    await producer.start()
    yield producer
    await producer.stop()


async def delete_topic(world: World) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=world.address)
    await admin.start()
    await admin.delete_topics([topic_name(world.service)])
    await admin.close()


@pytest.fixture
async def world(kafka_address: str) -> World:
    world = World(kafka_address)
    await ensure_topic(kafka_address, world.service, PARTITIONS)
    return world


async def test_records_come_from_kafka_each_once_in_order(world: World) -> None:
    await commit(world.log, 300)
    await world.send()
    async with world.consuming() as consumer:
        await world.complete()
        await commit(world.log, 300)
        await world.send()
        await world.complete()
        assert consumer.counters.healed == 0
        assert consumer.counters.seen == 300


async def test_a_consumer_goes_on_from_its_marks(world: World) -> None:
    await commit(world.log, 100)
    await world.send()
    async with world.consuming():
        await world.complete()
    await commit(world.log, 100)
    await world.send()
    async with world.consuming(marks=world.sink.marks) as consumer:
        await world.complete()
        assert consumer.counters.healed == 0
        assert consumer.counters.seen <= 100 + 300  # a few from before the seek may arrive


async def test_lost_messages_are_healed_from_the_owner(world: World) -> None:
    await commit(world.log, 200)
    await world.send(but=lambda seq: seq % 7 == 3)
    async with world.consuming(PULSE) as consumer:
        await world.complete()
        assert consumer.counters.healed > 0


async def test_a_lost_tail_is_healed_from_the_owner(world: World) -> None:
    await commit(world.log, 200)
    await world.send(but=lambda seq: seq > 20)
    async with world.consuming(PULSE):
        await world.complete()


async def test_marks_beyond_the_topic_lose_nothing(world: World) -> None:
    await commit(world.log, 50)
    await world.send()
    async with world.consuming(PULSE, marks={source: Mark(offset=1_000_000) for source in world.sources}):
        await world.complete()


async def test_a_topic_made_anew_loses_nothing(world: World) -> None:
    await commit(world.log, 50)
    await world.send()
    async with world.consuming(PULSE):
        await world.complete()
        await delete_topic(world)
        await asyncio.sleep(0.2)
        await ensure_topic(world.address, world.service, PARTITIONS)
        await commit(world.log, 50)
        await world.send()
        await world.complete()


async def test_a_topic_that_does_not_exist_is_no_reason_to_wait(kafka_address: str) -> None:
    world = World(kafka_address)
    await commit(world.log, 50)
    async with world.consuming(PULSE):
        await world.complete()


async def test_without_kafka_the_records_come_from_the_owner() -> None:
    world = World(f"127.0.0.1:{free_port()}")
    await commit(world.log, 50)
    async with world.consuming(PULSE):
        await world.complete()
        await commit(world.log, 50)
        await world.complete()


async def test_kafka_may_go_away_and_come_back(tmp_path: Path) -> None:
    port = free_port()
    broker = kafka.start(tmp_path / "kafka", port, log=tmp_path / "kafka.log")
    try:
        await kafka.ready(broker, port)
        world = World(kafka.address(port))
        await ensure_topic(world.address, world.service, PARTITIONS)
        await commit(world.log, 50)
        await world.send()
        async with world.consuming(PULSE) as consumer:
            await world.complete()
            await asyncio.to_thread(broker.stop)
            await commit(world.log, 50)
            await world.complete()
            broker = kafka.start(tmp_path / "kafka", port, log=tmp_path / "kafka.log")
            await kafka.ready(broker, port)
            seen = consumer.counters.seen
            await world.send()
            await eventually(lambda: consumer.counters.seen > seen)
    finally:
        broker.stop(grace=0.0)


async def eventually(what: Callable[[], bool], seconds: float = 15) -> None:
    ends = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < ends
        await asyncio.sleep(0.01)


POISON = {
    "no JSON": b"\x00\x01 not JSON",
    "empty": b"",
    "JSON of another shape": b'{"hello":"world"}',
    "900 kB": b'"' + b"x" * 900_000 + b'"',
}


@pytest.mark.parametrize("poison", POISON.values(), ids=POISON)
async def test_what_is_no_record_is_counted_and_passed_over(world: World, poison: bytes) -> None:
    await commit(world.log, 20)
    async with produced(world.address) as producer:
        for partition in range(PARTITIONS):
            await producer.send_and_wait(topic_name(world.service), poison, partition=partition)
    await world.send()
    async with world.consuming() as consumer:
        await world.complete()
        assert (consumer.counters.not_records, consumer.counters.healed) == (PARTITIONS, 0)


async def test_a_message_without_a_value_is_counted_and_passed_over(world: World) -> None:
    await commit(world.log, 20)
    async with produced(world.address) as producer:
        await producer.send_and_wait(topic_name(world.service), None, key=b"stream", partition=0)
    await world.send()
    async with world.consuming() as consumer:
        await world.complete()
        assert consumer.counters.not_records == 1


async def test_a_header_that_is_not_utf8_loses_nothing(world: World) -> None:
    await commit(world.log, 20)
    async with produced(world.address) as producer:
        for source, raws in (await world.records()).items():
            for raw in raws:
                await producer.send_and_wait(
                    topic_name(world.service), raw, partition=source.partition, headers=[("note", b"\xff\xfe")]
                )
    async with world.consuming() as consumer:
        await world.complete()
        assert consumer.counters.healed == 0


async def test_the_right_number_and_other_bytes_are_replaced_by_the_owners(kafka_address: str) -> None:
    world = World(kafka_address, partitions=1)
    await ensure_topic(kafka_address, world.service, 1)
    await commit(world.log, 10)
    raws = await world.log.read(0, 0, 100)
    mess = [*raws[:3], forged(raws[3]), forged(raws[4], prev="0" * 64), forged(raws[5], seq=77), *raws[3:]]
    topic = KafkaTopic(kafka_address)
    await topic.send(world.service, 0, [Message(b"stream", raw) for raw in mess])
    await topic.close()
    async with world.consuming() as consumer:
        await world.complete()
        assert consumer.counters.mismatches > 0
    assert all(record.type != "Forged" for record in world.sink.records[world.sources[0]])


async def test_a_forged_record_at_the_end_stops_the_consumer(kafka_address: str) -> None:
    world = World(kafka_address, partitions=1)
    await ensure_topic(kafka_address, world.service, 1)
    await commit(world.log, 10)
    raws = await world.log.read(0, 0, 100)
    topic = KafkaTopic(kafka_address)
    await topic.send(world.service, 0, [Message(b"stream", raw) for raw in [*raws[:9], forged(raws[9])]])
    await topic.close()
    consumer = Consumer(Listener(kafka_address), {world.service: world.log}, 1, {}, world.sink, pulse=1.0)
    with pytest.raises(BrokenChainError):
        await asyncio.wait_for(consumer.run(), 15)


async def test_what_carries_no_seal_of_the_services_is_no_record_however_true_it_looks(kafka_address: str) -> None:
    world = World(kafka_address, partitions=1)
    await ensure_topic(kafka_address, world.service, 1)
    await commit(world.log, 10)
    raws = await world.log.read(0, 0, 100)
    seal = Seal(b"s" * 32)
    sealed, bare = KafkaTopic(kafka_address, seal=seal), KafkaTopic(kafka_address)
    await sealed.send(world.service, 0, [Message(b"stream", raw) for raw in raws[:9]])
    await bare.send(world.service, 0, [Message(b"stream", forged(raws[9]))])
    await sealed.send(world.service, 0, [Message(b"stream", raws[9])])
    await sealed.close()
    await bare.close()
    consumer = Consumer(Listener(kafka_address, seal=seal), {world.service: world.log}, 1, {}, world.sink, pulse=NEVER)
    running = asyncio.create_task(consumer.run())
    await world.complete()
    await consumer.stop()
    await running
    assert consumer.counters.not_records == 1
    assert [record.seq for record in world.sink.records[world.sources[0]]] == list(range(1, 11))
    assert all(record.type != "Forged" for record in world.sink.records[world.sources[0]])


class _NoText(str):
    """A header's name as a producer in another language may send it."""

    def encode(self, *_: Any) -> bytes:
        return b"\xff\xfe"


async def test_a_message_that_can_not_be_read_does_not_keep_kafka_from_bringing_what_follows(world: World) -> None:
    await commit(world.log, 100)
    await world.send()
    async with world.consuming(pulse=1.0) as consumer:
        await world.complete()
        await _send_unreadable(world, partition=1)
        await commit(world.log, 100)
        await world.send()
        await world.complete()
        healed = consumer.counters.healed
        await commit(world.log, 100)
        await world.send()
        await world.complete()
        assert consumer.counters.healed == healed


async def _send_unreadable(world: World, partition: int) -> None:
    async with produced(world.address) as producer:
        batch = producer.create_batch()
        # Only the builder that is written in Python takes such a name.
        batch._builder = _DefaultRecordBatchBuilderPy(2, 0, False, -1, -1, 0, 1024)
        batch.append(timestamp=None, key=b"k", value=b"v", headers=[(_NoText(), b"")])
        batch.close()
        await (await producer.send_batch(batch, topic_name(world.service), partition=partition))


class Silent:
    """An owner that does not answer until it is told to."""

    def __init__(self, log: MemoryLog) -> None:
        self.log = log
        self.answers = False

    async def read(self, partition: int, after: int, limit: int) -> list[bytes]:
        if not self.answers:
            raise ConnectionError
        return await self.log.read(partition, after, limit)

    async def heads(self) -> list[Head]:
        if not self.answers:
            raise ConnectionError
        return await self.log.heads()


async def test_an_owner_that_does_not_answer_holds_up_only_what_it_must_explain(world: World) -> None:
    await commit(world.log, 100)
    await world.send(but=lambda seq: seq == 5)
    owner = Silent(world.log)
    async with world.consuming(PULSE, owner=owner) as consumer:
        await eventually(lambda: consumer.counters.put_off > 0)
        assert {max(world.sink.seqs(source)) for source in world.sources} == {4}
        owner.answers = True
        await world.complete()


async def test_the_sink_learns_the_owners_head(world: World) -> None:
    await commit(world.log, 20)
    await world.send()
    async with world.consuming(PULSE):
        await world.complete()
        await eventually(lambda: len(world.sink.levels) == PARTITIONS)
    heads = {head.partition: head.seq for head in await world.log.heads()}
    assert {source.partition: level.seq for source, level in world.sink.levels.items()} == heads


class Faulty(Collected):
    async def take(self, run: Run) -> None:
        raise ValueError("the sink is broken")


async def test_what_the_sink_raises_ends_the_consumer(world: World) -> None:
    await commit(world.log, 20)
    await world.send()
    consumer = Consumer(Listener(world.address), {world.service: world.log}, PARTITIONS, {}, Faulty())
    with pytest.raises(ValueError, match="the sink is broken"):
        await asyncio.wait_for(consumer.run(), 15)


class Slow(Collected):
    """Never has room; says whether it was left properly."""

    def __init__(self) -> None:
        super().__init__()
        self.entered = self.left = 0

    async def take(self, run: Run) -> None:
        self.entered += 1
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.05)
            self.left += 1


async def test_a_full_sink_is_waited_for_and_left_before_the_end(world: World) -> None:
    await commit(world.log, 20)
    await world.send()
    sink = Slow()
    consumer = Consumer(Listener(world.address), {world.service: world.log}, PARTITIONS, {}, sink, pulse=NEVER)
    running = asyncio.create_task(consumer.run())
    await eventually(lambda: sink.entered == 1)
    await asyncio.sleep(0.2)
    assert sink.entered == 1
    await consumer.stop()
    await asyncio.wait_for(running, 5)
    assert sink.left == 1


def the_same(world: World) -> World:
    """Another sink of the same log."""
    other = World(world.address)
    other.service, other.log = world.service, world.log
    return other


async def test_consumers_that_hear_the_same_listener_stand_each_at_its_own_mark(world: World) -> None:
    early, late = world, the_same(world)
    listener, owners = Listener(world.address), {world.service: world.log}
    await commit(world.log, 200)
    await world.send()
    first = Consumer(listener, owners, PARTITIONS, {}, early.sink, pulse=NEVER)
    running = [asyncio.create_task(first.run())]
    await early.complete()
    second = Consumer(listener, owners, PARTITIONS, {}, late.sink, pulse=NEVER)
    running.append(asyncio.create_task(second.run()))
    await late.complete()
    await commit(world.log, 200)
    await world.send()
    await early.complete()
    await late.complete()
    assert first.counters.healed == 0
    await first.stop()
    await running[0]
    await commit(world.log, 100)
    await world.send()
    await late.complete()
    assert second.counters.healed == 0
    assert early.sink.count == 400
    await second.stop()
    await running[1]


async def test_a_consumer_that_fails_lets_the_others_of_its_listener_go_on(world: World) -> None:
    listener, owners = Listener(world.address), {world.service: world.log}
    running = asyncio.create_task(Consumer(listener, owners, PARTITIONS, {}, world.sink, pulse=NEVER).run())
    faulty = asyncio.create_task(Consumer(listener, owners, PARTITIONS, {}, Faulty(), pulse=NEVER).run())
    await commit(world.log, 200)
    await world.send()
    with pytest.raises(ValueError, match="the sink is broken"):
        await asyncio.wait_for(faulty, 15)
    await commit(world.log, 200)
    await world.send()
    await world.complete()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_lone_record_arrives_at_once(kafka_address: str) -> None:
    world = World(kafka_address, partitions=1)
    await ensure_topic(kafka_address, world.service, 1)
    async with world.consuming() as consumer, produced(world.address) as producer:
        await commit(world.log, 1)
        await world.send()
        await world.complete()
        delays = []
        for seq in range(2, 22):
            await commit(world.log, 1)
            [raw] = await world.log.read(0, seq - 1, 1)
            begun = time.monotonic()
            await producer.send_and_wait(topic_name(world.service), raw, partition=0)
            await eventually(lambda seq=seq: consumer.marks[world.sources[0]].seq == seq)  # type: ignore[misc]
            delays.append(time.monotonic() - begun)
        assert sorted(delays)[10] < 0.1
