"""Papers and pictures kept with a child's file: added once their sealed bytes are stored, removed, opened (domain 3.1).

The bytes are not here: ``services.registry.attachments`` keeps them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

from services.registry.domain.privacy.states import PrivacyRecord
from shared.commands.command import Aggregate, Command
from shared.contracts.consent import (
    AttachedFile,
    AttachmentAdded,
    AttachmentId,
    AttachmentKind,
    AttachmentOpened,
    AttachmentRemoved,
    ConsentPurpose,
    RemovalReason,
)
from shared.contracts.refusal import Refusal
from shared.contracts.sealed import Personal
from shared.contracts.values import ChildId, FileHash, PersonId, Text, VillageCode

MOST_ATTACHMENTS: Final = 20
"""Kept with one file at a time (prop): a photo, the signed forms, and room for some more."""


class AddAttachment(Command):
    """Given by the desk that has stored the bytes. ``sha256`` is that of the sealed bytes."""

    child: ChildId
    attachment: AttachmentId
    sha256: FileHash
    file: Personal[AttachedFile]


class RemoveAttachment(Command):
    child: ChildId
    attachment: AttachmentId
    reason: Literal[RemovalReason.NOT_NEEDED, RemovalReason.ADDED_IN_ERROR]


class ExpireAttachment(Command):
    """Given by registry itself, once a picture has been kept as long as the policy asks."""

    child: ChildId
    attachment: AttachmentId


class OpenAttachment(Command):
    """``opening`` makes each opening a stream of its own: earlier ones decide nothing."""

    opening: str
    child: ChildId
    village: VillageCode
    attachment: AttachmentId
    person: PersonId
    purpose: Personal[Text]


class PhotoWithoutConsent(Refusal):
    """A photo is kept only while there is a consent to it."""

    what_to_do: ClassVar[str] = (
        "Ask a guardian for the consent with the purpose photo, and record it; or keep no photo."
    )


class TooManyAttachments(Refusal):
    """As many papers and pictures as a file may have are kept with it."""

    what_to_do: ClassVar[str] = "Remove what is no longer needed first."


class AttachmentIdTaken(Refusal):
    """This id was used for another paper or picture."""

    what_to_do: ClassVar[str] = "Give each attachment an id of its own; repeat an upload unchanged under the same id."


class NoSuchAttachment(Refusal):
    """Nothing is kept under this id with this file."""

    status: ClassVar[int] = 404
    what_to_do: ClassVar[str] = "See the card for what is kept; it may have been removed."


def added(command: AddAttachment, record: PrivacyRecord) -> AttachmentAdded:
    if command.attachment in record.attachments or command.attachment in record.removed:
        raise AttachmentIdTaken
    check_place(command.file.reveal().kind, record)
    return AttachmentAdded(child=command.child, attachment=command.attachment, sha256=command.sha256, file=command.file)


def check_place(kind: AttachmentKind, record: PrivacyRecord) -> None:
    """Whether one more of this kind may be kept. Raises PhotoWithoutConsent, TooManyAttachments."""
    if kind is AttachmentKind.PHOTO and not record.in_force(ConsentPurpose.PHOTO):
        raise PhotoWithoutConsent
    if len(record.attachments) >= MOST_ATTACHMENTS:
        raise TooManyAttachments


def removed(command: RemoveAttachment | ExpireAttachment, record: PrivacyRecord) -> AttachmentRemoved:
    if command.attachment not in record.attachments:
        raise NoSuchAttachment
    reason = command.reason if isinstance(command, RemoveAttachment) else RemovalReason.TIME_ENDED
    return _removal(command.child, command.attachment, reason)


def without_photos(child: str, record: PrivacyRecord) -> list[AttachmentRemoved]:
    """All photos go when the consent to them does."""
    return [
        _removal(child, attachment, RemovalReason.CONSENT_WITHDRAWN)
        for attachment, attached in record.attachments.items()
        if attached.kind is AttachmentKind.PHOTO
    ]


def _removal(child: str, attachment: str, reason: RemovalReason) -> AttachmentRemoved:
    return AttachmentRemoved(child=child, attachment=attachment, reason=Personal(reason))


@dataclass(frozen=True)
class Opening:
    pass


def _opened(command: OpenAttachment, opening: Opening) -> Sequence[AttachmentOpened]:
    return [
        AttachmentOpened(
            child=command.child, attachment=command.attachment, person=command.person, purpose=command.purpose
        )
    ]


OPENING = Aggregate[Opening](Opening(), lambda opening, _: opening, _opened)
