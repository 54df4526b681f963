"""The consumer: the logs of several services, from Kafka and where that fails from their owners, to one sink.

What has been taken in is known by the marks alone, which the sink stores together with its effect. Each sink of a
process has a consumer of its own, so that one that ends does not end the others; what Kafka brings they hear from one
``Listener``, which waits for the slowest of them. A sink that may be slow has a listener of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from shared.messaging.gapless import Counters, Message
from shared.messaging.intake import PULSE_SECONDS, Intake
from shared.messaging.listener import Listener
from shared.messaging.owner import Owner
from shared.messaging.run import Mark, Sink, Source

WAITING: Final = 2
"""Batches a consumer may lie behind the others of its process."""


class Consumer:
    """``owners`` by service, each with partitions 0 to ``partitions - 1``; ``marks`` say how far the sink has come.

    A consumer runs once: after it has ended, make another one from the marks the sink has stored.
    """

    def __init__(
        self,
        listener: Listener,
        owners: Mapping[str, Owner],
        partitions: int,
        marks: Mapping[Source, Mark],
        sink: Sink,
        *,
        pulse: float = PULSE_SECONDS,
    ) -> None:
        self._listener = listener
        self._services = tuple(owners)
        self._intake = Intake(owners, partitions, marks, sink, pulse=pulse)
        self._heard = asyncio.Queue[Mapping[Source, Sequence[Message]]](WAITING)
        self._ended = asyncio.Event()

    @property
    def counters(self) -> Counters:
        return self._intake.counters

    @property
    def marks(self) -> dict[Source, Mark]:
        """How far each partition has been handed on."""
        return self._intake.marks

    async def run(self) -> None:
        """Until it is cancelled or stopped. Raises what the sink raises, and BrokenChainError."""
        works = [*(self._intake.watch(service) for service in self._services), self._take(), self._ended.wait()]
        tasks = [asyncio.ensure_future(work) for work in works]
        self._listener.join(self)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done():
                    task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._close()
            await self._listener.leave(self)

    async def stop(self) -> None:
        """Lets ``run`` return."""
        self._ended.set()

    async def hear(self, messages: Mapping[Source, Sequence[Message]]) -> None:
        """From the listener. Returns when there is room for more, or none is wanted any more."""
        if not self._ended.is_set():
            await self._heard.put(messages)

    async def _take(self) -> None:
        while True:
            messages = await self._heard.get()
            for source in messages.keys() & self._intake.feeds.keys():
                await self._intake.offer(source, messages[source])

    def _close(self) -> None:
        """Whoever waits for room is let go."""
        self._ended.set()
        while not self._heard.empty():
            self._heard.get_nowait()
