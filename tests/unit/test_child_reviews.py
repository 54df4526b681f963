"""A guardian confirms a file, and a verified file is looked at half-yearly."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from services.registry.domain.child import (
    CHILD,
    ChildFileIsClosed,
    ConfirmByGuardian,
    ConfirmChildFileReview,
    HoldsFromTheFuture,
)
from services.reporting.reviews import ReviewCycle, review_due
from shared.commands.command import NotOnFile
from shared.contracts.child_file import (
    ChildFileReviewConfirmed,
    ChildFileReviewed,
    ChildFileSubmitted,
    ChildFileVerified,
    HealthRecorded,
)
from shared.contracts.file_keeping import GuardianConfirmation, GuardianConfirmed
from shared.contracts.registry import ChildFileClosed
from shared.contracts.sealed import Personal
from shared.contracts.values import CloseReason, ConfirmationMeans, FileBlock, Guardian
from tests.support.builders import TOLD, a_registration
from tests.support.child_cards import card_and_entries
from tests.support.child_files import a_complete_file, health
from tests.support.offices import Offices
from tests.support.specification import given

FILE = a_complete_file()
CHILD_ID = FILE[0].child
TODAY = TOLD.date()
TOMORROW = TODAY + timedelta(days=1)
SIGNED = Personal(GuardianConfirmation(by=Guardian.CAREGIVER, means=ConfirmationMeans.SIGNATURE, name="测奶奶"))
CONFIRM = ConfirmByGuardian(child=CHILD_ID, confirmation=SIGNED, confirmed_on=date(2026, 8, 12), occurred_at=TOLD)
CONFIRMED = GuardianConfirmed(child=CHILD_ID, confirmation=SIGNED, confirmed_on=date(2026, 8, 12))
VERIFIED = (
    ChildFileSubmitted(child=CHILD_ID, submitted_by="director-1"),
    ChildFileReviewed(child=CHILD_ID, reviewed_by="supervisor-1"),
    ChildFileVerified(child=CHILD_ID, verified_by="county-1"),
)
HEALTHY = HealthRecorded(child=CHILD_ID, health=health())
LOOK = ConfirmChildFileReview(child=CHILD_ID, as_of=date(2026, 8, 13), occurred_at=TOLD)


def looked(**more) -> ChildFileReviewConfirmed:
    return ChildFileReviewConfirmed(**{"child": CHILD_ID, "as_of": date(2026, 8, 13)} | more)


class TestGuardian:
    def test_a_caregiver_confirms_by_a_signature(self):
        given(CHILD, *FILE).when(CONFIRM).then(CONFIRMED)

    def test_without_a_day_it_was_the_day_it_is_told(self):
        [event] = CHILD.decide(CONFIRM.model_copy(update={"confirmed_on": None}), CHILD.evolve(CHILD.initial, FILE[0]))
        assert event.confirmed_on == TODAY

    def test_nobody_has_confirmed_ahead(self):
        ahead = CONFIRM.model_copy(update={"confirmed_on": TOMORROW})
        given(CHILD, *FILE).when(ahead).then_refused(HoldsFromTheFuture, "confirmed_on")

    def test_a_closed_file_and_one_that_is_not_there_are_not_confirmed(self):
        closed = ChildFileClosed(child=CHILD_ID, reason=CloseReason.MOVED_OUT, closed_on=date(2026, 8, 1))
        given(CHILD, *FILE, closed).when(CONFIRM).then_refused(ChildFileIsClosed)
        given(CHILD).when(CONFIRM).then_refused(NotOnFile)

    async def test_the_card_shows_who_confirmed_it_when_and_how(self):
        card, entries = await card_and_entries([*FILE, CONFIRMED])
        shown = {"by": "caregiver", "means": "signature", "name": "测奶奶", "confirmed_on": "2026-08-12"}
        assert (card["file"]["guardian"], entries[-1]["facts"]) == (shown, shown)

    async def test_who_works_in_the_village_tells_it_and_an_office_of_data_does_not(self):
        offices, registration = Offices(), a_registration()
        await offices.tell(registration, "director-1")
        confirm = CONFIRM.model_copy(update={"child": registration.child})
        await offices.tell(confirm, "director-1")
        with pytest.raises(NotOnFile):
            await offices.tell(confirm, "office-1")


class TestReview:
    def test_nothing_has_changed(self):
        given(CHILD, *FILE, *VERIFIED).when(LOOK).then(looked())

    def test_it_says_which_blocks_were_told_anew_since_the_last_look(self):
        given(CHILD, *FILE, *VERIFIED, HEALTHY).when(LOOK).then(looked(changed=(FileBlock.HEALTH,)))
        given(CHILD, *FILE, *VERIFIED, HEALTHY, looked()).when(LOOK).then(looked())

    def test_it_says_on_which_day_since_then_a_guardian_confirmed_the_file(self):
        given(CHILD, *FILE, *VERIFIED, CONFIRMED).when(LOOK).then(looked(guardian_on=date(2026, 8, 12)))
        given(CHILD, *FILE, CONFIRMED, *VERIFIED).when(LOOK).then(looked())
        given(CHILD, *FILE, *VERIFIED, CONFIRMED, looked()).when(LOOK).then(looked())

    def test_nobody_looks_ahead(self):
        given(CHILD, *FILE, *VERIFIED).when(LOOK.model_copy(update={"as_of": TOMORROW})).then_refused(
            HoldsFromTheFuture, "as_of"
        )

    async def test_the_card_shows_what_changed_and_when_the_next_look_is_due(self):
        confirmed = looked(changed=(FileBlock.HEALTH,), guardian_on=date(2026, 8, 12))
        card, entries = await card_and_entries([*FILE, *VERIFIED, confirmed])
        check = card["file"]["check"]
        assert (check["confirmed_on"], check["due_on"], check["changed"]) == ("2026-08-13", "2027-02-12", ["health"])
        assert entries[-1]["facts"] == {"as_of": "2026-08-13", "changed": ["health"], "guardian_on": "2026-08-12"}
        card, _ = await card_and_entries([*FILE, *VERIFIED, confirmed, looked()])
        assert "changed" not in card["file"]["check"]

    def test_how_often_a_file_is_looked_at_is_dated_policy(self):
        policy = (ReviewCycle(date.min, 183), ReviewCycle(date(2027, 1, 1), 92))
        assert review_due(date(2026, 12, 31), policy) == date(2027, 7, 2)
        assert review_due(date(2027, 1, 1), policy) == date(2027, 4, 3)
        assert review_due(date(2026, 8, 14)) == date(2027, 2, 13)
