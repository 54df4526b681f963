"""registry's events of the privacy record of a child, and of the papers and pictures kept with its file (domain 3.1).

To what a family said yes or no is one sealed value, as any block of the file is: the clear part tells that something
was said, on which day, and under which text of the notice.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar, Final

from pydantic import Field, StringConstraints

from shared.contracts.event import Event, Fact
from shared.contracts.sealed import Personal
from shared.contracts.values import ChildId, Day, FileHash, Name, PersonId, Text

_ATTACHMENT: Final = r"attachment-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
AttachmentId = Annotated[str, StringConstraints(pattern=rf"^{_ATTACHMENT}$")]
NoticeVersion = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9-]{1,32}$")]
"""Of the text of a privacy notice, such as CHILD-2026-1."""


class ConsentPurpose(StrEnum):
    """What is done with a child's data beyond the file itself (domain 3.1, Consent)."""

    PAIRING_WITH_VOLUNTEER = "pairing_with_volunteer"
    PHOTO = "photo"
    PUBLICATION = "publication"
    PSYCHOLOGICAL_SUPPORT = "psychological_support"
    TRANSFER_TO_BODY = "transfer_to_body"


class Basis(StrEnum):
    """On what processing for a purpose rests (PIPL art. 13, 34)."""

    LEGAL_TASK = "legal_task"
    CONSENT = "consent"


class Declarant(StrEnum):
    """Who declares or asks something, as they stand to the child. ``guardian``: another guardian than a parent."""

    FATHER = "father"
    MOTHER = "mother"
    GUARDIAN = "guardian"
    CHILD = "child"
    ENTRUSTED_CAREGIVER = "entrusted_caregiver"
    VOLUNTEER = "volunteer"


class Means(StrEnum):
    """By which means somebody declared something."""

    SIGNATURE = "signature"
    FINGERPRINT = "fingerprint"
    PHONE = "phone"
    VIDEO = "video"
    ORAL = "oral"


class Declaration(Fact):
    """Who declared something, and how."""

    declarant: Declarant
    name: Name
    means: Means


class Consent(Fact):
    """A purpose, on what it rests, and who declared it."""

    purpose: ConsentPurpose
    basis: Basis = Basis.CONSENT
    declaration: Declaration


class PrivacyNoticeGiven(Event):
    """Somebody was told what is done with the child's data, by the text of that version."""

    subject: ClassVar[str | None] = "child"

    child: ChildId
    notice: NoticeVersion
    on: Day
    to: Personal[Declaration]


class ConsentGiven(Event):
    """From that day on the child's data may be used for the purpose; ``notice`` is the text that was known."""

    subject: ClassVar[str | None] = "child"

    child: ChildId
    notice: NoticeVersion
    on: Day
    consent: Personal[Consent]


class ConsentRefused(Event):
    subject: ClassVar[str | None] = "child"

    child: ChildId
    on: Day
    consent: Personal[Consent]


class ConsentWithdrawn(Event):
    """``on`` is the first day without the consent."""

    subject: ClassVar[str | None] = "child"

    child: ChildId
    on: Day
    consent: Personal[Consent]


class AttachmentKind(StrEnum):
    PHOTO = "photo"
    ENTRUSTMENT_FORM = "entrustment_form"
    CONSENT_FORM = "consent_form"
    CONFIRMATION_FORM = "confirmation_form"
    OTHER = "other"


class MediaType(StrEnum):
    """What an attachment is kept as: every picture is made a JPEG anew."""

    JPEG = "image/jpeg"
    PDF = "application/pdf"


class AttachedFile(Fact):
    """``size`` in bytes, as it is kept and before it is sealed."""

    kind: AttachmentKind
    media_type: MediaType
    size: Annotated[int, Field(ge=1)]


class RemovalReason(StrEnum):
    NOT_NEEDED = "not_needed"
    ADDED_IN_ERROR = "added_in_error"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    TIME_ENDED = "time_ended"


class AttachmentAdded(Event):
    """A paper or picture is kept with the file. ``sha256`` is that of the sealed bytes: it identifies nobody."""

    subject: ClassVar[str | None] = "child"

    child: ChildId
    attachment: AttachmentId
    sha256: FileHash
    file: Personal[AttachedFile]


class AttachmentRemoved(Event):
    """Its bytes are deleted."""

    subject: ClassVar[str | None] = "child"

    child: ChildId
    attachment: AttachmentId
    reason: Personal[RemovalReason]


class AttachmentOpened(Event):
    """Somebody was shown an attachment, for a purpose."""

    subject: ClassVar[str | None] = "child"

    child: ChildId
    attachment: AttachmentId
    person: PersonId
    purpose: Personal[Text]
