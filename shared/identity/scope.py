"""What lies in somebody's scope, as a service's own directory knows it: where they may do what, and what is there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import NamedTuple

from motor.motor_asyncio import AsyncIOMotorCollection

from shared.commands.command import business_day
from shared.identity.access import Directory, Grant, allowing, permitted
from shared.identity.map import ending_of, up_on
from shared.projection.read_model import Document

Divisions = Callable[[], Awaitable[AsyncIOMotorCollection[Document]]]


def _now() -> datetime:
    return datetime.now(UTC)


class StandingVillage(NamedTuple):
    """A village that is there on a day. ``own`` are all codes it had; ``codes`` those of all merged into it too."""

    code: str
    name: str
    own: tuple[str, ...]
    codes: tuple[str, ...]


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
        return await permitted(self._directory, person, action, division, self.today, child)

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

    async def standing_villages(self, within: Collection[str], on: date) -> list[StandingVillage]:
        """The villages that lie in all these divisions and are there on a day, in order of codes."""
        found = (await self._divisions()).find({"path": {"$all": list(within)}, "kind": "village"})
        nodes = {node["_id"]: node async for node in found}
        codes: dict[str, list[str]] = {}
        for code in sorted(nodes):
            codes.setdefault(_standing_as(code, nodes, on), []).append(code)
        return [
            StandingVillage(
                code=code,
                name=nodes[code]["name"],
                own=tuple(one for one in codes[code] if nodes[one]["node"] == nodes[code]["node"]),
                codes=tuple(codes[code]),
            )
            for code in sorted(codes)
            if _stands(nodes[code], on)
        ]

    async def group_names(self, village: str) -> dict[str, str]:
        """Names of the groups of a village, under whichever of its codes, that are there, by code."""
        found = (await self._divisions()).find({"path": village, "kind": "group", "ends": None}, {"name": 1})
        return {node["_id"]: node["name"] async for node in found}

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

    async def full_names(self, codes: Collection[str]) -> dict[str, str]:
        """Names by code, each from the province down; a code that is not in the tree is left out."""
        places = await self._directory.places(codes)
        divisions = await self._divisions()
        above = {code for place in places.values() for code in place.path}
        found = divisions.find({"_id": {"$in": list(above)}}, {"name": 1, "ends": 1})
        # A code that went over to another stands in the path beside it: one name is enough.
        names = {node["_id"]: node["name"] async for node in found if node["ends"] is None}
        return {code: "".join(names.get(one, "") for one in place.path) for code, place in places.items()}


def _stands(node: Document, on: date) -> bool:
    ending = ending_of(node)
    return node["valid_from"] <= on.isoformat() and (ending is None or ending.on > on)


def _standing_as(code: str, nodes: Mapping[str, Document], on: date) -> str:
    """The code of what took a village over until that day, or its own."""
    while (ending := ending_of(nodes[code])) is not None and ending.taken_over and ending.on <= on:
        if ending.successors[0] not in nodes:
            break
        code = ending.successors[0]
    return code
