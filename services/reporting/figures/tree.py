"""The division tree as far as it is known: a parent may be told long after its villages have figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from services.reporting.figures.facts import text_of
from shared.contracts.divisions import DivisionRecoded, DivisionsMerged, DivisionSplit
from shared.contracts.event import Event
from shared.contracts.registry import DivisionAdded


class Placement(NamedTuple):
    """A division stands below a parent since a day."""

    code: str
    parent: str | None
    since: str


def placements(event: Event) -> list[Placement]:
    """What was recoded or merged stands below what took it over, so that its sums count there (decision 0018)."""
    match event:
        case DivisionAdded():
            return [Placement(event.code, event.parent, text_of(event.valid_from))]
        case DivisionRecoded():
            here = Placement(event.code, event.parent, text_of(event.valid_from))
            return [here, Placement(event.former[-1], event.code, _taken_over(event))]
        case DivisionsMerged():
            return [Placement(code, event.code, _taken_over(event)) for code in event.merged]
        case DivisionSplit():
            since = text_of(event.valid_from)
            return [Placement(child, part.code, since) for part in event.parts for child in part.children]
        case _:
            return []


def _taken_over(event: DivisionRecoded | DivisionsMerged) -> str:
    """After whatever else happened on that day: nothing moves any more what was taken over."""
    return f"{text_of(event.valid_from)}~"


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
