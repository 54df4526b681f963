"""What the card of a child shows of its file."""

from __future__ import annotations

from datetime import date

from shared.contracts.child_file import (
    CaregiverEntrusted,
    CareProgrammeJoined,
    CareProgrammeLeft,
    ChildFileReturned,
    ChildFileReviewConfirmed,
    ChildFileReviewed,
    ChildFileReviewOpened,
    ChildFileSubmitted,
    ChildFileVerified,
    ChildIdentityCorrected,
    ChildIdentityRecorded,
    Entrustment,
    EntrustmentEnded,
    Identity,
    IdentityCorrection,
    IdentityDoubted,
    KeyGroupCleared,
    KeyGroupMarked,
    RegistrationStatusRecorded,
)
from shared.contracts.registry import (
    CareSituationRecorded,
    ParentDetails,
    ParentSituation,
    ParentSituationRecorded,
    ParentsSituation,
    SubjectKeyDestroyed,
)
from shared.contracts.sealed import ERASED, Counted, Personal
from shared.contracts.values import (
    CareProgramme,
    CareQuality,
    CheckLevel,
    CitizenNumberStatus,
    HukouKind,
    IdentityDoubt,
    KeyGroup,
    ParentState,
    Relation,
    Sex,
)
from tests.support.builders import TOLD, a_registered_child, care, parents
from tests.support.child_cards import card_and_entries
from tests.support.child_files import NUMBER, a_complete_file

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


async def test_a_corrected_name_is_the_one_that_is_found():
    correction = IdentityCorrection(reason="户口簿", name="测乙一", citizen_number=NUMBER)
    corrected = ChildIdentityCorrected(
        child=CHILD, correction=Personal(correction), birth_month=Counted("2016-03"), sex=Counted(Sex.FEMALE)
    )
    card, entries = await card_and_entries([*FILE, corrected])
    assert (card["file"]["name"], card["file"]["pinyin"]) == ("测乙一", "ceyiyi")
    assert card["file"]["citizen_number"] == "529901********0022"
    assert entries[-1]["facts"]["reason"] == "户口簿"


async def test_no_citizen_number_is_shown_in_full_anywhere():
    details = Personal(ParentDetails(citizen_number=NUMBER, work="瓦工"))
    mother = ParentSituation(state=Counted(ParentState.AWAY), across_county=Counted(True), details=details)
    told = ParentSituationRecorded(child=CHILD, parents=ParentsSituation(father=parents().father, mother=mother))
    number = Identity(citizen_number_status=CitizenNumberStatus.PRESENT, citizen_number=NUMBER, ethnicity="06")
    identity = ChildIdentityRecorded(child=CHILD, identity=Personal(number))
    card, entries = await card_and_entries([*FILE, told, identity])
    assert card["file"]["parents"]["mother"] == {
        "state": "away",
        "across_county": True,
        "citizen_number": "529901********0022",
        "work": "瓦工",
    }
    assert (card["file"]["citizen_number_status"], card["file"]["ethnicity"]) == ("present", "06")
    assert NUMBER not in str([card, entries])


async def test_marks_and_doubts_are_shown_while_they_hold():
    group = {"child": CHILD, "group": Counted(KeyGroup.DROPOUT), "reason": Personal("开学未到")}
    programme = {"child": CHILD, "programme": Counted(CareProgramme.LEFT_BEHIND_CHILDREN)}
    doubt = IdentityDoubted(child=CHILD, doubts=Personal((IdentityDoubt.SEX_DIFFERS_FROM_NUMBER,)))
    begun = [KeyGroupMarked(**group), CareProgrammeJoined(**programme), doubt]
    file = (await card_and_entries([*FILE, *begun]))[0]["file"]
    assert (file["key_groups"], file["care_programmes"]) == (["dropout"], ["left_behind_children"])
    assert file["doubts"] == ["sex_differs_from_number"]
    over = [
        KeyGroupCleared(**group),
        CareProgrammeLeft(**programme),
        IdentityDoubted(child=CHILD, doubts=Personal(())),
    ]
    file = (await card_and_entries([*FILE, *begun, *over]))[0]["file"]
    assert {"key_groups", "care_programmes", "doubts"}.isdisjoint(file)


async def test_an_entrustment_is_shown_with_its_days():
    signed = Entrustment(caregiver="测受托人", relation=Relation.UNCLE_OR_AUNT, signed_on=TOLD.date())
    begun = CaregiverEntrusted(child=CHILD, entrustment=Personal(signed), starts=Counted(TOLD.date()))
    ended = EntrustmentEnded(child=CHILD, reason=Personal("父母返乡"), ends=Counted(date(2026, 9, 1)))
    file = (await card_and_entries([*FILE, begun, ended]))[0]["file"]
    assert file["entrustment"] == {
        "caregiver": "测受托人",
        "relation": "uncle_or_aunt",
        "signed_on": "2026-08-14",
        "starts": "2026-08-14",
        "ends": "2026-09-01",
    }


async def test_care_is_shown_with_its_quality_and_the_place_of_registration_with_its_kind():
    care_told = CareSituationRecorded(child=CHILD, care=care(), quality=Personal(CareQuality.POOR))
    moved = RegistrationStatusRecorded(child=CHILD, hukou="520304", kind=Counted(HukouKind.RURAL))
    file = (await card_and_entries([*FILE, care_told, moved]))[0]["file"]
    assert file["care"] == {"kind": "grandparent", "living_alone": False, "quality": "poor"}
    assert (file["hukou"], file["hukou_kind"]) == ("520304", "rural")


async def test_a_number_that_turned_out_to_be_none_is_shown_no_more():
    none = ChildIdentityRecorded(
        child=CHILD, identity=Personal(Identity(citizen_number_status=CitizenNumberStatus.NONE))
    )
    file = (await card_and_entries([*FILE, none]))[0]["file"]
    assert (file["citizen_number"], file["citizen_number_status"]) == (None, "none")
