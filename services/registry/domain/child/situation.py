"""The parents, and who cares for the child."""

from __future__ import annotations

from shared.commands.command import Command
from shared.contracts.registry import CareSituation, CareSituationRecorded, ParentSituationRecorded, ParentsSituation
from shared.contracts.values import ChildId


class RecordParentSituation(Command):
    child: ChildId
    parents: ParentsSituation


class RecordCareSituation(Command):
    child: ChildId
    care: CareSituation


def parents_recorded(command: RecordParentSituation) -> ParentSituationRecorded:
    return ParentSituationRecorded(child=command.child, parents=command.parents)


def care_recorded(command: RecordCareSituation) -> CareSituationRecorded:
    return CareSituationRecorded(child=command.child, care=command.care)
