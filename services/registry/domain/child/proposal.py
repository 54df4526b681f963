"""What was found differs from the file: both values stand until a reviewer, who told neither of them, decides."""

from __future__ import annotations

from typing import ClassVar

from services.registry.domain.child.check import AuthorChecks
from services.registry.domain.child.conflict import kept_value
from services.registry.domain.child.states import OnFile, Proposal
from shared.commands.command import Command
from shared.contracts.child_file import ChangeAccepted, ChangeRefused
from shared.contracts.event import Event
from shared.contracts.file_keeping import ConflictingValueKept
from shared.contracts.refusal import Refusal
from shared.contracts.registry import CareSituation, CareSituationRecorded, ChangeProposed
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import ChildId, Day, PersonId, ProposalId, Text, VisitId


class ProposeChange(Command):
    """A visit found another care situation than the file may hold: for review, by the policy on visits.

    ``found_by`` is heard from the policy alone, for anybody else it is who tells it; without ``found_on`` the day it
    is told.
    """

    proposal: ProposalId
    child: ChildId
    visit: VisitId
    care: CareSituation
    found_by: PersonId | None = None
    found_on: Day | None = None


class AcceptChange(Command):
    child: ChildId
    proposal: ProposalId


class RefuseChange(Command):
    child: ChildId
    proposal: ProposalId
    reason: Personal[Text]


class AcceptanceBy(AcceptChange):
    person: PersonId


class RefusalBy(RefuseChange):
    person: PersonId


class ProposalNotOpen(Refusal):
    """No such proposal waits for a decision on this file."""

    what_to_do: ClassVar[str] = "See the card: what was proposed has been decided, or belongs to another child."


def proposed(command: ProposeChange, file: OnFile) -> list[Event]:
    """Nothing when the file holds what was found."""
    if command.care == file.care:
        return []
    return [
        ChangeProposed(
            proposal=command.proposal,
            child=command.child,
            visit=command.visit,
            care=command.care,
            found_by=command.found_by,
            found_on=command.found_on or command.occurred_on,
        )
    ]


def accepted(command: AcceptanceBy, file: OnFile) -> list[Event]:
    proposal = _open(command, file)
    return [
        ChangeAccepted(
            child=command.child,
            proposal=command.proposal,
            accepted_by=command.person,
            found_by=proposal.found_by,
        ),
        proposal.value,
    ]


def refused(command: RefusalBy, file: OnFile) -> list[Event]:
    _open(command, file)
    return [
        ChangeRefused(child=command.child, proposal=command.proposal, refused_by=command.person, reason=command.reason)
    ]


def waiting(event: ChangeProposed | ConflictingValueKept) -> Proposal:
    match event:
        case ChangeProposed():
            since = None if event.found_on is None else Counted(event.found_on)
            value = CareSituationRecorded(child=event.child, care=event.care, since=since)
            return Proposal(value, event.found_by)
        case ConflictingValueKept():
            return Proposal(kept_value(event), event.found_by, event.on_file_by)


def _open(command: AcceptanceBy | RefusalBy, file: OnFile) -> Proposal:
    proposal = file.proposals.get(command.proposal)
    if proposal is None:
        raise ProposalNotOpen
    if command.person in (proposal.found_by, proposal.on_file_by):
        raise AuthorChecks
    return proposal
