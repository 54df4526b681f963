"""Which divisions a question may be about, and what lies below them, as reporting's own directory knows it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from motor.motor_asyncio import AsyncIOMotorCollection

from shared.commands.command import business_day
from shared.identity.access import Directory, permitted
from shared.projection.read_model import Document

Divisions = Callable[[], Awaitable[AsyncIOMotorCollection[Document]]]


class Scope:
    def __init__(self, directory: Directory, divisions: Divisions) -> None:
        self._directory = directory
        self._divisions = divisions

    async def permit(self, person: str, action: str, division: str) -> None:
        """Raises NotPermitted when the person may not do it there today, or when there is no such node."""
        await self._directory.authorise(person, action, division, business_day(datetime.now(UTC)))

    async def permits(self, person: str, action: str, division: str) -> bool:
        return await permitted(self._directory, person, action, division, business_day(datetime.now(UTC)))

    async def path(self, division: str) -> tuple[str, ...]:
        """From the root down to the division itself; empty when there is no such node."""
        place = (await self._directory.places([division])).get(division)
        return place.path if place else ()

    async def villages(self, division: str) -> list[str]:
        """The codes of all villages in a division (itself, when it is one)."""
        divisions = await self._divisions()
        found = divisions.find({"path": division, "kind": "village"}, {"_id": 1})
        return [node["_id"] async for node in found]

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
