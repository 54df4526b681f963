"""The servers that integration tests share are the real ones."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from motor.motor_asyncio import AsyncIOMotorClient


async def test_mongodb_takes_a_transaction(mongo_url: str) -> None:
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(mongo_url)
    things = client[f"servers_{uuid4().hex}"]["things"]
    async with await client.start_session() as session, session.start_transaction():
        await things.insert_one({"_id": 1}, session=session)
    assert await things.count_documents({}) == 1
    await client.drop_database(things.database.name)
    client.close()


async def test_kafka_gives_back_what_it_was_sent(kafka_address: str) -> None:
    topic = f"servers.{uuid4().hex}"
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_address)
    await admin.start()
    await admin.create_topics([NewTopic(topic, num_partitions=8, replication_factor=1)])
    await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=kafka_address, enable_idempotence=True) as producer:
        await producer.send_and_wait(topic, b"told", partition=3)
    async with AIOKafkaConsumer(topic, bootstrap_servers=kafka_address, auto_offset_reset="earliest") as consumer:
        message = await consumer.getone()
    assert (message.partition, message.value) == (3, b"told")
