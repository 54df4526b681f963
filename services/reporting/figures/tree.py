"""The division tree as far as it is known: a parent may be told long after its villages have figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


class Tree:
    """Parents by code. A code that was looked up in vain is known to have none, until it is told."""

    def __init__(self) -> None:
        self._parents: dict[str, str | None] = {}

    def __contains__(self, code: str) -> bool:
        return code in self._parents

    def place(self, code: str, parent: str | None) -> None:
        self._parents[code] = parent

    def path(self, code: str) -> list[str]:
        """The code and all divisions above it, upwards; a circle, which no right tree has, is walked once."""
        path: list[str] = []
        node: str | None = code
        while node is not None and node not in path:
            path.append(node)
            node = self._parents.get(node)
        return path

    def parents(self, codes: Iterable[str], also: Mapping[str, set[str]]) -> set[str]:
        """The parents of the codes, here or in ``also``."""
        found = {parent for code in codes if (parent := self._parents.get(code)) is not None}
        return found.union(*(also.get(code, ()) for code in codes))

    def above(self, code: str, also: Mapping[str, set[str]]) -> set[str]:
        """The code and all that stands, or is about to stand, above it."""
        found: set[str] = set()
        edge = {code}
        while edge:
            found |= edge
            edge = self.parents(edge, also) - found
        return found
