"""The read model ``postings``: which unit has sent a working group where, and from when to when."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import date
from typing import ClassVar, Final

from motor.motor_asyncio import AsyncIOMotorCollection

from shared.contracts.registry import WorkingGroupPosted, WorkingGroupWithdrawn
from shared.contracts.sealed import Kind
from shared.projection.read_model import Document, Index, Occurred, ReadModel, Workspace

POSTINGS: Final = "postings"

Collections = Callable[[str], Awaitable[AsyncIOMotorCollection[Document]]]
"""The live collection of the read model ``postings`` under a name."""


class Postings(ReadModel):
    """``postings``: ``{_id, village, unit, level, starts, ends}``; days are ISO strings, ``ends`` the first without."""

    name: ClassVar[str] = "postings"
    services: ClassVar[tuple[str, ...]] = ("registry",)
    events: ClassVar[frozenset[str]] = frozenset({"WorkingGroupPosted", "WorkingGroupWithdrawn"})
    opens: ClassVar[frozenset[Kind]] = frozenset()
    collections: ClassVar[Mapping[str, tuple[Index, ...]]] = {POSTINGS: (Index((("village", 1),)),)}

    async def prepare(self, batch: Sequence[Occurred], work: Workspace) -> None:
        await work.load(POSTINGS, {occurred.event.posting for occurred in batch})  # type: ignore[attr-defined]

    def fold(self, occurred: Occurred, work: Workspace) -> None:
        match occurred.event:
            case WorkingGroupPosted() as event:
                told = event.model_dump(mode="json", include={"village", "unit", "level", "starts"})
                work.put(POSTINGS, {"_id": event.posting, "ends": None, **told})
            case WorkingGroupWithdrawn() as event:
                posting = work.get(POSTINGS, event.posting) or {"_id": event.posting}
                work.put(POSTINGS, posting | {"ends": event.ends.isoformat()})
            case other:
                raise TypeError(f"{type(other).__name__} is no event of a posting")


class PostingQueries:
    def __init__(self, collections: Collections) -> None:
        self._collections = collections

    async def active(self, villages: Collection[str], on: date) -> list[Document]:
        """The postings in these villages on a day."""
        day = on.isoformat()
        found = (await self._collections(POSTINGS)).find(
            {
                "village": {"$in": list(villages)},
                "starts": {"$lte": day},
                "$or": [{"ends": None}, {"ends": {"$gt": day}}],
            }
        )
        return [posting async for posting in found]
