"""The rules of a household's file: opened with its people or by its first child, and updated field by field."""

from __future__ import annotations

from datetime import date

import pytest
from pydantic import ValidationError

from services.registry.domain.household import (
    HOUSEHOLD,
    HouseholdAlreadyOnFile,
    HouseholdWithoutMember,
    SeveralHeads,
)
from services.registry.duplicates.files import Files
from services.registry.household_learning import GroupOutsideVillage
from shared.commands.command import DivisionEnded, NothingToRecord, NotOnFile, Told, UnknownDivision
from shared.contracts.households import HouseholdDetails, HouseholdFileUpdated, HouseholdMember
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import HouseholdPoverty, HouseholdRelation
from shared.eventlog.port import VersionConflict
from tests.support.builders import VILLAGE, a_registration
from tests.support.households import (
    DETAILS,
    ENDED_GROUP,
    GROUP,
    NEIGHBOURS_GROUP,
    Township,
    an_opened_household,
    an_opening,
    an_update,
)
from tests.support.specification import given

HEAD = HouseholdMember(name="测户主", relation=HouseholdRelation.HEAD)


def test_a_household_is_opened_with_its_people_and_no_child():
    command = an_opening()
    given(HOUSEHOLD).when(command).then(an_opened_household(household=command.household))


def test_a_household_is_opened_once():
    opened = an_opened_household()
    given(HOUSEHOLD, opened).when(an_opening(household=opened.household)).then_refused(HouseholdAlreadyOnFile)


@pytest.mark.parametrize("details", [{}, {"members": ()}, {"members": (), "without_members": " "}])
def test_a_household_names_a_member_or_says_why_it_names_none(details):
    given(HOUSEHOLD).when(an_opening(details=details)).then_refused(HouseholdWithoutMember)


def test_a_household_without_a_member_is_opened_for_a_reason():
    command = an_opening(details={"without_members": "全家外出，邻居代述"})
    details = Personal(HouseholdDetails(without_members="全家外出，邻居代述"))
    given(HOUSEHOLD).when(command).then(an_opened_household(household=command.household, details=details))


def test_a_household_has_one_head():
    given(HOUSEHOLD).when(an_opening(details={"members": (HEAD, HEAD)})).then_refused(SeveralHeads)
    opened = an_opened_household()
    two = an_update(opened.household, details={"members": (HEAD, HEAD)})
    given(HOUSEHOLD, opened).when(two).then_refused(SeveralHeads)


def test_an_unknown_relation_is_no_command():
    with pytest.raises(ValidationError, match="relation"):
        an_opening(details={"members": [{"name": "测甲二", "relation": "godfather"}]})


def test_an_update_records_only_what_is_news():
    opened = an_opened_household()
    command = an_update(
        opened.household, phone="13900000002", address="测村3号", details={"housing": "木房", "distance_to_school": 3.5}
    )
    news = HouseholdFileUpdated(
        household=opened.household, phone=Personal("13900000002"), details=Personal(HouseholdDetails(housing="木房"))
    )
    given(HOUSEHOLD, opened).when(command).then(news)
    given(HOUSEHOLD, opened, news).when(command).then()


def test_what_an_update_does_not_say_stays():
    opened = an_opened_household()
    poverty = HouseholdFileUpdated(household=opened.household, poverty=Counted(HouseholdPoverty.MONITORED))
    given(HOUSEHOLD, opened, poverty).when(an_update(opened.household, head="测户主", details=DETAILS)).then()


def test_an_empty_list_empties_a_list():
    opened = an_opened_household()
    given(HOUSEHOLD, opened).when(an_update(opened.household, details={"allowances": ()})).then(
        HouseholdFileUpdated(household=opened.household, details=Personal(HouseholdDetails(allowances=())))
    )


def test_members_are_not_taken_away_without_a_reason():
    opened = an_opened_household()
    given(HOUSEHOLD, opened).when(an_update(opened.household, details={"members": ()})).then_refused(
        HouseholdWithoutMember
    )
    told = HouseholdDetails(members=(), without_members="户主去世")
    given(HOUSEHOLD, opened).when(an_update(opened.household, details=told)).then(
        HouseholdFileUpdated(household=opened.household, details=Personal(told))
    )


def test_a_household_that_a_child_opened_may_go_on_without_members():
    opened = an_opened_household(details=None)
    given(HOUSEHOLD, opened).when(an_update(opened.household, details={"housing": "木房"})).then(
        HouseholdFileUpdated(household=opened.household, details=Personal(HouseholdDetails(housing="木房")))
    )


def test_what_is_not_on_file_is_not_updated():
    given(HOUSEHOLD).when(an_update(an_opening().household, head="测户主")).then_refused(NotOnFile)


async def test_a_child_is_registered_in_a_household_that_was_opened_without_one():
    village, opening = Township(), an_opening(group=GROUP)
    await village.tell(opening, "director-1")
    registration = a_registration(household=opening.household)
    await village.tell(registration, "director-1")
    await village.tell(a_registration(household=opening.household), "director-1")
    opened, first, second = await village.events(opening.household)
    assert (opened.group, opened.children) == (GROUP, ())
    assert (first.child, second.household) == (registration.child, opening.household)


@pytest.mark.parametrize(
    ("group", "refusal", "saying"),
    [
        (NEIGHBOURS_GROUP, GroupOutsideVillage, NEIGHBOURS_GROUP),
        (VILLAGE, GroupOutsideVillage, "group"),
        (f"{VILLAGE}-9", UnknownDivision, "group"),
        (ENDED_GROUP, DivisionEnded, ENDED_GROUP),
    ],
)
async def test_a_group_is_one_of_the_households_village(group, refusal, saying):
    village, opening = Township(), an_opening()
    with pytest.raises(refusal, match=saying):
        await village.tell(an_opening(group=group), "director-1")
    await village.tell(opening, "director-1")
    with pytest.raises(refusal, match=saying):
        await village.tell(an_update(opening.household, group=group), "director-1")
    await village.tell(an_update(opening.household, group=GROUP), "director-1")


async def test_a_household_is_opened_in_a_village_that_there_is():
    village = Township()
    village.directory.add_division("520303105209", "520303105")
    village.directory.end_division("520303105209", date(2026, 1, 1), VILLAGE)
    with pytest.raises(DivisionEnded, match=VILLAGE):
        await village.tell(an_opening(village="520303105209"), "supervisor-1")
    with pytest.raises(UnknownDivision):
        await village.tell(an_opening(village="520303105999"), "supervisor-1")


async def test_a_household_is_kept_by_those_who_work_where_it_lives():
    village, opening = Township(), an_opening()
    await village.tell(opening, "director-1")
    update = an_update(opening.household, phone="13900000002")
    with pytest.raises(NotOnFile):
        await village.tell(update, "office-1")
    await village.tell(update, "supervisor-1")
    with pytest.raises(NothingToRecord):
        await village.tell(update, "supervisor-1")


async def test_an_update_of_a_version_that_has_gone_by_is_refused():
    village, opening = Township(), an_opening()
    await village.tell(opening, "director-1")
    update = an_update(opening.household, phone="13900000002")
    with pytest.raises(VersionConflict):
        await village.handler.handle(Told(update, "stale", "director-1", expected_version=0))
    await village.handler.handle(Told(update, "fresh", "director-1", expected_version=1))


async def test_a_childs_file_is_compared_with_the_head_and_the_phones_that_its_household_has_by_now():
    township, registration = Township(), a_registration()
    await township.tell(registration, "director-1")
    update = an_update(registration.household, head="测户主二", phone="13900000002")
    await township.tell(update, "director-1")
    found = await Files(township.log, township.sealer, township.directory).of([registration.child])
    particulars = found[registration.child].particulars
    assert (particulars.head, particulars.phones) == ("测户主二", {"13900000002"})
