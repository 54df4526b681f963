"""Every topic, declared once: one for each service, as many partitions as its log, kept for ever, never compacted."""

from __future__ import annotations

from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, UnknownTopicOrPartitionError, for_code

MAX_MESSAGE_BYTES: Final = 1024 * 1024
"""What topics, producers and fetches allow; a record has at most 256 KiB."""


class TopicError(Exception):
    """Root of what keeps a topic from being there.

    TopicError
      +- TopicPartitionsDifferError  it exists with another number of partitions
      +- TopicRefusedError           Kafka does not make it, or can not be reached
    """


class TopicPartitionsDifferError(TopicError):
    def __init__(self, topic: str, found: int, wanted: int) -> None:
        super().__init__(
            f"topic {topic} has {found} partitions and the log has {wanted}; start with GUANHU_PARTITIONS={found}, "
            "or delete the topic: consumers heal from the log"
        )


class TopicRefusedError(TopicError):
    def __init__(self, topic: str, reason: str) -> None:
        super().__init__(f"topic {topic}: {reason}")


def topic_name(service: str) -> str:
    return f"{service}.events"


async def ensure_topic(
    kafka_address: str, service: str, partitions: int, replication: int = 1, min_insync: int = 1
) -> None:
    """Creates the topic of a service unless it is there; a cluster has replication 3 and min_insync 2.

    Raises TopicPartitionsDifferError, TopicRefusedError.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_address)
    topic = topic_name(service)
    try:
        await admin.start()
        found = await _partitions(admin, topic)
        if found == 0:
            await _create(admin, NewTopic(topic, partitions, replication, topic_configs=_settings(min_insync)))
            found = await _partitions(admin, topic) or partitions  # the broker may know it a moment later
    except KafkaError as error:
        raise TopicRefusedError(topic, type(error).__name__) from error
    finally:
        await admin.close()
    if found != partitions:
        raise TopicPartitionsDifferError(topic, found, partitions)


def _settings(min_insync: int) -> dict[str, str]:
    return {
        "cleanup.policy": "delete",
        "retention.ms": "-1",
        "retention.bytes": "-1",
        "max.message.bytes": str(MAX_MESSAGE_BYTES),
        "min.insync.replicas": str(min_insync),
    }


async def _partitions(admin: Any, topic: str) -> int:
    """0 when there is no such topic."""
    [described] = await admin.describe_topics([topic])
    if described["error_code"] == UnknownTopicOrPartitionError.errno:
        return 0
    return len(described["partitions"])


async def _create(admin: Any, topic: NewTopic) -> None:
    response = await admin.create_topics([topic])
    for _, code, message, *_ in response.topic_errors:
        # Another process of the service may have been faster.
        if code not in (0, TopicAlreadyExistsError.errno):
            raise TopicRefusedError(topic.name, message or for_code(code).__name__)
