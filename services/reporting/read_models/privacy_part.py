"""What the events of a privacy record change on the card: its parts ``consents`` and ``attachments``."""

from __future__ import annotations

from datetime import date
from typing import Final

from services.reporting.read_models.shown import opened, told, value
from shared.commands.command import business_day
from shared.contracts.consent import (
    AttachmentAdded,
    AttachmentRemoved,
    Consent,
    ConsentGiven,
    ConsentRefused,
    ConsentWithdrawn,
    PrivacyNoticeGiven,
)
from shared.contracts.event import Event
from shared.contracts.sealed import Personal
from shared.eventlog.record import Record
from shared.projection.read_model import Document

EVENTS: Final = frozenset(
    {
        "PrivacyNoticeGiven",
        "ConsentGiven",
        "ConsentRefused",
        "ConsentWithdrawn",
        "AttachmentAdded",
        "AttachmentRemoved",
    }
)


def change_privacy(card: Document, record: Record, event: Event) -> None:
    """Changes the card in place: the last notice and the last answer for each purpose, and what is kept."""
    match event:
        case PrivacyNoticeGiven():
            card.setdefault("consents", {})["notice"] = privacy_facts(event)
        case ConsentGiven() | ConsentRefused() | ConsentWithdrawn():
            answer = privacy_facts(event)
            if purpose := answer.pop("purpose", None):
                card.setdefault("consents", {}).setdefault("purposes", {})[purpose] = answer
        case AttachmentAdded():
            added_on = business_day(record.occurred_at).isoformat()
            card.setdefault("attachments", {})[event.attachment] = opened(event.file) | {"added_on": added_on}
        case AttachmentRemoved():
            card.get("attachments", {}).pop(event.attachment, None)
        case _:
            raise TypeError(f"{type(event).__name__} is no event of a privacy record")


def privacy_facts(event: Event) -> Document:
    """What the time line shows of such an event; none once it is erased."""
    match event:
        case PrivacyNoticeGiven():
            return {"notice": event.notice, "on": event.on.isoformat(), **opened(event.to)}
        case ConsentGiven():
            return _answer(event.consent, "given", event.on, notice=event.notice)
        case ConsentRefused():
            return _answer(event.consent, "refused", event.on)
        case ConsentWithdrawn():
            return _answer(event.consent, "withdrawn", event.on)
        case AttachmentAdded():
            return {"attachment": event.attachment, **opened(event.file)}
        case AttachmentRemoved():
            return told(attachment=event.attachment, reason=value(event.reason))
        case _:
            return {}


def _answer(sealed: Personal[Consent], answer: str, on: date, **more: str) -> Document:
    consent = sealed.get()
    if consent is None:
        return {}
    said = {"purpose": consent.purpose.value, "answer": answer, "basis": consent.basis.value, "on": on.isoformat()}
    return said | more | consent.declaration.model_dump(mode="json")
