"""A child's file (domain 3.1, Child): registered, kept up to date, closed, reopened, erased.

"Left-behind" is nowhere here: the file holds facts, and a counting rule gives the verdict at a date.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import ClassVar, assert_never

from services.registry.domain import citizen_number
from shared.commands.command import Aggregate, Command, NotOnFile
from shared.contracts.refusal import Refusal
from shared.contracts.registry import (
    CareSituation,
    CareSituationRecorded,
    ChangeProposed,
    ChildFileClosed,
    ChildFileReopened,
    ChildRegistered,
    ErasureRequested,
    ParentSituationRecorded,
    ParentsSituation,
    SubjectKeyDestroyed,
)
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import (
    ChildId,
    CloseReason,
    Day,
    DivisionCode,
    HouseholdId,
    Name,
    PersonId,
    Phone,
    ProposalId,
    Sex,
    Text,
    VillageCode,
    VisitId,
)
from shared.eventlog.placement import placement_of


class RegisterChild(Command):
    """Begins a child's file, and the household's where it has none yet."""

    child: ChildId
    household: HouseholdId
    residence: VillageCode
    hukou: DivisionCode
    name: Personal[Name]
    birth_date: Personal[Day]
    citizen_number: Personal[str] | None = None
    sex: Sex = Sex.UNKNOWN
    parents: ParentsSituation
    care: CareSituation
    household_head: Personal[Name]
    household_phone: Personal[Phone] | None = None
    address: Personal[Text] | None = None


class RecordParentSituation(Command):
    child: ChildId
    parents: ParentsSituation


class RecordCareSituation(Command):
    child: ChildId
    care: CareSituation


class ProposeChange(Command):
    """A visit found another care situation than the file may hold: for review, by the policy on visits."""

    proposal: ProposalId
    child: ChildId
    visit: VisitId
    care: CareSituation


class CloseChildFile(Command):
    """``closed_on`` is the first day closed; without it the day it is told."""

    child: ChildId
    reason: CloseReason
    closed_on: Day | None = None


class ReopenChildFile(Command):
    child: ChildId
    reason: Personal[Text]
    reopened_on: Day | None = None


class RequestErasure(Command):
    child: ChildId
    basis: Personal[Text]


class ApproveErasure(Command):
    child: ChildId


class ErasureRequestBy(RequestErasure):
    """The request, with the person who makes it."""

    person: PersonId


class ErasureApprovalBy(ApproveErasure):
    person: PersonId


class ChildAlreadyRegistered(Refusal):
    """This child is on file already."""

    what_to_do: ClassVar[str] = "Give a new child an id of its own."


class BornInTheFuture(Refusal):
    """birth_date: the child is not born yet."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Check the birth date."


class ChildStandsElsewhere(Refusal):
    """The id of a child must take over the last two bytes of its household's id."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Make the child's id beside the household's, so that both stand in one partition."


class ChildFileIsClosed(Refusal):
    """The child's file is closed."""

    what_to_do: ClassVar[str] = "Reopen the file first."


class ChildFileIsOpen(Refusal):
    """The child's file is open."""

    what_to_do: ClassVar[str] = "Nothing: it is open."


class ClosedBeforeItBegan(Refusal):
    """A file can not be closed or reopened before the last day it was opened or closed."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Check the day."


class ChildIsErased(Refusal):
    """The child's file has been erased."""

    status: ClassVar[int] = 410
    what_to_do: ClassVar[str] = (
        "Nothing can be recorded any more; if the child is to be on file again, register it anew."
    )


class ErasureNotRequested(Refusal):
    """Nobody has asked for the erasure of this file."""

    what_to_do: ClassVar[str] = "Let the erasure be requested first, by another person."


class ApproverIsRequester(Refusal):
    """An erasure is approved by another person than the one who asked for it."""

    status: ClassVar[int] = 403
    what_to_do: ClassVar[str] = "Ask a second data protection officer to approve."


@dataclass(frozen=True)
class Unknown:
    pass


@dataclass(frozen=True)
class Open:
    residence: str
    since: date
    erasure_requested_by: str | None = None


@dataclass(frozen=True)
class Closed:
    residence: str
    since: date
    erasure_requested_by: str | None = None


@dataclass(frozen=True)
class Erased:
    residence: str


Child = Unknown | Open | Closed | Erased

ChildCommand = (
    RegisterChild
    | RecordParentSituation
    | RecordCareSituation
    | ProposeChange
    | CloseChildFile
    | ReopenChildFile
    | ErasureRequestBy
    | ErasureApprovalBy
)
ChildEvent = (
    ChildRegistered
    | ParentSituationRecorded
    | CareSituationRecorded
    | ChangeProposed
    | ChildFileClosed
    | ChildFileReopened
    | ErasureRequested
    | SubjectKeyDestroyed
)


def decide(command: ChildCommand, child: Child) -> list[ChildEvent]:
    match command, child:
        case RegisterChild(), Unknown():
            return [_registered(command)]
        case RegisterChild(), _:
            raise ChildAlreadyRegistered
        case _, Unknown():
            raise NotOnFile
        case _, Erased():
            raise ChildIsErased
        case ErasureRequestBy(), Open() | Closed():
            return [ErasureRequested(child=command.child, basis=command.basis, requested_by=command.person)]
        case ErasureApprovalBy(), Open() | Closed():
            return [_erased(command, child.erasure_requested_by)]
        case ReopenChildFile(), Closed():
            return [_reopened(command, child)]
        case ReopenChildFile(), Open():
            raise ChildFileIsOpen
        case _, Closed():
            raise ChildFileIsClosed
        case RecordParentSituation(), Open():
            return [ParentSituationRecorded(child=command.child, parents=command.parents)]
        case RecordCareSituation(), Open():
            return [CareSituationRecorded(child=command.child, care=command.care)]
        case ProposeChange(), Open():
            return [_proposed(command)]
        case CloseChildFile(), Open():
            return [_closed(command, child)]
        case _:
            raise AssertionError(command)


def evolve(child: Child, event: ChildEvent) -> Child:
    match event:
        case ChildRegistered():
            # A file stands open from the beginning of time: only closing and reopening give it an order of days.
            return Open(event.residence, date.min)
        case ChildFileClosed():
            return Closed(_residence(child), event.closed_on, _requested_by(child))
        case ChildFileReopened():
            return Open(_residence(child), event.reopened_on, _requested_by(child))
        case ErasureRequested():
            return (
                replace(child, erasure_requested_by=event.requested_by) if isinstance(child, Open | Closed) else child
            )
        case SubjectKeyDestroyed():
            return Erased(_residence(child))
        case ParentSituationRecorded() | CareSituationRecorded() | ChangeProposed():
            return child
        case _:
            assert_never(event)


def residence(child: Child) -> str | None:
    """The village a command on this child takes effect in."""
    return None if isinstance(child, Unknown) else child.residence


def _residence(child: Child) -> str:
    return residence(child) or ""


def _requested_by(child: Child) -> str | None:
    """A request for erasure outlives the closing and reopening of the file."""
    return child.erasure_requested_by if isinstance(child, Open | Closed) else None


def _registered(command: RegisterChild) -> ChildRegistered:
    born = command.birth_date.reveal()
    if born > command.occurred_on:
        raise BornInTheFuture
    if placement_of(command.child) != placement_of(command.household):
        raise ChildStandsElsewhere
    number = command.citizen_number and Personal(
        citizen_number.normalised(command.citizen_number.reveal(), command.occurred_on)
    )
    return ChildRegistered(
        child=command.child,
        household=command.household,
        residence=command.residence,
        hukou=command.hukou,
        name=command.name,
        birth_date=command.birth_date,
        citizen_number=number,
        birth_month=Counted(born.isoformat()[:7]),
        sex=Counted(command.sex),
        parents=command.parents,
        care=command.care,
    )


def _proposed(command: ProposeChange) -> ChangeProposed:
    return ChangeProposed(proposal=command.proposal, child=command.child, visit=command.visit, care=command.care)


def _closed(command: CloseChildFile, child: Open) -> ChildFileClosed:
    closed_on = command.closed_on or command.occurred_on
    if closed_on < child.since:
        raise ClosedBeforeItBegan
    return ChildFileClosed(child=command.child, reason=command.reason, closed_on=closed_on)


def _reopened(command: ReopenChildFile, child: Closed) -> ChildFileReopened:
    reopened_on = command.reopened_on or command.occurred_on
    if reopened_on < child.since:
        raise ClosedBeforeItBegan
    return ChildFileReopened(child=command.child, reason=command.reason, reopened_on=reopened_on)


def _erased(command: ErasureApprovalBy, requested_by: str | None) -> SubjectKeyDestroyed:
    if requested_by is None:
        raise ErasureNotRequested
    if requested_by == command.person:
        raise ApproverIsRequester
    return SubjectKeyDestroyed(child=command.child, approved_by=command.person)


CHILD = Aggregate[Child](Unknown(), evolve, decide)
