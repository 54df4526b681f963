"""registry's events of a map that changes (domain sections 3.0 and 4.1): nodes keep their id, codes are never reused.

Each ``valid_from`` is the first day on which the map is as told.
"""

from __future__ import annotations

from shared.contracts.event import Event, Fact
from shared.contracts.values import Day, DivisionCode, DivisionId, DivisionKind, GroupNumber, NodeCode, VillageCode


class VillageGroupAdded(Event):
    """A village group (村民组) begins below its village; its code is the village's with the number."""

    division: DivisionId
    code: NodeCode
    village: VillageCode
    number: GroupNumber
    name: str
    valid_from: Day


class DivisionRenamed(Event):
    division: DivisionId
    code: NodeCode
    name: str
    valid_from: Day


class DivisionRecoded(Event):
    """The node goes on under ``code``; ``former`` are all codes it had, the one it had last at the end."""

    division: DivisionId
    code: DivisionCode
    former: tuple[DivisionCode, ...]
    name: str
    kind: DivisionKind
    parent: DivisionCode | None
    valid_from: Day


class DivisionsMerged(Event):
    """``merged`` end, and what is in them or below them belongs to ``code`` from then on."""

    division: DivisionId
    code: NodeCode
    merged: tuple[NodeCode, ...]
    valid_from: Day


class SplitPart(Fact):
    """One of the divisions that follow, with those of the children that come under it."""

    code: NodeCode
    children: tuple[NodeCode, ...] = ()


class DivisionSplit(Event):
    """The division ends; its children are divided between ``parts``."""

    division: DivisionId
    code: NodeCode
    parts: tuple[SplitPart, ...]
    valid_from: Day


class DivisionWithdrawn(Event):
    """``valid_to`` is the first day without the division; ``successors`` say where to turn to."""

    division: DivisionId
    code: NodeCode
    successors: tuple[NodeCode, ...]
    valid_to: Day
