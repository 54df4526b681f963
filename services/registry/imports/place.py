"""From the names of places, as people write them, to the code of a village: within a scope, and never by guessing."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache
from typing import Final

import msgspec

from services.registry.imports.wording import tight

_COMMITTEE: Final = re.compile(r"(?:(?:村民|居民)委员会|村委会|居委会|委会)$")
_KIND_OF_VILLAGE: Final = re.compile(r"(?:社区|村|居)$")
_KIND_OF_TOWNSHIP: Final = re.compile(r"(?:街道办事处|街道办|街道|民族乡|镇|乡)$")
_KIND_OF_COUNTY: Final = re.compile(r"(?:自治县|县|区|市)$")
_CODE: Final = re.compile(r"\d{12}")
_ANY_CODE: Final = re.compile(r"\d{6}|\d{9}|\d{12}")


class Node(msgspec.Struct, frozen=True, array_like=True):
    """A node of the division tree, as the directory knows it."""

    code: str
    name: str
    kind: str
    parent: str | None


class Places:
    """``nodes`` are the divisions that are known; only villages below one of ``roots`` are found."""

    def __init__(self, nodes: Iterable[Node], roots: Collection[str]) -> None:
        self._nodes = {node.code: node for node in nodes}
        self._roots = frozenset(roots)
        self._villages: dict[str, Node] = {}
        self._by_name: dict[str, list[str]] = defaultdict(list)
        self._by_bare_name: dict[str, list[str]] = defaultdict(list)
        self._townships: dict[str, list[str]] = defaultdict(list)
        for node in self._nodes.values():
            if node.kind == "village" and self._within(node):
                self._add(node)
        self.in_text = lru_cache(maxsize=4096)(self._in_text)
        self.village = lru_cache(maxsize=4096)(self._village)

    def county(self, village: str) -> str | None:
        """The code of the county the village lies in; of the nearest division above it where there is none."""
        above = [node for node in self._path(self._nodes[village]) if node.kind != "village"]
        return next((node.code for node in above if node.kind == "county"), above[-1].code[:6] if above else None)

    def lies_below(self, code: str, roots: Collection[str]) -> bool:
        return any(one.code in roots for one in self._path(self._nodes[code]))

    def hukou(self, text: str) -> str | None:
        """A code as it is, a village of the scope, or a county that is known by its whole name."""
        spoken = tight(text)
        if _ANY_CODE.fullmatch(spoken):
            return spoken
        if len(found := self.in_text(text)) == 1:
            return found[0]
        counties = [n for n in self._nodes.values() if n.kind == "county" and tight(n.name) in spoken]
        return counties[0].code if len(counties) == 1 else None

    def _village(self, county: str, township: str, village: str) -> list[str]:
        """The codes of all villages that may be meant; an empty county or township says nothing."""
        spoken = tight(village)
        if _CODE.fullmatch(spoken):
            return [spoken] if spoken in self._villages else []
        named = _COMMITTEE.sub("", spoken)
        for index, key in ((self._by_name, named), (self._by_bare_name, _KIND_OF_VILLAGE.sub("", named))):
            if found := [code for code in index.get(key, ()) if self._lies_in(code, county, township)]:
                return found
        return []

    def _in_text(self, text: str) -> list[str]:
        """The same for an address in one piece: a township by its name, then the longest name of a village of it."""
        spoken = tight(text)
        if _CODE.fullmatch(spoken):
            return [spoken] if spoken in self._villages else []
        found: list[tuple[int, str]] = []
        for township, villages in self._townships.items():
            _, named, behind = spoken.partition(township)
            if named:
                found += [(len(name), code) for code in villages if (name := self._name_in(code, behind))]
        longest = max(found, default=(0, ""))[0]
        return [code for length, code in found if length == longest and self._county_fits(code, spoken)]

    def _name_in(self, code: str, text: str) -> str | None:
        name = _name_of(self._villages[code])
        return next((one for one in (name, _KIND_OF_VILLAGE.sub("", name)) if len(one) > 1 and one in text), None)

    def _county_fits(self, code: str, text: str) -> bool:
        """False where the text names another county than the village's."""
        own = {tight(node.name) for node in self._path(self._villages[code]) if node.kind == "county"}
        named = {tight(n.name) for n in self._nodes.values() if n.kind == "county" and tight(n.name) in text}
        return not named or bool(own & named)

    def _lies_in(self, code: str, county: str, township: str) -> bool:
        path = list(self._path(self._villages[code]))
        return _fits(path, "county", _KIND_OF_COUNTY, county) and _fits(path, "township", _KIND_OF_TOWNSHIP, township)

    def _add(self, node: Node) -> None:
        name = _name_of(node)
        self._villages[node.code] = node
        self._by_name[name].append(node.code)
        self._by_bare_name[_KIND_OF_VILLAGE.sub("", name)].append(node.code)
        if node.parent in self._nodes:
            township = _KIND_OF_TOWNSHIP.sub("", tight(self._nodes[node.parent].name))
            self._townships[township].append(node.code)

    def _within(self, node: Node) -> bool:
        return self.lies_below(node.code, self._roots)

    def _path(self, node: Node) -> Iterator[Node]:
        """The node itself, then all above it."""
        here: Node | None = node
        while here is not None:
            yield here
            here = self._nodes.get(here.parent) if here.parent else None


def _name_of(village: Node) -> str:
    """松杉村村民委员会 is called 松杉村."""
    return _COMMITTEE.sub("", tight(village.name))


def _fits(path: Iterable[Node], kind: str, ending: re.Pattern[str], told: str) -> bool:
    wanted = ending.sub("", tight(told))
    return not wanted or any(node.kind == kind and ending.sub("", tight(node.name)) == wanted for node in path)
