"""Questions to the child cards: a list, a search by name, one card with its time line; scope is part of the query."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from motor.motor_asyncio import AsyncIOMotorCollection

from services.reporting.read_models.children import CARDS, ENTRIES
from shared.projection.read_model import Document

Cards = Callable[[str], Awaitable[AsyncIOMotorCollection[Document]]]
"""The live collection of the read model ``children`` under a name."""

MOST_ENTRIES: Final = 500
_LINE: Final = {
    "village": 1,
    "file.name": 1,
    "file.sex": 1,
    "file.birth_date": 1,
    "file.open": 1,
    "file.check.stage": 1,
    "file.care.kind": 1,
    "file.care.living_alone": 1,
    "visits.count": 1,
    "visits.last_on": 1,
}


_WITHOUT_KEYS: Final = {"file.name_key": 0, "file.pinyin": 0, "file.initials": 0}
"""What a name is found by is for the search alone."""


class ChildQueries:
    def __init__(self, cards: Cards) -> None:
        self._cards = cards

    async def listed(self, villages: Sequence[str], after: tuple[str, str] | None, limit: int) -> list[Document]:
        """Cards of these villages by village and child; ``after`` is (village, child) of the last one seen."""
        query: Document = {"village": {"$in": list(villages)}}
        if after:
            village, child = after
            query = {
                "$and": [query, {"$or": [{"village": {"$gt": village}}, {"village": village, "_id": {"$gt": child}}]}]
            }
        cards = await self._cards(CARDS)
        return await cards.find(query, _LINE).sort([("village", 1), ("_id", 1)]).limit(limit).to_list(limit)

    async def named(self, villages: Sequence[str], name: str, limit: int) -> list[Document]:
        """Cards whose name, pinyin or initials begin with ``name``, within these villages."""
        key = unicodedata.normalize("NFKC", name).replace(" ", "")
        begins = {"$regex": f"^{re.escape(key)}"}
        begins_latin = {"$regex": f"^{re.escape(key.lower())}"}
        query: dict[str, Any] = {
            "village": {"$in": list(villages)},
            "$or": [{"file.name_key": begins}, {"file.pinyin": begins_latin}, {"file.initials": begins_latin}],
        }
        cards = await self._cards(CARDS)
        return await cards.find(query, _LINE).limit(limit).to_list(limit)

    async def closed(self, villages: Sequence[str], until: str, limit: int) -> list[Document]:
        """Cards of files in these villages that were closed on a day (ISO) or before, the longest closed first."""
        query: Document = {"village": {"$in": list(villages)}, "file.open": False, "file.closed_on": {"$lte": until}}
        found = (await self._cards(CARDS)).find(query, {"village": 1, "file.closed_on": 1, "file.closed_for": 1})
        return await found.sort([("file.closed_on", 1), ("_id", 1)]).limit(limit).to_list(limit)

    async def due(self, villages: Sequence[str], until: str, limit: int) -> list[Document]:
        """Cards of open files in these villages whose review is due on a day (ISO) or before, the longest due first."""
        query: Document = {
            "village": {"$in": list(villages)},
            "file.open": True,
            "file.check.due_on": {"$lte": until},
        }
        shown = {"village": 1, "file.name": 1, "file.check": 1, "file.guardian.confirmed_on": 1}
        found = (await self._cards(CARDS)).find(query, shown)
        return await found.sort([("file.check.due_on", 1), ("_id", 1)]).limit(limit).to_list(limit)

    async def village_of(self, child: str) -> str | None:
        """Where a child lives; None when there is no card, or only the trace of an erased one."""
        cards = await self._cards(CARDS)
        card: Document = await cards.find_one({"_id": child}, {"village": 1}) or {}
        return card.get("village")

    async def card(self, child: str) -> Document | None:
        cards = await self._cards(CARDS)
        card: Document | None = await cards.find_one({"_id": child}, _WITHOUT_KEYS)
        return card

    async def merged_into(self, child: str) -> list[Document]:
        """The cards of all files that were merged into this one, and into those again."""
        cards, found, into = await self._cards(CARDS), dict[str, Document](), [child]
        while into:
            # No file twice: nothing would end if files were ever merged in a ring.
            known = {"file.merged_into": {"$in": into}, "village": {"$exists": True}, "_id": {"$nin": [child, *found]}}
            more = {card["_id"]: card async for card in cards.find(known, _WITHOUT_KEYS).sort("_id", 1)}
            found |= more
            into = list(more)
        return list(found.values())

    async def time_line(self, child: str) -> list[Document]:
        """The newest entries, newest first, at most 500."""
        entries = await self._cards(ENTRIES)
        found = entries.find({"child": child}, {"child": 0}).sort("at", -1)
        return await found.limit(MOST_ENTRIES).to_list(MOST_ENTRIES)
