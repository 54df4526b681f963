"""A village's work list: who is due, with what a device needs of its files; derived for a day, and kept while nothing
changes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence, Set
from datetime import date
from typing import Any, Final, NamedTuple, TypeVar

from services.reporting.duties.appointments import (
    Assigned,
    Owner,
    Planned,
    assigned_in,
    assigned_to,
    open_plans,
    owner_of,
    plan_of,
)
from services.reporting.duties.derivation import Duty, Facts, duties
from services.reporting.duties.policies import Policies
from services.reporting.duties.read_model import (
    CHILDREN,
    PLANS,
    POLICIES,
    RETURNED,
    adopted_of,
    all_merged_into,
    facts_of,
)
from services.reporting.read_models.children import CARDS
from shared.identity.access import Directory, Grants
from shared.projection.live import Collections
from shared.projection.read_model import Document

K = TypeVar("K")
V = TypeVar("V")
_State = tuple[Any, ...]
"""What something was derived from."""

KEPT: Final = 20_000
_FILE: Final = {
    "file.name": 1,
    "file.sex": 1,
    "file.birth_date": 1,
    "file.household": 1,
    "file.care": 1,
    "file.risk.level": 1,
    "file.risk.override": 1,
    "file.schooling.school": 1,
    "file.schooling.grade": 1,
    "file.check.stage": 1,
    "file.key_groups": 1,
    "file.open": 1,
}


class OfChild(NamedTuple):
    """A child's duties that are open, when somebody was last at its door in vain, whose it is to visit from which day
    on, and the appointments that are open."""

    child: str
    facts: Facts
    duties: list[Duty]
    tried_on: str | None
    assigned: list[Assigned]
    planned: list[Planned]


class Unowned(NamedTuple):
    """A child without an owner."""

    child: str
    village: str
    owner: Owner


class WorkLists:
    """``duties_of`` and ``cards_of`` give the collections of the read models ``duties`` and ``children``."""

    def __init__(self, duties_of: Collections, cards_of: Collections, directory: Directory) -> None:
        self._duties_of = duties_of
        self._cards_of = cards_of
        self._directory = directory
        self._derived: OrderedDict[str, tuple[_State, OfChild]] = OrderedDict()
        self._policies: OrderedDict[frozenset[str], tuple[_State, Policies]] = OrderedDict()

    async def open_duties(self, village: str, today: date) -> list[OfChild]:
        """Of the children whose file is open, by child."""
        children = (await self._duties_of(CHILDREN)).find({"village": village, "erased": {"$exists": False}})
        documents = [document async for document in children.sort("_id", 1) if "moves" in document]
        policies = await self._in_force({move[2] for document in documents for move in document["moves"]})
        merged = await self._merged([document["_id"] for document in documents])
        derived = [self._of_child(one, all_merged_into(one["_id"], merged), policies, today) for one in documents]
        standing = [one for one in derived if one.facts.open_on(today)]
        plans = await self._plans([one.child for one in standing])
        return [
            one._replace(planned=open_plans(plans[one.child], one.facts, policies.on, today))
            if one.child in plans
            else one
            for one in standing
        ]

    async def files(self, village: str) -> dict[str, Document]:
        """What a device needs of the open files, by child."""
        cards = (await self._cards_of(CARDS)).find({"village": village, "file.open": True}, _FILE)
        return {card["_id"]: card async for card in cards}

    async def returned(self, village: str, person: str) -> list[Document]:
        """The person's visits that wait to be put right."""
        found = (await self._duties_of(RETURNED)).find({"village": village, "visitors": person}).sort("_id", 1)
        return await found.to_list(None)

    async def owners(self, village: str, children: Sequence[OfChild], today: date) -> dict[str, Owner]:
        """By child."""
        assigned = {one.child: (village, one.assigned) for one in children}
        return await self._owners(assigned, today)

    async def unowned(self, villages: Sequence[str], today: date) -> list[Unowned]:
        """The children with an open file that nobody visits, by village and child."""
        query = {"village": {"$in": list(villages)}, "erased": {"$exists": False}}
        fields = {"village": 1, "moves": 1, "turns": 1, "assigned": 1}
        found = (await self._duties_of(CHILDREN)).find(query, fields).sort([("village", 1), ("_id", 1)])
        documents = [document async for document in found if "moves" in document]
        standing = [document for document in documents if facts_of(document).open_on(today)]
        owners = await self._owners({one["_id"]: (one["village"], assigned_in(one)) for one in standing}, today)
        every = [Unowned(one["_id"], one["village"], owners[one["_id"]]) for one in standing]
        return [one for one in every if one.owner.visitor is None]

    async def _plans(self, children: list[str]) -> dict[str, list[Planned]]:
        found: dict[str, list[Planned]] = {}
        async for document in (await self._duties_of(PLANS)).find({"child": {"$in": children}}):
            found.setdefault(document["child"], []).append(plan_of(document))
        return found

    async def _owners(self, assigned: Mapping[str, tuple[str, list[Assigned]]], today: date) -> dict[str, Owner]:
        places = await self._directory.places({village for village, _ in assigned.values()})
        visitors = {assigned_to(one, today) for _, one in assigned.values()} - {None}
        grants = {person: await self._directory.grants(person) for person in visitors if person}
        found = {}
        for child, (village, told) in assigned.items():
            place, visitor = places.get(village), assigned_to(told, today)
            held = grants.get(visitor or "", Grants())
            found[child] = owner_of(told, held, place.path if place else (), today)
        return found

    async def _merged(self, children: Sequence[str]) -> dict[str, list[Document]]:
        """By file, those that were merged into it; of those that were merged into them as well."""
        of, asked, found = set(children), set[str](), dict[str, list[Document]]()
        while ask := of - asked:
            asked |= ask
            async for one in (await self._duties_of(CHILDREN)).find({"merged_into": {"$in": list(ask)}}):
                found.setdefault(one["merged_into"], []).append(one)
                of.add(one["_id"])
        return found

    async def _in_force(self, villages: Set[str]) -> Policies:
        """Those of all villages that the children have lived in; the same object while nothing has changed."""
        paths = {village: place.path for village, place in (await self._directory.places(villages)).items()}
        divisions = {division for path in paths.values() for division in path}
        found = await (await self._duties_of(POLICIES)).find({"_id": {"$in": list(divisions)}}).to_list(None)
        state = (*sorted(paths.items()), *sorted((document["_id"], len(document["adopted"])) for document in found))
        known = self._policies.get(key := frozenset(villages))
        if known is None or known[0] != state:
            known = state, Policies(paths, {document["_id"]: adopted_of(document) for document in found})
            _keep(self._policies, key, known)
        return known[1]

    def _of_child(self, document: Document, merged: Sequence[Document], policies: Policies, today: date) -> OfChild:
        """From what was derived before, while its facts, the policies and the day are the same."""
        child, all_of_it = document["_id"], (document, *merged)
        state = [(one["_id"], _facts_in(one)) for one in all_of_it], today, policies
        known = self._derived.get(child)
        if known is None or known[0] != state:
            facts = facts_of(document, merged)
            open_ones = [duty for duty in duties(facts, policies.on, policies.days, today) if duty.open]
            tried = max((day for one in all_of_it for day, *_ in one.get("tried", ())), default=None)
            known = state, OfChild(child, facts, open_ones, tried, assigned_in(document), [])
            _keep(self._derived, child, known)
        return known[1]


def _keep(kept: OrderedDict[K, V], key: K, value: V) -> None:
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > KEPT:
        kept.popitem(last=False)


def _facts_in(document: Document) -> int:
    """Facts are only ever added."""
    return sum(len(facts) for facts in document.values() if isinstance(facts, list))
