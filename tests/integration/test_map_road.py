"""A map that changes, through the real processes: codes, scopes, visits and figures go on from one code to the next."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio

from deploy.local.operator import WITH_A_DIRECTORY, operator
from services.registry.domain.division import MergeDivisions, RecodeDivision, RenameDivision, division_stream
from shared.commands.command import business_day
from shared.contracts.values import Role
from shared.eventlog.record import Position
from shared.identity.directory import CACHE_SECONDS
from shared.projection.live import LiveModels
from tests.support.builders import VILLAGE, a_registration, a_visit
from tests.support.installation import Installation, installation

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]

OFFICE, DIRECTOR, LEADER = "map-office", "map-director", "map-leader"
COUNTY, TOWNSHIP, NEW_TOWNSHIP, OTHER_VILLAGE = "520303", "520303105", "520303999", "520303105202"
NOW = datetime.now(UTC)
TODAY = business_day(NOW)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def guanhu() -> AsyncIterator[Installation]:
    async with installation("map") as guanhu:
        async with operator(guanhu.stack.environment("registry")) as own:
            await own.import_divisions(TOWNSHIP)
            await own.grant(OFFICE, Role.DATA_OFFICE, "52", TODAY)
            await own.grant(LEADER, Role.COUNTY_CIVIL_AFFAIRS, TOWNSHIP, TODAY)
            await own.grant(DIRECTOR, Role.CHILD_DIRECTOR, VILLAGE, TODAY)
            await own.grant(DIRECTOR, Role.CHILD_DIRECTOR, OTHER_VILLAGE, TODAY)
            await own.everybody_knows()
        yield guanhu


async def everybody_knows(guanhu: Installation, position: str) -> None:
    for service in WITH_A_DIRECTORY:
        live = LiveModels(guanhu.mongo[f"guanhu_{service}"])
        assert await live.wait_for("directory", Position.parse(position), timeout=30)
    await asyncio.sleep(CACHE_SECONDS)  # for so long an answer about a division is used


async def children_of(guanhu: Installation, division: str, person: str) -> set[str]:
    answer: dict[str, Any] = await guanhu.ask("/children", person, division=division)
    return {line["child"] for line in answer["lines"]}


async def test_a_child_stays_in_scope_and_is_visited_through_a_merger_and_a_recoding(guanhu: Installation) -> None:
    child = a_registration(occurred_at=NOW)
    registered = await guanhu.give(child, DIRECTOR)
    merge = MergeDivisions(division=division_stream(OTHER_VILLAGE), merged=(VILLAGE,), valid_from=TODAY)
    await guanhu.give(merge, OFFICE)
    recode = RecodeDivision(division=division_stream(TOWNSHIP), code=NEW_TOWNSHIP, valid_from=TODAY)
    await everybody_knows(guanhu, await guanhu.give(recode, OFFICE))

    old = await guanhu.tell(a_visit(child.household, child.child, occurred_at=NOW), DIRECTOR)
    assert (old.status_code, old.json()["code"]) == (409, "division_ended")
    assert OTHER_VILLAGE in old.json()["detail"]
    visit = a_visit(child.household, child.child, occurred_at=NOW, village=OTHER_VILLAGE)
    visited = await guanhu.give(visit, DIRECTOR)

    for division in (VILLAGE, OTHER_VILLAGE, TOWNSHIP, NEW_TOWNSHIP):
        assert await children_of(guanhu, division, LEADER) == {child.child}, division
    table = await guanhu.ask("/figures/table", LEADER, f"{registered},{visited}", division=NEW_TOWNSHIP)
    assert table["total"]["figures"]["I1"]["denominator"] == 1
    rows = {row["division"]: row["figures"] for row in table["rows"]}
    assert rows[OTHER_VILLAGE]["I1"]["denominator"] == 1
    assert rows[OTHER_VILLAGE]["VISITS"]["numerator"] == 1
    assert VILLAGE not in rows


async def test_a_change_outside_ones_scope_looks_like_one_of_nothing(guanhu: Installation) -> None:
    rename = RenameDivision(division=division_stream(COUNTY), name="某区", valid_from=TODAY)
    answer = await guanhu.tell(rename, LEADER)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_on_file")
