"""The relay between the real log and the real Kafka."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from motor.motor_asyncio import AsyncIOMotorClient

from deploy.local import kafka
from deploy.local.port import free_port
from shared.eventlog.mongo import MongoLog
from shared.eventlog.placement import new_id, partition_of
from shared.eventlog.port import Append, StreamAppend
from shared.eventlog.record import Actor, Draft
from shared.eventlog.relay import Relay, RelayState
from shared.messaging.kafka_topic import KafkaTopic
from shared.messaging.topics import ensure_topic
from tests.contract.test_topic import fetch

PARTITIONS = 4


class World:
    """A service's log in MongoDB, its state, and relays to the Kafka at ``address``."""

    def __init__(self, client: AsyncIOMotorClient[Any], address: str) -> None:
        self.service = f"t{uuid4().hex[:12]}"
        self.address = address
        self.log = MongoLog(client, self.service, PARTITIONS)
        self.database = client[f"guanhu_{self.service}"]
        self.state = RelayState.in_mongo(self.database)

    @asynccontextmanager
    async def relay(self, holder: str = "one", patience: float = 5.0) -> AsyncIterator[Relay]:
        """A relay of a process of its own."""
        topic = KafkaTopic(self.address, patience)
        relay = Relay(self.log, self.state, topic, holder)
        running = asyncio.create_task(relay.run())
        yield relay
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await topic.close()

    async def commit(self, count: int) -> None:
        await asyncio.gather(*(self._append() for _ in range(count)))

    async def _append(self) -> None:
        stream, command = new_id("child"), new_id("command")
        draft = Draft(
            new_id("event"), "ChildFileClosed", 1, datetime.now(UTC), Actor("a", "system"), msgspec.Raw(b"{}")
        )
        append = Append(partition_of(stream, PARTITIONS), (StreamAppend(stream, 0, (draft,)),), command)
        await self.log.append(append)

    async def all_sent(self, seconds: float = 20) -> None:
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            cursors = {c["_id"]: c["seq"] async for c in self.database["relay"].find()}
            if cursors == {head.partition: head.seq for head in await self.log.heads()}:
                return
            await asyncio.sleep(0.02)
        pytest.fail("the relay did not catch up")

    async def assert_topic_is_the_log(self) -> None:
        for partition in range(PARTITIONS):
            records = await self.log.read(partition, 0, 10_000)
            on_topic = [m.value for m in await fetch(self.address, self.service, partition, len(records))]
            assert on_topic == records


@pytest.fixture
async def client(mongo_url: str) -> AsyncIterator[AsyncIOMotorClient[Any]]:
    client: AsyncIOMotorClient[Any] = AsyncIOMotorClient(mongo_url, tz_aware=True)
    yield client
    client.close()


@asynccontextmanager
async def a_world(client: AsyncIOMotorClient[Any], address: str) -> AsyncIterator[World]:
    world = World(client, address)
    await ensure_topic(address, world.service, PARTITIONS)
    await world.log.open()
    yield world
    await world.log.close()
    await client.drop_database(world.database)


async def test_every_record_arrives_in_order_and_byte_for_byte(
    client: AsyncIOMotorClient[Any], kafka_address: str
) -> None:
    async with a_world(client, kafka_address) as world:
        await world.commit(300)
        async with world.relay():
            await world.all_sent()
            await world.commit(300)
            await world.all_sent()
        await world.assert_topic_is_the_log()


async def test_another_process_goes_on_after_a_clean_stop(client: AsyncIOMotorClient[Any], kafka_address: str) -> None:
    async with a_world(client, kafka_address) as world:
        async with world.relay("two"):
            async with world.relay("one"):
                await world.commit(100)
                await world.all_sent()
            await world.commit(100)
            await world.all_sent()
        await world.assert_topic_is_the_log()


async def test_a_fenced_relay_stops(client: AsyncIOMotorClient[Any], kafka_address: str) -> None:
    async with a_world(client, kafka_address) as world, world.relay("one") as one:
        await world.commit(10)
        await world.all_sent()
        assert one.sends
        await world.database["leases"].update_one({"_id": "relay"}, {"$set": {"until": datetime(1970, 1, 1)}})
        async with world.relay("two") as two:
            await asyncio.sleep(1.5)
            await world.commit(10)
            await world.all_sent()
            await asyncio.sleep(0.3)
            assert (one.sends, two.sends) == (False, True)


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    broker = Broker(tmp_path)
    await broker.start()
    yield broker
    broker.child.stop(grace=0.0)


class Broker:
    """A Kafka of its own, to be taken away."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()

    async def start(self) -> None:
        self.child = kafka.start(self.folder / "kafka", self.port, log=self.folder / "kafka.log")
        await kafka.ready(self.child, self.port)

    async def stop(self) -> None:
        await asyncio.to_thread(self.child.stop)

    async def freeze(self) -> None:
        """It answers nothing any more, but nobody is told."""
        os.kill(self.child.pid, signal.SIGSTOP)

    async def thaw(self) -> None:
        os.kill(self.child.pid, signal.SIGCONT)


Deed = Callable[[Broker], Awaitable[None]]


@pytest.mark.parametrize(("away", "back"), [(Broker.stop, Broker.start), (Broker.freeze, Broker.thaw)])
async def test_kafka_may_be_away_and_come_back(
    client: AsyncIOMotorClient[Any], broker: Broker, away: Deed, back: Deed
) -> None:
    async with a_world(client, kafka.address(broker.port)) as world, world.relay(patience=0.5) as relay:
        await world.commit(50)
        await world.all_sent()
        await away(broker)
        await world.commit(50)
        relay.committed([])
        await asyncio.sleep(1.0)
        await back(broker)
        await world.all_sent()
        await _arrives(world)


async def _arrives(world: World) -> None:
    """Each record is there, and for the first time only after the one before it."""
    for partition in range(PARTITIONS):
        records = await world.log.read(partition, 0, 10_000)
        on_topic = [m.value for m in await fetch(world.address, world.service, partition, len(records))]
        assert list(dict.fromkeys(on_topic)) == records[: len(set(on_topic))]
