"""The topic in Kafka: records of one partition in order, acknowledged by all replicas in sync."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, KafkaError

from shared.eventlog.topic import Message, TopicUnavailableError
from shared.messaging.seal import HEADER, Seal
from shared.messaging.topics import MAX_MESSAGE_BYTES, topic_name

PATIENCE_SECONDS: Final = 5.0
"""A third of the relay's lease: a send that hangs is given up while the lease is still good."""

_MAX_BATCH_BYTES: Final = MAX_MESSAGE_BYTES // 2
_GRACE_SECONDS: Final = 0.5


class KafkaTopic:
    """Connects at the first send, and again after a fault. ``close`` ends it."""

    def __init__(self, address: str, patience: float = PATIENCE_SECONDS, seal: Seal | None = None) -> None:
        self._address = address
        self._seal = seal
        self._patience = patience
        self._connecting: asyncio.Task[_Line] | None = None
        self._line: _Line | None = None

    async def send(self, service: str, partition: int, messages: Sequence[Message]) -> None:
        """Raises TopicUnavailableError when not all was acknowledged in time."""
        line = None
        try:
            async with asyncio.timeout(self._patience):
                line = await self._connected()
                await line.deliver(topic_name(service), partition, messages)
        except (KafkaError, TimeoutError) as error:
            await self._give_up(line)
            raise TopicUnavailableError(type(error).__name__) from error
        except asyncio.CancelledError:
            await asyncio.shield(self._give_up(line))
            raise

    async def close(self) -> None:
        if self._connecting is not None and not self._connecting.done():
            await asyncio.wait([self._connecting], timeout=_GRACE_SECONDS)
            self._connecting.cancel()
            await asyncio.wait([self._connecting])
        await self._give_up(self._line)

    async def _connected(self) -> _Line:
        # A connection that is interrupted while it is made would leak, so it is waited for elsewhere.
        if self._connecting is None or _failed(self._connecting):
            self._connecting = asyncio.create_task(self._connect(), name="kafka topic connects")
        return await asyncio.shield(self._connecting)

    async def _connect(self) -> _Line:
        self._line = await _Line.open(self._address, self._patience, self._seal)
        return self._line

    async def _give_up(self, line: _Line | None) -> None:
        # The sends of all partitions share a line; the first of them to fail gives it up for all.
        if line is not None and line is self._line:
            self._line = self._connecting = None
            await line.abandon()


def _failed(task: asyncio.Task[_Line]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)


class _Line:
    """A producer, and what it has not delivered yet."""

    def __init__(self, producer: Any, seal: Seal | None) -> None:
        self._producer = producer
        self._seal = seal
        self._pending: set[asyncio.Future[Any]] = set()

    @classmethod
    async def open(cls, address: str, patience: float, seal: Seal | None) -> _Line:
        producer = AIOKafkaProducer(
            bootstrap_servers=address,
            acks="all",
            enable_idempotence=True,
            max_batch_size=_MAX_BATCH_BYTES,
            max_request_size=MAX_MESSAGE_BYTES,
            request_timeout_ms=int(patience * 1000),
        )
        try:
            # Finding the cluster ends by itself after twice the patience; asking for a producer's number never does.
            async with asyncio.timeout(2 * patience + _GRACE_SECONDS):
                await producer.start()
        except BaseException:
            await producer.stop()
            raise
        return cls(producer, seal)

    async def deliver(self, topic: str, partition: int, messages: Sequence[Message]) -> None:
        pending = []
        for batch in self._batches(messages):
            pending.append(await self._producer.send_batch(batch, topic, partition=partition))
            self._pending.add(pending[-1])
        await asyncio.wait(pending)
        self._pending.difference_update(pending)
        faults = [error for future in pending if (error := _fault(future))]
        if faults:
            raise faults[0]

    def _batches(self, messages: Sequence[Message]) -> Iterator[Any]:
        """Whole batches: with one future for each message, sending costs several times as much."""
        batch = self._producer.create_batch()
        for key, value in messages:
            headers = [(HEADER, self._seal.of(value))] if self._seal else []
            if batch.append(timestamp=None, key=key, value=value, headers=headers) is None:
                yield batch
                batch = self._producer.create_batch()
                batch.append(timestamp=None, key=key, value=value, headers=headers)
        batch.close()
        yield batch

    async def abandon(self) -> None:
        """Ends the producer, whatever it still wanted to deliver.

        An idempotent producer of aiokafka repeats a batch for ever, and its ``stop`` waits for that. So its sending
        task is ended first: one ``cancel`` lets it finish the request under way, a second one interrupts it.
        """
        task = self._producer._sender.sender_task
        for _ in range(2):
            if not task.done():
                task.cancel()
                await asyncio.wait([task], timeout=_GRACE_SECONDS)
        for future in self._pending:
            future.cancel()
        with contextlib.suppress(KafkaError):
            await self._producer.stop()


def _fault(future: asyncio.Future[Any]) -> BaseException | None:
    return KafkaConnectionError("abandoned") if future.cancelled() else future.exception()
