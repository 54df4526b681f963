"""The pairs of each child, as pairing's own log tells them: a private look-up for its policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import ClassVar, NamedTuple

from shared.contracts.pairing import PairEnded, PairFormed
from shared.contracts.sealed import Kind
from shared.eventlog.placement import partition_of
from shared.eventlog.port import Log
from shared.eventlog.record import Position
from shared.projection.live import LiveModels
from shared.projection.read_model import Index, Occurred, ReadModel, Workspace

PAIRS = "pairs"


class Pairs(ReadModel):
    """One document per pair: ``{_id: pair, child, active}``, and while it is active ``starts``."""

    name: ClassVar[str] = "pairs"
    services: ClassVar[tuple[str, ...]] = ("pairing",)
    events: ClassVar[frozenset[str]] = frozenset({"PairFormed", "PairEnded"})
    opens: ClassVar[frozenset[Kind]] = frozenset()
    collections: ClassVar[Mapping[str, tuple[Index, ...]]] = {PAIRS: (Index((("child", 1), ("active", 1))),)}

    async def prepare(self, batch: Sequence[Occurred], work: Workspace) -> None:
        """A pair's document is written whole by each of its events."""

    def fold(self, occurred: Occurred, work: Workspace) -> None:
        match occurred.event:
            case PairFormed(pair=pair, child=child, starts=starts):
                work.put(PAIRS, {"_id": pair, "child": child, "active": True, "starts": starts.isoformat()})
            case PairEnded(pair=pair, child=child):
                work.put(PAIRS, {"_id": pair, "child": child, "active": False})


class ActivePair(NamedTuple):
    pair: str
    starts: date


class PairsBehindError(Exception):
    """The look-up has not reached the end of pairing's own log in time: ask again."""


class PairLookUp:
    """Answers which pairs of a child are active, never from behind pairing's own log."""

    def __init__(self, live: LiveModels, log: Log) -> None:
        self._live = live
        self._log = log

    async def active(self, child: str) -> list[ActivePair]:
        """All that were formed before the question. Raises PairsBehindError, LogUnavailableError."""
        # A pair stands in its child's partition.
        partition, seq, *_ = (await self._log.heads())[partition_of(child, self._log.partitions)]
        if not await self._live.wait_for(Pairs.name, Position(self._log.service, partition, seq)):
            raise PairsBehindError
        pairs = await self._live.collection(Pairs.name, PAIRS)
        found = pairs.find({"child": child, "active": True}, {"starts": 1})
        return [ActivePair(one["_id"], date.fromisoformat(one["starts"])) async for one in found]
