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
        cards = await self._cards(CARDS)
        found = cards.find(of_villages(villages, after), _LINE)
        return await found.sort([("village", 1), ("_id", 1)]).limit(limit).to_list(limit)

    async def lines(self, children: Sequence[str]) -> list[Document]:
        """Of these children, those who are on file, as a list shows them."""
        cards = await self._cards(CARDS)
        found = cards.find({"_id": {"$in": list(children)}, "village": {"$exists": True}}, _LINE)
        return [card async for card in found.sort("_id", 1)]

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

    async def village_of(self, child: str) -> str | None:
        """Where a child lives; None when there is no card, or only the trace of an erased one."""
        cards = await self._cards(CARDS)
        card: Document = await cards.find_one({"_id": child}, {"village": 1}) or {}
        return card.get("village")

    async def card(self, child: str) -> Document | None:
        cards = await self._cards(CARDS)
        card: Document | None = await cards.find_one({"_id": child}, _WITHOUT_KEYS)
        return card

    async def time_line(self, child: str) -> list[Document]:
        """The newest entries, newest first, at most 500."""
        entries = await self._cards(ENTRIES)
        found = entries.find({"child": child}, {"child": 0}).sort("at", -1)
        return await found.limit(MOST_ENTRIES).to_list(MOST_ENTRIES)


def of_villages(villages: Sequence[str], after: tuple[str, str] | None) -> Document:
    """The documents of these villages that follow (village, id) in that order."""
    query: Document = {"village": {"$in": list(villages)}}
    if after is None:
        return query
    village, last = after
    return {"$and": [query, {"$or": [{"village": {"$gt": village}}, {"village": village, "_id": {"$gt": last}}]}]}
