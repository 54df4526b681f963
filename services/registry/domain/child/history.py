"""What happened to a child's file, folded into what its rules ask for. History is not judged again."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TypeVar, assert_never

from services.registry.domain.child.conflict import BLOCK_OF
from services.registry.domain.child.own_fields import told_after
from services.registry.domain.child.proposal import waiting
from services.registry.domain.child.states import (
    Block,
    BlockEvent,
    Child,
    Closed,
    Erased,
    MergedInto,
    Open,
    Stage,
    Unknown,
)
from shared.contracts.child_file import (
    CaregiverEntrusted,
    CareProgrammeJoined,
    CareProgrammeLeft,
    ChangeAccepted,
    ChangeRefused,
    ChildFileReturned,
    ChildFileReviewConfirmed,
    ChildFileReviewed,
    ChildFileReviewOpened,
    ChildFileSubmitted,
    ChildFileVerified,
    ChildIdentityCorrected,
    ChildIdentityRecorded,
    ChildTransferOffered,
    ChildTransferred,
    EntrustmentEnded,
    HealthRecorded,
    Identity,
    IdentityDoubted,
    KeyGroupCleared,
    KeyGroupMarked,
    RegistrationStatusRecorded,
    SchoolingRecorded,
    WelfareRecorded,
)
from shared.contracts.file_keeping import ChildFilesMerged, ChildMergeUndone, ConflictingValueKept, GuardianConfirmed
from shared.contracts.own_fields import OwnFieldsRecorded
from shared.contracts.registry import (
    CareSituationRecorded,
    ChangeProposed,
    ChildFileClosed,
    ChildFileReopened,
    ChildRegistered,
    ErasureRequested,
    ParentSituationRecorded,
    SubjectKeyDestroyed,
)
from shared.contracts.risk import RiskAssessed, RiskLevelOverridden
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import CitizenNumberStatus, FileBlock

T = TypeVar("T")

ChildEvent = (
    ChildRegistered
    | ParentSituationRecorded
    | CareSituationRecorded
    | ChildIdentityRecorded
    | ChildIdentityCorrected
    | IdentityDoubted
    | RegistrationStatusRecorded
    | SchoolingRecorded
    | HealthRecorded
    | WelfareRecorded
    | CaregiverEntrusted
    | EntrustmentEnded
    | KeyGroupMarked
    | KeyGroupCleared
    | CareProgrammeJoined
    | CareProgrammeLeft
    | OwnFieldsRecorded
    | RiskAssessed
    | RiskLevelOverridden
    | ChildTransferOffered
    | ChildTransferred
    | ChangeProposed
    | ConflictingValueKept
    | ChangeAccepted
    | ChangeRefused
    | ChildFileSubmitted
    | ChildFileReviewed
    | ChildFileReturned
    | ChildFileVerified
    | ChildFileReviewOpened
    | ChildFileReviewConfirmed
    | GuardianConfirmed
    | ChildFileClosed
    | ChildFileReopened
    | ChildFilesMerged
    | ChildMergeUndone
    | ErasureRequested
    | SubjectKeyDestroyed
)


def evolve(child: Child, event: ChildEvent) -> Child:
    match child:
        case Unknown():
            # A file stands open from the beginning of time: only closing and reopening give it an order of days.
            return begun(event) if isinstance(event, ChildRegistered) else child
        case Erased():
            return child
        case Open() | Closed():
            return _evolved(child, event)


def begun(event: ChildRegistered) -> Open:
    told: list[BlockEvent] = [
        ParentSituationRecorded(child=event.child, parents=event.parents),
        CareSituationRecorded(child=event.child, care=event.care),
    ]
    if event.hukou_kind is not None:
        told.append(RegistrationStatusRecorded(child=event.child, hukou=event.hukou, kind=event.hukou_kind))
    present = Personal(CitizenNumberStatus.PRESENT) if event.citizen_number else None
    return Open(
        residence=event.residence,
        since=date.min,
        hukou=event.hukou,
        born=event.birth_date,
        sex=event.sex,
        number=event.citizen_number,
        number_status=event.citizen_number_status or present,
        parents=event.parents,
        care=event.care,
        blocks={BLOCK_OF[type(one)]: one for one in told},
    )


def _evolved(file: Open | Closed, event: ChildEvent) -> Child:
    if isinstance(event, BlockEvent):
        block = BLOCK_OF[type(event)]
        file = replace(file, blocks={**file.blocks, block: event}, changed=file.changed | {block})
    match event:
        case ChildFileClosed():
            return Closed(**vars(file) | {"since": event.closed_on})
        case ChildFileReopened():
            return Open(**vars(file) | {"since": event.reopened_on})
        case ChildFilesMerged():
            return replace(file, merged_into=MergedInto(event.into, event.village))
        case ChildMergeUndone():
            return replace(file, merged_into=None)
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
            return replace(file, stage=Stage.COUNTY_VERIFIED, changed=frozenset(), guardian_on=None)
        case ChildFileReviewConfirmed():
            return replace(file, changed=frozenset(), guardian_on=None)
        case GuardianConfirmed():
            return replace(file, guardian_on=event.confirmed_on)
        case ChildFileReviewOpened():
            return replace(file, stage=Stage.UNDER_REVIEW)
        case ParentSituationRecorded():
            return replace(file, parents=event.parents)
        case CareSituationRecorded():
            return replace(file, care=event.care)
        case RegistrationStatusRecorded():
            return replace(file, hukou=event.hukou)
        case ChildIdentityRecorded() | ChildIdentityCorrected() | IdentityDoubted():
            return _identified(file, event)
        case SchoolingRecorded():
            return replace(file, told=file.told | {Block.SCHOOL})
        case HealthRecorded():
            return replace(file, told=file.told | {Block.HEALTH})
        case CaregiverEntrusted():
            return replace(file, entrusted=event.starts)
        case EntrustmentEnded():
            return replace(file, entrusted=None)
        case KeyGroupMarked() | KeyGroupCleared() | CareProgrammeJoined() | CareProgrammeLeft():
            return _marked(file, event)
        case RiskAssessed():
            return replace(file, risk=event.level)
        case OwnFieldsRecorded():
            return replace(file, own_fields=told_after(file.own_fields, event))
        case ChildTransferOffered():
            return replace(file, offered_to=event.to_village)
        case ChildTransferred():
            return replace(file, residence=event.to_village, offered_to=None)
        case ChangeProposed() | ConflictingValueKept():
            return replace(file, proposals={**file.proposals, event.proposal: waiting(event)})
        case ChangeAccepted() | ChangeRefused():
            left = dict(file.proposals)
            decided = left.pop(event.proposal, None)
            return replace(file, proposals=left, decided=(*file.decided, decided) if decided else file.decided)
        case ChildRegistered() | WelfareRecorded() | RiskLevelOverridden():
            return file
        case _:
            assert_never(event)


def _identified(
    file: Open | Closed, event: ChildIdentityRecorded | ChildIdentityCorrected | IdentityDoubted
) -> Open | Closed:
    match event:
        case ChildIdentityRecorded():
            told = event.identity.get()
            if told is None:
                return file
            number = None if told.citizen_number is None else Personal(told.citizen_number)
            return replace(file, number=number, number_status=Personal(told.citizen_number_status))
        case ChildIdentityCorrected():
            return _corrected(file, event)
        case IdentityDoubted():
            return replace(file, doubts=frozenset(event.doubts.get() or ()))


def _corrected(file: Open | Closed, event: ChildIdentityCorrected) -> Open | Closed:
    file, correction = replace(file, sex=event.sex), event.correction.get()
    if correction is not None and correction.birth_date is not None:
        file = replace(file, born=Personal(correction.birth_date))
    if correction is not None and correction.citizen_number is not None:
        present = Personal(CitizenNumberStatus.PRESENT)
        file = replace(file, number=Personal(correction.citizen_number), number_status=present)
    blocks = {**file.blocks, FileBlock.IDENTITY: _identity_held(file, event)}
    return replace(file, blocks=blocks, changed=file.changed | {FileBlock.IDENTITY})


def _identity_held(file: Open | Closed, event: ChildIdentityCorrected) -> ChildIdentityRecorded:
    """What the file holds of the identity block after a correction."""
    held, correction = file.blocks.get(FileBlock.IDENTITY), event.correction.get()
    told = held.identity.get() if isinstance(held, ChildIdentityRecorded) else None
    status = file.number_status and file.number_status.get()
    now = {
        "citizen_number": file.number and file.number.get(),
        "citizen_number_status": status or CitizenNumberStatus.UNKNOWN,
    }
    if correction is not None and correction.ethnicity is not None:
        now["ethnicity"] = correction.ethnicity
    identity = Identity(**now) if told is None else told.model_copy(update=now)
    return ChildIdentityRecorded(child=event.child, identity=Personal(identity))


def _marked(
    file: Open | Closed, event: KeyGroupMarked | KeyGroupCleared | CareProgrammeJoined | CareProgrammeLeft
) -> Open | Closed:
    match event:
        case KeyGroupMarked():
            return replace(file, key_groups=file.key_groups | _told(event.group))
        case KeyGroupCleared():
            return replace(file, key_groups=file.key_groups - _told(event.group))
        case CareProgrammeJoined():
            return replace(file, programmes=file.programmes | _told(event.programme))
        case CareProgrammeLeft():
            return replace(file, programmes=file.programmes - _told(event.programme))


def _told(value: Counted[T]) -> frozenset[T]:
    """The value alone, or nothing once it is erased."""
    return frozenset() if value.erased else frozenset({value.reveal()})
