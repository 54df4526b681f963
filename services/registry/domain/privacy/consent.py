"""The family is told what is done with a child's data, and says yes or no for each purpose (domain 3.1, 6.3).

Who may: of a child under 14 a parent or another guardian (PIPL art. 31); from 14 on the child too. A no counts from the
child at any age. A volunteer or an entrusted caregiver declares nothing.
"""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Final

from services.registry.domain.privacy.notice import NOTICES
from services.registry.domain.privacy.states import Answer, Answered, PrivacyRecord
from shared.commands.command import Command
from shared.contracts.consent import (
    Basis,
    Consent,
    ConsentGiven,
    ConsentPurpose,
    ConsentRefused,
    ConsentWithdrawn,
    Declarant,
    Declaration,
    NoticeVersion,
    PrivacyNoticeGiven,
)
from shared.contracts.refusal import Refusal
from shared.contracts.sealed import Personal
from shared.contracts.values import ChildId

DECLARES_AT: Final = 14
"""Years from which a child consents itself: below, its data are sensitive and a guardian's consent is needed."""

_GUARDIANS: Final = frozenset({Declarant.FATHER, Declarant.MOTHER, Declarant.GUARDIAN})


class GivePrivacyNotice(Command):
    """The special notice for children's data was handed to a guardian. ``notice`` is the version of its text."""

    child: ChildId
    notice: NoticeVersion
    to: Personal[Declaration]


class GiveConsent(Command):
    """``basis`` is legal_task where the notice says that a task of law allows the purpose without a consent."""

    child: ChildId
    purpose: ConsentPurpose
    basis: Basis = Basis.CONSENT
    declaration: Personal[Declaration]


class RefuseConsent(Command):
    child: ChildId
    purpose: ConsentPurpose
    declaration: Personal[Declaration]


class WithdrawConsent(Command):
    """From the day it is told on; pictures go with the consent to them."""

    child: ChildId
    purpose: ConsentPurpose
    declaration: Personal[Declaration]


class GuardianDeclares(Refusal):
    """Under 14 a parent or another guardian is told and consents, never the child alone."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Ask the father, the mother or another guardian, by phone if they are away."


class DeclarantMayNot(Refusal):
    """A volunteer or an entrusted caregiver declares nothing for a child."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Ask a parent, another guardian, or the child itself."


class NoticeUnknown(Refusal):
    """notice: no such text is in force on that day."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Give the text that GET /privacy-notice shows, and name its version."


class NoticeNotGiven(Refusal):
    """No privacy notice was given before that day."""

    what_to_do: ClassVar[str] = "Give the guardian the privacy notice first, and record it."


class BasisNotOfThisPurpose(Refusal):
    """basis: the notice names no task of law for this purpose."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Ask for a consent; or leave the purpose."


class ConsentToldLate(Refusal):
    """Of this purpose an answer of a later day is on record."""

    what_to_do: ClassVar[str] = "Check the day; what is on record of the later day holds."


class ConsentIsGiven(Refusal):
    """A consent to this purpose is in force."""

    what_to_do: ClassVar[str] = "Withdraw it; a refusal is for what was not given."


class ConsentNotGiven(Refusal):
    """No consent to this purpose is in force."""

    what_to_do: ClassVar[str] = "Nothing: there is nothing to withdraw."


class RestsOnLegalTask(Refusal):
    """The purpose rests on a task of law and not on a consent."""

    what_to_do: ClassVar[str] = "Explain the task to the family, and where it can complain; see the notice."


def noticed(command: GivePrivacyNotice, record: PrivacyRecord) -> PrivacyNoticeGiven:
    notice = NOTICES.get(command.notice)
    if notice is None or command.occurred_on < notice.starts:
        raise NoticeUnknown
    return PrivacyNoticeGiven(child=command.child, notice=command.notice, on=command.occurred_on, to=command.to)


def given(command: GiveConsent, record: PrivacyRecord) -> list[ConsentGiven]:
    """Nothing when the same consent is in force, under the same text."""
    if record.notice is None or command.occurred_on < record.notice.on:
        raise NoticeNotGiven
    if command.basis not in NOTICES[record.notice.version].bases(command.purpose):
        raise BasisNotOfThisPurpose
    last = _in_order(command, record)
    now = Answered(Answer.GIVEN, command.basis, record.notice.version, command.occurred_on)
    if last and (last.answer, last.basis, last.notice) == (now.answer, now.basis, now.notice):
        return []
    return [
        ConsentGiven(
            child=command.child,
            notice=record.notice.version,
            on=command.occurred_on,
            consent=_consent(command, command.basis),
        )
    ]


def refused(command: RefuseConsent, record: PrivacyRecord) -> list[ConsentRefused]:
    """Nothing when it is refused or withdrawn already."""
    last = _in_order(command, record)
    if last is not None and record.in_force(command.purpose):
        raise RestsOnLegalTask if last.basis is Basis.LEGAL_TASK else ConsentIsGiven
    if last is not None:
        return []
    return [ConsentRefused(child=command.child, on=command.occurred_on, consent=_consent(command))]


def withdrawn(command: WithdrawConsent, record: PrivacyRecord) -> ConsentWithdrawn:
    last = _in_order(command, record)
    if last is None or last.answer is not Answer.GIVEN:
        raise ConsentNotGiven
    if last.basis is Basis.LEGAL_TASK:
        raise RestsOnLegalTask
    return ConsentWithdrawn(child=command.child, on=command.occurred_on, consent=_consent(command))


def check_declarant(command: GivePrivacyNotice | GiveConsent | RefuseConsent | WithdrawConsent, born: date) -> None:
    """Raises DeclarantMayNot or GuardianDeclares."""
    declaration = command.to if isinstance(command, GivePrivacyNotice) else command.declaration
    declarant = declaration.reveal().declarant
    if declarant in _GUARDIANS:
        return
    if declarant is not Declarant.CHILD:
        raise DeclarantMayNot
    if isinstance(command, GivePrivacyNotice | GiveConsent) and _age(born, command.occurred_on) < DECLARES_AT:
        raise GuardianDeclares


def _age(born: date, on: date) -> int:
    """In full years."""
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def _in_order(command: GiveConsent | RefuseConsent | WithdrawConsent, record: PrivacyRecord) -> Answered | None:
    last = record.answers.get(command.purpose)
    if last is not None and command.occurred_on < last.on:
        raise ConsentToldLate
    return last


def _consent(command: GiveConsent | RefuseConsent | WithdrawConsent, basis: Basis = Basis.CONSENT) -> Personal[Consent]:
    return Personal(Consent(purpose=command.purpose, basis=basis, declaration=command.declaration.reveal()))
