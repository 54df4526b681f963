"""Whose villages these are: what a person's grants reach today, as registry's own directory knows it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime

from motor.motor_asyncio import AsyncIOMotorCollection

from shared.commands.command import business_day
from shared.identity.access import Directory, Grant, allowing
from shared.projection.read_model import Document

Divisions = Callable[[], Awaitable[AsyncIOMotorCollection[Document]]]


class Scope:
    def __init__(self, directory: Directory, divisions: Divisions, clock: Callable[[], datetime]) -> None:
        self._directory = directory
        self._divisions = divisions
        self._clock = clock

    async def permit(self, person: str, action: str, division: str) -> Grant:
        """Raises NotPermitted when the person may not do it there today, or when there is no such node."""
        return await self._directory.authorise(person, action, division, business_day(self._clock()))

    async def grants(self, person: str, action: str) -> list[Grant]:
        """Those that allow it today, wherever."""
        return allowing(await self._directory.grants(person), action, business_day(self._clock()))

    async def path(self, village: str) -> tuple[str, ...]:
        """From the root to the village."""
        place = (await self._directory.places([village])).get(village)
        return place.path if place else (village,)

    async def within(self, grants: Sequence[Grant], villages: Collection[str]) -> set[str]:
        """Those of the villages that the grants reach; one that is unknown is reached by none."""
        own = {grant.division for grant in grants}
        places = await self._directory.places(villages)
        return {village for village, place in places.items() if own.intersection(place.path)}

    async def villages(self, grants: Sequence[Grant]) -> list[str]:
        """All villages that the grants reach."""
        if not grants:
            return []
        return await self.villages_below({grant.division for grant in grants})

    async def villages_below(self, divisions: Collection[str]) -> list[str]:
        """All villages of these divisions."""
        own = sorted(divisions)
        found = (await self._divisions()).find({"path": {"$in": own}, "kind": "village"}, {"_id": 1})
        return [node["_id"] async for node in found]


def smallest_common(one: Sequence[str], other: Sequence[str]) -> str | None:
    """The smallest division on both paths from the root; None where they have not even the root in common."""
    common = [a for a, b in zip(one, other, strict=False) if a == b]
    return common[-1] if common else None
