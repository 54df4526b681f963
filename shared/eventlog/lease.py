"""Leases: of all processes that could do a piece of work, one does it, until it gives it back or is silent too long.

The epoch counts the holders. Whoever writes under a lease writes its epoch too, so that an older holder that believes
it still has the lease is refused where it matters: in the store. Adapters: ``MongoLeases``, ``MemoryLeases``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple, Protocol

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import ReturnDocument, WriteConcern
from pymongo.errors import DuplicateKeyError

TTL: Final = timedelta(seconds=15)
_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Leases(Protocol):
    async def acquire(self, name: str, holder: str, ttl: timedelta = TTL) -> int | None:
        """The new epoch, or None while somebody else holds it. A holder that asks again gets a new epoch."""

    async def renew(self, name: str, holder: str, epoch: int, ttl: timedelta = TTL) -> bool:
        """False when another epoch has begun; a lease that ran out but was taken by nobody can be renewed."""

    async def release(self, name: str, holder: str, epoch: int) -> None:
        """Free at once for the next; does nothing when another epoch has begun."""


class Tenure:
    """One process's view of one lease: ``hold`` before each piece of work, ``release`` at the end.

    ``clock`` gives seconds and only says when to ask the store again; the store alone says who holds the lease.
    """

    def __init__(
        self,
        leases: Leases,
        name: str,
        holder: str,
        ttl: timedelta = TTL,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.holder = holder
        self._leases = leases
        self._ttl = ttl
        self._clock = clock
        self._epoch: int | None = None
        self._ask_at = clock()

    async def hold(self) -> int | None:
        """The epoch under which to work now, or None. Asks the store only when a third of the time has passed."""
        now = self._clock()
        if now < self._ask_at:
            return self._epoch
        if self._epoch is not None and await self._leases.renew(self.name, self.holder, self._epoch, self._ttl):
            self._ask_at = now + self._ttl.total_seconds() / 3
            return self._epoch
        self._epoch = await self._leases.acquire(self.name, self.holder, self._ttl)
        self._ask_at = now + self._ttl.total_seconds() / (15 if self._epoch is None else 3)
        return self._epoch

    def lost(self) -> None:
        """The store has refused a write of this epoch: stand back, and ask again after a while."""
        self._epoch = None
        self._ask_at = self._clock() + self._ttl.total_seconds() / 15

    async def release(self) -> None:
        epoch, self._epoch = self._epoch, None
        if epoch is not None:
            await self._leases.release(self.name, self.holder, epoch)


class MongoLeases:
    """Collection ``leases``: ``{_id: name, holder, epoch, until}``. Time is the database's, never a process's."""

    def __init__(self, database: AsyncIOMotorDatabase[dict[str, Any]]) -> None:
        self._leases = database.get_collection("leases", write_concern=WriteConcern("majority", j=True))

    async def acquire(self, name: str, holder: str, ttl: timedelta = TTL) -> int | None:
        free = {"$or": [{"$lte": [{"$ifNull": ["$until", _LONG_AGO]}, "$$NOW"]}, {"$eq": ["$holder", holder]}]}
        taken = {
            "holder": {"$cond": ["$free", holder, "$holder"]},
            "epoch": {"$cond": ["$free", {"$add": [{"$ifNull": ["$epoch", 0]}, 1]}, "$epoch"]},
            "until": {"$cond": ["$free", _from_now(ttl), "$until"]},
        }
        try:
            lease = await self._leases.find_one_and_update(
                {"_id": name},
                [{"$set": {"free": free}}, {"$set": taken}, {"$unset": "free"}],
                upsert=True,
                return_document=ReturnDocument.AFTER,
            )
        except DuplicateKeyError:  # two were the first at once: the other has it
            return None
        return lease["epoch"] if lease["holder"] == holder else None

    async def renew(self, name: str, holder: str, epoch: int, ttl: timedelta = TTL) -> bool:
        mine = {"_id": name, "holder": holder, "epoch": epoch}
        return (await self._leases.update_one(mine, [{"$set": {"until": _from_now(ttl)}}])).matched_count == 1

    async def release(self, name: str, holder: str, epoch: int) -> None:
        mine = {"_id": name, "holder": holder, "epoch": epoch}
        await self._leases.update_one(mine, {"$set": {"holder": None, "until": _LONG_AGO}})


def _from_now(ttl: timedelta) -> dict[str, list[Any]]:
    return {"$add": ["$$NOW", int(ttl.total_seconds() * 1000)]}


class _Lease(NamedTuple):
    holder: str | None
    epoch: int
    until: float


class MemoryLeases:
    """``clock`` gives seconds and stands for the database's time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._leases: dict[str, _Lease] = {}

    async def acquire(self, name: str, holder: str, ttl: timedelta = TTL) -> int | None:
        lease = self._leases.get(name, _Lease(None, 0, self._clock()))
        if lease.until > self._clock() and lease.holder != holder:
            return None
        self._leases[name] = _Lease(holder, lease.epoch + 1, self._clock() + ttl.total_seconds())
        return lease.epoch + 1

    async def renew(self, name: str, holder: str, epoch: int, ttl: timedelta = TTL) -> bool:
        if not self._held(name, holder, epoch):
            return False
        self._leases[name] = _Lease(holder, epoch, self._clock() + ttl.total_seconds())
        return True

    async def release(self, name: str, holder: str, epoch: int) -> None:
        if self._held(name, holder, epoch):
            self._leases[name] = _Lease(None, epoch, self._clock())

    def _held(self, name: str, holder: str, epoch: int) -> bool:
        lease = self._leases.get(name)
        return lease is not None and (lease.holder, lease.epoch) == (holder, epoch)
