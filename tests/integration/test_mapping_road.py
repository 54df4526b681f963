"""A mapping campaign through the real processes: rosters, doors, the conclusion of a village, and its progress."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from deploy.local.operator import WITH_A_DIRECTORY, operator
from services.registry.domain.division import AddVillageGroup, MergeDivisions, RecodeDivision, division_stream
from services.registry.domain.mapping_campaign import CloseMappingCampaign, OpenMappingCampaign
from services.registry.domain.posting import PostWorkingGroup
from services.registry.domain.village_mapping import (
    AddHouseholdToRoster,
    ConcludeVillageMapping,
    FixHouseholdRoster,
    MapHousehold,
    ReopenVillageMapping,
    StartVillageMapping,
)
from shared.commands.command import business_day
from shared.contracts.mapping import (
    Confirmation,
    Informant,
    MappingResult,
    ReopeningReason,
    RosterHousehold,
)
from shared.contracts.sealed import Personal
from shared.contracts.values import ConfirmationMeans, Guardian, PostingLevel, Role
from shared.eventlog.placement import new_id
from shared.eventlog.record import Position
from shared.identity.directory import CACHE_SECONDS
from shared.projection.live import LiveModels
from tests.support.builders import VILLAGE, a_registration
from tests.support.installation import Installation, installation

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]

OFFICE, COUNTY_OFFICE, SUPERVISOR, DIRECTOR, STRANGER = (
    f"mapping-{role}" for role in ("office", "county", "supervisor", "director", "stranger")
)
COUNTY, TOWNSHIP, OTHER_VILLAGE, NEW_CODE = "520303", "520303105", "520303105202", "520303105998"
NOW = datetime.now(UTC)
TODAY = business_day(NOW)
CAMPAIGN = new_id("campaign")
GROUPS = tuple(f"{VILLAGE}-{number}" for number in (1, 2))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def guanhu() -> AsyncIterator[Installation]:
    async with installation("mapping") as guanhu:
        async with operator(guanhu.stack.environment("registry")) as own:
            await own.import_divisions(TOWNSHIP)
            await own.grant(OFFICE, Role.DATA_OFFICE, "52", TODAY)
            await own.grant(COUNTY_OFFICE, Role.COUNTY_CIVIL_AFFAIRS, COUNTY, TODAY)
            await own.grant(SUPERVISOR, Role.CHILD_SUPERVISOR, TOWNSHIP, TODAY)
            await own.grant(DIRECTOR, Role.CHILD_DIRECTOR, VILLAGE, TODAY)
            await own.grant(STRANGER, Role.CHILD_DIRECTOR, OTHER_VILLAGE, TODAY)
            await own.everybody_knows()
        opened = OpenMappingCampaign(
            campaign=CAMPAIGN,
            division=COUNTY,
            starts=TODAY - timedelta(days=3),
            ends=TODAY + timedelta(days=50),
            rule="BRIEF-0-14",
            as_of=TODAY,
        )
        await guanhu.give(opened, COUNTY_OFFICE)
        for number in ("1", "2"):
            group = AddVillageGroup(village=VILLAGE, number=number, name=f"{number}组", valid_from=TODAY)
            added = await guanhu.give(group, OFFICE)
        await everybody_knows(guanhu, added)
        yield guanhu


async def everybody_knows(guanhu: Installation, position: str) -> None:
    for service in WITH_A_DIRECTORY:
        live = LiveModels(guanhu.mongo[f"guanhu_{service}"])
        assert await live.wait_for("directory", Position.parse(position), timeout=30)
    await asyncio.sleep(CACHE_SECONDS)  # for so long an answer about a division is used


def here(**more: Any) -> dict[str, Any]:
    return {"campaign": CAMPAIGN, "village": VILLAGE, **more}


def doors(numbers: Iterable[int]) -> tuple[RosterHousehold, ...]:
    return tuple(
        RosterHousehold(household=new_id("household"), number=str(number), head=Personal("测户主"))
        for number in numbers
    )


def found(door: RosterHousehold, result: str = "no_minor", **more: Any) -> MapHousehold:
    return MapHousehold(**here(household=door.household, result=MappingResult(result), **more))


async def progress(guanhu: Installation, after: str, division: str = TOWNSHIP) -> dict[str, Any]:
    return await guanhu.ask(f"/mapping/{CAMPAIGN}", COUNTY_OFFICE, after, division=division)


def line(answer: dict[str, Any], village: str) -> dict[str, Any]:
    [found] = [one for one in answer["villages"] if one["village"] == village]
    return dict(found)


async def test_a_village_with_one_group_skipped_cannot_be_concluded(guanhu: Installation) -> None:
    first, second = doors((1, 2, 3)), doors((1, 2))
    await guanhu.give(FixHouseholdRoster(**here(group=GROUPS[0], households=first)), SUPERVISOR)
    await guanhu.give(StartVillageMapping(**here(team=(DIRECTOR,))), DIRECTOR)
    child = a_registration(occurred_at=NOW, household=first[0].household)
    await guanhu.give(child, DIRECTOR)
    signed = Confirmation(by=Guardian.CAREGIVER, on=TODAY, means=ConfirmationMeans.SIGNATURE)
    await guanhu.give(found(first[0], "left_behind", children=(child.child,), confirmation=signed), DIRECTOR)
    await guanhu.give(found(first[1], "absent", tries=2, word=Informant.NEIGHBOUR), DIRECTOR)
    mapped = await guanhu.give(found(first[2]), DIRECTOR)

    skipped = await guanhu.tell(ConcludeVillageMapping(**here()), DIRECTOR)
    assert (skipped.status_code, skipped.json()["code"]) == (409, "village_is_not_done")
    assert f"1 groups have no roster ({GROUPS[1]})" in skipped.json()["detail"]
    assert line(await progress(guanhu, mapped), VILLAGE)["state"] == "started"
    sheet = await guanhu.ask(f"/mapping/{CAMPAIGN}/villages/{VILLAGE}", DIRECTOR, mapped)
    assert [(group["group"], group["roster"], group["done"], group["doors"]) for group in sheet["groups"]] == [
        (GROUPS[0], True, 3, 3),
        (GROUPS[1], False, 0, 0),
    ]
    assert sheet["absent"] == [first[1].household]

    await guanhu.give(FixHouseholdRoster(**here(group=GROUPS[1], households=second)), SUPERVISOR)
    [turned_up] = doors((3,))
    await guanhu.give(AddHouseholdToRoster(**here(group=GROUPS[1], household=turned_up)), DIRECTOR)
    waiting = await guanhu.tell(ConcludeVillageMapping(**here()), DIRECTOR)
    assert "3 doors are open in 1 groups" in waiting.json()["detail"]
    for door in (*second, turned_up):
        await guanhu.give(found(door), DIRECTOR)
    concluded = await guanhu.give(ConcludeVillageMapping(**here()), DIRECTOR)

    answer = await progress(guanhu, concluded)
    expected = {"state": "concluded", "groups": 2, "doors": 6, "added": 1, "done": 6, "children": 1}
    assert {name: line(answer, VILLAGE)[name] for name in expected} == expected
    assert line(answer, VILLAGE)["results"] == {"absent": 1, "left_behind": 1, "no_minor": 4}
    assert answer["total"]["concluded"] == 1
    assert answer["total"]["I2"]["denominator"] == len(answer["villages"]) > 1
    assert answer["total"]["I2b"] == {"numerator": 6, "denominator": 6, "rate": "100.0"}


async def test_three_groups_of_one_college_count_as_three_groups_one_unit(guanhu: Installation) -> None:
    for village in (VILLAGE, OTHER_VILLAGE, "520303105203"):
        posting = PostWorkingGroup(
            posting=new_id("posting"), village=village, level=PostingLevel.CITY, unit="测试学院", starts=TODAY
        )
        posted = await guanhu.give(posting, COUNTY_OFFICE)
    answer = await guanhu.ask("/working-groups", COUNTY_OFFICE, posted, division=TOWNSHIP)
    assert (answer["groups"], answer["units"]) == (3, 1)
    assert answer["by_unit"] == [{"unit": "测试学院", "groups": 3, "villages": 3}]


async def test_who_may_not_see_a_door_is_told_no_more_than_that(guanhu: Installation) -> None:
    sheet = await guanhu.request(f"/mapping/{CAMPAIGN}/villages/{VILLAGE}", STRANGER)
    assert (sheet.status_code, sheet.json()["code"]) == (403, "out_of_scope")
    door = await guanhu.tell(StartVillageMapping(**here(team=(STRANGER,))), STRANGER)
    assert (door.status_code, door.json()["code"]) == (404, "not_on_file")
    campaign = await guanhu.tell(CloseMappingCampaign(campaign=CAMPAIGN), SUPERVISOR)
    assert (campaign.status_code, campaign.json()["code"]) == (404, "not_on_file")


async def test_a_mapped_village_counts_under_its_next_code_and_goes_on_under_its_first(guanhu: Installation) -> None:
    recode = RecodeDivision(division=division_stream(VILLAGE), code=NEW_CODE, valid_from=TODAY)
    recoded = await guanhu.give(recode, OFFICE)
    await everybody_knows(guanhu, recoded)
    answer = await progress(guanhu, recoded)
    assert line(answer, NEW_CODE)["state"] == "concluded"
    assert line(answer, NEW_CODE)["mapped_as"] == [VILLAGE]
    assert VILLAGE not in {one["village"] for one in answer["villages"]}

    begun = await guanhu.tell(StartVillageMapping(campaign=CAMPAIGN, village=NEW_CODE, team=(DIRECTOR,)), DIRECTOR)
    assert (begun.status_code, begun.json()["code"]) == (409, "mapped_under_other_code")
    await guanhu.give(ReopenVillageMapping(**here(reason=ReopeningReason.CHILD_FOUND)), SUPERVISOR)
    again = await guanhu.give(ConcludeVillageMapping(**here()), DIRECTOR)
    assert line(await progress(guanhu, again), NEW_CODE)["state"] == "concluded"

    merge = MergeDivisions(division=division_stream(OTHER_VILLAGE), merged=(NEW_CODE,), valid_from=TODAY)
    merged = await guanhu.give(merge, OFFICE)
    await everybody_knows(guanhu, merged)
    took_over = line(await progress(guanhu, merged), OTHER_VILLAGE)
    assert (took_over["state"], took_over["mapped_as"], took_over["doors"]) == ("started", [VILLAGE], 6)

    await guanhu.give(CloseMappingCampaign(campaign=CAMPAIGN), COUNTY_OFFICE)
    other = await guanhu.tell(CloseMappingCampaign(campaign=CAMPAIGN), COUNTY_OFFICE)
    assert (other.status_code, other.json()["code"]) == (409, "campaign_is_closed")
