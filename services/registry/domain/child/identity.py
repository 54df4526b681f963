"""Who the child is, and where it is registered (domain 3.0, CitizenNumber; 3.1, blocks Identity, Place).

What can not be right is refused. What does not fit, and may be right all the same, is a doubt: it is recorded beside
the identity for the review. A birth date that differs from that of the number stops the verification until one of
them is corrected, since ages follow from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final

from services.registry.domain import citizen_number
from services.registry.domain.child.conflict import BlockEntry
from services.registry.domain.child.registration import BornInTheFuture
from services.registry.domain.child.states import OnFile
from shared.commands.command import Command
from shared.contracts.child_file import (
    ChildIdentityCorrected,
    ChildIdentityRecorded,
    Identity,
    IdentityCorrection,
    IdentityDoubted,
    RegistrationStatusRecorded,
)
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import (
    ChildId,
    DivisionCode,
    FileBlock,
    HukouKind,
    IdentityDoubt,
    Sex,
)

BLOCKING: Final = frozenset({IdentityDoubt.BIRTH_DATE_DIFFERS_FROM_NUMBER})
"""Doubts that stop a verification."""


class RecordIdentity(BlockEntry):
    """The number and its status, former names, ethnicity: what the registration did not ask for."""

    block: ClassVar[FileBlock] = FileBlock.IDENTITY

    identity: Personal[Identity]


class CorrectIdentity(Command):
    """What was wrong from the beginning, with the reason. A name that was given up is recorded as a former one."""

    child: ChildId
    correction: Personal[IdentityCorrection]


class RecordRegistrationStatus(BlockEntry):
    block: ClassVar[FileBlock] = FileBlock.REGISTRATION

    hukou: DivisionCode
    kind: HukouKind


def recorded(command: RecordIdentity) -> ChildIdentityRecorded:
    identity = command.identity.reveal()
    number = citizen_number.fitting(identity.citizen_number, identity.citizen_number_status, command.occurred_on)
    return ChildIdentityRecorded(
        child=command.child, identity=Personal(identity.model_copy(update={"citizen_number": number}))
    )


def corrected(command: CorrectIdentity, file: OnFile) -> ChildIdentityCorrected | None:
    """None when nothing is corrected."""
    correction = command.correction.reveal()
    if not correction.model_dump(exclude={"reason"}, exclude_none=True):
        return None
    born = correction.birth_date or file.born.reveal()
    if born > command.occurred_on:
        raise BornInTheFuture
    if correction.citizen_number is not None:
        number = citizen_number.normalised(correction.citizen_number, command.occurred_on)
        correction = correction.model_copy(update={"citizen_number": number})
    return ChildIdentityCorrected(
        child=command.child,
        correction=Personal(correction),
        birth_month=Counted(born.isoformat()[:7]),
        sex=file.sex if correction.sex is None else Counted(correction.sex),
    )


def status_recorded(command: RecordRegistrationStatus) -> RegistrationStatusRecorded:
    return RegistrationStatusRecorded(child=command.child, hukou=command.hukou, kind=Counted(command.kind))


def doubted(child: str, file: OnFile) -> list[IdentityDoubted]:
    """The doubts about a file's identity, where they are others than those on record."""
    doubts = tuple(doubts_of(file))
    return [] if frozenset(doubts) == file.doubts else [IdentityDoubted(child=child, doubts=Personal(doubts))]


def doubts_of(file: OnFile) -> Iterator[IdentityDoubt]:
    """What does not fit now; of files that were begun before this was asked, nothing may be on record yet."""
    number = None if file.number is None else file.number.get()
    born, sex = file.born.get(), file.sex.get()
    if number is None or born is None:
        return
    if sex in (Sex.MALE, Sex.FEMALE) and sex is not citizen_number.sex(number):
        yield IdentityDoubt.SEX_DIFFERS_FROM_NUMBER
    if born != citizen_number.birth_date(number):
        yield IdentityDoubt.BIRTH_DATE_DIFFERS_FROM_NUMBER
    if citizen_number.ends_in_zeros(number):
        yield IdentityDoubt.NUMBER_ENDS_IN_ZEROS
