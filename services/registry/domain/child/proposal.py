"""What a visit found differs from the file: a proposal."""

from __future__ import annotations

from shared.commands.command import Command
from shared.contracts.registry import CareSituation, ChangeProposed
from shared.contracts.values import ChildId, ProposalId, VisitId


class ProposeChange(Command):
    """A visit found another care situation than the file may hold: for review, by the policy on visits."""

    proposal: ProposalId
    child: ChildId
    visit: VisitId
    care: CareSituation


def proposed(command: ProposeChange) -> ChangeProposed:
    return ChangeProposed(proposal=command.proposal, child=command.child, visit=command.visit, care=command.care)
