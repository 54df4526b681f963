"""The division tree: provinces down to villages. A node's parent is told, never cut from its code (domain 3.0)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import ClassVar

from shared.commands.command import Aggregate, Command
from shared.contracts.refusal import Refusal
from shared.contracts.registry import DivisionAdded
from shared.contracts.values import Day, DivisionCode, DivisionKind

_NAMESPACE = uuid.UUID("6a1f5c6e-3b52-5d0e-9a53-8a6b0c1f7d42")


def division_stream(code: str) -> str:
    """The stream of a node: the same for every import of the same code, since codes are never reused."""
    return f"division-{uuid.uuid5(_NAMESPACE, code)}"


class AddDivision(Command):
    code: DivisionCode
    name: str
    kind: DivisionKind
    parent: DivisionCode | None
    valid_from: Day


class DivisionAlreadyAdded(Refusal):
    """The division is in the tree already."""

    what_to_do: ClassVar[str] = "Nothing: it is there. To change it, rename or recode it."


@dataclass(frozen=True)
class Absent:
    pass


@dataclass(frozen=True)
class Present:
    code: str


Division = Absent | Present


def decide(command: AddDivision, division: Division) -> list[DivisionAdded]:
    match division:
        case Absent():
            return [
                DivisionAdded(
                    division=division_stream(command.code),
                    code=command.code,
                    name=command.name,
                    kind=command.kind,
                    parent=command.parent,
                    valid_from=command.valid_from,
                )
            ]
        case Present():
            raise DivisionAlreadyAdded


def evolve(division: Division, event: DivisionAdded) -> Division:
    return Present(event.code)


DIVISION = Aggregate[Division](Absent(), evolve, decide)
