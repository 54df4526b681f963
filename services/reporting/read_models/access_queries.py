"""Questions to the access log and the directory: who could see a child's file on a day, who did, and which notices."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from datetime import date
from typing import Final

from motor.motor_asyncio import AsyncIOMotorCollection

from services.reporting.read_models.access_log import BREAKS, HOMES, LOOKS
from shared.identity.access import RIGHTS
from shared.identity.directory import GRANTS
from shared.projection.read_model import Document

Collections = Callable[[str], Awaitable[AsyncIOMotorCollection[Document]]]

MOST: Final = 1000
"""Of each kind in one answer."""

OPENING: Final = [office.value for office, rights in RIGHTS.items() if "open_child_file" in rights]


class AccessQueries:
    """``log`` and ``directory`` give the live collections of the two read models by name."""

    def __init__(self, log: Collections, directory: Collections) -> None:
        self._log = log
        self._directory = directory

    async def stays(self, child: str) -> list[tuple[str, str]]:
        """From which day the child was known to live in which village, in their order; none of an unknown child."""
        home: Document = await (await self._log(HOMES)).find_one({"_id": child}) or {"stays": []}
        return [(day, village) for day, village in home["stays"]]

    async def could(self, scopes: Collection[str], on: date) -> list[Document]:
        """The grants by which a file was open on that day, to any of these divisions or to the file itself."""
        day = on.isoformat()
        open_then = {
            "division": {"$in": list(scopes)},
            "role": {"$in": OPENING},
            "person": {"$ne": None},
            "opened": {"$lte": day},
            "$or": [{"shut": None}, {"shut": {"$gt": day}}],
        }
        found = (await self._directory(GRANTS)).find(open_then).sort([("person", 1), ("division", 1)])
        return await found.limit(MOST).to_list(MOST)

    async def did(self, child: str, on: date) -> list[Document]:
        """All looks at the file on that day, in their order."""
        found = (await self._log(LOOKS)).find({"child": child, "day": on.isoformat()}).sort("at", 1)
        return await found.limit(MOST).to_list(MOST)

    async def broken(self, child: str, villages: Collection[str], on: date) -> list[Document]:
        """The glasses that stood broken on that day for the child's file, or for its village."""
        day = on.isoformat()
        query = {
            "village": {"$in": list(villages)},
            "child": {"$in": [None, child]},
            "day": {"$lte": day},
            "ends": {"$gt": day},
        }
        return await (await self._log(BREAKS)).find(query).sort("at", 1).limit(MOST).to_list(MOST)

    async def village_of_break(self, glass: str) -> str | None:
        found: Document = await (await self._log(BREAKS)).find_one({"_id": glass}, {"village": 1}) or {}
        return found.get("village")

    async def breaks(self, villages: Collection[str], since: date) -> list[Document]:
        """All of these villages since that day, the latest first."""
        query = {"village": {"$in": list(villages)}, "day": {"$gte": since.isoformat()}}
        return await (await self._log(BREAKS)).find(query).sort("at", -1).limit(MOST).to_list(MOST)


def villages_on(stays: list[tuple[str, str]], on: date) -> list[str]:
    """Where a child was known to live on a day; both villages on the day it came from one to the other."""
    day = on.isoformat()
    before = [village for since, village in stays if since < day][-1:]
    return list(dict.fromkeys([*before, *(village for since, village in stays if since == day)]))
