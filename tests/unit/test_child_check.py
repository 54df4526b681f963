"""A child's file is checked in two steps, by others than those who filled it in."""

from __future__ import annotations

from datetime import date

import pytest

from services.registry.domain.child import (
    CHILD,
    AuthorChecks,
    ChildFileIncomplete,
    ChildFileIsClosed,
    ChildFileIsSubmitted,
    ChildFileNotReviewed,
    ChildFileNotSubmitted,
    ChildFileNotVerified,
    ConfirmChildFileReview,
    IdentityIsInDoubt,
    NoCheckIsWaiting,
    RecordCareSituation,
    RecordHealth,
    RecordParentSituation,
    RecordRegistrationStatus,
    ReturnBy,
    ReturnChildFile,
    ReviewBy,
    ReviewChildFile,
    SubmissionBy,
    SubmitChildFile,
    VerificationBy,
    VerifyChildFile,
)
from shared.commands.command import NotOnFile
from shared.contracts.child_file import (
    ChildFileReturned,
    ChildFileReviewConfirmed,
    ChildFileReviewed,
    ChildFileReviewOpened,
    ChildFileSubmitted,
    ChildFileVerified,
    ChildIdentityCorrected,
    Health,
    HealthRecorded,
    IdentityCorrection,
    RegistrationStatusRecorded,
)
from shared.contracts.event import Event
from shared.contracts.registry import CareSituationRecorded, ChildFileClosed, ParentSituationRecorded
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import (
    CareKind,
    CheckLevel,
    CloseReason,
    HealthState,
    HukouKind,
    ParentState,
    Sex,
)
from tests.support.builders import TOLD, a_registered_child, a_registration, care, parents
from tests.support.child_files import a_complete_file, health, schooling
from tests.support.offices import Offices
from tests.support.specification import given

FILE = a_complete_file()
CHILD_ID = FILE[0].child
SUBMITTED = ChildFileSubmitted(child=CHILD_ID, submitted_by="director-1")
REVIEWED = ChildFileReviewed(child=CHILD_ID, reviewed_by="supervisor-1")
VERIFIED = ChildFileVerified(child=CHILD_ID, verified_by="county-1")
REVIEW_OPENED = ChildFileReviewOpened(child=CHILD_ID)
RETURNED = ChildFileReturned(
    child=CHILD_ID, level=CheckLevel.TOWNSHIP, returned_by="supervisor-1", reason=Personal("学校不符")
)

SUBMIT = SubmissionBy(child=CHILD_ID, person="director-1", occurred_at=TOLD)
REVIEW = ReviewBy(child=CHILD_ID, person="supervisor-1", authors=frozenset({"director-1"}), occurred_at=TOLD)
VERIFY = VerificationBy(child=CHILD_ID, person="county-1", authors=frozenset({"director-1"}), occurred_at=TOLD)
RETURN = ReturnBy(child=CHILD_ID, person="supervisor-1", reason=Personal("学校不符"), occurred_at=TOLD)
CONFIRM = ConfirmChildFileReview(child=CHILD_ID, occurred_at=TOLD)
CHECKED: tuple[Event, ...] = (*FILE, SUBMITTED, REVIEWED)


def test_a_file_is_submitted_reviewed_and_verified():
    given(CHILD, *FILE).when(SUBMIT).then(SUBMITTED)
    given(CHILD, *FILE, SUBMITTED).when(REVIEW).then(REVIEWED)
    given(CHILD, *CHECKED).when(VERIFY).then(VERIFIED)


@pytest.mark.parametrize("history", [(SUBMITTED,), (SUBMITTED, REVIEWED), (SUBMITTED, REVIEWED, VERIFIED)], ids=len)
def test_a_file_is_submitted_once(history: tuple[Event, ...]):
    given(CHILD, *FILE, *history).when(SUBMIT).then_refused(ChildFileIsSubmitted)


@pytest.mark.parametrize("history", [(), (SUBMITTED, REVIEWED), (SUBMITTED, REVIEWED, VERIFIED)], ids=len)
def test_a_file_that_does_not_wait_for_the_township_is_not_reviewed(history: tuple[Event, ...]):
    given(CHILD, *FILE, *history).when(REVIEW).then_refused(ChildFileNotSubmitted)


@pytest.mark.parametrize("history", [(), (SUBMITTED,), (SUBMITTED, RETURNED)], ids=len)
def test_a_file_that_the_township_has_not_reviewed_is_not_verified(history: tuple[Event, ...]):
    given(CHILD, *FILE, *history).when(VERIFY).then_refused(ChildFileNotReviewed)


def test_who_entered_what_is_checked_does_not_check_it():
    own = {"authors": frozenset({"director-1", "supervisor-1", "county-1"})}
    given(CHILD, *FILE, SUBMITTED).when(REVIEW.model_copy(update=own)).then_refused(AuthorChecks)
    given(CHILD, *CHECKED).when(VERIFY.model_copy(update=own)).then_refused(AuthorChecks)


def test_nobody_takes_both_steps_of_a_check():
    given(CHILD, *CHECKED).when(VERIFY.model_copy(update={"person": "supervisor-1"})).then_refused(AuthorChecks)


def test_a_verification_names_the_blocks_that_are_missing():
    bare = a_registered_child(child=CHILD_ID, household=FILE[0].household, parents=parents(mother=ParentState.UNKNOWN))
    given(CHILD, bare, SUBMITTED, REVIEWED).when(VERIFY).then_refused(
        ChildFileIncomplete, "lacks identity, mother, school, health"
    )


def test_a_file_is_returned_from_the_check_it_waits_for_with_a_reason():
    given(CHILD, *FILE, SUBMITTED).when(RETURN).then(RETURNED)
    given(CHILD, *CHECKED).when(RETURN.model_copy(update={"person": "county-1"})).then(
        ChildFileReturned(child=CHILD_ID, level=CheckLevel.COUNTY, returned_by="county-1", reason=Personal("学校不符"))
    )


@pytest.mark.parametrize("history", [(), (SUBMITTED, RETURNED), (SUBMITTED, REVIEWED, VERIFIED)], ids=len)
def test_a_file_that_waits_for_no_check_is_not_returned(history: tuple[Event, ...]):
    given(CHILD, *FILE, *history).when(RETURN).then_refused(NoCheckIsWaiting)


def test_a_returned_file_is_submitted_again():
    given(CHILD, *FILE, SUBMITTED, RETURNED).when(SUBMIT).then(SUBMITTED)


def test_a_change_of_parents_or_care_in_a_verified_file_opens_a_review():
    home = parents(father=ParentState.HOME)
    given(CHILD, *CHECKED, VERIFIED).when(RecordParentSituation(child=CHILD_ID, parents=home, occurred_at=TOLD)).then(
        ParentSituationRecorded(child=CHILD_ID, parents=home), REVIEW_OPENED
    )
    alone = care(CareKind.NOBODY, alone=True)
    given(CHILD, *CHECKED, VERIFIED).when(RecordCareSituation(child=CHILD_ID, care=alone, occurred_at=TOLD)).then(
        CareSituationRecorded(child=CHILD_ID, care=alone), REVIEW_OPENED
    )


def test_another_place_of_registration_in_a_verified_file_opens_a_review():
    moved = RecordRegistrationStatus(child=CHILD_ID, hukou="520304", kind=HukouKind.RURAL, occurred_at=TOLD)
    given(CHILD, *CHECKED, VERIFIED).when(moved).then(
        RegistrationStatusRecorded(child=CHILD_ID, hukou="520304", kind=Counted(HukouKind.RURAL)), REVIEW_OPENED
    )


def test_a_care_situation_that_is_still_the_same_opens_no_review():
    given(CHILD, *CHECKED, VERIFIED).when(RecordCareSituation(child=CHILD_ID, care=care(), occurred_at=TOLD)).then(
        CareSituationRecorded(child=CHILD_ID, care=care())
    )


def a_file_with(number: str) -> list[Event]:
    registered = a_registered_child(child=CHILD_ID, household=FILE[0].household, citizen_number=Personal(number))
    return [registered, *FILE[1:], SUBMITTED, REVIEWED]


def test_a_birth_date_that_differs_from_the_number_stops_a_verification_until_it_is_corrected():
    history = a_file_with("529901201506300024")
    given(CHILD, *history).when(VERIFY).then_refused(IdentityIsInDoubt)
    corrected = ChildIdentityCorrected(
        child=CHILD_ID,
        correction=Personal(IdentityCorrection(reason="户口簿", birth_date=date(2015, 6, 30))),
        birth_month=Counted("2015-06"),
        sex=Counted(Sex.FEMALE),
    )
    given(CHILD, *history, corrected).when(VERIFY).then(VERIFIED)


def test_a_sex_that_differs_from_the_number_is_for_the_reviewer_to_judge():
    given(CHILD, *a_file_with("529901201603090014")).when(VERIFY).then(VERIFIED)


def test_a_change_of_health_alone_leaves_a_verified_file_verified():
    ill = Personal(Health(state=HealthState.SERIOUSLY_ILL, illness="心脏病"))
    given(CHILD, *CHECKED, VERIFIED).when(RecordHealth(child=CHILD_ID, health=ill, occurred_at=TOLD)).then(
        HealthRecorded(child=CHILD_ID, health=ill)
    )


def test_whatever_changes_between_the_two_steps_is_reviewed_again():
    given(CHILD, *CHECKED).when(RecordHealth(child=CHILD_ID, health=health(), occurred_at=TOLD)).then(
        HealthRecorded(child=CHILD_ID, health=health()), REVIEW_OPENED
    )
    given(CHILD, *CHECKED, REVIEW_OPENED).when(VERIFY).then_refused(ChildFileNotReviewed)
    given(CHILD, *CHECKED, REVIEW_OPENED).when(REVIEW).then(REVIEWED)


def test_a_file_under_review_is_verified_after_the_township_has_reviewed_it():
    given(CHILD, *CHECKED, VERIFIED, REVIEW_OPENED).when(VERIFY).then_refused(ChildFileNotReviewed)
    given(CHILD, *CHECKED, VERIFIED, REVIEW_OPENED, REVIEWED).when(VERIFY).then(VERIFIED)


def test_a_verified_file_is_confirmed_half_yearly():
    given(CHILD, *CHECKED, VERIFIED).when(CONFIRM).then(
        ChildFileReviewConfirmed(child=CHILD_ID, as_of=date(2026, 8, 14))
    )


@pytest.mark.parametrize("history", [(), (SUBMITTED,), (SUBMITTED, REVIEWED, VERIFIED, REVIEW_OPENED)], ids=len)
def test_only_a_verified_file_is_confirmed(history: tuple[Event, ...]):
    given(CHILD, *FILE, *history).when(CONFIRM).then_refused(ChildFileNotVerified)


@pytest.mark.parametrize("command", [SUBMIT, REVIEW, VERIFY, RETURN, CONFIRM], ids=lambda c: type(c).__name__)
def test_a_closed_file_is_not_checked(command):
    closed = ChildFileClosed(child=CHILD_ID, reason=CloseReason.MOVED_OUT, closed_on=date(2026, 9, 1))
    given(CHILD, *FILE, closed).when(command).then_refused(ChildFileIsClosed)
    given(CHILD).when(command).then_refused(NotOnFile)


async def test_the_author_of_any_change_since_the_last_verification_does_not_check_it():
    offices, command = Offices(), a_registration(citizen_number="529901201603090022")
    child = command.child
    await offices.tell(command, "director-1")
    await offices.tell(schooling(child), "supervisor-1")
    await offices.tell(RecordHealth(child=child, health=health()), "director-1")
    await offices.tell(SubmitChildFile(child=child), "director-1")
    with pytest.raises(AuthorChecks):
        await offices.tell(ReviewChildFile(child=child), "supervisor-1")
    await offices.tell(ReviewChildFile(child=child), "supervisor-2")
    await offices.tell(VerifyChildFile(child=child), "county-1")
    # what supervisor-1 once entered was verified, and does not lie before the next check
    await offices.tell(RecordCareSituation(child=child, care=care(CareKind.NOBODY)), "director-1")
    await offices.tell(ReviewChildFile(child=child), "supervisor-1")
    await offices.tell(VerifyChildFile(child=child), "county-2")


@pytest.mark.parametrize(
    ("command", "person"),
    [(ReviewChildFile, "director-1"), (VerifyChildFile, "supervisor-1"), (SubmitChildFile, "county-1")],
)
async def test_each_step_belongs_to_one_office(command, person):
    offices, registration = Offices(), a_registration()
    await offices.tell(registration, "director-1")
    with pytest.raises(NotOnFile):
        await offices.tell(command(child=registration.child), person)


async def test_a_return_is_sealed_with_its_reason():
    offices, registration = Offices(), a_registration()
    child = registration.child
    await offices.tell(registration, "director-1")
    await offices.tell(SubmitChildFile(child=child), "director-1")
    await offices.tell(ReturnChildFile(child=child, reason=Personal("测金丝雀")), "supervisor-1")
    assert "测金丝雀" not in str(await offices.log.load(child))
    assert (await offices.events(child))[-1].reason == Personal("测金丝雀")
