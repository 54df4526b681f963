"""Which files come near each other, and which pairs are suspected: questions to the read model, and comparisons."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from itertools import chain
from typing import Final, NamedTuple

from motor.motor_asyncio import AsyncIOMotorCollection

from services.registry.duplicates.comparison import Comparison, Particulars, compare
from services.registry.duplicates.files import File, Files
from services.registry.duplicates.keys import BlindKeys
from services.registry.duplicates.read_model import FILES, PAIRS, PairState
from services.registry.duplicates.rule import RULE
from shared.contracts.values import Likeness
from shared.projection.read_model import Document

MOST_NEAR: Final = 100
"""Files compared with one: where more share a key with it, those that share the most keys."""

MOST_ALIKE: Final = 5
"""Of the files that one is alike to, the likeliest are suspected: a name that stands for nobody (无名) and is on a
thousand files makes no thousand pairs of each."""

Collections = Callable[[str], Awaitable[AsyncIOMotorCollection[Document]]]
"""Gives the live collection of the read model by its name: ``files`` or ``pairs``."""

Within = Callable[[Collection[str]], Awaitable[set[str]]]
"""Those of some villages that are to be looked at."""


class Likely(NamedTuple):
    """A file that the rule takes for one of the same child."""

    file: File
    comparison: Comparison


class DuplicateLookUp:
    """Asks the read model who comes near, and the files themselves whether they are alike."""

    rule: Final = RULE.version

    def __init__(self, collections: Collections, files: Files, keys: BlindKeys) -> None:
        self._collections = collections
        self._files = files
        self._keys = keys

    async def alike(self, children: Collection[str]) -> dict[str, list[str]]:
        """For each of the children whose file is open, the open files that are likeliest to be of the same child.

        Raises PlaceNotKnownYet, LogUnavailableError.
        """
        near = await self._near_files(children)
        files = await self._files.of(set(near) | set(chain.from_iterable(near.values())))
        return {child: _alike(files[child], others, files) for child, others in near.items() if child in files}

    async def likely(self, told: Particulars, within: Within) -> list[Likely]:
        """Open files likely to be of the child that is told of, the likeliest first.

        No file is opened in a village that is not ``within``. Raises PlaceNotKnownYet, LogUnavailableError.
        """
        [near] = await self.near([told], within)
        return [one for one in near if one.comparison.alike]

    async def near(self, told: Sequence[Particulars], within: Within) -> list[list[Likely]]:
        """For each child that is told of: the open files that share a key with it, the likeliest first.

        No file is opened in a village that is not ``within``. Raises PlaceNotKnownYet, LogUnavailableError.
        """
        keys = [self._keys_of(one) for one in told]
        found = await self._sharing(set(chain.from_iterable(keys)))
        villages = await within({file["village"] for file in found})
        holders = _holders(file for file in found if file["village"] in villages)
        near = [_nearest(child for key in own for child in holders[key]) for own in keys]
        files = await self._files.of(set(chain.from_iterable(near)))
        return [
            _compared(one, [files[child] for child in children if child in files])
            for one, children in zip(told, near, strict=True)
        ]

    def _keys_of(self, told: Particulars) -> set[int]:
        village = told.place[-1] if told.place else ""
        return {
            *self._keys.of_child(told.name, told.born, told.birth_month, told.number, village),
            *self._keys.of_parents(told.father, told.mother, village),
        }

    async def open_files(self, villages: Collection[str]) -> list[str]:
        """The children with an open file there, by id."""
        query = {"village": {"$in": list(villages)}, "open": True}
        found = (await self._collections(FILES)).find(query, {"_id": 1}).sort("_id", 1)
        return [file["_id"] async for file in found]

    async def villages_of_number(self, number: str) -> set[str]:
        """Where open files with this citizen number are."""
        return {file["village"] for file in await self._sharing([self._keys.of_number(number)])}

    async def _near_files(self, children: Collection[str]) -> dict[str, list[str]]:
        """By child: the open files that share a key with it."""
        collection = await self._collections(FILES)
        query = {"_id": {"$in": list(children)}, "open": True}
        mine = {file["_id"]: file["keys"] async for file in collection.find(query, {"keys": 1})}
        holders = _holders(await self._sharing(set(chain.from_iterable(mine.values()))))
        return {
            child: _nearest(other for key in keys for other in holders[key] if other != child)
            for child, keys in mine.items()
        }

    async def _sharing(self, keys: Collection[int]) -> list[Document]:
        if not keys:
            return []
        query = {"keys": {"$in": list(keys)}, "open": True}
        return await (await self._collections(FILES)).find(query, {"keys": 1, "village": 1}).to_list(None)

    # -- pairs

    async def pairs(
        self, state: PairState, villages: Sequence[str], elsewhere: Sequence[str], after: str | None, limit: int
    ) -> list[Document]:
        """Pairs in this state by id: those whose two files lie in ``villages``, and those of one citizen number of
        which one file lies in ``elsewhere``."""
        whole = {"villages": {"$in": list(villages), "$not": {"$elemMatch": {"$nin": list(villages)}}}}
        half = {"villages": {"$in": list(elsewhere)}, "reasons": Likeness.NUMBER_EQUAL.value}
        query: Document = {"state": state.value, "villages.1": {"$exists": True}, "$or": [whole, half]}
        if after:
            query["_id"] = {"$gt": after}
        return await (await self._collections(PAIRS)).find(query).sort("_id", 1).limit(limit).to_list(limit)


def _holders(files: Iterable[Document]) -> Mapping[int, list[str]]:
    """Who holds each key."""
    holders: defaultdict[int, list[str]] = defaultdict(list)
    for file in files:
        for key in file["keys"]:
            holders[key].append(file["_id"])
    return holders


def _nearest(sharing: Iterable[str]) -> list[str]:
    """Of files named once for each key they share, those that share the most."""
    return [child for child, _ in sorted(Counter(sharing).items(), key=lambda one: (-one[1], one[0]))[:MOST_NEAR]]


def _alike(file: File, others: Iterable[str], files: Mapping[str, File]) -> list[str]:
    """The likeliest first."""
    known = [files[other] for other in others if other in files]
    return [one.file.child for one in _likely(file.particulars, known if file.open else ())][:MOST_ALIKE]


def _likely(told: Particulars, files: Iterable[File]) -> list[Likely]:
    """Those open files that the rule takes for the same child's, the likeliest first."""
    return [one for one in _compared(told, files) if one.comparison.alike]


def _compared(told: Particulars, files: Iterable[File]) -> list[Likely]:
    """All open ones, the likeliest first."""
    found = [Likely(file, compare(told, file.particulars)) for file in files if file.open]
    return sorted(found, key=lambda one: (-one.comparison.score, one.file.child))
