"""Where a matching is kept: as imports are, sealed and for thirty days, with what each row came to beside its piece.

``matchings``: one document a matching. ``matching_parts``: the rows in pieces, sealed; ``results`` beside them hold
states, ids of files and likenesses by row number, as the look-up of duplicates does, and nothing that a row says.
A part ``there`` holds the ids of the files that the register was to hold.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import ReplaceOne

from services.registry.imports.store import ROWS, Document, ImportStore
from shared.privacy.port import KeyVault

THERE: Final = "there"
IDS_TOGETHER: Final = 10_000

Result = dict[str, Any]
"""``state``, ``village``, ``near``: ``[child, score, [likeness…]]``; ``gap`` or ``refused`` once it was recorded."""


class MatchingStore(ImportStore):
    def __init__(self, database: AsyncIOMotorDatabase[Document], vault: KeyVault) -> None:
        super().__init__(database, vault, ("matchings", "matching_parts"))

    async def keep_results(self, matching: str, piece: int, results: Mapping[int, Result]) -> None:
        told = {str(number): result for number, result in results.items()}
        await self._parts.update_one({"batch": matching, "kind": ROWS, "n": piece}, {"$set": {"results": told}})

    async def results(self, matching: str) -> AsyncIterator[tuple[int, int, Result]]:
        """``(piece, row, result)`` in the order of the rows."""
        wanted = {"batch": matching, "kind": ROWS}
        async for part in self._parts.find(wanted, {"n": 1, "results": 1}, sort=[("n", 1)]):
            told = part.get("results", {})
            for number in sorted(told, key=int):
                yield part["n"], int(number), told[number]

    async def keep_there(self, matching: str, children: Sequence[str], until: datetime) -> None:
        await self._parts.delete_many({"batch": matching, "kind": THERE})
        for n, start in enumerate(range(0, len(children), IDS_TOGETHER)):
            place = f"{matching}/{THERE}/{n:06}"
            part = {"_id": place, "batch": matching, "kind": THERE, "n": n, "expires_at": until}
            part["children"] = list(children[start : start + IDS_TOGETHER])
            await self._parts.bulk_write([ReplaceOne({"_id": place}, part, upsert=True)])

    async def there(self, matching: str) -> list[str]:
        parts = self._parts.find({"batch": matching, "kind": THERE}, sort=[("n", 1)])
        return [child async for part in parts for child in part["children"]]

    async def change_result(self, matching: str, piece: int, number: int, result: Result) -> None:
        await self._parts.update_one(
            {"batch": matching, "kind": ROWS, "n": piece}, {"$set": {f"results.{number}": result}}
        )
