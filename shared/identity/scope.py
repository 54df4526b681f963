"""What lies in somebody's scope, as a service's own directory knows it: where they may do what, and what is there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable
from datetime import UTC, date, datetime

from motor.motor_asyncio import AsyncIOMotorCollection

from shared.commands.command import business_day
from shared.identity.access import Directory, Grant, NotPermitted, allowing
from shared.identity.map import up_on
from shared.projection.read_model import Document

Divisions = Callable[[], Awaitable[AsyncIOMotorCollection[Document]]]


def _now() -> datetime:
    return datetime.now(UTC)


class Scope:
    def __init__(self, directory: Directory, divisions: Divisions, clock: Callable[[], datetime] = _now) -> None:
        self._directory = directory
        self._divisions = divisions
        self._clock = clock

    @property
    def today(self) -> date:
        """The day in China."""
        return business_day(self._clock())

    async def permit(self, person: str, action: str, division: str, child: str | None = None) -> Grant:
        """Raises NotPermitted when the person may not do it there today, or when there is no such node.

        With ``child``, who lives there, a grant for that one file permits it too.
        """
        return await self._directory.authorise(person, action, division, self.today, child)

    async def permits(self, person: str, action: str, division: str, child: str | None = None) -> bool:
        try:
            await self.permit(person, action, division, child)
        except NotPermitted:
            return False
        return True

    async def grants(self, person: str, action: str) -> list[Grant]:
        """Those that allow it today, wherever."""
        return allowing(await self._directory.grants(person), action, self.today)

    async def path(self, division: str) -> tuple[str, ...]:
        """From the root down to the division itself; empty when there is no such node."""
        place = (await self._directory.places([division])).get(division)
        return place.path if place else ()

    async def above_on(self, division: str, day: date) -> set[str]:
        """The codes that reached the division on a day, its own among them, by the map of that day."""
        divisions, codes = await self._divisions(), set[str]()
        up: str | None = division
        while up is not None and up not in codes:
            codes.add(up)
            node = await divisions.find_one({"_id": up})
            up = up_on(node, day.isoformat()) if node else None
        return codes

    async def within(self, grants: Iterable[Grant], villages: Collection[str]) -> set[str]:
        """Those of the villages that the grants reach; one that is unknown is reached by none."""
        own = {grant.division for grant in grants}
        places = await self._directory.places(villages)
        return {village for village, place in places.items() if own.intersection(place.path)}

    async def villages(self, *divisions: str) -> list[str]:
        """The codes of all villages in these divisions (a village lies in itself)."""
        if not divisions:
            return []
        found = (await self._divisions()).find({"path": {"$in": sorted({*divisions})}, "kind": "village"}, {"_id": 1})
        return [node["_id"] async for node in found]

    async def villages_of(self, grants: Iterable[Grant]) -> list[str]:
        """All villages that the grants reach."""
        return await self.villages(*(grant.division for grant in grants))

    async def names_below(self, division: str) -> dict[str, str]:
        """Names by code: the division itself, then what stands below it under any of its codes, in order of codes.

        Village groups are left out: nobody is counted by group.
        """
        divisions = await self._divisions()
        own = await divisions.find_one({"_id": division}, {"was": 1}) or {"was": []}
        below = {"up": {"$in": [division, *own["was"]]}, "_id": {"$nin": own["was"]}, "kind": {"$ne": "group"}}
        nodes = divisions.find({"$or": [{"_id": division}, below]}, {"name": 1})
        names = {node["_id"]: node["name"] async for node in nodes}
        return {division: names.pop(division, division)} | dict(sorted(names.items()))
