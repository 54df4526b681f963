"""What a village's mapping is told of its campaign, its groups on a map that changes, and the files of its children."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from services.registry.domain.child import CloseChildFile
from services.registry.domain.division import (
    AddDivision,
    AddVillageGroup,
    MergeDivisions,
    RecodeDivision,
    division_stream,
)
from services.registry.domain.mapping_campaign import OpenMappingCampaign
from services.registry.domain.village_mapping import (
    ChildNotOnFileHere,
    ConcludeVillageMapping,
    FixHouseholdRoster,
    MapHousehold,
    MappedUnderOtherCode,
    StartVillageMapping,
    VillageHasNoGroups,
    VillageIsNotDone,
)
from shared.commands.command import Command, NotOnFile, Told
from shared.contracts.mapping import Confirmation, MappingResult, RosterHousehold
from shared.contracts.sealed import Personal
from shared.contracts.values import CloseReason, ConfirmationMeans, DivisionKind, Guardian, Role
from shared.eventlog.placement import new_id
from tests.support.builders import COUNTY, VILLAGE, a_registration
from tests.support.offices import Offices
from tests.support.registry import NOW, TREE

OTHER, NEXT_CODE = "520303105202", "520303105299"
BEGAN = date(2020, 1, 1)
TODAY = NOW.date()
CAMPAIGN = new_id("campaign")
WHERE = {"campaign": CAMPAIGN, "village": VILLAGE}
KINDS = dict(zip((2, 4, 6, 9, 12), DivisionKind, strict=True))


class Campaign(Offices):
    """A campaign in a county with two villages of one group each."""

    async def begin(self) -> Campaign:
        self.directory.add_division(OTHER, VILLAGE[:9])
        self.directory.add_grant("director-1", Role.CHILD_DIRECTOR, OTHER, BEGAN)
        for code, parent in (*TREE, (OTHER, VILLAGE[:9])):
            await self.on_the_map(
                AddDivision(code=code, name="某", kind=KINDS[len(code)], parent=parent, valid_from=BEGAN)
            )
        for village in (VILLAGE, OTHER):
            await self.on_the_map(AddVillageGroup(village=village, number="1", name="一组", valid_from=BEGAN))
        days = {"starts": TODAY - timedelta(days=9), "ends": TODAY, "as_of": TODAY}
        opened = OpenMappingCampaign(campaign=CAMPAIGN, division=COUNTY, rule="BRIEF-0-14", **days)
        await self.tell(opened, "county-1")
        return self

    async def on_the_map(self, command: Command) -> None:
        await self.handler.handle(Told(command, f"map-{new_id('command')}", "operator", own_right=True))

    async def map_village(self, village: str) -> RosterHousehold:
        """Its one group with one door, which is left open."""
        door = RosterHousehold(household=new_id("household"), number="1", head=Personal("测户主"))
        where = {"campaign": CAMPAIGN, "village": village}
        await self.tell(FixHouseholdRoster(group=f"{village}-1", households=(door,), **where), "supervisor-1")
        await self.tell(StartVillageMapping(team=("director-1",), **where), "director-1")
        return door


@pytest.fixture
async def campaign() -> Campaign:
    return await Campaign().begin()


def found(door: RosterHousehold, village: str = VILLAGE) -> MapHousehold:
    return MapHousehold(campaign=CAMPAIGN, village=village, household=door.household, result=MappingResult.NO_MINOR)


def left_behind(door: RosterHousehold, child: str) -> MapHousehold:
    signed = Confirmation(by=Guardian.PARENT, on=TODAY, means=ConfirmationMeans.PHONE)
    told = {"result": MappingResult.LEFT_BEHIND, "children": (child,), "confirmation": signed}
    return MapHousehold(household=door.household, **WHERE, **told)


async def test_a_campaign_that_was_not_opened_is_not_on_file(campaign: Campaign):
    start = StartVillageMapping(campaign=new_id("campaign"), village=VILLAGE, team=("director-1",))
    with pytest.raises(NotOnFile):
        await campaign.tell(start, "director-1")


async def test_a_child_counts_at_the_door_where_its_open_file_stands(campaign: Campaign):
    door = await campaign.map_village(VILLAGE)
    child, elsewhere = a_registration(household=door.household), a_registration()
    for registration in (child, elsewhere):
        await campaign.tell(registration, "director-1")
    for unknown in (elsewhere.child, new_id("child", beside=door.household)):
        with pytest.raises(ChildNotOnFileHere):
            await campaign.tell(left_behind(door, unknown), "director-1")
    await campaign.tell(left_behind(door, child.child), "director-1")
    closing = CloseChildFile(child=child.child, reason=CloseReason.DIED, closed_on=TODAY)
    await campaign.tell(closing, "director-1")
    with pytest.raises(ChildNotOnFileHere):
        await campaign.tell(left_behind(door, child.child), "director-1")


async def test_a_group_that_is_added_to_the_map_waits_for_its_roster(campaign: Campaign):
    door = await campaign.map_village(VILLAGE)
    await campaign.tell(found(door), "director-1")
    await campaign.on_the_map(AddVillageGroup(village=VILLAGE, number="2", name="二组", valid_from=BEGAN))
    with pytest.raises(VillageIsNotDone, match=f"1 groups have no roster .{VILLAGE}-2"):
        await campaign.tell(ConcludeVillageMapping(**WHERE), "director-1")


async def test_a_village_without_groups_cannot_be_concluded(campaign: Campaign):
    lonely = "520303105203"
    added = AddDivision(code=lonely, name="某", kind=DivisionKind.VILLAGE, parent=VILLAGE[:9], valid_from=BEGAN)
    await campaign.on_the_map(added)
    campaign.directory.add_division(lonely, VILLAGE[:9])
    where = {"campaign": CAMPAIGN, "village": lonely}
    campaign.directory.add_grant("director-1", Role.CHILD_DIRECTOR, lonely, BEGAN)
    await campaign.tell(StartVillageMapping(team=("director-1",), **where), "director-1")
    with pytest.raises(VillageHasNoGroups):
        await campaign.tell(ConcludeVillageMapping(**where), "director-1")


async def test_a_recoded_village_goes_on_under_the_code_with_which_its_mapping_began(campaign: Campaign):
    door = await campaign.map_village(VILLAGE)
    recode = RecodeDivision(division=division_stream(VILLAGE), code=NEXT_CODE, valid_from=TODAY)
    await campaign.on_the_map(recode)
    campaign.directory.add_division(NEXT_CODE, VILLAGE[:9])
    campaign.directory.add_grant("director-1", Role.CHILD_DIRECTOR, NEXT_CODE, BEGAN)
    start = StartVillageMapping(campaign=CAMPAIGN, village=NEXT_CODE, team=("director-1",))
    with pytest.raises(MappedUnderOtherCode):
        await campaign.tell(start, "director-1")
    await campaign.tell(found(door), "director-1")
    await campaign.on_the_map(AddVillageGroup(village=NEXT_CODE, number="2", name="二组", valid_from=TODAY))
    with pytest.raises(VillageIsNotDone, match=f"{NEXT_CODE}-2"):
        await campaign.tell(ConcludeVillageMapping(**WHERE), "director-1")


async def test_the_groups_of_a_merged_village_are_mapped_where_its_own_mapping_has_begun(campaign: Campaign):
    door, other_door = await campaign.map_village(VILLAGE), await campaign.map_village(OTHER)
    await campaign.on_the_map(MergeDivisions(division=division_stream(OTHER), merged=(VILLAGE,), valid_from=TODAY))
    await campaign.tell(found(other_door, OTHER), "director-1")
    await campaign.tell(ConcludeVillageMapping(campaign=CAMPAIGN, village=OTHER), "director-1")
    await campaign.tell(found(door), "director-1")
    await campaign.tell(ConcludeVillageMapping(**WHERE), "director-1")


async def test_the_groups_of_a_merged_village_that_nobody_mapped_are_mapped_with_the_one_it_went_to(
    campaign: Campaign,
):
    other_door = await campaign.map_village(OTHER)
    await campaign.on_the_map(MergeDivisions(division=division_stream(OTHER), merged=(VILLAGE,), valid_from=TODAY))
    await campaign.tell(found(other_door, OTHER), "director-1")
    with pytest.raises(VillageIsNotDone, match=f"{VILLAGE}-1"):
        await campaign.tell(ConcludeVillageMapping(campaign=CAMPAIGN, village=OTHER), "director-1")


async def test_a_village_is_concluded_when_the_name_on_its_roster_was_erased(campaign: Campaign):
    door = await campaign.map_village(VILLAGE)
    await campaign.tell(found(door), "director-1")
    await campaign.vault.destroy(door.household)
    await campaign.tell(ConcludeVillageMapping(**WHERE), "director-1")
