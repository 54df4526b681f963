"""What lies around a division, as registry's directory has folded it from registry's own log.

A change of the map is rare and touches much. It is decided on a map that holds all that was recorded before the
question, so the answer waits until the directory has come to the end of the log.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any, ClassVar, Final

from services.registry.domain.child import RegisterChild
from services.registry.domain.division import (
    GROUP,
    AddDivision,
    AddVillageGroup,
    Around,
    Change,
    KnownAddition,
    KnownGroup,
    Learned,
    MergeDivisions,
    Node,
    RecodeDivision,
    SplitDivision,
    WithdrawDivision,
    division_stream,
)
from services.registry.domain.household import RegisterResident
from shared.commands.command import DivisionEnded, UnknownDivision
from shared.contracts.refusal import Refusal
from shared.contracts.registry import DivisionAdded
from shared.eventlog.port import Log
from shared.eventlog.record import Position, decode
from shared.identity.directory import CACHE_SECONDS, DirectoryModel
from shared.identity.map import DIVISIONS, MERGED, RECODED, ending_of
from shared.privacy.sealing import Sealer
from shared.projection.live import LiveModels
from shared.projection.read_model import Document

Documents = Callable[[str, Collection[str]], Awaitable[list[Document]]]
"""The documents of the map whose field (``_id``, ``node``, ``up``) is one of these values, or ``path`` holds one."""

PATIENCE_SECONDS: Final = 10.0


class MapIsBehind(Refusal):
    """The map has not taken in yet what was recorded just now."""

    status: ClassVar[int] = 503
    what_to_do: ClassVar[str] = "Repeat the same command under the same id."


async def until_level(live: LiveModels, log: Log) -> None:
    """Returns when the directory holds all that was recorded before. Raises MapIsBehind, LogUnavailableError."""
    heads = [Position(log.service, head.partition, head.seq) for head in await log.heads()]
    if not await live.wait_for_all(DirectoryModel.name, heads, timeout=PATIENCE_SECONDS):
        raise MapIsBehind


class LiveDocuments:
    """The documents of the directory's live version, never from behind registry's own log."""

    def __init__(self, live: LiveModels, log: Log) -> None:
        self._live = live
        self._log = log

    async def __call__(self, field: str, values: Collection[str]) -> list[Document]:
        """Raises MapIsBehind, LogUnavailableError."""
        await until_level(self._live, self._log)
        found = (await self._live.collection(DirectoryModel.name, DIVISIONS)).find({field: {"$in": list(values)}})
        return [document async for document in found]

    async def taken_over(self) -> list[Document]:
        """Those of codes that were recoded or merged, as the directory has them now, without waiting."""
        divisions = await self._live.collection(DirectoryModel.name, DIVISIONS)
        return [document async for document in divisions.find({"ends.1": {"$in": [RECODED, MERGED]}})]


class TakenOver:
    """Which codes went over to which, at most two seconds old: every registration asks, and it changes once a year."""

    def __init__(self, ended: Callable[[], Awaitable[list[Document]]], clock: Callable[[], float] = time.monotonic):
        self._ended = ended
        self._clock = clock
        self._until = float("-inf")
        self._former: dict[str, set[str]] = {}
        self._turn = asyncio.Lock()

    async def by(self, code: str) -> frozenset[str]:
        """The codes that work goes on of under this one, directly or through others."""
        found: set[str] = set()
        edge, known = {code}, await self._known()
        while edge:
            edge = {former for one in edge for former in known.get(one, ())} - found
            found |= edge
        return frozenset(found)

    async def one_with(self, code: str) -> frozenset[str]:
        """All codes that work goes on of under the same one as of this one, and that one itself."""
        known, last = await self._known(), code
        while later := [successor for successor, former in known.items() if last in former]:
            [last] = later
        return await self.by(last) | {last}

    async def _known(self) -> dict[str, set[str]]:
        async with self._turn:
            if self._clock() >= self._until:
                until = self._clock() + CACHE_SECONDS
                self._former = _former(await self._ended())
                self._until = until
            return self._former


def _former(ended: Iterable[Document]) -> dict[str, set[str]]:
    former: dict[str, set[str]] = {}
    for document in ended:
        ending = ending_of(document)
        if ending is not None and ending.taken_over:
            former.setdefault(ending.successors[0], set()).add(document["_id"])
    return former


class ResidenceLearning:
    """Adds to a registration the codes that its village had, or took over: a household may be on file under those."""

    def __init__(self, taken_over: TakenOver) -> None:
        self._taken_over = taken_over

    async def __call__(self, command: RegisterChild, person: str) -> RegisterChild:
        formerly = await self._taken_over.by(command.residence)
        return RegisterResident(**dict(command), formerly=formerly) if formerly else command


class DivisionMap:
    """Answers about nodes by any code they have or had."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    async def nodes(self, codes: Collection[str]) -> dict[str, Node]:
        found = await self._documents("_id", codes)
        return {document["_id"]: node_of(document) for document in found if document["node"] is not None}

    async def now(self, division: str) -> Node | None:
        """A node under the code it had last."""
        found = await self._documents("node", [division])
        return max(map(node_of, found), key=lambda node: (node.valid_to is None, node.valid_from), default=None)

    async def below(self, code: str) -> list[Node]:
        """What stands below a code or below one that went over to it, and those codes themselves."""
        found: dict[str, Node] = {}
        edge = {code}
        while edge:
            level = [node_of(document) for document in await self._documents("up", edge) if document["node"]]
            fresh = {node.code: node for node in level if node.code not in found}
            found |= fresh
            edge = {node.code for node in fresh.values() if node.valid_to is not None}
        return list(found.values())

    async def living(self, code: str, also: Collection[str]) -> list[Node]:
        """What is there today in a division, and of ``also``, each below its parent's code of today. Without village
        groups."""
        found = [node_of(one) for one in await self._documents("path", [code]) if one["node"]]
        known = await self.nodes(also) | {node.code: node for node in found}
        known |= await self.nodes({above for node in known.values() for above in node.above})
        return [
            replace(node, parent=_today(node.parent, known))
            for node in known.values()
            if node.valid_to is None and node.kind != GROUP
        ]

    async def latest_below(self, code: str) -> date | None:
        """The last day on which something that stands below a code, however deep, began or ended."""
        nodes = map(node_of, await self._documents("path", [code]))
        return max((node.valid_to or node.valid_from for node in nodes if node.code != code), default=None)


def _today(code: str | None, known: Mapping[str, Node]) -> str | None:
    """The code that a parent goes by today."""
    while code is not None and (node := known.get(code)) is not None and node.valid_to is not None:
        code = node.parent
    return code


def node_of(document: Mapping[str, Any]) -> Node:
    ending = ending_of(document)
    return Node(
        division=document["node"],
        code=document["_id"],
        name=document["name"],
        kind=document["kind"],
        parent=document["up"],
        valid_from=date.fromisoformat(document["valid_from"]),
        valid_to=ending and ending.on,
        successors=ending.successors if ending else (),
        above=tuple(document["path"] or ())[: -1 - len(document["was"])],
    )


class MapLearning:
    """Adds to a change of the map what lies around it."""

    def __init__(self, divisions: DivisionMap) -> None:
        self._map = divisions

    async def __call__(self, command: Change, person: str) -> Learned:
        node = await self._map.now(command.division)
        around = await self._around(command, node.code) if node else Around()
        return Learned(occurred_at=command.occurred_at, wish=command, around=around)

    async def _around(self, command: Change, code: str) -> Around:
        named = {code, *_named(command)}
        ending = command.merged if isinstance(command, MergeDivisions) else (code,)
        return Around(
            nodes=await self._map.nodes(named),
            children=frozenset(node.code for node in await self._map.below(code) if node.valid_to is None),
            latest_below={above: day for above in ending if (day := await self._map.latest_below(above))},
        )


def _named(command: Change) -> Iterable[str]:
    """The codes of other nodes that a change speaks of."""
    match command:
        case RecodeDivision():
            return [command.code]
        case MergeDivisions():
            return command.merged
        case SplitDivision():
            return [part.code for part in command.parts]
        case WithdrawDivision():
            return command.successors
        case _:
            return []


class ParentLearning:
    """Lets a division be added only below one that registry knows.

    The list is loaded before anybody listens to the log: so a parent is looked for in registry's own log first, and on
    the map only when it goes by a newer code there.
    """

    def __init__(self, log: Log, sealer: Sealer, divisions: DivisionMap) -> None:
        self._log = log
        self._sealer = sealer
        self._map = divisions
        self._known: dict[str, tuple[str, date]] = {}
        self._turn = asyncio.Lock()

    async def division(self, command: AddDivision, person: str) -> KnownAddition:
        if command.parent is None:
            return KnownAddition(**dict(command))
        kind, since = await self._parent(command.parent, "parent")
        return KnownAddition(**dict(command), parent_kind=kind, parent_since=since)

    async def group(self, command: AddVillageGroup, person: str) -> KnownGroup:
        _, since = await self._parent(command.village, "village")
        return KnownGroup(**dict(command), village_since=since)

    async def _parent(self, code: str, field: str) -> tuple[str, date]:
        """Its kind and first day. Raises UnknownDivision, DivisionEnded."""
        async with self._turn:  # a township is asked for by its first village, not by all of them
            if code not in self._known:
                self._known[code] = await self._from_log(code) or await self._from_map(code, field)
            return self._known[code]

    async def _from_log(self, code: str) -> tuple[str, date] | None:
        first = [decode(raw) for raw in (await self._log.load(division_stream(code)))[:1]]
        for event in await self._sealer.open(first, ()):
            if isinstance(event, DivisionAdded):
                return event.kind.value, event.valid_from
        return None

    async def _from_map(self, code: str, field: str) -> tuple[str, date]:
        node = (await self._map.nodes([code])).get(code)
        if node is None:
            raise UnknownDivision(f"{field}: {code} is not in the division tree")
        if node.valid_to is not None:
            raise DivisionEnded(code, node.valid_to, node.successors)
        return node.kind, node.valid_from
