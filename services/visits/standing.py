"""How children stand, as visits has heard it from registry: a private look-up that can be built again at any time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import date
from typing import Any, ClassVar

from motor.motor_asyncio import AsyncIOMotorCollection

from services.visits.domain.visit import Standing
from shared.contracts.registry import ChildFileClosed, ChildFileReopened, ChildRegistered, SubjectKeyDestroyed
from shared.contracts.sealed import Kind
from shared.projection.read_model import Document, Index, Occurred, ReadModel, Workspace

CHILDREN = "children"


class Standings(ReadModel):
    """One document per child: ``{_id, village, turns: [[day, version, open]], erased}``."""

    name: ClassVar[str] = "standings"
    services: ClassVar[tuple[str, ...]] = ("registry",)
    events: ClassVar[frozenset[str]] = frozenset(
        {"ChildRegistered", "ChildFileClosed", "ChildFileReopened", "SubjectKeyDestroyed"}
    )
    opens: ClassVar[frozenset[Kind]] = frozenset()
    collections: ClassVar[Mapping[str, tuple[Index, ...]]] = {CHILDREN: ()}

    async def prepare(self, batch: Sequence[Occurred], work: Workspace) -> None:
        await work.load(CHILDREN, {occurred.record.stream for occurred in batch})

    def fold(self, occurred: Occurred, work: Workspace) -> None:
        record, event = occurred
        document = work.get(CHILDREN, record.stream) or {"_id": record.stream, "turns": []}
        match event:
            case ChildRegistered():
                document["village"] = event.residence
            case ChildFileClosed():
                document["turns"].append([event.closed_on.isoformat(), record.version, False])
            case ChildFileReopened():
                document["turns"].append([event.reopened_on.isoformat(), record.version, True])
            case SubjectKeyDestroyed():
                document["erased"] = True
        work.put(CHILDREN, document)


def standing_of(document: Document, day: date) -> Standing:
    """A file is open until a turn says otherwise; of two turns on one day the later told one holds."""
    turns = sorted(turn for turn in document["turns"] if turn[0] <= day.isoformat())
    return Standing(
        village=document["village"],
        open=turns[-1][2] if turns else True,
        erased=document.get("erased", False),
    )


Collection_ = Callable[[], Awaitable[AsyncIOMotorCollection[dict[str, Any]]]]
AskRegistry = Callable[[str], Awaitable[Document | None]]


class StandingLookUp:
    """Answers how children stood on a day; a child not heard of yet is asked for at registry."""

    def __init__(
        self, collection: Collection_, ask_registry: AskRegistry, fresh: Callable[[], Awaitable[bool]]
    ) -> None:
        self._collection = collection
        self._ask_registry = ask_registry
        self._fresh = fresh

    async def on(self, day: date, children: Collection[str]) -> dict[str, Standing | None]:
        """``day`` is a business day. Raises RegistryUnreachable when an unknown child cannot be asked for."""
        collection = await self._collection()
        found = {d["_id"]: d async for d in collection.find({"_id": {"$in": list(children)}})}
        fresh = await self._fresh()
        return {child: await self._one(child, found.get(child), day, fresh) for child in children}

    async def _one(self, child: str, document: Document | None, day: date, fresh: bool) -> Standing | None:
        if document is None or "village" not in document:
            document, fresh = await self._ask_registry(child), True
        if document is None:
            return None
        standing = standing_of(document, day)
        return Standing(standing.village, standing.open, standing.erased, fresh)
