"""How far the relay has sent each partition. Moved by compare-and-set, and only under the newest lease.

Adapters: ``MongoCursors``, ``MemoryCursors``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import UpdateOne, WriteConcern
from pymongo.read_concern import ReadConcern


class Move(NamedTuple):
    """From the seq where the cursor must stand to the seq of the last record acknowledged."""

    before: int
    after: int


class Cursors(Protocol):
    async def take_over(self, partitions: int, epoch: int) -> list[int] | None:
        """Fences every older epoch; then the cursor of each partition, 0 at first. None: a newer epoch was here."""

    async def move(self, moves: Mapping[int, Move], epoch: int) -> bool:
        """Moves the cursors of these partitions; False when one did not stand there or belongs to a newer epoch."""


class MongoCursors:
    """Collection ``relay``: ``{_id: partition, seq, epoch}``."""

    def __init__(self, database: AsyncIOMotorDatabase[dict[str, Any]]) -> None:
        self._cursors = database.get_collection(
            "relay", write_concern=WriteConcern("majority", j=True), read_concern=ReadConcern("majority")
        )

    async def take_over(self, partitions: int, epoch: int) -> list[int] | None:
        fence = [{"$set": {"seq": {"$ifNull": ["$seq", 0]}, "epoch": {"$max": ["$epoch", epoch]}}}]
        await self._cursors.bulk_write([UpdateOne({"_id": p}, fence, upsert=True) for p in range(partitions)])
        found = {cursor["_id"]: cursor async for cursor in self._cursors.find({"_id": {"$lt": partitions}})}
        if any(cursor["epoch"] > epoch for cursor in found.values()):
            return None
        return [found[p]["seq"] for p in range(partitions)]

    async def move(self, moves: Mapping[int, Move], epoch: int) -> bool:
        updates = [
            UpdateOne({"_id": p, "seq": move.before, "epoch": {"$lte": epoch}}, {"$set": {"seq": move.after}})
            for p, move in moves.items()
        ]
        return not updates or (await self._cursors.bulk_write(updates, ordered=False)).matched_count == len(updates)


class MemoryCursors:
    def __init__(self) -> None:
        self._cursors: dict[int, int] = {}
        self._epoch = 0

    async def take_over(self, partitions: int, epoch: int) -> list[int] | None:
        if epoch < self._epoch:
            return None
        self._epoch = epoch
        return [self._cursors.setdefault(p, 0) for p in range(partitions)]

    async def move(self, moves: Mapping[int, Move], epoch: int) -> bool:
        stand = [p for p, move in moves.items() if self._cursors.get(p) == move.before and self._epoch <= epoch]
        self._cursors.update({p: moves[p].after for p in stand})
        return len(stand) == len(moves)
