"""Mapping campaigns as they are read: counts of villages that went over to others, and doors whose keys are gone."""

from __future__ import annotations

from datetime import date

import httpx
import pytest

from services.reporting.api.mapping import mapping_routes
from services.reporting.read_models.mappings import CAMPAIGNS, DOORS, VILLAGES, Mappings
from shared.contracts.mapping import HouseholdMapped, MappingResult
from shared.contracts.sealed import ERASED, Counted
from shared.contracts.values import Role
from shared.eventlog.placement import new_id
from shared.identity.caller import Caller
from shared.identity.scope import Scope, StandingVillage
from shared.web.app import create_app
from tests.support.builders import COUNTY, VILLAGE
from tests.support.registry import Registry
from tests.support.workspace import Store, fold_all
from tests.unit.test_mapping import (
    ADDED,
    ALL_DONE,
    CAMPAIGN_ID,
    CLOSED,
    CONCLUDED,
    FIRST,
    MAPPED_AS,
    ONE,
    OPENED,
    STARTED,
    TWO,
    UNDER_WAY,
    mapped,
    roster,
)
from tests.unit.test_reporting_api import Live

MERGED, NEXT_CODE = "520303105202", "520303105299"


async def village_of(*events) -> dict:
    [village] = (await fold_all(Mappings(), [events]))[VILLAGES].values()
    return village


async def test_a_campaign_is_shown_with_its_last_day():
    [campaign] = (await fold_all(Mappings(), [[OPENED], [CLOSED]]))[CAMPAIGNS].values()
    assert (campaign["division"], campaign["starts"], campaign["closed_on"]) == (COUNTY, "2026-08-01", "2026-08-14")


async def test_a_roster_that_is_fixed_anew_takes_the_place_of_the_one_before():
    village = await village_of(roster(FIRST, ONE, TWO), roster(FIRST, TWO), STARTED, ADDED)
    assert (village["doors"], village["added"], village["state"]) == (2, 1, "started")


async def test_a_door_counts_once_by_the_result_of_its_latest_day():
    late = mapped(TWO, MappingResult.VACANT, on=date(2026, 8, 12))
    village = await village_of(*UNDER_WAY, mapped(TWO, MappingResult.NO_MINOR), late)
    assert (village["done"], village["results"]) == (1, {"no_minor": 1})
    village = await village_of(*UNDER_WAY, late, mapped(TWO, MappingResult.NO_MINOR))
    assert (village["done"], village["results"]) == (1, {"no_minor": 1})


async def test_a_door_whose_keys_are_gone_stays_done():
    found = mapped(TWO, MappingResult.NO_MINOR).model_copy()
    sealed = {"result": Counted(ERASED), "tries": Counted(ERASED), "children": Counted(ERASED)}
    gone = HouseholdMapped.model_construct(**dict(found) | sealed)
    village = await village_of(*UNDER_WAY, gone)
    assert (village["done"], village["children"], village["results"]) == (1, 0, {"forgotten": 1})


class Queries:
    """What was mapped, as it was folded."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def campaign(self, campaign):
        found = self.store[CAMPAIGNS].get(campaign)
        return dict(found) if found else None

    async def villages(self, campaign, codes):
        return {one["village"]: one for one in self.store[VILLAGES].values() if one["village"] in codes}

    async def doors(self, mapping):
        return [door for door in self.store[DOORS].values() if door["mapping"] == mapping]


class OneVillage(Scope):
    standing: StandingVillage

    async def standing_villages(self, within, on):
        return [self.standing]

    async def group_names(self, village):
        return {FIRST: "一组"}


async def asked(path: str, person: str, standing: StandingVillage, *events) -> httpx.Response:
    directory = Registry().directory
    directory.add_grant("leader-1", Role.LEADER, COUNTY, date(2020, 1, 1))
    scope = OneVillage(directory, None)
    scope.standing = standing
    store = await fold_all(Mappings(), [[OPENED, *events]])
    routes = mapping_routes(Queries(store), Live(), scope, lambda: Caller(person))
    app = create_app(title="reporting", service="reporting", routers=[routes])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://reporting") as http:
        return await http.get(path)


PROGRESS = f"/mapping/{CAMPAIGN_ID}?division={COUNTY}"
SHEET = f"/mapping/{CAMPAIGN_ID}/villages/{VILLAGE}"
ALONE = StandingVillage(VILLAGE, "某村", (VILLAGE,), (VILLAGE,))


@pytest.mark.parametrize(
    ("standing", "events", "state", "concluded"),
    [
        (ALONE, (), "planned", 0),
        (ALONE, UNDER_WAY, "started", 0),
        (ALONE, (*ALL_DONE, CONCLUDED), "concluded", 1),
        (
            StandingVillage(NEXT_CODE, "某村", (VILLAGE, NEXT_CODE), (VILLAGE, NEXT_CODE)),
            (*ALL_DONE, CONCLUDED),
            "concluded",
            1,
        ),
        (StandingVillage(MERGED, "乙村", (MERGED,), (VILLAGE, MERGED)), (*ALL_DONE, CONCLUDED), "started", 0),
    ],
    ids=["not begun", "under way", "done", "recoded", "merged into one that has not begun"],
)
async def test_a_village_is_concluded_with_what_it_took_over_and_not_by_that_alone(standing, events, state, concluded):
    answer = (await asked(PROGRESS, "leader-1", standing, *events)).json()
    [line] = answer["villages"]
    assert (line["village"], line["state"]) == (standing.code, state)
    assert answer["total"]["I2"]["numerator"] == concluded
    assert answer["total"]["I2"]["denominator"] == 1


async def test_the_progress_is_figures_and_the_sheet_is_for_who_works_there():
    assert "household" not in (await asked(PROGRESS, "leader-1", ALONE, *UNDER_WAY)).text
    refused = await asked(SHEET, "leader-1", ALONE, *UNDER_WAY)
    assert refused.status_code == 403
    sheet = (await asked(SHEET, "director-1", ALONE, *UNDER_WAY, mapped(TWO, MappingResult.ABSENT, tries=2))).json()
    [group] = sheet["groups"]
    assert (group["name"], group["done"], group["doors"]) == ("一组", 1, 2)
    assert sheet["absent"] == [TWO.household]


async def test_what_is_not_there_is_not_found():
    assert (await asked(PROGRESS.replace(CAMPAIGN_ID, new_id("campaign")), "leader-1", ALONE)).status_code == 404
    assert (await asked(SHEET, "director-1", ALONE)).status_code == 404
    assert MAPPED_AS not in (await asked(SHEET, "director-1", ALONE)).text
