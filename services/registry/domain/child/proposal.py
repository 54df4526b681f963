"""What was found differs from the file: both values stand until a reviewer, who told neither of them, decides."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import ClassVar, NoReturn, TypeVar

from services.registry.domain.child.check import AuthorChecks
from services.registry.domain.child.conflict import kept_value
from services.registry.domain.child.situation import fitting_parents
from services.registry.domain.child.states import OnFile, Proposal
from shared.commands.command import Command
from shared.contracts.child_file import ChangeAccepted, ChangeRefused, Schooling, SchoolingRecorded
from shared.contracts.event import Event
from shared.contracts.file_keeping import ConflictingValueKept
from shared.contracts.refusal import Refusal
from shared.contracts.registry import (
    CareSituation,
    CareSituationRecorded,
    ChangeProposed,
    ParentSituation,
    ParentSituationRecorded,
    ParentsSituation,
)
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import ChildId, Day, FileBlock, PersonId, ProposalId, Text, VisitId

F = TypeVar("F", ParentSituation, Schooling)


class ProposeChange(Command):
    """A visit found something else than the file may hold: for review, by the policy on visits.

    Exactly one block is told. ``found_by`` is heard from the policy alone, for anybody else it is who tells it; without
    ``found_on`` the day it is told.
    """

    proposal: ProposalId
    child: ChildId
    visit: VisitId
    care: CareSituation | None = None
    parents: ParentsSituation | None = None
    schooling: Personal[Schooling] | None = None
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


class OneBlockIsProposed(Refusal):
    """A proposal tells one of care, parents and schooling."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Tell each block that was found to be otherwise in a proposal of its own."


def proposed(command: ProposeChange, file: OnFile) -> list[Event]:
    """Nothing when the file holds what was found, or the same visit has proposed it before.

    Raises OneBlockIsProposed, and what is raised when the parents are recorded.
    """
    if sum(block is not None for block in (command.care, command.parents, command.schooling)) != 1:
        raise OneBlockIsProposed
    found_on = command.found_on or command.occurred_on
    change = _proposal(command, file, found_on)
    if _is_on_file(change, file) or any(
        waiting(_proposal(command, file, one.found_on)).value == one.value
        for one in (*file.proposals.values(), *file.decided)
        if one.found_at == command.visit and one.found_on is not None
    ):
        return []
    return [change]


def _proposal(command: ProposeChange, file: OnFile, found_on: date) -> ChangeProposed:
    parents = command.parents and _parents_found(command.parents, file, found_on)
    schooling = command.schooling and _schooling_found(command.schooling.reveal(), file)
    return ChangeProposed(
        proposal=command.proposal,
        child=command.child,
        visit=command.visit,
        care=command.care,
        parents=parents and ParentSituationRecorded(child=command.child, parents=parents),
        schooling=schooling
        and SchoolingRecorded(
            child=command.child,
            schooling=Personal(schooling),
            state=Counted(schooling.state),
            since=Counted(found_on),
        ),
        found_by=command.found_by,
        found_on=found_on,
    )


def _is_on_file(change: ChangeProposed, file: OnFile) -> bool:
    if change.parents is not None:
        return change.parents.parents == file.parents
    if change.schooling is not None:
        return change.schooling.schooling.get() == _schooling_on_file(file)
    return change.care == file.care


def _parents_found(found: ParentsSituation, file: OnFile, found_on: date) -> ParentsSituation:
    """Each in another state is so since the day it was found, unless the visit tells since when."""
    both = {
        which: _with_what_is_on_file(parent, getattr(file.parents, which), always=("name", "phone"))
        for which, parent in (("father", found.father), ("mother", found.mother))
    }
    dated = {
        which: parent.model_copy(update={"since": Counted(found_on)})
        for which, parent in both.items()
        if parent.since is None and parent.state != getattr(file.parents, which).state
    }
    return fitting_parents(ParentsSituation(**both | dated), file.born.get(), found_on)


def _schooling_found(found: Schooling, file: OnFile) -> Schooling:
    held = _schooling_on_file(file)
    return found if held is None else _with_what_is_on_file(found, held)


def _schooling_on_file(file: OnFile) -> Schooling | None:
    held = file.blocks.get(FileBlock.SCHOOLING)
    return held.schooling.get() if isinstance(held, SchoolingRecorded) else None


def _with_what_is_on_file(found: F, held: F, always: Collection[str] = ()) -> F:
    """A visit tells what it saw: of the rest the file's word stands where the state is the same, or ``always``."""
    same = found.state == held.state
    untold = [name for name in type(found).model_fields if getattr(found, name) is None and (same or name in always)]
    return found.model_copy(update={name: getattr(held, name) for name in untold})


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
            return Proposal(found_value(event), event.found_by, found_at=event.visit, found_on=event.found_on)
        case ConflictingValueKept():
            return Proposal(kept_value(event), event.found_by, event.on_file_by)


def found_value(event: ChangeProposed) -> Event:
    if event.care is None:
        return event.parents or event.schooling or _nothing_proposed(event)
    since = None if event.found_on is None else Counted(event.found_on)
    return CareSituationRecorded(child=event.child, care=event.care, since=since)


def _nothing_proposed(event: ChangeProposed) -> NoReturn:
    raise AssertionError(event.proposal)


def _open(command: AcceptanceBy | RefusalBy, file: OnFile) -> Proposal:
    proposal = file.proposals.get(command.proposal)
    if proposal is None:
        raise ProposalNotOpen
    if command.person in (proposal.found_by, proposal.on_file_by):
        raise AuthorChecks
    return proposal
