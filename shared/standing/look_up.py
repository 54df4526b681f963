"""How children stand, as a service has heard it from registry: a private look-up, built again at any time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import ClassVar, Final, NamedTuple

from shared.commands.command import business_day
from shared.contracts.child_file import ChildIdentityCorrected, ChildTransferred
from shared.contracts.event import Event
from shared.contracts.file_keeping import ChildFilesMerged, ChildMergeUndone
from shared.contracts.refusal import Refusal
from shared.contracts.registry import ChildFileClosed, ChildFileReopened, ChildRegistered, SubjectKeyDestroyed
from shared.contracts.risk import RiskAssessed, RiskLevelOverridden
from shared.contracts.sealed import Kind
from shared.contracts.values import RiskLevel
from shared.eventlog.client import OwnerClient, OwnerUnavailableError
from shared.eventlog.record import Record, decode
from shared.identity.access import Directory, went_on_as
from shared.privacy.sealing import Sealer
from shared.projection.live import LiveModels
from shared.projection.read_model import Document, Index, Occurred, ReadModel, Workspace
from shared.standing.standing import Standing

CHILDREN: Final = "children"
FRESH: Final = timedelta(seconds=10)
"""A look-up that was last level longer ago is used all the same, and its standings are not fresh."""


class Standings(ReadModel):
    """One document per child: ``{_id, village, registered, moves: [[day, version, village]], turns, merged, erased}``.

    ``village`` is where it was registered and ``registered`` when, a move where it lives from a day on; turns are
    ``[day, version, open]``; ``merged`` are the file that goes on and its village.
    """

    name: ClassVar[str] = "standings"
    services: ClassVar[tuple[str, ...]] = ("registry",)
    events: ClassVar[frozenset[str]] = frozenset(
        {
            *("ChildRegistered", "ChildTransferred", "ChildFileClosed", "ChildFileReopened", "SubjectKeyDestroyed"),
            *("ChildFilesMerged", "ChildMergeUndone"),
        }
    )
    opens: ClassVar[frozenset[Kind]] = frozenset()
    collections: ClassVar[Mapping[str, tuple[Index, ...]]] = {CHILDREN: ()}

    def pause(self, written: int) -> timedelta:
        """Who is asked of before that is asked of registry."""
        return timedelta(milliseconds=100)

    async def prepare(self, batch: Sequence[Occurred], work: Workspace) -> None:
        await work.load(CHILDREN, {occurred.record.stream for occurred in batch})

    def fold(self, occurred: Occurred, work: Workspace) -> None:
        record, event = occurred
        document = work.get(CHILDREN, record.stream) or {"_id": record.stream, "turns": []}
        change(document, record, event)
        work.put(CHILDREN, document)


def change(document: Document, record: Record, event: Event) -> None:
    """What one event of a child's stream does to its document."""
    version = record.version
    match event:
        case ChildRegistered():
            document["village"] = event.residence
            document["registered"] = business_day(record.occurred_at).isoformat()
        case ChildTransferred():
            document.setdefault("moves", []).append([event.moved_on.isoformat(), version, event.to_village])
        case ChildFileClosed():
            document["turns"].append([event.closed_on.isoformat(), version, False])
        case ChildFileReopened():
            document["turns"].append([event.reopened_on.isoformat(), version, True])
        case ChildFilesMerged():
            document["merged"] = [event.into, event.village]
        case ChildMergeUndone():
            document.pop("merged", None)
        case SubjectKeyDestroyed():
            document["erased"] = business_day(record.occurred_at).isoformat()
        case _:
            pass


def standing_of(document: Document, day: date, fresh: bool = True) -> Standing:
    """A file is open until a turn says otherwise; of two turns on one day the later told one holds."""
    turns = sorted(turn for turn in document["turns"] if turn[0] <= day.isoformat())
    moves = sorted(move for move in document.get("moves", ()) if move[0] <= day.isoformat())
    village = moves[-1][2] if moves else document["village"]
    opened = turns[-1][2] if turns else True
    into, there = document.get("merged", (None, None))
    return Standing(
        village=village,
        open=opened,
        erased="erased" in document,
        fresh=fresh,
        registered_by_then=document.get("registered", "") <= day.isoformat(),
        # Who works in one village learns of no file in another.
        merged_into=into if not opened and there == village else None,
    )


class Over(NamedTuple):
    """The first day on which nothing new may be told of a child; of one that is erased, the day it was."""

    day: date
    erased: bool


def over_since(document: Document) -> Over | None:
    """None while the file is open: no later turn has closed it, and the child is not erased."""
    if erased := document.get("erased"):
        return Over(date.fromisoformat(erased), True)
    day, _, opened = max(document["turns"], default=("", 0, True))
    return None if opened else Over(date.fromisoformat(day), False)


def level_on(told: Sequence[tuple[Record, Event]], day: date) -> RiskLevel | None:
    """A child's risk: overridden by hand until a day, unless it was assessed since; else as it was assessed."""
    assessed: tuple[date, RiskLevel | None] = date.min, None
    override = None
    for record, event in told:
        on = business_day(record.occurred_at)
        if isinstance(event, RiskAssessed) and assessed[0] <= on <= day:
            assessed = on, event.level.get()
        elif isinstance(event, RiskLevelOverridden) and (override is None or override[0] <= on) and on <= day:
            override = on, event
    if override is not None and assessed[0] <= override[0] and day < override[1].until:
        return override[1].level.get()
    return assessed[1]


class StandingUnknown(Refusal):
    """A child is not known here yet, and registry does not answer now."""

    status: ClassVar[int] = 503
    what_to_do: ClassVar[str] = "Repeat the same command under the same id."


class _Together:
    """Questions of the same turn of the event loop, as a batch of commands has them, become one."""

    def __init__(self, ask: Callable[[Collection[str]], Awaitable[dict[str, Document]]]) -> None:
        self._ask = ask
        self._keys = set[str]()
        self._answer: asyncio.Task[dict[str, Document]] | None = None

    async def get(self, keys: Collection[str]) -> dict[str, Document]:
        """What is found, which may be more than was asked for. Raises what the question raises."""
        self._keys.update(keys)
        if self._answer is None:
            self._answer = asyncio.create_task(self._soon())
        # Who gives up waiting leaves the others their answer.
        return await asyncio.shield(self._answer)

    async def _soon(self) -> dict[str, Document]:
        await asyncio.sleep(0)
        keys, self._keys, self._answer = self._keys, set(), None
        return await self._ask(keys)


class StandingLookUp:
    """Answers how children stood on a day, in the village as it was called then; a child not heard of yet is asked for
    at registry."""

    def __init__(self, live: LiveModels, registry: OwnerClient, sealer: Sealer, directory: Directory) -> None:
        self._live = live
        self._registry = registry
        self._sealer = sealer
        self._documents = _Together(self._read)
        self._level: tuple[float, datetime | None] = (float("-inf"), None)
        self._directory = directory

    async def on(self, day: date, children: Collection[str]) -> dict[str, Standing | None]:
        """``day`` is a business day; None for a child that is unknown everywhere. Raises StandingUnknown."""
        found = await self._documents.get(children)
        fresh = await self._fresh()
        return {child: await self._one(child, found.get(child), day, fresh) for child in children}

    async def over_since(self, child: str) -> Over | None:
        """Since when the file is closed or the child erased, as registry itself says now. Raises StandingUnknown."""
        return over_since(await self._asked(child))

    async def lives_in(self, child: str, day: date) -> str | None:
        """The village on that day, as registry itself says now; None of a child that is unknown or erased. Raises
        StandingUnknown."""
        document = await self._asked(child)
        if "village" not in document or "erased" in document:
            return None
        return await went_on_as(self._directory, standing_of(document, day).village, day)

    async def birth_month(self, child: str) -> str | None:
        """Asked of registry itself: the look-up keeps none. None when it does not answer, or nobody knows."""
        try:
            told = await self._told(child, frozenset({"counted"}))
        except StandingUnknown:
            return None
        month = None
        for _, event in told:
            if isinstance(event, ChildRegistered | ChildIdentityCorrected):
                month = event.birth_month.get()
        return month

    async def risk_level(self, child: str, day: date) -> RiskLevel | None:
        """Asked of registry itself; None when nobody has assessed the child. Raises StandingUnknown."""
        return level_on(await self._told(child, frozenset({"counted"})), day)

    async def _read(self, children: Collection[str]) -> dict[str, Document]:
        known = await self._live.collection(Standings.name, CHILDREN)
        return {document["_id"]: document async for document in known.find({"_id": {"$in": list(children)}})}

    async def _fresh(self) -> bool:
        """From what is known for a second at most."""
        if time.monotonic() - self._level[0] > 1:
            self._level = time.monotonic(), (await self._live.freshness(Standings.name)).complete_up_to
        level = self._level[1]
        return level is not None and datetime.now(UTC) - level < FRESH

    async def _one(self, child: str, document: Document | None, day: date, fresh: bool) -> Standing | None:
        if document is None or "village" not in document:
            document, fresh = await self._asked(child), True
        if "village" not in document:
            return None
        standing = standing_of(document, day, fresh)
        return replace(standing, village=await went_on_as(self._directory, standing.village, day))

    async def _asked(self, child: str) -> Document:
        document: Document = {"_id": child, "turns": []}
        for record, event in await self._told(child, frozenset()):
            change(document, record, event)
        return document

    async def _told(self, child: str, kinds: frozenset[Kind]) -> list[tuple[Record, Event]]:
        """What registry holds of a child, in order. Raises StandingUnknown."""
        try:
            records = [decode(raw) for raw in await self._registry.stream(child)]
        except OwnerUnavailableError:
            raise StandingUnknown from None
        return list(zip(records, await self._sealer.open(records, kinds), strict=True))
