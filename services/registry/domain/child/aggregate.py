"""A child's file as a whole (一人一档): which command is decided where, and what follows from a change at once.

"Left-behind" is nowhere here: the file holds facts, and a counting rule gives the verdict at a date.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from services.registry.domain.child import (
    check,
    closing,
    conflict,
    entrustment,
    erasure,
    identity,
    life,
    marks,
    merging,
    proposal,
    registration,
    risk,
    situation,
    transfer,
)
from services.registry.domain.child.check import (
    ConfirmByGuardian,
    ConfirmChildFileReview,
    ReturnBy,
    ReviewBy,
    SubmissionBy,
    VerificationBy,
)
from services.registry.domain.child.closing import CloseChildFile, ReopenChildFile
from services.registry.domain.child.conflict import LateEntry
from services.registry.domain.child.entrustment import EndEntrustment, EntrustCaregiver
from services.registry.domain.child.erasure import ErasureApprovalBy, ErasureRequestBy
from services.registry.domain.child.history import begun, evolve
from services.registry.domain.child.identity import CorrectIdentity, RecordIdentity, RecordRegistrationStatus
from services.registry.domain.child.life import RecordHealth, RecordSchooling, RecordWelfare
from services.registry.domain.child.marks import ClearKeyGroup, JoinCareProgramme, LeaveCareProgramme, MarkKeyGroup
from services.registry.domain.child.merging import ChildFileNotMerged, MergeBy, UndoBy
from services.registry.domain.child.proposal import AcceptanceBy, ProposeChange, RefusalBy
from services.registry.domain.child.registration import RegisterChild
from services.registry.domain.child.risk import AssessmentBy, OverrideBy
from services.registry.domain.child.situation import RecordCareSituation, RecordParentSituation
from services.registry.domain.child.states import (
    BlockEvent,
    Child,
    ChildAlreadyRegistered,
    ChildFileIsClosed,
    ChildFileIsOpen,
    ChildIsErased,
    Closed,
    Erased,
    MergedInto,
    Open,
    Unknown,
    was_merged,
)
from services.registry.domain.child.transfer import OfferTransfer, TakeOverBy
from shared.commands.command import Aggregate, NotOnFile
from shared.contracts.event import Event
from shared.contracts.registry import (
    ErasureRequested,
)

Recording = (
    RecordParentSituation
    | RecordCareSituation
    | RecordIdentity
    | CorrectIdentity
    | RecordRegistrationStatus
    | RecordSchooling
    | RecordHealth
    | RecordWelfare
    | EntrustCaregiver
    | EndEntrustment
    | MarkKeyGroup
    | ClearKeyGroup
    | JoinCareProgramme
    | LeaveCareProgramme
    | AcceptanceBy
    | LateEntry
)
Checking = SubmissionBy | ReviewBy | VerificationBy | ReturnBy | ConfirmChildFileReview | ConfirmByGuardian
OnOpenFile = (
    Recording
    | Checking
    | AssessmentBy
    | OverrideBy
    | OfferTransfer
    | TakeOverBy
    | ProposeChange
    | RefusalBy
    | CloseChildFile
    | MergeBy
)
ChildCommand = RegisterChild | OnOpenFile | ReopenChildFile | UndoBy | ErasureRequestBy | ErasureApprovalBy


def decide(command: ChildCommand, child: Child) -> Sequence[Event]:
    match command, child:
        case RegisterChild(), Unknown():
            registered = registration.registered(command)
            return [registered, *_following(command.child, begun(registered))]
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
        case UndoBy(), Closed():
            return merging.undone(command, child)
        case UndoBy(), Open():
            raise ChildFileNotMerged
        case _, Closed(merged_into=MergedInto()):
            raise was_merged(child)
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
        case ConfirmByGuardian():
            return [check.guardian_confirmed(command)]
        case AssessmentBy():
            return [risk.assessed(command)]
        case OverrideBy():
            return risk.overridden(command, file)
        case OfferTransfer():
            return [transfer.offered(command, file)]
        case TakeOverBy():
            return [transfer.taken_over(command, file)]
        case ProposeChange():
            return proposal.proposed(command, file)
        case RefusalBy():
            return proposal.refused(command, file)
        case MergeBy():
            return merging.merged(command, file)
        case CloseChildFile():
            return [closing.closed(command, file)]
        case _:
            return _with_what_follows(command.child, file, _changes(command, file))


def _changes(command: Recording, file: Open) -> Sequence[Event]:
    match command:
        case AcceptanceBy():
            return proposal.accepted(command, file)
        case LateEntry():
            return _late(command, file)
        case RecordParentSituation():
            return [situation.parents_recorded(command, file)]
        case RecordCareSituation():
            return [situation.care_recorded(command)]
        case RecordIdentity():
            return [identity.recorded(command)]
        case CorrectIdentity():
            return [event] if (event := identity.corrected(command, file)) else []
        case RecordRegistrationStatus():
            return [identity.status_recorded(command)]
        case RecordSchooling():
            return [life.schooling_recorded(command)]
        case RecordHealth():
            return [life.health_recorded(command)]
        case RecordWelfare():
            return [life.welfare_recorded(command)]
        case EntrustCaregiver():
            return [entrustment.entrusted(command, file)]
        case EndEntrustment():
            return [entrustment.ended(command, file)]
        case MarkKeyGroup():
            return [marks.marked(command, file)]
        case ClearKeyGroup():
            return [marks.cleared(command, file)]
        case JoinCareProgramme():
            return [marks.joined(command, file)]
        case LeaveCareProgramme():
            return [marks.left(command, file)]
        case _:
            assert_never(command)


def _late(command: LateEntry, file: Open) -> Sequence[Event]:
    [told] = _changes(command.entry, file)  # type: ignore[arg-type]  # each entry of a block is a Recording
    if not isinstance(told, BlockEvent):
        raise AssertionError(command.entry)
    return conflict.kept(command, told, file)


def _with_what_follows(child: str, file: Open, changes: Sequence[Event]) -> Sequence[Event]:
    after: Child = file
    for event in changes:
        after = evolve(after, event)  # type: ignore[arg-type]  # those of a child's file
    if not isinstance(after, Open):
        raise AssertionError(changes)
    events = [*changes, *_following(child, after)]
    return [*events, *check.review_opened(child, file, after, events)]


def _following(child: str, file: Open) -> Sequence[Event]:
    """What follows at once from what a file holds now."""
    return [*identity.doubted(child, file), *marks.registration_marked(child, file)]


CHILD = Aggregate[Child](Unknown(), evolve, decide)
