"""A child's file as a whole (一人一档): which command is decided where, and how an event changes what rules ask for.

"Left-behind" is nowhere here: the file holds facts, and a counting rule gives the verdict at a date.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import assert_never

from services.registry.domain.child import check, closing, erasure, life, proposal, registration, situation
from services.registry.domain.child.check import (
    ConfirmChildFileReview,
    ReturnBy,
    ReviewBy,
    SubmissionBy,
    VerificationBy,
)
from services.registry.domain.child.closing import CloseChildFile, ReopenChildFile
from services.registry.domain.child.erasure import ErasureApprovalBy, ErasureRequestBy
from services.registry.domain.child.life import RecordHealth, RecordSchooling
from services.registry.domain.child.proposal import ProposeChange
from services.registry.domain.child.registration import RegisterChild
from services.registry.domain.child.situation import RecordCareSituation, RecordParentSituation
from services.registry.domain.child.states import (
    Block,
    Child,
    ChildAlreadyRegistered,
    ChildFileIsClosed,
    ChildFileIsOpen,
    ChildIsErased,
    Closed,
    Erased,
    Open,
    Stage,
    Unknown,
)
from shared.commands.command import Aggregate, NotOnFile
from shared.contracts.child_file import (
    ChildFileReturned,
    ChildFileReviewConfirmed,
    ChildFileReviewed,
    ChildFileReviewOpened,
    ChildFileSubmitted,
    ChildFileVerified,
    HealthRecorded,
    SchoolingRecorded,
)
from shared.contracts.event import Event
from shared.contracts.registry import (
    CareSituationRecorded,
    ChangeProposed,
    ChildFileClosed,
    ChildFileReopened,
    ChildRegistered,
    ErasureRequested,
    ParentSituation,
    ParentSituationRecorded,
    ParentsSituation,
    SubjectKeyDestroyed,
)
from shared.contracts.values import ParentState

Recording = RecordParentSituation | RecordCareSituation | RecordSchooling | RecordHealth
Checking = SubmissionBy | ReviewBy | VerificationBy | ReturnBy | ConfirmChildFileReview
OnOpenFile = Recording | Checking | ProposeChange | CloseChildFile
ChildCommand = RegisterChild | OnOpenFile | ReopenChildFile | ErasureRequestBy | ErasureApprovalBy

ChildEvent = (
    ChildRegistered
    | ParentSituationRecorded
    | CareSituationRecorded
    | SchoolingRecorded
    | HealthRecorded
    | ChangeProposed
    | ChildFileSubmitted
    | ChildFileReviewed
    | ChildFileReturned
    | ChildFileVerified
    | ChildFileReviewOpened
    | ChildFileReviewConfirmed
    | ChildFileClosed
    | ChildFileReopened
    | ErasureRequested
    | SubjectKeyDestroyed
)


def decide(command: ChildCommand, child: Child) -> Sequence[Event]:
    match command, child:
        case RegisterChild(), Unknown():
            return [registration.registered(command)]
        case RegisterChild(), _:
            raise ChildAlreadyRegistered
        case _, Unknown():
            raise NotOnFile
        case _, Erased():
            raise ChildIsErased
        case ErasureRequestBy(), Open() | Closed():
            return [ErasureRequested(child=command.child, basis=command.basis, requested_by=command.person)]
        case ErasureApprovalBy(), Open() | Closed():
            return [erasure.erased(command, child.erasure_requested_by)]
        case ReopenChildFile(), Closed():
            return [closing.reopened(command, child)]
        case ReopenChildFile(), Open():
            raise ChildFileIsOpen
        case _, Closed():
            raise ChildFileIsClosed
        case _, Open():
            return _on_open_file(command, child)  # type: ignore[arg-type]  # those of no open file stand above
        case _:
            raise AssertionError(command)


def _on_open_file(command: OnOpenFile, file: Open) -> Sequence[Event]:
    match command:
        case SubmissionBy():
            return [check.submitted(command, file)]
        case ReviewBy():
            return [check.reviewed(command, file)]
        case VerificationBy():
            return [check.verified(command, file)]
        case ReturnBy():
            return [check.returned(command, file)]
        case ConfirmChildFileReview():
            return [check.confirmed(command, file)]
        case ProposeChange():
            return [proposal.proposed(command)]
        case CloseChildFile():
            return [closing.closed(command, file)]
        case _:
            changes = _changes(command)
            return [*changes, *check.review_opened(command.child, file, changes)]


def _changes(command: Recording) -> list[Event]:
    match command:
        case RecordParentSituation():
            return [situation.parents_recorded(command)]
        case RecordCareSituation():
            return [situation.care_recorded(command)]
        case RecordSchooling():
            return [life.schooling_recorded(command)]
        case RecordHealth():
            return [life.health_recorded(command)]
        case _:
            assert_never(command)


def evolve(child: Child, event: ChildEvent) -> Child:
    match child:
        case Unknown():
            # A file stands open from the beginning of time: only closing and reopening give it an order of days.
            return _begun(event) if isinstance(event, ChildRegistered) else child
        case Erased():
            return child
        case Open() | Closed():
            return _evolved(child, event)


def _begun(event: ChildRegistered) -> Open:
    told = {Block.CARE} | ({Block.IDENTITY} if event.citizen_number else set())
    return Open(event.residence, date.min, told=_told_of(frozenset(told), event.parents))


def _evolved(file: Open | Closed, event: ChildEvent) -> Child:
    match event:
        case ChildFileClosed():
            return Closed(**vars(file) | {"since": event.closed_on})
        case ChildFileReopened():
            return Open(**vars(file) | {"since": event.reopened_on})
        case ErasureRequested():
            return replace(file, erasure_requested_by=event.requested_by)
        case SubjectKeyDestroyed():
            return Erased(file.residence)
        case ChildFileSubmitted():
            return replace(file, stage=Stage.SUBMITTED)
        case ChildFileReviewed():
            return replace(file, stage=Stage.TOWNSHIP_REVIEWED, reviewed_by=event.reviewed_by)
        case ChildFileReturned():
            return replace(file, stage=Stage.RETURNED)
        case ChildFileVerified():
            return replace(file, stage=Stage.COUNTY_VERIFIED)
        case ChildFileReviewOpened():
            return replace(file, stage=Stage.UNDER_REVIEW)
        case ParentSituationRecorded():
            return replace(file, told=_told_of(file.told, event.parents))
        case SchoolingRecorded():
            return replace(file, told=file.told | {Block.SCHOOL})
        case HealthRecorded():
            return replace(file, told=file.told | {Block.HEALTH})
        case ChildRegistered() | CareSituationRecorded() | ChangeProposed() | ChildFileReviewConfirmed():
            return file
        case _:
            assert_never(event)


def _told_of(told: frozenset[Block], parents: ParentsSituation) -> frozenset[Block]:
    """A parent of whom it is said that nothing is known is not told of."""
    known = {block for block, parent in _each(parents) if parent.state.get() not in (None, ParentState.UNKNOWN)}
    return told - {Block.FATHER, Block.MOTHER} | known


def _each(parents: ParentsSituation) -> tuple[tuple[Block, ParentSituation], ...]:
    return ((Block.FATHER, parents.father), (Block.MOTHER, parents.mother))


CHILD = Aggregate[Child](Unknown(), evolve, decide)
