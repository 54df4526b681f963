"""Questions to the household cards: a list, one card with its time line; scope is part of the query."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from motor.motor_asyncio import AsyncIOMotorCollection

from services.reporting.read_models.child_queries import MOST_ENTRIES, of_villages
from services.reporting.read_models.households import CARDS, ENTRIES
from shared.projection.read_model import Document

Cards = Callable[[str], Awaitable[AsyncIOMotorCollection[Document]]]
"""The live collection of the read model ``households`` under a name."""

_LINE: Final = {
    "village": 1,
    "state": 1,
    "merged_into": 1,
    "file.head": 1,
    "file.group": 1,
    "file.poverty": 1,
    "file.members.relation": 1,
    "children": 1,
}


class HouseholdQueries:
    def __init__(self, cards: Cards) -> None:
        self._cards = cards

    async def listed(self, villages: Sequence[str], after: tuple[str, str] | None, limit: int) -> list[Document]:
        """Cards of these villages by village and household; ``after`` is (village, household) of the last one seen."""
        cards = await self._cards(CARDS)
        found = cards.find(of_villages(villages, after), _LINE)
        return await found.sort([("village", 1), ("_id", 1)]).limit(limit).to_list(limit)

    async def card(self, household: str) -> Document | None:
        """None when nobody has heard of it, when only a merge has named it yet, or when it is erased."""
        cards = await self._cards(CARDS)
        card: Document | None = await cards.find_one({"_id": household})
        return card if card is not None and "village" in card else None

    async def goes_on_as(self, household: str) -> str:
        """The household that a child's household was merged into, or that itself."""
        card = await self.card(household) or {}
        return str(card.get("merged_into", household))

    async def children(self, card: Document) -> list[str]:
        """Those of the household and of those that were merged into it."""
        cards = await self._cards(CARDS)
        merged = cards.find({"_id": {"$in": card.get("merged", [])}}, {"children": 1})
        return [child for one in [card, *[one async for one in merged]] for child in one.get("children", ())]

    async def time_line(self, household: str) -> list[Document]:
        """The newest entries, newest first, at most 500."""
        entries = await self._cards(ENTRIES)
        found = entries.find({"household": household}, {"household": 0}).sort("at", -1)
        return await found.limit(MOST_ENTRIES).to_list(MOST_ENTRIES)
