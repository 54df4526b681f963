"""Mapping campaigns: which doors there are, what was found at each, and when a village is done."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from services.registry.domain.division import Node
from services.registry.domain.mapping_campaign import (
    CAMPAIGN,
    CampaignAlreadyOpened,
    CampaignDaysDoNotFit,
    CampaignIsClosed,
    CampaignNotBegun,
    CampaignRuleUnknown,
    CloseMappingCampaign,
    NotOpened,
    Opened,
    OpenMappingCampaign,
)
from services.registry.domain.village_mapping import (
    MAPPING,
    AbsenceNotEstablished,
    AddHouseholdToRoster,
    ChildNotOnFileHere,
    ChildrenDoNotFit,
    ConcludeVillageMapping,
    FixHouseholdRoster,
    FormNotConfirmed,
    GroupHasNoRoster,
    GroupNotOfVillage,
    HouseholdListedTwice,
    Learned,
    MapHousehold,
    MappedUnderOtherCode,
    MappingAlreadyStarted,
    MappingIsConcluded,
    MappingNotConcluded,
    MappingNotStarted,
    NotOnRoster,
    ReopenVillageMapping,
    RosterInUse,
    StartVillageMapping,
    VillageAround,
    VillageHasNoGroups,
    VillageIsNotDone,
    VillageOutsideCampaign,
    mapping_stream,
)
from shared.commands.command import DivisionEnded, NothingToRecord, NotOnFile, UnknownDivision
from shared.contracts.mapping import (
    Confirmation,
    HouseholdAddedToRoster,
    HouseholdMapped,
    HouseholdRosterFixed,
    Informant,
    MappingCampaignClosed,
    MappingCampaignOpened,
    MappingResult,
    ReopeningReason,
    RosterHousehold,
    VillageMappingConcluded,
    VillageMappingReopened,
    VillageMappingStarted,
)
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import ConfirmationMeans, Guardian
from shared.eventlog.placement import new_id
from tests.support.builders import COUNTY, TOLD, VILLAGE
from tests.support.specification import given

DAY = TOLD.date()
DAYS = {"division": COUNTY, "starts": date(2026, 8, 1), "ends": date(2026, 9, 19), "as_of": date(2026, 8, 1)}
CAMPAIGN_ID = new_id("campaign")
OPEN = OpenMappingCampaign(campaign=CAMPAIGN_ID, rule="BRIEF-0-14", occurred_at=TOLD, **DAYS)
OPENED = MappingCampaignOpened(campaign=CAMPAIGN_ID, rule="BRIEF-0-14", **DAYS)
CLOSE = CloseMappingCampaign(campaign=CAMPAIGN_ID, occurred_at=TOLD)
CLOSED = MappingCampaignClosed(campaign=CAMPAIGN_ID, closed_on=DAY)


def test_a_campaign_is_opened_for_a_division():
    given(CAMPAIGN).when(OPEN).then(OPENED)


def test_a_campaign_is_opened_once():
    given(CAMPAIGN, OPENED).when(OPEN).then_refused(CampaignAlreadyOpened)


def test_a_campaign_does_not_end_before_it_starts():
    given(CAMPAIGN).when(OPEN.model_copy(update={"ends": date(2026, 7, 31)})).then_refused(CampaignDaysDoNotFit)


def test_a_campaign_counts_by_a_rule_there_is():
    given(CAMPAIGN).when(OPEN.model_copy(update={"rule": "MCA-1949"})).then_refused(CampaignRuleUnknown)


def test_a_campaign_is_closed_on_the_day_it_is_told():
    given(CAMPAIGN, OPENED).when(CLOSE).then(CLOSED)


def test_a_campaign_is_closed_once_and_only_after_it_was_opened_and_has_begun():
    given(CAMPAIGN).when(CLOSE).then_refused(NotOnFile)
    given(CAMPAIGN, OPENED, CLOSED).when(CLOSE).then_refused(CampaignIsClosed)
    early = CLOSE.model_copy(update={"occurred_at": TOLD - timedelta(days=30)})
    given(CAMPAIGN, OPENED).when(early).then_refused(CampaignNotBegun)


MAPPED_AS = mapping_stream(CAMPAIGN_ID, VILLAGE)
WHERE = {"campaign": CAMPAIGN_ID, "village": VILLAGE, "occurred_at": TOLD}
FIRST, SECOND = f"{VILLAGE}-1", f"{VILLAGE}-2"
ONE, TWO, THREE = (
    RosterHousehold(household=new_id("household"), number=number, head=Personal("测户主")) for number in ("1", "2", "3")
)
CHILD_ID = new_id("child", beside=ONE.household)
SIGNED = Confirmation(by=Guardian.CAREGIVER, on=DAY, means=ConfirmationMeans.SIGNATURE)
NODE = Node(
    "division", VILLAGE, "某村", "village", "520303105", date(2020, 1, 1), above=("52", "5203", COUNTY, "520303105")
)
AROUND = VillageAround(NODE, frozenset({FIRST, SECOND}))
CAMPAIGN_OPEN = Opened(COUNTY, DAYS["starts"])

FIX = FixHouseholdRoster(group=FIRST, households=(ONE, TWO), **WHERE)
START = StartVillageMapping(team=("cadre-1",), **WHERE)
ADD = AddHouseholdToRoster(group=FIRST, household=THREE, **WHERE)
VACANT = MapHousehold(household=TWO.household, result=MappingResult.VACANT, **WHERE)
FOUND = MapHousehold(
    household=ONE.household, result=MappingResult.LEFT_BEHIND, children=(CHILD_ID,), confirmation=SIGNED, **WHERE
)
ABSENT = MapHousehold(household=TWO.household, result=MappingResult.ABSENT, tries=2, word=Informant.NEIGHBOUR, **WHERE)
CONCLUDE = ConcludeVillageMapping(**WHERE)
REOPEN = ReopenVillageMapping(reason=ReopeningReason.CHILD_FOUND, **WHERE)


def roster(group: str, *households: RosterHousehold) -> HouseholdRosterFixed:
    return HouseholdRosterFixed(
        mapping=MAPPED_AS, campaign=CAMPAIGN_ID, village=VILLAGE, group=group, households=households
    )


def mapped(door: RosterHousehold, result: MappingResult, *children: str, on: date = DAY, **told) -> HouseholdMapped:
    return HouseholdMapped(
        mapping=MAPPED_AS,
        household=door.household,
        mapped_on=on,
        result=Counted(result),
        tries=Counted(told.pop("tries", 1)),
        children=Counted(children),
        **{name: Personal(value) for name, value in told.items()},
    )


STARTED = VillageMappingStarted(mapping=MAPPED_AS, campaign=CAMPAIGN_ID, village=VILLAGE, team=("cadre-1",))
ADDED = HouseholdAddedToRoster(mapping=MAPPED_AS, group=FIRST, household=THREE)
CONCLUDED = VillageMappingConcluded(mapping=MAPPED_AS, concluded_on=DAY, groups=2, households=3, added=1)
UNDER_WAY = (roster(FIRST, ONE, TWO), STARTED)
ALL_DONE = (
    roster(FIRST, ONE),
    roster(SECOND, TWO),
    STARTED,
    ADDED,
    *(mapped(door, MappingResult.NO_MINOR) for door in (ONE, TWO, THREE)),
)


def learned(command, **more) -> Learned:
    known = {"campaign": CAMPAIGN_OPEN, "around": AROUND, "on_file": frozenset({CHILD_ID})}
    return Learned(wish=command, occurred_at=command.occurred_at, **known | more)


def changed(command, **changes):
    return command.model_copy(update=changes)


def test_a_roster_is_fixed_for_each_group():
    given(MAPPING).when(learned(FIX)).then(roster(FIRST, ONE, TWO))


def test_a_roster_may_be_fixed_before_the_campaign_begins_and_nothing_else_may():
    early = TOLD - timedelta(days=30)
    given(MAPPING).when(learned(changed(FIX, occurred_at=early))).then(roster(FIRST, ONE, TWO))
    given(MAPPING).when(learned(changed(START, occurred_at=early))).then_refused(CampaignNotBegun)
    given(MAPPING, *UNDER_WAY).when(learned(changed(VACANT, occurred_at=early))).then_refused(CampaignNotBegun)


def test_a_roster_is_of_a_group_of_the_village():
    given(MAPPING).when(learned(changed(FIX, group=f"{VILLAGE}-3"))).then_refused(GroupNotOfVillage)


def test_a_household_and_its_number_are_listed_once():
    same = changed(ONE, number="9")
    given(MAPPING).when(learned(changed(FIX, households=(ONE, same)))).then_refused(HouseholdListedTwice)
    given(MAPPING).when(learned(changed(FIX, households=(ONE, changed(TWO, number="1"))))).then_refused(
        HouseholdListedTwice
    )
    given(MAPPING, roster(SECOND, ONE)).when(learned(FIX)).then_refused(HouseholdListedTwice)
    given(MAPPING, roster(SECOND, changed(THREE, number="1"))).when(learned(FIX)).then(roster(FIRST, ONE, TWO))


def test_a_roster_is_replaced_until_one_of_its_doors_is_mapped():
    given(MAPPING, roster(FIRST, ONE)).when(learned(FIX)).then(roster(FIRST, ONE, TWO))
    given(MAPPING, roster(FIRST, ONE), STARTED, mapped(ONE, MappingResult.VACANT)).when(learned(FIX)).then_refused(
        RosterInUse
    )


def test_a_roster_that_stands_is_nothing_to_record():
    given(MAPPING, roster(FIRST, ONE, TWO)).when(learned(FIX)).then_refused(NothingToRecord)


def test_a_mapping_starts_with_its_team():
    given(MAPPING).when(learned(START)).then(STARTED)


def test_a_mapping_is_started_once():
    given(MAPPING, STARTED).when(learned(START)).then_refused(MappingAlreadyStarted)
    given(MAPPING, *ALL_DONE, CONCLUDED).when(learned(START)).then_refused(MappingIsConcluded)


@pytest.mark.parametrize("command", [FIX, START], ids=["roster", "start"])
def test_a_mapping_begins_only_where_the_campaign_is_and_the_village_stands(command):
    def around(**changes) -> VillageAround:
        return replace(AROUND, **changes)

    ended = replace(NODE, valid_to=DAY, successors=("520303105299",))
    given(MAPPING).when(learned(command, campaign=NotOpened())).then_refused(NotOnFile)
    given(MAPPING).when(learned(command, around=VillageAround())).then_refused(UnknownDivision)
    elsewhere = Opened("520302", DAYS["starts"])
    given(MAPPING).when(learned(command, campaign=elsewhere)).then_refused(VillageOutsideCampaign)
    given(MAPPING).when(learned(command, around=around(node=ended))).then_refused(DivisionEnded, "520303105299")
    given(MAPPING).when(learned(command, around=around(mapped_as="520303105299"))).then_refused(
        MappedUnderOtherCode, "520303105299"
    )


def test_a_mapping_that_has_begun_goes_on_when_the_village_gets_another_code():
    ended = replace(AROUND, node=replace(NODE, valid_to=DAY, successors=("520303105299",)))
    given(MAPPING, roster(SECOND, THREE)).when(learned(FIX, around=ended)).then(roster(FIRST, ONE, TWO))
    given(MAPPING, roster(SECOND, THREE)).when(learned(START, around=ended)).then(STARTED)


@pytest.mark.parametrize("command", [FIX, START, ADD, VACANT, CONCLUDE, REOPEN], ids=lambda c: type(c).__name__)
def test_after_the_last_day_of_a_campaign_nothing_happens_in_it_and_what_happened_is_still_taken(command):
    closed = Opened(COUNTY, DAYS["starts"], closed_on=DAY - timedelta(days=1))
    given(MAPPING, *UNDER_WAY).when(learned(command, campaign=closed)).then_refused(CampaignIsClosed)
    told_late = Opened(COUNTY, DAYS["starts"], closed_on=DAY)
    given(MAPPING, *UNDER_WAY).when(learned(VACANT, campaign=told_late)).then(mapped(TWO, MappingResult.VACANT))


def test_a_household_that_turned_up_is_added_to_its_group():
    given(MAPPING, *UNDER_WAY).when(learned(ADD)).then(ADDED)


def test_a_household_is_added_once_to_a_roster_that_there_is():
    given(MAPPING, *UNDER_WAY, ADDED).when(learned(ADD)).then_refused(HouseholdListedTwice)
    given(MAPPING, *UNDER_WAY).when(learned(changed(ADD, group=SECOND))).then_refused(GroupHasNoRoster)


@pytest.mark.parametrize("command", [ADD, VACANT, CONCLUDE], ids=lambda c: type(c).__name__)
def test_doors_are_worked_on_between_the_start_and_the_conclusion(command):
    given(MAPPING, roster(FIRST, ONE, TWO)).when(learned(command)).then_refused(MappingNotStarted)
    given(MAPPING, *ALL_DONE, CONCLUDED).when(learned(command)).then_refused(MappingIsConcluded)


def test_a_roster_waits_for_a_reopening_once_the_village_is_concluded():
    given(MAPPING, *ALL_DONE, CONCLUDED).when(learned(FIX)).then_refused(MappingIsConcluded)


@pytest.mark.parametrize("result", ["no_minor", "minors_not_left_behind", "refused", "vacant"])
def test_a_door_gets_a_result(result):
    command = changed(VACANT, result=MappingResult(result))
    given(MAPPING, *UNDER_WAY).when(learned(command)).then(mapped(TWO, MappingResult(result)))


def test_left_behind_children_are_named_by_their_files_and_the_form_is_confirmed():
    given(MAPPING, *UNDER_WAY).when(learned(FOUND)).then(
        mapped(ONE, MappingResult.LEFT_BEHIND, CHILD_ID, confirmation=SIGNED)
    )


def test_a_household_is_absent_after_two_tries_and_the_word_of_a_third():
    given(MAPPING, *UNDER_WAY).when(learned(ABSENT)).then(
        mapped(TWO, MappingResult.ABSENT, tries=2, word=Informant.NEIGHBOUR)
    )
    for missing in ({"tries": 1}, {"word": None}):
        given(MAPPING, *UNDER_WAY).when(learned(changed(ABSENT, **missing))).then_refused(AbsenceNotEstablished)


def test_children_are_named_where_there_are_any_and_each_once():
    for command in (
        changed(FOUND, children=()),
        changed(FOUND, children=(CHILD_ID, CHILD_ID)),
        changed(VACANT, children=(CHILD_ID,)),
    ):
        given(MAPPING, *UNDER_WAY).when(learned(command)).then_refused(ChildrenDoNotFit)


def test_a_child_that_is_named_has_an_open_file_in_the_household():
    given(MAPPING, *UNDER_WAY).when(learned(FOUND, on_file=frozenset())).then_refused(ChildNotOnFileHere, CHILD_ID)


def test_the_form_of_a_left_behind_child_is_confirmed_up_to_the_day():
    later = changed(SIGNED, on=DAY + timedelta(days=1))
    for confirmation in (None, later):
        command = changed(FOUND, confirmation=confirmation)
        given(MAPPING, *UNDER_WAY).when(learned(command)).then_refused(FormNotConfirmed)


def test_only_a_door_of_the_roster_is_mapped():
    given(MAPPING, *UNDER_WAY).when(learned(changed(VACANT, household=THREE.household))).then_refused(NotOnRoster)
    given(MAPPING, *UNDER_WAY, ADDED).when(learned(changed(VACANT, household=THREE.household))).then(
        mapped(THREE, MappingResult.VACANT)
    )


def test_a_later_result_replaces_an_earlier_one_and_the_same_one_is_nothing_new():
    absent = mapped(TWO, MappingResult.ABSENT, tries=2, word=Informant.NEIGHBOUR)
    given(MAPPING, *UNDER_WAY, absent).when(learned(VACANT)).then(mapped(TWO, MappingResult.VACANT))
    given(MAPPING, *UNDER_WAY, absent).when(learned(ABSENT)).then_refused(NothingToRecord)


def test_a_result_of_an_earlier_day_that_is_told_late_does_not_replace_the_one_that_holds():
    before = DAY - timedelta(days=1)
    late = mapped(TWO, MappingResult.ABSENT, on=before, tries=2, word=Informant.NEIGHBOUR)
    given(MAPPING, *UNDER_WAY, mapped(TWO, MappingResult.VACANT), late).when(learned(VACANT)).then_refused(
        NothingToRecord
    )


def test_a_village_is_concluded_when_every_door_of_every_group_has_a_result():
    given(MAPPING, *ALL_DONE).when(learned(CONCLUDE)).then(CONCLUDED)


def test_a_village_with_a_group_skipped_or_a_door_open_is_not_concluded():
    given(MAPPING, *UNDER_WAY, mapped(ONE, MappingResult.NO_MINOR)).when(learned(CONCLUDE)).then_refused(
        VillageIsNotDone, f"1 groups have no roster ({SECOND}); 1 doors are open in 1 groups ({FIRST})"
    )
    given(MAPPING, *ALL_DONE[:-1]).when(learned(CONCLUDE)).then_refused(VillageIsNotDone, "1 doors are open")


def test_a_village_without_groups_on_the_map_is_not_concluded():
    given(MAPPING, STARTED).when(learned(CONCLUDE, around=VillageAround(NODE))).then_refused(VillageHasNoGroups)


def test_a_concluded_village_is_reopened_with_a_reason_and_goes_on():
    reopened = VillageMappingReopened(mapping=MAPPED_AS, reopened_on=DAY, reason=ReopeningReason.CHILD_FOUND)
    given(MAPPING, *ALL_DONE, CONCLUDED).when(learned(REOPEN)).then(reopened)
    given(MAPPING, *ALL_DONE, CONCLUDED, reopened).when(learned(changed(VACANT))).then(
        mapped(TWO, MappingResult.VACANT)
    )
    given(MAPPING, *ALL_DONE).when(learned(REOPEN)).then_refused(MappingNotConcluded)
