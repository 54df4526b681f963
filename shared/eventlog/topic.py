"""The topic as the relay sees it: records go in, in order, and are acknowledged.

Adapters: ``shared.messaging.kafka_topic.KafkaTopic`` for service, ``MemoryTopic`` for simulation and unit tests.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from enum import Enum, auto
from typing import NamedTuple, Protocol


class TopicUnavailableError(Exception):
    """Not all was acknowledged, though some or all of it may have been stored: send it again."""


class Message(NamedTuple):
    """``key`` is the stream's id in UTF-8, ``value`` the record."""

    key: bytes
    value: bytes


class Topic(Protocol):
    async def send(self, service: str, partition: int, messages: Sequence[Message]) -> None:
        """Returns when all are acknowledged by every replica in sync. Raises TopicUnavailableError."""


class Fault(Enum):
    """What a MemoryTopic can be told to do with the next messages."""

    NONE = auto()
    REFUSED = auto()
    HALF_STORED = auto()
    UNANSWERED = auto()
    """Stored, but the acknowledgement is lost."""


class MemoryTopic:
    """Messages by service and partition; a message's index is its offset. ``fault`` stays until it is set again."""

    def __init__(self) -> None:
        self.fault = Fault.NONE
        self.stored: defaultdict[tuple[str, int], list[Message]] = defaultdict(list)

    async def send(self, service: str, partition: int, messages: Sequence[Message]) -> None:
        count = {Fault.REFUSED: 0, Fault.HALF_STORED: len(messages) // 2}.get(self.fault, len(messages))
        self.stored[service, partition] += messages[:count]
        if self.fault is not Fault.NONE:
            raise TopicUnavailableError(self.fault.name)
