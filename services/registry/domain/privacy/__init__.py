"""A child's privacy record (domain 3.1, Consent): what the family was told and agreed to, and what is kept of it.

Papers and pictures stand in it because a picture is kept only while there is a consent to it: both are decided on one
stream, ``privacy-…``, beside the child's.
"""

from services.registry.domain.privacy.aggregate import ON_FILE, PRIVACY, privacy_stream
from services.registry.domain.privacy.attachment import (
    MOST_ATTACHMENTS,
    OPENING,
    AddAttachment,
    AttachmentIdTaken,
    ExpireAttachment,
    NoSuchAttachment,
    OpenAttachment,
    PhotoWithoutConsent,
    RemoveAttachment,
    TooManyAttachments,
)
from services.registry.domain.privacy.consent import (
    BasisNotOfThisPurpose,
    ConsentIsGiven,
    ConsentNotGiven,
    ConsentToldLate,
    DeclarantMayNot,
    GiveConsent,
    GivePrivacyNotice,
    GuardianDeclares,
    NoticeNotGiven,
    NoticeUnknown,
    RefuseConsent,
    RestsOnLegalTask,
    WithdrawConsent,
)
from services.registry.domain.privacy.states import Attached, PrivacyRecord

__all__ = [
    "MOST_ATTACHMENTS",
    "ON_FILE",
    "OPENING",
    "PRIVACY",
    "AddAttachment",
    "Attached",
    "AttachmentIdTaken",
    "BasisNotOfThisPurpose",
    "ConsentIsGiven",
    "ConsentNotGiven",
    "ConsentToldLate",
    "DeclarantMayNot",
    "ExpireAttachment",
    "GiveConsent",
    "GivePrivacyNotice",
    "GuardianDeclares",
    "NoSuchAttachment",
    "NoticeNotGiven",
    "NoticeUnknown",
    "OpenAttachment",
    "PhotoWithoutConsent",
    "PrivacyRecord",
    "RefuseConsent",
    "RemoveAttachment",
    "RestsOnLegalTask",
    "TooManyAttachments",
    "WithdrawConsent",
    "privacy_stream",
]
