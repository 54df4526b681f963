"""What the card of a child shows of its file."""

from __future__ import annotations

from shared.contracts.child_file import (
    ChildFileReturned,
    ChildFileReviewConfirmed,
    ChildFileReviewed,
    ChildFileReviewOpened,
    ChildFileSubmitted,
    ChildFileVerified,
)
from shared.contracts.registry import SubjectKeyDestroyed
from shared.contracts.sealed import ERASED, Personal
from shared.contracts.values import CheckLevel
from tests.support.builders import TOLD, a_registered_child
from tests.support.child_cards import card_and_entries
from tests.support.child_files import a_complete_file

FILE = a_complete_file()
CHILD = FILE[0].child
SUBMITTED = ChildFileSubmitted(child=CHILD, submitted_by="director-1")
REVIEWED = ChildFileReviewed(child=CHILD, reviewed_by="supervisor-1")
VERIFIED = ChildFileVerified(child=CHILD, verified_by="county-1")


async def check_after(*events):
    card, _ = await card_and_entries([*FILE, *events])
    return card["file"]["check"]


async def test_a_file_that_nobody_submitted_is_a_draft():
    card, _ = await card_and_entries([a_registered_child()])
    assert card["file"]["check"] == {"stage": "draft"}


async def test_the_card_shows_how_far_the_check_has_come():
    assert await check_after(SUBMITTED) == {"stage": "submitted"}
    assert await check_after(SUBMITTED, REVIEWED) == {"stage": "township_reviewed"}
    verified = {"stage": "county_verified", "verified_on": "2026-08-14", "due_on": "2027-02-13"}
    assert await check_after(SUBMITTED, REVIEWED, VERIFIED) == verified
    opened = ChildFileReviewOpened(child=CHILD)
    assert (await check_after(SUBMITTED, REVIEWED, VERIFIED, opened))["stage"] == "under_review"


async def test_the_card_says_what_a_file_was_returned_for_until_it_is_submitted_again():
    returned = ChildFileReturned(
        child=CHILD, level=CheckLevel.COUNTY, returned_by="county-1", reason=Personal("缺学校")
    )
    check = await check_after(SUBMITTED, REVIEWED, returned)
    assert check == {"stage": "returned", "returned_by": "county", "returned_for": "缺学校"}
    assert "returned_for" not in await check_after(SUBMITTED, REVIEWED, returned, SUBMITTED)


async def test_a_confirmation_moves_the_day_of_the_next():
    confirmed = ChildFileReviewConfirmed(child=CHILD, as_of=TOLD.date())
    check = await check_after(SUBMITTED, REVIEWED, VERIFIED, confirmed)
    assert (check["confirmed_on"], check["due_on"]) == ("2026-08-14", "2027-02-13")


async def test_the_card_shows_school_and_health_and_the_time_line_when_they_were_told():
    card, entries = await card_and_entries(FILE)
    assert card["file"]["schooling"] == {"state": "primary", "school": "测小学", "since": "2026-08-14"}
    assert card["file"]["health"] == {"state": "healthy"}
    assert [entry["facts"]["state"] for entry in entries[1:]] == ["primary", "healthy"]


async def test_a_block_that_was_erased_shows_nothing():
    registered, schooling, health = FILE
    gone = [
        schooling.model_copy(update={"schooling": Personal(ERASED)}),
        health.model_copy(update={"health": Personal(ERASED)}),
    ]
    card, _ = await card_and_entries([registered, *gone])
    assert (card["file"]["schooling"], card["file"]["health"]) == ({"since": "2026-08-14"}, {})


async def test_nothing_is_left_of_the_blocks_of_an_erased_child():
    erased = SubjectKeyDestroyed(child=CHILD, approved_by="officer-2")
    card, entries = await card_and_entries([*FILE, erased, SUBMITTED, *FILE[1:]])
    assert (card, entries) == ({"_id": CHILD, "erased": True}, [])
