"""A log of registry with facts that a counting read model folds, and what brings it to a projector."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec

from shared.contracts.event import Event
from shared.contracts.registry import ChildFileClosed
from shared.contracts.values import CloseReason
from shared.eventlog.memory import MemoryLog
from shared.eventlog.placement import new_id, partition_of
from shared.eventlog.port import Append, StreamAppend
from shared.eventlog.record import Draft
from shared.messaging.gapless import Line
from shared.messaging.run import Level, Mark, Sink, Source
from shared.privacy.cipher import Aes256Gcm
from shared.privacy.memory import MemoryVault
from shared.privacy.sealing import Sealer
from tests.support.log_builders import a_draft

PARTITIONS = 4
REASONS = itertools.cycle(CloseReason)


def a_sealer() -> Sealer:
    return Sealer(MemoryVault(b"seed"), Aes256Gcm())


def a_log() -> MemoryLog:
    return MemoryLog("registry", PARTITIONS)


def a_closing(child: str | None = None) -> ChildFileClosed:
    return ChildFileClosed(child=child or new_id("child"), reason=next(REASONS), closed_on=date(2026, 8, 14))


async def tell(log: MemoryLog, *events: ChildFileClosed, **changes: Any) -> None:
    """Appends each of them to a stream of its own, in the partition of its child; ``changes`` are to the drafts."""
    for event in events:
        draft = _draft(event, **changes)
        stream = new_id("closing", beside=event.child)
        append = Append(partition_of(stream, PARTITIONS), (StreamAppend(stream, 0, (draft,)),), new_id("command"))
        await log.append(append)


def _draft(event: Event, **changes: Any) -> Draft:
    data = msgspec.Raw(event.model_dump_json().encode())
    return a_draft(**{"type": type(event).__name__, "data": data} | changes)


class Reading:
    """Brings a log to a sink, from the log alone; ends when it is cancelled."""

    def __init__(self, log: MemoryLog, marks: Mapping[Source, Mark], sink: Sink, limit: int = 7) -> None:
        self._log = log
        self._lines = [
            Line(source, marks.get(source, Mark()))
            for source in (Source(log.service, partition) for partition in range(log.partitions))
        ]
        self._sink = sink
        self._limit = limit

    async def bring(self) -> int:
        """One run of each partition, and the heads; how many records."""
        brought = 0
        for line in self._lines:
            raws = await self._log.read(line.source.partition, line.mark.seq, self._limit)
            if run := line.heal(raws):
                brought += len(run.records)
                await self._sink.take(run)
        for head in await self._log.heads():
            await self._sink.level(Level(Source(self._log.service, head.partition), head.seq, head.time))
        return brought

    async def run(self) -> None:
        while True:
            if not await self.bring():
                await asyncio.sleep(0.01)
