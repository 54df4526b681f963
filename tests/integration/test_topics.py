"""Topics are made as declared, once, and never taken over when they differ."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from shared.messaging.topics import TopicPartitionsDifferError, TopicRefusedError, ensure_topic, topic_name


@pytest.fixture
def service() -> str:
    return f"t{uuid4().hex[:12]}"


async def test_a_topic_keeps_everything_for_ever(kafka_address: str, service: str) -> None:
    await ensure_topic(kafka_address, service, 3)
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_address)
    await admin.start()
    [described] = await admin.describe_topics([topic_name(service)])
    [answer] = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic_name(service))])
    await admin.close()
    settings = {entry[0]: entry[1] for entry in answer.resources[0][4]}
    assert len(described["partitions"]) == 3
    assert settings["retention.ms"] == settings["retention.bytes"] == "-1"
    assert settings["cleanup.policy"] == "delete"
    assert settings["max.message.bytes"] == "1048576"
    assert settings["min.insync.replicas"] == "1"


async def test_processes_that_start_at_once_make_one_topic(kafka_address: str, service: str) -> None:
    await asyncio.gather(*(ensure_topic(kafka_address, service, 3) for _ in range(4)))
    await ensure_topic(kafka_address, service, 3)


@pytest.mark.parametrize("partitions", [2, 4])
async def test_a_topic_with_another_number_of_partitions_is_refused(
    kafka_address: str, service: str, partitions: int
) -> None:
    await ensure_topic(kafka_address, service, 3)
    with pytest.raises(TopicPartitionsDifferError, match=f"has 3 partitions and the log has {partitions}"):
        await ensure_topic(kafka_address, service, partitions)


async def test_more_replicas_than_brokers_are_refused(kafka_address: str, service: str) -> None:
    with pytest.raises(TopicRefusedError, match=service):
        await ensure_topic(kafka_address, service, 3, replication=3, min_insync=2)


async def test_without_kafka_the_refusal_says_so() -> None:
    with pytest.raises(TopicRefusedError, match="KafkaConnectionError"):
        await ensure_topic("127.0.0.1:1", "registry", 3)
