"""A child's privacy record as a whole, and what its commands ask of the child's own file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, assert_never

from services.registry.domain.child import CHILD, ChildFileIsClosed, ChildIsErased
from services.registry.domain.child.states import Child, Closed, Erased, Open, Unknown
from services.registry.domain.privacy import attachment, consent
from services.registry.domain.privacy.attachment import AddAttachment, ExpireAttachment, RemoveAttachment
from services.registry.domain.privacy.consent import GiveConsent, GivePrivacyNotice, RefuseConsent, WithdrawConsent
from services.registry.domain.privacy.states import Answer, Answered, Attached, Notice, PrivacyRecord
from shared.commands.command import Aggregate, NotOnFile
from shared.contracts.consent import (
    AttachmentAdded,
    AttachmentRemoved,
    ConsentGiven,
    ConsentPurpose,
    ConsentRefused,
    ConsentWithdrawn,
    PrivacyNoticeGiven,
)
from shared.contracts.event import Event
from shared.eventlog.placement import derived_id

Declaring = GivePrivacyNotice | GiveConsent | RefuseConsent | WithdrawConsent
PrivacyCommand = Declaring | AddAttachment | RemoveAttachment | ExpireAttachment
PrivacyEvent = (
    PrivacyNoticeGiven | ConsentGiven | ConsentRefused | ConsentWithdrawn | AttachmentAdded | AttachmentRemoved
)


def privacy_stream(child: str) -> str:
    """The stream of a child's privacy record, beside the child's own."""
    return derived_id(child, "privacy", beside=child)


def decide(command: PrivacyCommand, record: PrivacyRecord) -> Sequence[Event]:
    match command:
        case GivePrivacyNotice():
            return [consent.noticed(command, record)]
        case GiveConsent():
            return consent.given(command, record)
        case RefuseConsent():
            return consent.refused(command, record)
        case WithdrawConsent():
            return [consent.withdrawn(command, record), *_what_goes_with(command, record)]
        case AddAttachment():
            return [attachment.added(command, record)]
        case RemoveAttachment() | ExpireAttachment():
            return [attachment.removed(command, record)]
        case _:
            assert_never(command)


def _what_goes_with(command: WithdrawConsent, record: PrivacyRecord) -> Sequence[Event]:
    photo = command.purpose is ConsentPurpose.PHOTO
    return attachment.without_photos(command.child, record) if photo else []


def evolve(record: PrivacyRecord, event: PrivacyEvent) -> PrivacyRecord:
    match event:
        case PrivacyNoticeGiven():
            return replace(record, notice=Notice(event.notice, event.on))
        case ConsentGiven():
            return _answered(record, event, Answer.GIVEN, event.notice)
        case ConsentRefused():
            return _answered(record, event, Answer.REFUSED)
        case ConsentWithdrawn():
            return _answered(record, event, Answer.WITHDRAWN)
        case AttachmentAdded():
            file = event.file.get()
            attached = Attached(None if file is None else file.kind, event.sha256)
            return replace(record, attachments={**record.attachments, event.attachment: attached})
        case AttachmentRemoved():
            left = {name: one for name, one in record.attachments.items() if name != event.attachment}
            return replace(record, attachments=left, removed=record.removed | {event.attachment})
        case _:
            assert_never(event)


def _answered(
    record: PrivacyRecord, event: ConsentGiven | ConsentRefused | ConsentWithdrawn, answer: Answer, notice: str = ""
) -> PrivacyRecord:
    told = event.consent.get()
    if told is None:
        return record
    answered = Answered(answer, told.basis, notice, event.on)
    return replace(record, answers={**record.answers, told.purpose: answered})


def check_file(command: PrivacyCommand, child: Child) -> Sequence[Event]:
    """Adds nothing to the child's stream: a closed file takes nothing new, and a no or a removal at any time."""
    match child:
        case Unknown():
            raise NotOnFile
        case Erased():
            raise ChildIsErased
        case Closed() if isinstance(command, GivePrivacyNotice | GiveConsent | AddAttachment):
            raise ChildFileIsClosed
        case Open() | Closed():
            if isinstance(command, Declaring):
                consent.check_declarant(command, child.born.reveal())
            return []


PRIVACY = Aggregate[PrivacyRecord](PrivacyRecord(), evolve, decide)
ON_FILE: Aggregate[Any] = Aggregate(CHILD.initial, CHILD.evolve, check_file)
"""The child's own file, as far as a privacy record asks for it."""
