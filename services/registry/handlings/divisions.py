"""Commands on the division tree."""

from __future__ import annotations

from typing import Any, Final

from services.registry.division_map import DivisionMap, MapLearning, ParentLearning
from services.registry.domain import division
from services.registry.domain.division import (
    DIVISION,
    AddDivision,
    AddVillageGroup,
    MergeDivisions,
    RecodeDivision,
    RenameDivision,
    SplitDivision,
    WithdrawDivision,
    division_stream,
)
from shared.commands.command import Handling, Target
from shared.eventlog.port import Log
from shared.privacy.sealing import Sealer


def handlings(log: Log, sealer: Sealer, divisions: DivisionMap) -> list[Handling[Any]]:
    parents = ParentLearning(log, sealer, divisions)
    return [
        Handling(
            AddDivision,
            action="add_division",
            targets=lambda c: (Target(division_stream(c.code), DIVISION),),
            division=lambda c, _: c.parent,
            learn=parents.division,
            claims=division.claims,
        ),
        Handling(
            AddVillageGroup,
            action="add_village_group",
            targets=lambda c: (Target(division_stream(c.code), DIVISION),),
            division=lambda c, _: c.village,
            learn=parents.group,
        ),
        *(_of_the_map(command, MapLearning(divisions)) for command in _ON_THE_MAP),
    ]


_ON_THE_MAP: Final = (RenameDivision, RecodeDivision, MergeDivisions, SplitDivision, WithdrawDivision)


def _of_the_map(command: type[Any], learn: MapLearning) -> Handling[Any]:
    """A change of a division that is in the tree: it takes effect there."""
    return Handling(
        command,
        action="change_division",
        targets=lambda c: (Target(c.division, DIVISION),),
        division=lambda _, states: division.code_of(states[0]),
        told_by_state=True,
        learn=learn,
        claims=division.claims,
    )
