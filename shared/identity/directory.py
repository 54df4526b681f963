"""The directory: the read model that folds grants and divisions from registry's events, and the two that answer of it.

Registry's partitions may be read in any order: every document comes out the same in whichever order its events came,
and a division whose ancestors have not all arrived has no path yet, so that nobody's scope reaches it.
"""

from __future__ import annotations

import time
from collections import OrderedDict, defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import date
from typing import Any, ClassVar, Final, Generic, TypeVar

from motor.motor_asyncio import AsyncIOMotorCollection

from shared.contracts.event import Event
from shared.contracts.registry import DivisionAdded, RoleEnded, RoleGranted, WorkingGroupPosted, WorkingGroupWithdrawn
from shared.contracts.sealed import Kind
from shared.contracts.values import Role
from shared.identity.access import Grant, permitting
from shared.projection.read_model import Document, Index, Occurred, ReadModel, Workspace

GRANTS: Final = "grants"
DIVISIONS: Final = "divisions"

CACHE_SECONDS: Final = 2.0
CACHED: Final = 20_000

_OF_A_POSTING: Final = (Role.GROUP_LEADER, Role.FIRST_SECRETARY)


class DirectoryModel(ReadModel):
    """``divisions``: ``{_id: code, name, kind, parent, path, valid_from}``, path None until it reaches the root;
    ``grants``: ``{_id, person, role, division, starts, ends, source}``, without person while only its end is known.
    Days are ISO strings."""

    name: ClassVar[str] = "directory"
    services: ClassVar[tuple[str, ...]] = ("registry",)
    events: ClassVar[frozenset[str]] = frozenset(
        {"DivisionAdded", "RoleGranted", "RoleEnded", "WorkingGroupPosted", "WorkingGroupWithdrawn"}
    )
    opens: ClassVar[frozenset[Kind]] = frozenset()
    collections: ClassVar[Mapping[str, tuple[Index, ...]]] = {
        GRANTS: (Index((("person", 1),)),),
        DIVISIONS: (Index((("path", 1),)), Index((("parent", 1), ("_id", 1)))),
    }

    async def prepare(self, batch: Sequence[Occurred], work: Workspace) -> None:
        events = [occurred.event for occurred in batch]
        await work.load(GRANTS, {grant for event in events for grant in _grants_of(event)})
        added = [event for event in events if isinstance(event, DivisionAdded)]
        if added:
            await work.load(DIVISIONS, {e.code for e in added} | {e.parent for e in added if e.parent})
            await _load_waiting(work, {e.code for e in added})

    def fold(self, occurred: Occurred, work: Workspace) -> None:
        match occurred.event:
            case DivisionAdded() as event:
                work.put(DIVISIONS, _division(event))
            case RoleGranted() as event:
                _begin(work, event.role_id, event.person, event.role, event.division, event.starts, event.role_id)
                if event.ends is not None:
                    _end(work, event.role_id, event.ends)
            case RoleEnded() as event:
                _end(work, event.role_id, event.ends)
            case WorkingGroupPosted() as event:
                for role, person in zip(_OF_A_POSTING, (event.leader, event.first_secretary), strict=True):
                    key = _key(event.posting, role)
                    _begin(work, key, person, role, event.village, event.starts, event.posting)
            case WorkingGroupWithdrawn() as event:
                for role in _OF_A_POSTING:
                    _end(work, _key(event.posting, role), event.ends)
            case _:
                pass

    def finish(self, work: Workspace) -> None:
        """Gives a path to every division here whose parent has one by now."""
        waiting: dict[str | None, list[Document]] = defaultdict(list)
        for node in work.where(DIVISIONS, "path", None):
            waiting[node["parent"]].append(node)
        reached = [parent for parent in waiting if parent and (_path(work, parent) is not None)]
        while reached:
            parent = reached.pop()
            path = _path(work, parent) or []
            for node in waiting.get(parent, ()):
                work.put(DIVISIONS, node | {"path": [*path, node["_id"]]})
                reached.append(node["_id"])


async def _load_waiting(work: Workspace, added: set[str]) -> None:
    """Loads what waits below the added divisions, level by level."""
    asked: set[str] = set()
    while fresh := added - asked:
        asked |= fresh
        await work.load_where(DIVISIONS, "parent", fresh)
        added = {node["_id"] for node in work.where(DIVISIONS, "path", None)}


def _path(work: Workspace, code: str) -> list[str] | None:
    node = work.get(DIVISIONS, code)
    return None if node is None else node["path"]


def _division(event: DivisionAdded) -> Document:
    return {
        "_id": event.code,
        "name": event.name,
        "kind": event.kind.value,
        "parent": event.parent,
        "path": [event.code] if event.parent is None else None,
        "valid_from": event.valid_from.isoformat(),
    }


def _grants_of(event: Event) -> list[str]:
    match event:
        case RoleGranted() | RoleEnded():
            return [event.role_id]
        case WorkingGroupPosted() | WorkingGroupWithdrawn():
            return [_key(event.posting, role) for role in _OF_A_POSTING]
        case _:
            return []


def _key(posting: str, role: Role) -> str:
    return f"{posting}/{role}"


def _begin(work: Workspace, key: str, person: str | None, role: Role, division: str, starts: date, source: str) -> None:
    grant = work.get(GRANTS, key) or {"_id": key, "ends": None}
    told = {"person": person, "role": role.value, "division": division, "starts": starts.isoformat(), "source": source}
    work.put(GRANTS, grant | told)


def _end(work: Workspace, key: str, ends: date) -> None:
    """The earliest end holds: to end a role never prolongs it."""
    grant = work.get(GRANTS, key) or {"_id": key, "ends": None, "person": None}
    known = grant["ends"]
    day = ends.isoformat()
    work.put(GRANTS, grant | {"ends": day if known is None else min(known, day)})


V = TypeVar("V")


class _Brief(Generic[V]):
    """Remembers answers for a short while, and not too many of them."""

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._seconds = seconds
        self._clock = clock
        self._answers: OrderedDict[str, tuple[float, V]] = OrderedDict()

    async def get(self, keys: Collection[str], ask: Callable[[list[str]], Awaitable[Mapping[str, V]]]) -> dict[str, V]:
        """Asks for what is not remembered, all of it at once. What has no answer is left out."""
        now = self._clock()
        known = {key: answer[1] for key in keys if (answer := self._answers.get(key)) and now < answer[0]}
        if unknown := [key for key in keys if key not in known]:
            # Timed from before the question: what is answered was true then, and no later.
            known |= self._keep(await ask(unknown), now + self._seconds)
        return known

    def _keep(self, answers: Mapping[str, V], until: float) -> Mapping[str, V]:
        """What is not known yet is not remembered: the next moment, the event that tells it may have come."""
        for key, answer in answers.items():
            self._answers[key] = (until, answer)
            self._answers.move_to_end(key)
        while len(self._answers) > CACHED:
            self._answers.popitem(last=False)
        return answers


Collections = Callable[[str], Awaitable[AsyncIOMotorCollection[Document]]]
"""Gives the live collection of the directory's read model by its name: ``grants`` or ``divisions``."""


class MongoDirectory:
    """Answers from the read model's collections, each answer for two seconds."""

    def __init__(
        self, collections: Collections, seconds: float = CACHE_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._collections = collections
        self._grants: _Brief[list[Grant]] = _Brief(seconds, clock)
        self._paths: _Brief[tuple[str, ...]] = _Brief(seconds, clock)

    async def grants(self, person: str) -> list[Grant]:
        return (await self._grants.get([person], self._read_grants)).get(person, [])

    async def path(self, division: str) -> tuple[str, ...] | None:
        return (await self.paths([division])).get(division)

    async def paths(self, divisions: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        return await self._paths.get(divisions, self._read_paths)

    async def authorise(self, person: str, action: str, division: str, today: date) -> Grant:
        return permitting(await self.grants(person), action, await self.path(division), today)

    async def _read_grants(self, persons: list[str]) -> dict[str, list[Grant]]:
        grants: dict[str, list[Grant]] = {}
        async for document in (await self._collections(GRANTS)).find({"person": {"$in": persons}}):
            grants.setdefault(document["person"], []).append(_grant(document))
        return grants

    async def _read_paths(self, divisions: list[str]) -> dict[str, tuple[str, ...]]:
        found = (await self._collections(DIVISIONS)).find({"_id": {"$in": divisions}}, {"path": 1})
        return {node["_id"]: tuple(node["path"]) async for node in found if node["path"]}


class MemoryDirectory:
    """Answers from what it was told: for unit tests and the simulation."""

    def __init__(self) -> None:
        self._grants: list[Grant] = []
        self._parents: dict[str, str | None] = {}

    def add_division(self, code: str, parent: str | None) -> None:
        self._parents[code] = parent

    def add_grant(
        self, person: str, role: Role, division: str, starts: date, ends: date | None = None, source: str = "told"
    ) -> None:
        self._grants.append(Grant(person, role, division, starts, ends, source))

    async def grants(self, person: str) -> list[Grant]:
        return [grant for grant in self._grants if grant.person == person]

    async def path(self, division: str) -> tuple[str, ...] | None:
        path: list[str] = []
        node: str | None = division
        while node is not None:
            if node not in self._parents:
                return None
            path.append(node)
            node = self._parents[node]
        return tuple(reversed(path))

    async def paths(self, divisions: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        found = {division: await self.path(division) for division in divisions}
        return {division: path for division, path in found.items() if path is not None}

    async def authorise(self, person: str, action: str, division: str, today: date) -> Grant:
        return permitting(await self.grants(person), action, await self.path(division), today)


def _grant(document: Mapping[str, Any]) -> Grant:
    return Grant(
        person=document["person"],
        role=Role(document["role"]),
        division=document["division"],
        starts=date.fromisoformat(document["starts"]),
        ends=date.fromisoformat(document["ends"]) if document["ends"] else None,
        source=document["source"],
    )
