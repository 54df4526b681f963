"""Opens each record once for all read models of a process that fold it: opening is a third of what an event costs."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Final, NamedTuple, Protocol

from shared.contracts.event import Event
from shared.contracts.sealed import Kind
from shared.eventlog.record import Record
from shared.projection.read_model import ReadModel

KEPT: Final = 20_000
"""Opened events that wait for another read model, at most; one that comes later opens them again."""


class Opener(Protocol):
    """``shared.privacy.sealing.Sealer``, or an ``OpenedOnce`` before it."""

    async def open(self, records: Sequence[Record], kinds: Collection[Kind]) -> list[Event]: ...


class _Opening(NamedTuple):
    events: asyncio.Task[dict[str, Event]]
    readers: int
    """How many read models have yet to take the event."""


class OpenedOnce:
    """An event comes with the kinds that any of the ``models`` opens: a fold looks at those of its own only."""

    def __init__(self, opener: Opener, models: Iterable[ReadModel], kept: int = KEPT) -> None:
        self._opener = opener
        self._kinds = frozenset[Kind]().union(*(model.opens for model in models))
        self._readers = Counter(event for model in models for event in model.events)
        self._kept = kept
        self._openings: dict[str, _Opening] = {}

    async def open(self, records: Sequence[Record], kinds: Collection[Kind]) -> list[Event]:
        """Raises what the opener raises, for whoever waits for one of the same records; then they are forgotten."""
        if missing := [record for record in records if record.id not in self._openings]:
            events = asyncio.create_task(self._open(missing))
            self._openings |= {record.id: _Opening(events, self._readers[record.type]) for record in missing}
        openings = [self._openings[record.id] for record in records]
        for events in {opening.events for opening in openings}:
            # Who gives up waiting leaves the others their events.
            await asyncio.shield(events)
        for record in records:
            self._taken(record.id)
        while len(self._openings) > self._kept:
            del self._openings[next(iter(self._openings))]
        return [opening.events.result()[record.id] for record, opening in zip(records, openings, strict=True)]

    async def _open(self, records: Sequence[Record]) -> dict[str, Event]:
        try:
            events = await self._opener.open(records, self._kinds)
        except BaseException:
            for record in records:
                self._openings.pop(record.id, None)
            raise
        return {record.id: event for record, event in zip(records, events, strict=True)}

    def _taken(self, record: str) -> None:
        opening = self._openings.get(record)
        if opening is not None and opening.readers > 1:
            self._openings[record] = opening._replace(readers=opening.readers - 1)
        elif opening is not None:
            del self._openings[record]
