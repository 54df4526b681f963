"""The directory: the read model that folds grants and divisions from registry's events, and the two that answer of it.

Registry's partitions may be read in any order: every document comes out the same in whichever order its events came,
and a division whose ancestors have not all arrived has no path yet, so that nobody's scope reaches it.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, ClassVar, Final, Generic, NamedTuple, TypeVar
from weakref import WeakValueDictionary

from motor.motor_asyncio import AsyncIOMotorCollection

from shared.commands.command import business_day
from shared.contracts.access import AccessEnded, AccessGranted, GlassBroken
from shared.contracts.event import Event
from shared.contracts.places import SchoolChanged, SchoolRegistered
from shared.contracts.registry import (
    PostedPerson,
    RoleEnded,
    RoleGranted,
    WorkingGroupPosted,
    WorkingGroupWithdrawn,
)
from shared.contracts.roster import (
    DutyHolderNamed,
    DutyHolderRelieved,
    FirstSecretaryAppointed,
    FirstSecretaryRelieved,
    GroupLeaderChanged,
    PostingMemberJoined,
    PostingMemberLeft,
)
from shared.contracts.sealed import Kind
from shared.contracts.values import Access, Role
from shared.identity.access import Ending, Grant, Grants, Office, Place, file_in, path_of, permitting
from shared.identity.map import DIVISIONS as DIVISIONS
from shared.identity.map import MAP_EVENTS, codes_of, fold_map, moving, path_below, place_of
from shared.projection.read_model import Document, Index, Occurred, ReadModel, Workspace

GRANTS: Final = "grants"
SCHOOLS: Final = "schools"

CACHE_SECONDS: Final = 2.0
CACHED: Final = 20_000

_OF_A_POSTING: Final = (Role.GROUP_LEADER, Role.FIRST_SECRETARY)
_OFFICES: Final[Mapping[str, Office]] = {office.value: office for office in (*Role, *Access)}
"""A contact (of a school, of a village) is on the roster like everybody else, and has no rights."""


class DirectoryModel(ReadModel):
    """``divisions``: see ``shared/identity/map.py``, with a path that is None until it reaches the root;
    ``grants``: ``{_id, person, role, division, starts, ends, opened, shut, source}``, without person while only its
    end is known; the role of a contact is the duty, and gives no rights, that of access for a time is what it opens;
    ``opened`` and ``shut`` are the first days on which it let in and did no more: what is told late changes no past;
    ``schools``: ``{_id, name, kind, division, closed_on}``.
    Days are ISO strings."""

    name: ClassVar[str] = "directory"
    services: ClassVar[tuple[str, ...]] = ("registry",)
    events: ClassVar[frozenset[str]] = frozenset(
        {
            *MAP_EVENTS,
            "RoleGranted",
            "RoleEnded",
            "WorkingGroupPosted",
            "WorkingGroupWithdrawn",
            "PostingMemberJoined",
            "PostingMemberLeft",
            "FirstSecretaryAppointed",
            "FirstSecretaryRelieved",
            "GroupLeaderChanged",
            "DutyHolderNamed",
            "DutyHolderRelieved",
            "AccessGranted",
            "AccessEnded",
            "GlassBroken",
            "SchoolRegistered",
            "SchoolChanged",
        }
    )
    opens: ClassVar[frozenset[Kind]] = frozenset()
    collections: ClassVar[Mapping[str, tuple[Index, ...]]] = {
        GRANTS: (Index((("person", 1),)), Index((("division", 1),)), Index((("source", 1),))),
        SCHOOLS: (Index((("division", 1),)),),
        DIVISIONS: (
            Index((("path", 1),)),
            Index((("up", 1), ("_id", 1))),
            Index((("node", 1),)),
            Index((("ends.1", 1),)),
        ),
    }

    async def prepare(self, batch: Sequence[Occurred], work: Workspace) -> None:
        events = [occurred.event for occurred in batch]
        await work.load(GRANTS, {grant for event in events for grant, *_ in _holdings(event)})
        touched = {code for event in events for code in codes_of(event)}
        if touched:
            await work.load(DIVISIONS, touched)
            moved = {code for event in events for code in moving(event)}
            await work.load_where(DIVISIONS, "path", moved)
            await _load_waiting(work, moved)
            await _load_above(work)

    def fold(self, occurred: Occurred, work: Workspace) -> None:
        event = occurred.event
        match event:
            case SchoolRegistered() | SchoolChanged():
                work.put(SCHOOLS, _school(event))
            case _ if codes_of(event):
                fold_map(event, work)
            case _:
                _fold_grants(occurred, work)

    def finish(self, work: Workspace) -> None:
        """Gives a path to every division here that stands below one that has a path by now."""
        waiting: dict[str | None, list[Document]] = defaultdict(list)
        for node in work.where(DIVISIONS, "path", None):
            waiting[node["up"]].append(node)
        reached = [up for up in waiting if up is None or _path(work, up) is not None]
        while reached:
            up = reached.pop()
            for node in waiting.pop(up, ()):
                if node["kind"] is not None:
                    work.put(DIVISIONS, node | {"path": path_below((up and _path(work, up)) or [], node)})
                    reached.append(node["_id"])


async def _load_waiting(work: Workspace, moved: set[str]) -> None:
    """Loads what waits below these divisions, level by level."""
    asked: set[str] = set()
    while fresh := moved - asked:
        asked |= fresh
        await work.load_where(DIVISIONS, "up", fresh)
        moved = {node["_id"] for node in work.where(DIVISIONS, "path", None)}


async def _load_above(work: Workspace) -> None:
    """Loads what the divisions that wait here stand below; what is moved in this batch is among them."""
    await work.load(DIVISIONS, {node["up"] for node in work.where(DIVISIONS, "path", None) if node["up"]})


def _path(work: Workspace, code: str) -> list[str] | None:
    node = work.get(DIVISIONS, code)
    return None if node is None else node["path"]


def _school(event: SchoolRegistered | SchoolChanged) -> Document:
    """As its last event tells it: the events of a school are one stream, and each tells all but the contact."""
    return {
        "_id": event.school,
        "name": event.name,
        "kind": event.kind.value,
        "division": event.division,
        "closed_on": event.since.isoformat() if isinstance(event, SchoolChanged) and event.closed else None,
    }


class Held(NamedTuple):
    """Who takes up which office (a role, or a duty without rights) where, and what it comes from."""

    person: str
    office: str
    division: str
    starts: date
    source: str


class _Holding(NamedTuple):
    """What an event says of one grant: that it begins, or, without a beginning, that it ends."""

    key: str
    begins: Held | None = None
    ends: date | None = None


def _fold_grants(occurred: Occurred, work: Workspace) -> None:
    told = business_day(occurred.record.recorded_at)
    for key, begins, ends in _holdings(occurred.event):
        if begins is not None:
            _begin(work, key, begins, told)
        if ends is not None:
            _end(work, key, ends, ends if begins is not None else max(ends, told + timedelta(days=1)))


def _holdings(event: Event) -> list[_Holding]:
    match event:
        case RoleGranted():
            held = Held(event.person, event.role, event.division, event.starts, event.role_id)
            return [_Holding(event.role_id, held, event.ends)]
        case RoleEnded():
            return [_Holding(event.role_id, ends=event.ends)]
        case DutyHolderNamed():
            return [_Holding(event.duty, Held(event.person, event.role, event.division, event.starts, event.duty))]
        case DutyHolderRelieved():
            return [_Holding(event.duty, ends=event.ends)]
        case AccessGranted() | AccessEnded() | GlassBroken():
            return [_access(event)]
        case _:
            return _holdings_in_a_posting(event)


def _access(event: AccessGranted | AccessEnded | GlassBroken) -> _Holding:
    match event:
        case AccessEnded():
            return _Holding(event.access, ends=event.ends)
        case GlassBroken():
            where, key, opens = event.village, event.glass, Access.BROKEN_GLASS
        case AccessGranted():
            where, key, opens = event.division, event.access, event.opens
    scope = file_in(where, event.child) if event.child else where
    return _Holding(key, Held(event.person, opens, scope, event.starts, key), event.ends)


def _holdings_in_a_posting(event: Event) -> list[_Holding]:
    match event:
        case WorkingGroupPosted():
            named = zip(_OF_A_POSTING, (event.leader, event.first_secretary), strict=True)
            return [_came_with(event, role, person) for role, person in named]
        case PostingMemberJoined():
            return [_seated(event.posting, event.village, Role.POSTED_CADRE, event.person, event.starts)]
        case FirstSecretaryAppointed():
            return [_seated(event.posting, event.village, Role.FIRST_SECRETARY, event.person, event.starts)]
        case GroupLeaderChanged():
            led = _seated(event.posting, event.village, Role.GROUP_LEADER, event.leader, event.starts)
            former = [_Holding(_key_of(event.posting, event.former), ends=event.starts)] if event.former else []
            return [led, *former]
        case PostingMemberLeft():
            return [_Holding(_key(event.posting, Role.POSTED_CADRE, event.person, event.starts), ends=event.ends)]
        case FirstSecretaryRelieved():
            return [_Holding(_key(event.posting, Role.FIRST_SECRETARY, event.person, event.since), ends=event.ends)]
        case WorkingGroupWithdrawn():
            keys = {_key(event.posting, role) for role in _OF_A_POSTING}
            return [
                _Holding(key, ends=event.ends)
                for key in sorted(keys | {_key_of(event.posting, one) for one in event.leaving})
            ]
        case _:
            return []


def _came_with(event: WorkingGroupPosted, role: Role, person: str | None) -> _Holding:
    """Nobody is written down too: the end of a posting ends both offices, whoever came with it."""
    return _Holding(_key(event.posting, role), Held(person or "", role, event.village, event.starts, event.posting))


def _seated(posting: str, village: str, role: Role, person: str, since: date) -> _Holding:
    return _Holding(_key(posting, role, person, since), Held(person, role, village, since, posting))


def _key(posting: str, role: Role, person: str = "", since: date | None = None) -> str:
    """Who came with the posting is its only one; of those who came later each is told apart."""
    return f"{posting}/{role}" if since is None else f"{posting}/{role}/{person}/{since}"


def _key_of(posting: str, seat: PostedPerson) -> str:
    return _key(posting, Role(seat.office), seat.person, seat.since)


def _begin(work: Workspace, key: str, begins: Held, told_on: date) -> None:
    grant = work.get(GRANTS, key) or {"_id": key, "ends": None, "shut": None}
    told = {
        "person": begins.person or None,
        "role": str(begins.office),
        "division": begins.division,
        "starts": begins.starts.isoformat(),
        "opened": max(begins.starts, told_on).isoformat(),
        "source": begins.source,
    }
    work.put(GRANTS, grant | told)


def _end(work: Workspace, key: str, ends: date, shut: date) -> None:
    """The earliest end holds: to end a role never prolongs it."""
    grant = work.get(GRANTS, key) or {"_id": key, "ends": None, "shut": None, "person": None}
    work.put(GRANTS, grant | {"ends": _earlier(grant["ends"], ends), "shut": _earlier(grant["shut"], shut)})


def _earlier(known: str | None, day: date) -> str:
    return min(known or day.isoformat(), day.isoformat())


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
        self._grants: _Brief[Grants] = _Brief(seconds, clock)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._places: _Brief[Place] = _Brief(seconds, clock)

    async def grants(self, person: str) -> Grants:
        # One question at a time for a person: a hundred commands of theirs wait for one answer, not for a hundred.
        async with self._turns.setdefault(person, asyncio.Lock()):
            return (await self._grants.get([person], self._read_grants)).get(person, Grants())

    async def places(self, divisions: Collection[str]) -> Mapping[str, Place]:
        return await self._places.get(divisions, self._read_places)

    async def authorise(self, person: str, action: str, division: str, today: date, child: str | None = None) -> Grant:
        place = (await self.places([division])).get(division)
        return permitting(await self.grants(person), action, path_of(place, division, child), today)

    async def _read_grants(self, persons: list[str]) -> dict[str, Grants]:
        grants: dict[str, list[Grant]] = {}
        async for document in (await self._collections(GRANTS)).find(
            {"person": {"$in": persons}, "role": {"$in": list(_OFFICES)}}
        ):
            grants.setdefault(document["person"], []).append(_grant(document))
        return {person: Grants(held) for person, held in grants.items()}

    async def _read_places(self, divisions: list[str]) -> dict[str, Place]:
        found = (await self._collections(DIVISIONS)).find({"_id": {"$in": divisions}})
        return {node["_id"]: place_of(node) async for node in found if node["path"]}


class MemoryDirectory:
    """Answers from what it was told: for unit tests and the simulation."""

    def __init__(self) -> None:
        self._grants: list[Grant] = []
        self._parents: dict[str, str | None] = {}
        self._ended: dict[str, Ending] = {}

    def add_division(self, code: str, parent: str | None) -> None:
        self._parents[code] = parent

    def end_division(self, code: str, on: date, *successors: str, taken_over: bool = False) -> None:
        self._ended[code] = Ending(on, successors, taken_over)

    def add_grant(
        self, person: str, role: Office, division: str, starts: date, ends: date | None = None, source: str = "told"
    ) -> None:
        self._grants.append(Grant(person, role, division, starts, ends, source))

    async def grants(self, person: str) -> Grants:
        return Grants(grant for grant in self._grants if grant.person == person)

    async def places(self, divisions: Collection[str]) -> Mapping[str, Place]:
        found = {division: self._path(division) for division in divisions}
        return {d: Place(path, self._ended.get(d)) for d, path in found.items() if path is not None}

    def _path(self, division: str) -> tuple[str, ...] | None:
        path: list[str] = []
        node: str | None = division
        while node is not None:
            if node not in self._parents:
                return None
            path.append(node)
            node = self._parents[node]
        return tuple(reversed(path))

    async def authorise(self, person: str, action: str, division: str, today: date, child: str | None = None) -> Grant:
        place = (await self.places([division])).get(division)
        return permitting(await self.grants(person), action, path_of(place, division, child), today)


def _grant(document: Mapping[str, Any]) -> Grant:
    return Grant(
        person=document["person"],
        role=_OFFICES[document["role"]],
        division=document["division"],
        starts=date.fromisoformat(document["starts"]),
        ends=date.fromisoformat(document["ends"]) if document["ends"] else None,
        source=document["source"],
    )
