"""What a newer division list changes on the map: added, renamed, recoded, moved, gone.

A division was recoded when its code is gone and a new one of the same kind, name and parent stands in the list. Both
must be the only ones of that name below the parent: what is not certain is told as added and gone, for a person to see.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from services.registry.division_list import Row
from services.registry.domain.division import DIGITS, Node

LEVELS: Final = tuple(DIGITS)


class Renamed(NamedTuple):
    node: Node
    name: str


class Recoded(NamedTuple):
    node: Node
    row: Row


class Moved(NamedTuple):
    """A division stands below another parent in the list: a merger or a split is behind it, which a person tells."""

    node: Node
    parent: str | None


@dataclass
class Changes:
    """In the order in which they are to be told: parents before children."""

    added: list[Row] = field(default_factory=list)
    renamed: list[Renamed] = field(default_factory=list)
    recoded: list[Recoded] = field(default_factory=list)
    moved: list[Moved] = field(default_factory=list)
    gone: list[Node] = field(default_factory=list)
    unchanged: int = 0

    @property
    def nothing(self) -> bool:
        return not (self.added or self.renamed or self.recoded or self.moved or self.gone)


def compared(rows: Mapping[str, Row], nodes: Iterable[Node]) -> Changes:
    """``rows`` is a part of the list, ``nodes`` what lives there on the map, both without village groups.

    A parent on the map may be named by an older code; ``nodes`` carry today's.
    """
    changes = Changes()
    known = {node.code: node for node in nodes}
    now: dict[str | None, str | None] = {}
    """Of each code on the map that the list has under another one: that."""
    for level in LEVELS:
        here = {code: node for code, node in known.items() if node.kind == level}
        there = {code: row for code, row in rows.items() if row.kind == level}
        for recoded in _recoded(here, there, now):
            now[recoded.node.code] = recoded.row.code
            changes.recoded.append(recoded)
        _sort(here, there, now, changes)
    return changes


def _recoded(
    here: Mapping[str, Node], there: Mapping[str, Row], now: Mapping[str | None, str | None]
) -> Iterable[Recoded]:
    gone: defaultdict[tuple[str, str | None], list[Node]] = defaultdict(list)
    new: defaultdict[tuple[str, str | None], list[Row]] = defaultdict(list)
    for code, node in here.items():
        if code not in there:
            gone[node.name, now.get(node.parent, node.parent)].append(node)
    for code, row in there.items():
        if code not in here:
            new[row.name, row.parent].append(row)
    for key, nodes in gone.items():
        if len(nodes) == len(new[key]) == 1:
            yield Recoded(nodes[0], new[key][0])


def _sort(
    here: Mapping[str, Node], there: Mapping[str, Row], now: Mapping[str | None, str | None], changes: Changes
) -> None:
    taken = {recoded.row.code for recoded in changes.recoded}
    changes.added += [row for code, row in there.items() if code not in here and code not in taken]
    for code, node in here.items():
        row = there.get(code)
        if row is None:
            changes.gone += [node] if code not in now else []
            continue
        parent = now.get(node.parent, node.parent)
        if row.name != node.name:
            changes.renamed.append(Renamed(node, row.name))
        if row.parent != parent:
            changes.moved.append(Moved(node, row.parent))
        changes.unchanged += row.name == node.name and row.parent == parent
