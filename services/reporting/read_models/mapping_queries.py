"""Questions to the read model ``mappings``: a campaign, the villages mapped in it, the doors of one of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection

from motor.motor_asyncio import AsyncIOMotorCollection

from services.reporting.read_models.mappings import CAMPAIGNS, DOORS, VILLAGES
from shared.projection.read_model import Document

Collections = Callable[[str], Awaitable[AsyncIOMotorCollection[Document]]]
"""The live collection of the read model ``mappings`` under a name."""


class MappingQueries:
    def __init__(self, collections: Collections) -> None:
        self._collections = collections

    async def campaign(self, campaign: str) -> Document | None:
        """None also while only its end is known."""
        found = await (await self._collections(CAMPAIGNS)).find_one({"_id": campaign, "division": {"$exists": True}})
        return dict(found) if found else None

    async def villages(self, campaign: str, codes: Collection[str]) -> dict[str, Document]:
        """What was mapped in the campaign, by the code under which a village's mapping began."""
        found = (await self._collections(VILLAGES)).find({"campaign": campaign, "village": {"$in": list(codes)}})
        return {village["village"]: village async for village in found}

    async def doors(self, mapping: str) -> list[Document]:
        """By group and number."""
        found = (await self._collections(DOORS)).find({"mapping": mapping})
        doors = [door async for door in found]
        return sorted(doors, key=lambda door: (door["group"], len(door["number"]), door["number"]))
