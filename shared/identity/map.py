"""The map of divisions as the directory folds it: one document per code, in whichever order its events come.

``{_id: code, node, name, kind, parent, valid_from}`` as it was told when the code began (None while only a later event
has come); ``names`` and ``moves`` with their days; ``was`` the earlier codes of the node; ``ends`` the day, how and to
which codes; and what follows from these: ``up``, the code it stands below, and ``path``. Days are ISO strings.

A code that was recoded or merged stands below the code it went over to. So a scope that holds the one holds what was
ever told under the other, and its children come along (docs/decisions/0018).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

from shared.contracts.divisions import (
    DivisionRecoded,
    DivisionRenamed,
    DivisionsMerged,
    DivisionSplit,
    DivisionWithdrawn,
    VillageGroupAdded,
)
from shared.contracts.event import Event
from shared.contracts.registry import DivisionAdded
from shared.identity.access import Ending, Place
from shared.projection.read_model import Document, Workspace

DIVISIONS: Final = "divisions"
MAP_EVENTS: Final = frozenset(
    {
        "DivisionAdded",
        "VillageGroupAdded",
        "DivisionRenamed",
        "DivisionRecoded",
        "DivisionsMerged",
        "DivisionSplit",
        "DivisionWithdrawn",
    }
)

RECODED: Final = "recoded"
MERGED: Final = "merged"
SPLIT: Final = "split"
WITHDRAWN: Final = "withdrawn"
_TAKEN_OVER: Final = (RECODED, MERGED)
_EVER: Final = "9999-12-31"


def codes_of(event: Event) -> set[str]:
    """The codes whose documents an event changes, and those it hangs them below; none for another event."""
    match event:
        case DivisionAdded():
            return {event.code, event.parent} - {None}  # type: ignore[return-value]
        case VillageGroupAdded():
            return {event.code, event.village}
        case DivisionRenamed() | DivisionWithdrawn():
            return {event.code}
        case DivisionRecoded():
            return {event.code, *event.former, event.parent} - {None}  # type: ignore[return-value]
        case DivisionsMerged():
            return {event.code, *event.merged}
        case DivisionSplit():
            return {event.code, *(code for part in event.parts for code in (part.code, *part.children))}
        case _:
            return set()


def moving(event: Event) -> Iterator[str]:
    """The codes that come to stand somewhere, or elsewhere, with all below them."""
    match event:
        case DivisionAdded() | VillageGroupAdded():
            yield event.code
        case DivisionRecoded():
            yield from (event.code, event.former[-1])
        case DivisionsMerged():
            yield from event.merged
        case DivisionSplit():
            yield from (child for part in event.parts for child in part.children)
        case _:
            return


def fold_map(event: Event, work: Workspace) -> None:
    match event:
        case DivisionAdded():
            _begin(work, event.code, event.division, event.name, event.kind.value, event.parent, event.valid_from)
        case VillageGroupAdded():
            _begin(work, event.code, event.division, event.name, "group", event.village, event.valid_from)
        case DivisionRenamed():
            node = _node(work, event.code)
            node["names"] = sorted([*node["names"], [event.valid_from.isoformat(), event.name]])
            _put(work, node)
        case DivisionRecoded():
            _recode(work, event)
        case DivisionsMerged():
            for code in event.merged:
                _end(work, code, event.valid_from, MERGED, [event.code])
        case DivisionSplit():
            _split(work, event)
        case DivisionWithdrawn():
            _end(work, event.code, event.valid_to, WITHDRAWN, list(event.successors))
        case _:
            pass


def _begin(
    work: Workspace, code: str, node: str, name: str, kind: str, parent: str | None, valid_from: date
) -> Document:
    found = _node(work, code)
    day = valid_from.isoformat()
    found |= {"node": node, "kind": kind, "parent": parent, "valid_from": day}
    found["names"] = sorted([*found["names"], ["", name]])
    _put(work, found)
    return found


def _recode(work: Workspace, event: DivisionRecoded) -> None:
    found = _begin(work, event.code, event.division, event.name, event.kind.value, event.parent, event.valid_from)
    _put(work, found | {"was": list(event.former)})
    _end(work, event.former[-1], event.valid_from, RECODED, [event.code])


def _split(work: Workspace, event: DivisionSplit) -> None:
    _end(work, event.code, event.valid_from, SPLIT, [part.code for part in event.parts])
    for part in event.parts:
        for code in part.children:
            child = _node(work, code)
            child["moves"] = sorted([*child["moves"], [event.valid_from.isoformat(), part.code]])
            _put(work, child)


def _end(work: Workspace, code: str, on: date, how: str, successors: list[str]) -> None:
    """A code ends once; should two ends have been told in one moment, the earlier holds, for everybody."""
    node = _node(work, code)
    told = [on.isoformat(), how, successors]
    _put(work, node | {"ends": told if node["ends"] is None else min(node["ends"], told)})


def _node(work: Workspace, code: str) -> Document:
    found = work.get(DIVISIONS, code)
    if found is not None:
        return dict(found)
    nothing = dict.fromkeys(("node", "name", "kind", "parent", "valid_from", "ends", "up", "path"))
    return {"_id": code, **nothing, "names": [], "moves": [], "was": []}


def _put(work: Workspace, node: Document) -> None:
    """Writes a document with what follows from it; what now stands elsewhere loses its path, with all below it."""
    up = up_on(node, _EVER)
    if up != node["up"] and node["path"] is not None:
        for below in work.where(DIVISIONS, "path", node["_id"]):
            work.put(DIVISIONS, below | {"path": None})
        node = node | {"path": None}
    work.put(DIVISIONS, node | {"up": up, "name": node["names"][-1][1] if node["names"] else None})


def up_on(node: Mapping[str, Any], day: str) -> str | None:
    """What a code has gone over to by a day, else what it was moved below last, else its parent."""
    if node["ends"] is not None and node["ends"][1] in _TAKEN_OVER and node["ends"][0] <= day:
        return str(node["ends"][2][0])
    moved = [up for since, up in node["moves"] if since <= day]
    up: str | None = moved[-1] if moved else node["parent"]
    return up


def path_below(path: list[str], node: Mapping[str, Any]) -> list[str]:
    """A code that was recoded is one of the codes under which its node stands in the path already."""
    if node["ends"] is not None and node["ends"][1] == RECODED:
        return list(path)
    return [*path, *node["was"], node["_id"]]


def place_of(node: Mapping[str, Any]) -> Place:
    return Place(tuple(node["path"]), ending_of(node))


def ending_of(node: Mapping[str, Any]) -> Ending | None:
    if node["ends"] is None:
        return None
    day, how, successors = node["ends"]
    return Ending(date.fromisoformat(day), tuple(successors), how in _TAKEN_OVER)
