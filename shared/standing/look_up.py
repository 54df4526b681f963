"""How children stand, as a service has heard it from registry: a private look-up, built again at any time."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import ClassVar, Final

from shared.contracts.child_file import ChildTransferred
from shared.contracts.event import Event
from shared.contracts.refusal import Refusal
from shared.contracts.registry import ChildFileClosed, ChildFileReopened, ChildRegistered, SubjectKeyDestroyed
from shared.contracts.sealed import Kind
from shared.eventlog.client import OwnerClient, OwnerUnavailableError
from shared.eventlog.record import decode
from shared.privacy.sealing import Sealer
from shared.projection.live import LiveModels
from shared.projection.read_model import Document, Index, Occurred, ReadModel, Workspace
from shared.standing.standing import Standing

CHILDREN: Final = "children"
FRESH: Final = timedelta(seconds=10)
"""A look-up that was last level longer ago is used all the same, and its standings are not fresh."""


class Standings(ReadModel):
    """One document per child: ``{_id, village, moves: [[day, version, village]], turns, erased}``.

    ``village`` is where it was registered, a move where it lives from a day on; turns are ``[day, version, open]``.
    """

    name: ClassVar[str] = "standings"
    services: ClassVar[tuple[str, ...]] = ("registry",)
    events: ClassVar[frozenset[str]] = frozenset(
        {"ChildRegistered", "ChildTransferred", "ChildFileClosed", "ChildFileReopened", "SubjectKeyDestroyed"}
    )
    opens: ClassVar[frozenset[Kind]] = frozenset()
    collections: ClassVar[Mapping[str, tuple[Index, ...]]] = {CHILDREN: ()}

    async def prepare(self, batch: Sequence[Occurred], work: Workspace) -> None:
        await work.load(CHILDREN, {occurred.record.stream for occurred in batch})

    def fold(self, occurred: Occurred, work: Workspace) -> None:
        record, event = occurred
        document = work.get(CHILDREN, record.stream) or {"_id": record.stream, "turns": []}
        change(document, record.version, event)
        work.put(CHILDREN, document)


def change(document: Document, version: int, event: Event) -> None:
    """What one event of a child's stream does to its document."""
    match event:
        case ChildRegistered():
            document["village"] = event.residence
        case ChildTransferred():
            document.setdefault("moves", []).append([event.moved_on.isoformat(), version, event.to_village])
        case ChildFileClosed():
            document["turns"].append([event.closed_on.isoformat(), version, False])
        case ChildFileReopened():
            document["turns"].append([event.reopened_on.isoformat(), version, True])
        case SubjectKeyDestroyed():
            document["erased"] = True
        case _:
            pass


def standing_of(document: Document, day: date, fresh: bool = True) -> Standing:
    """A file is open until a turn says otherwise; of two turns on one day the later told one holds."""
    turns = sorted(turn for turn in document["turns"] if turn[0] <= day.isoformat())
    moves = sorted(move for move in document.get("moves", ()) if move[0] <= day.isoformat())
    return Standing(
        village=moves[-1][2] if moves else document["village"],
        open=turns[-1][2] if turns else True,
        erased=document.get("erased", False),
        fresh=fresh,
    )


def closed_since(document: Document) -> date | None:
    """The first day closed of a file that no later turn has opened again."""
    day, _, opened = max(document["turns"], default=("", 0, True))
    return None if opened else date.fromisoformat(day)


class StandingUnknown(Refusal):
    """A child is not known here yet, and registry does not answer now."""

    status: ClassVar[int] = 503
    what_to_do: ClassVar[str] = "Repeat the same command under the same id."


class StandingLookUp:
    """Answers how children stood on a day; a child not heard of yet is asked for at registry."""

    def __init__(self, live: LiveModels, registry: OwnerClient, sealer: Sealer) -> None:
        self._live = live
        self._registry = registry
        self._sealer = sealer

    async def on(self, day: date, children: Collection[str]) -> dict[str, Standing | None]:
        """``day`` is a business day; None for a child that is unknown everywhere. Raises StandingUnknown."""
        known = await self._live.collection(Standings.name, CHILDREN)
        found = {d["_id"]: d async for d in known.find({"_id": {"$in": list(children)}})}
        fresh = await self._fresh()
        return {child: await self._one(child, found.get(child), day, fresh) for child in children}

    async def closed_since(self, child: str) -> date | None:
        """The first day closed of a file that is closed, as registry itself says now. Raises StandingUnknown."""
        return closed_since(await self._asked(child))

    async def _fresh(self) -> bool:
        level = (await self._live.freshness(Standings.name)).complete_up_to
        return level is not None and datetime.now(UTC) - level < FRESH

    async def _one(self, child: str, document: Document | None, day: date, fresh: bool) -> Standing | None:
        if document is None or "village" not in document:
            document, fresh = await self._asked(child), True
        return standing_of(document, day, fresh) if "village" in document else None

    async def _asked(self, child: str) -> Document:
        try:
            records = [decode(raw) for raw in await self._registry.stream(child)]
        except OwnerUnavailableError:
            raise StandingUnknown from None
        document: Document = {"_id": child, "turns": []}
        for record, event in zip(records, await self._sealer.open(records, ()), strict=True):
            change(document, record.version, event)
        return document
