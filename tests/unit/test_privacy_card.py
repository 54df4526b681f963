"""What a child's card shows of its privacy record, and to whom."""

from __future__ import annotations

import pytest

from services.reporting.api.field_classes import entry_without_detail, without_photos
from shared.contracts.consent import AttachmentKind, RemovalReason
from shared.contracts.registry import SubjectKeyDestroyed
from shared.contracts.sealed import ERASED, Personal
from tests.support.child_cards import card_and_entries
from tests.unit.test_privacy_record import (
    ATTACHMENT,
    BY_TASK,
    CHILD,
    GIVEN,
    KNOWN,
    NOTICED,
    REFUSED,
    WITHDRAWN,
    added,
    removed,
)

MOTHER = {"declarant": "mother", "name": "测某", "means": "phone"}
KNOWN_TEXT = {"notice": "CHILD-2026-1", "on": "2026-08-14"}


async def test_the_card_shows_the_last_notice_and_the_last_answer_for_each_purpose():
    card, entries = await card_and_entries([KNOWN, NOTICED, REFUSED, GIVEN, BY_TASK])
    assert card["consents"] == {
        "notice": {**KNOWN_TEXT, **MOTHER},
        "purposes": {
            "photo": {"answer": "given", "basis": "consent", **KNOWN_TEXT, **MOTHER},
            "transfer_to_body": {"answer": "given", "basis": "legal_task", **KNOWN_TEXT, **MOTHER},
        },
    }
    assert [entry["facts"].get("answer") for entry in entries[2:]] == ["refused", "given", "given"]
    card, _ = await card_and_entries([KNOWN, NOTICED, GIVEN, WITHDRAWN])
    assert card["consents"]["purposes"]["photo"]["answer"] == "withdrawn"


async def test_the_card_shows_what_is_kept_until_it_is_removed():
    card, _ = await card_and_entries([KNOWN, NOTICED, GIVEN, added()])
    assert card["attachments"] == {
        ATTACHMENT: {"kind": "photo", "media_type": "image/jpeg", "size": 1000, "added_on": "2026-08-14"}
    }
    card, entries = await card_and_entries([KNOWN, added(), removed(RemovalReason.TIME_ENDED)])
    assert card["attachments"] == {}
    assert entries[-1]["facts"] == {"attachment": ATTACHMENT, "reason": "time_ended"}


async def test_who_needs_no_detail_sees_no_photo():
    card, entries = await card_and_entries([KNOWN, added()])
    assert without_photos(card["attachments"]) == {}
    assert "facts" not in entry_without_detail(entries[-1])
    card, _ = await card_and_entries([KNOWN, added(AttachmentKind.CONSENT_FORM)])
    assert without_photos(card["attachments"]) == card["attachments"]
    assert without_photos(None) is None


@pytest.mark.parametrize("event", [NOTICED, GIVEN, REFUSED, WITHDRAWN, added(), removed(RemovalReason.NOT_NEEDED)])
async def test_an_erased_answer_is_folded_and_an_erased_child_leaves_nothing(event):
    [sealed] = {"to", "consent", "file", "reason"} & type(event).model_fields.keys()
    erased = event.model_copy(update={sealed: Personal(ERASED)})
    card, _ = await card_and_entries([KNOWN, erased])
    assert "测某" not in str(card)
    card, entries = await card_and_entries([KNOWN, event, SubjectKeyDestroyed(child=CHILD, approved_by="o")])
    assert (card, entries) == ({"_id": CHILD, "erased": True}, [])
