"""The division tree: provinces down to village groups. A node's parent is told, never cut from its code (domain 3.0).

A node's own stream tells what became of it. What lies around it (parent, children, the other parts of a merger) is
learned before a change is decided, and comes with the command.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Annotated, ClassVar, Final

from pydantic import Field, StringConstraints

from shared.commands.command import Aggregate, Claims, Command, NothingToRecord, NotOnFile, UnknownDivision
from shared.contracts.divisions import (
    DivisionRecoded,
    DivisionRenamed,
    DivisionsMerged,
    DivisionSplit,
    DivisionWithdrawn,
    SplitPart,
    VillageGroupAdded,
)
from shared.contracts.event import Event
from shared.contracts.refusal import Refusal
from shared.contracts.registry import DivisionAdded
from shared.contracts.values import Day, DivisionCode, DivisionId, DivisionKind, GroupNumber, NodeCode, VillageCode

_NAMESPACE = uuid.UUID("6a1f5c6e-3b52-5d0e-9a53-8a6b0c1f7d42")

GROUP: Final = "group"
"""The kind of a village group, which no list of codes knows."""

DIGITS: Final[Mapping[str, int]] = {"province": 2, "city": 4, "county": 6, "township": 9, "village": 12}
PARENTS: Final[Mapping[str, frozenset[str]]] = {
    "province": frozenset(),
    "city": frozenset({"province"}),
    # Counties directly under a municipality or a province, and townships directly under a city, are real (domain 3.0).
    "county": frozenset({"city", "province"}),
    "township": frozenset({"county", "city"}),
    "village": frozenset({"township"}),
}

DivisionName = Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]


def division_stream(code: str) -> str:
    """The stream of a node: the same for every import of the code it was added with, since codes are never reused."""
    return f"division-{uuid.uuid5(_NAMESPACE, code)}"


@dataclass(frozen=True)
class Node:
    """A division as the map knows it, under one of its codes. ``valid_to`` is the first day without it; ``above`` are
    the codes from the root to its parent."""

    division: str
    code: str
    name: str
    kind: str
    parent: str | None
    valid_from: date
    valid_to: date | None = None
    successors: tuple[str, ...] = ()
    above: tuple[str, ...] = ()


@dataclass(frozen=True)
class Around:
    """What lies around a change: nodes by code, the codes of the node's own living children, and for each node the
    last day on which something below it began or ended."""

    nodes: Mapping[str, Node] = field(default_factory=dict)
    children: frozenset[str] = frozenset()
    latest_below: Mapping[str, date] = field(default_factory=dict)

    def living(self, code: str, on: date, field_name: str) -> Node:
        """The node, if it is there from that day on. Raises UnknownDivision, DivisionHasEnded, NotYetThere."""
        node = self.nodes.get(code)
        if node is None:
            raise UnknownDivision(f"{field_name}: {code} is not in the division tree")
        if node.valid_to is not None:
            raise DivisionHasEnded(node)
        if node.valid_from > on:
            raise NotYetThere(f"{field_name}: {code} begins on {node.valid_from}")
        return node


class AddDivision(Command):
    code: DivisionCode
    name: DivisionName
    kind: DivisionKind
    parent: DivisionCode | None
    valid_from: Day


class AddVillageGroup(Command):
    """``number`` is the village's own; the group's code is ``village-number``."""

    village: VillageCode
    number: GroupNumber
    name: DivisionName
    valid_from: Day

    @property
    def code(self) -> str:
        return f"{self.village}-{self.number}"


class RenameDivision(Command):
    division: DivisionId
    name: DivisionName
    valid_from: Day


class RecodeDivision(Command):
    """The division goes on under another code."""

    division: DivisionId
    code: DivisionCode
    valid_from: Day


class MergeDivisions(Command):
    """``merged`` end, and belong to ``division`` from then on; a new one is added first."""

    division: DivisionId
    merged: tuple[NodeCode, ...] = Field(min_length=1, max_length=200)
    valid_from: Day


class SplitDivision(Command):
    """The division ends; every child goes to one of ``parts``, which are added first."""

    division: DivisionId
    parts: tuple[SplitPart, ...] = Field(min_length=2, max_length=50)
    valid_from: Day


class WithdrawDivision(Command):
    """``valid_to`` is the first day without the division; ``successors`` say where to turn to."""

    division: DivisionId
    successors: tuple[NodeCode, ...] = Field(min_length=1, max_length=50)
    valid_to: Day


class KnownAddition(AddDivision):
    """The wish, with the kind of the parent and its first day; None where there is none."""

    parent_kind: str | None = None
    parent_since: Day | None = None


class KnownGroup(AddVillageGroup):
    village_since: Day


Change = RenameDivision | RecodeDivision | MergeDivisions | SplitDivision | WithdrawDivision


class Learned(Command):
    """A change of the map, with what lies around it."""

    wish: Change
    around: Around


class DivisionAlreadyAdded(Refusal):
    """The division is in the tree already."""

    what_to_do: ClassVar[str] = "Nothing: it is there. To change it, rename or recode it."


class CodeInUse(Refusal):
    """code: another division has or had this code, and codes are never used again."""

    what_to_do: ClassVar[str] = "Check the code; a merger with the other division is a command of its own."


class KindDoesNotFit(Refusal):
    """Kind, number of digits and parent of a division do not fit together."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = (
        "A province has 2 digits, a city 4, a county 6, a township 9, a village 12, each below the level above it."
    )


class NotYetThere(Refusal):
    """A division stands below, or comes from, one that is there on that day."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Choose a later day, or check the first day of the other division."


class OutOfOrder(Refusal):
    """A division can not change before its first day, before its last change, or end before what lies below it."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Check the day; changes of a division are told in the order of their days."


class NotYetInForce(Refusal):
    """A change of the map is told once its day has come: from then on rights and codes follow it."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Send it on the day from which the change holds."


class DivisionHasEnded(Refusal):
    """The division has ended."""

    what_to_do: ClassVar[str] = "Use the division that followed it."

    def __init__(self, node: Node | None = None) -> None:
        followed = f"; {', '.join(node.successors)} followed" if node and node.successors else ""
        super().__init__(f"{node.code} ended on {node.valid_to}{followed}" if node else "")


class OfAnotherParent(Refusal):
    """What is merged, and what a division is split into, stands below the same parent.

    So nobody draws into their own scope what lies in that of another.
    """

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Change what stands below one parent at a time, from the top of the tree downwards."


class NamedTwice(Refusal):
    """Each division is named once, and the one that changes is none of them."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Leave out what is named twice."


class ChildrenNotDivided(Refusal):
    """parts: every child of a division that is split goes to one of its parts, and nothing else does."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Ask for the division's children, and name each of them in one part."


class DivisionHasChildren(Refusal):
    """A division with others below it is not withdrawn."""

    what_to_do: ClassVar[str] = "Merge or split it, so that its children come under another; or withdraw them first."


@dataclass(frozen=True)
class Absent:
    pass


@dataclass(frozen=True)
class Present:
    division: str
    code: str
    name: str
    kind: str
    latest: date
    former: tuple[str, ...] = ()


Division = Absent | Present
MapEvent = (
    DivisionAdded
    | VillageGroupAdded
    | DivisionRenamed
    | DivisionRecoded
    | DivisionsMerged
    | DivisionSplit
    | DivisionWithdrawn
)
MapCommand = KnownAddition | KnownGroup | Learned


def decide(command: MapCommand, division: Division) -> list[MapEvent]:
    match command, division:
        case KnownAddition(), Absent():
            return [_added(command)]
        case KnownGroup(), Absent():
            return [_group_added(command)]
        case KnownAddition() | KnownGroup(), Present():
            raise DivisionAlreadyAdded
        case Learned(), Absent():
            raise NotOnFile
        case Learned(), Present():
            _check_day(command, division)
            return [_changed(command, division)]
        case _:
            raise AssertionError(command)


def _added(command: KnownAddition) -> DivisionAdded:
    fits = command.parent_kind in PARENTS[command.kind] if command.parent else True
    if len(command.code) != DIGITS[command.kind] or not fits:
        raise KindDoesNotFit
    if command.parent_since is not None and command.valid_from < command.parent_since:
        raise NotYetThere(f"valid_from: the parent begins on {command.parent_since}")
    return DivisionAdded(
        division=division_stream(command.code),
        **command.model_dump(exclude={"occurred_at", "parent_kind", "parent_since"}),
    )


def _group_added(command: KnownGroup) -> VillageGroupAdded:
    if command.valid_from < command.village_since:
        raise NotYetThere(f"valid_from: the village begins on {command.village_since}")
    return VillageGroupAdded(
        division=division_stream(command.code),
        code=command.code,
        **command.model_dump(exclude={"occurred_at", "village_since"}),
    )


def _changed(learned: Learned, division: Present) -> MapEvent:
    around, wish = learned.around, learned.wish
    match wish:
        case RenameDivision():
            return _renamed(wish, division, around)
        case RecodeDivision():
            return _recoded(wish, division, around)
        case MergeDivisions():
            return _merged(wish, division, around)
        case SplitDivision():
            return _split(wish, division, around)
        case WithdrawDivision():
            return _withdrawn(wish, division, around)


def _check_day(learned: Learned, division: Present) -> None:
    day = _day(learned.wish)
    if day > learned.occurred_on:
        raise NotYetInForce
    if day < division.latest:
        raise OutOfOrder


def _day(wish: Change) -> date:
    return wish.valid_to if isinstance(wish, WithdrawDivision) else wish.valid_from


def _renamed(wish: RenameDivision, division: Present, around: Around) -> DivisionRenamed:
    _itself(division, around, wish.valid_from)
    if wish.name == division.name:
        raise NothingToRecord
    return DivisionRenamed(division=division.division, code=division.code, name=wish.name, valid_from=wish.valid_from)


def _recoded(wish: RecodeDivision, division: Present, around: Around) -> DivisionRecoded:
    own = _itself(division, around, wish.valid_from)
    if wish.code in around.nodes:
        raise CodeInUse
    if division.kind == GROUP or len(wish.code) != DIGITS[division.kind]:
        raise KindDoesNotFit
    return DivisionRecoded(
        division=division.division,
        code=wish.code,
        former=(*division.former, division.code),
        name=division.name,
        kind=DivisionKind(division.kind),
        parent=own.parent,
        valid_from=wish.valid_from,
    )


def _merged(wish: MergeDivisions, division: Present, around: Around) -> DivisionsMerged:
    own = _itself(division, around, wish.valid_from)
    for other in _others(wish.merged, division, around, wish.valid_from, "merged"):
        _check_beside(own, other)
        _check_below(other.code, around, wish.valid_from)
    return DivisionsMerged(
        division=division.division, code=division.code, merged=wish.merged, valid_from=wish.valid_from
    )


def _split(wish: SplitDivision, division: Present, around: Around) -> DivisionSplit:
    own = _itself(division, around, wish.valid_from)
    _check_below(division.code, around, wish.valid_from)
    for other in _others([part.code for part in wish.parts], division, around, wish.valid_from, "parts"):
        _check_beside(own, other)
    divided = [child for part in wish.parts for child in part.children]
    if len(divided) != len(set(divided)) or set(divided) != around.children:
        raise ChildrenNotDivided
    return DivisionSplit(division=division.division, code=division.code, parts=wish.parts, valid_from=wish.valid_from)


def _withdrawn(wish: WithdrawDivision, division: Present, around: Around) -> DivisionWithdrawn:
    _itself(division, around, wish.valid_to)
    if around.children:
        raise DivisionHasChildren
    _check_below(division.code, around, wish.valid_to)
    _others(wish.successors, division, around, wish.valid_to, "successors")
    return DivisionWithdrawn(
        division=division.division, code=division.code, successors=wish.successors, valid_to=wish.valid_to
    )


def _itself(division: Present, around: Around, on: date) -> Node:
    """The node as the map knows it: a merger is told in the stream of what it was merged into."""
    node = around.nodes.get(division.code)
    if node is None:
        raise NotOnFile
    if node.valid_to is not None:
        raise DivisionHasEnded(node)
    if on < node.valid_from:
        raise OutOfOrder
    return node


def _check_below(code: str, around: Around, on: date) -> None:
    if on < around.latest_below.get(code, on):
        raise OutOfOrder(f"something below {code} began or ended after {on}")


def _check_beside(own: Node, other: Node) -> None:
    if own.above != other.above:
        raise OfAnotherParent


def _others(codes: Sequence[str], division: Present, around: Around, on: date, name: str) -> list[Node]:
    """The other divisions that a change names: each once, there on that day, and of the same kind."""
    if len({division.code, *codes}) <= len(codes):
        raise NamedTwice
    nodes = [around.living(code, on, name) for code in codes]
    for node in nodes:
        if node.kind != division.kind:
            raise KindDoesNotFit(f"{name}: {node.code} is of another kind")
    return nodes


def evolve(division: Division, event: MapEvent) -> Division:
    match event, division:
        case DivisionAdded(), _:
            return Present(event.division, event.code, event.name, event.kind.value, event.valid_from)
        case VillageGroupAdded(), _:
            return Present(event.division, event.code, event.name, GROUP, event.valid_from)
        case DivisionRenamed(), Present():
            return replace(division, name=event.name, latest=event.valid_from)
        case DivisionRecoded(), Present():
            return replace(division, code=event.code, former=event.former, latest=event.valid_from)
        case DivisionsMerged() | DivisionSplit(), Present():
            return replace(division, latest=event.valid_from)
        case DivisionWithdrawn(), Present():
            return replace(division, latest=event.valid_to)
        case _:
            return division


def claims(events: Iterable[Event]) -> Claims:
    """A code begins once and ends once, whoever tells it at the same moment."""
    taken: dict[str, str] = {}
    for event in events:
        match event:
            case DivisionAdded():
                taken[f"code/{event.code}"] = event.division
            case DivisionRecoded():
                taken |= {f"code/{event.code}": event.division, f"ended/{event.former[-1]}": event.division}
            case DivisionsMerged():
                taken |= {f"ended/{code}": event.division for code in event.merged}
            case DivisionSplit() | DivisionWithdrawn():
                taken[f"ended/{event.code}"] = event.division
            case _:
                pass
    return Claims(taken)


def code_of(division: Division) -> str | None:
    return division.code if isinstance(division, Present) else None


DIVISION = Aggregate[Division](Absent(), evolve, decide)
