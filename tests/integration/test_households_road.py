"""Households through the real processes: opened, moved with a child, merged with a twin file and parted, erased."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime

import httpx
import pytest
import pytest_asyncio

from deploy.local.operator import operator
from services.registry.domain.child import CloseChildFile
from services.registry.domain.household import (
    ApproveHouseholdErasure,
    CloseHouseholdFile,
    MergeHouseholds,
    OfferHouseholdMove,
    RequestHouseholdErasure,
    TakeOverHousehold,
    UndoHouseholdMerge,
)
from shared.commands.command import business_day
from shared.contracts.values import CloseReason, HouseholdCloseReason, Role
from shared.eventlog.placement import new_id
from tests.support.builders import VILLAGE, a_registration
from tests.support.households import NEIGHBOUR, an_opening, an_update
from tests.support.installation import Installation, installation

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]

TOWNSHIP = VILLAGE[:9]
DIRECTOR, SUPERVISOR, OFFICER = "households-director", "households-supervisor", "households-officer"
NOW = datetime.now(UTC)
WHY = "打井盖房"
"""A canary: no log record of a move tells why."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def guanhu() -> AsyncIterator[Installation]:
    async with installation("households") as guanhu:
        async with operator(guanhu.stack.environment("registry")) as own:
            today = business_day(NOW)
            await own.import_divisions(TOWNSHIP)
            await own.grant(DIRECTOR, Role.CHILD_DIRECTOR, VILLAGE, today)
            await own.grant(SUPERVISOR, Role.CHILD_SUPERVISOR, TOWNSHIP, today)
            await own.grant(OFFICER, Role.DATA_PROTECTION_OFFICER, "52", today)
            await own.everybody_knows()
        yield guanhu


async def consult(guanhu: Installation, household: str, after: str = "") -> httpx.Response:
    headers = guanhu.headers(SUPERVISOR, after or None) | {"guanhu-purpose": "verify members"}
    return await guanhu.http.get(f"{guanhu.stack.url('reporting')}/households/{household}", headers=headers)


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    """A policy carries on what was told."""
    for _ in range(150):
        if await holds():
            return
        await asyncio.sleep(0.1)
    raise AssertionError(holds.__name__)


async def test_a_household_lives_its_life(guanhu: Installation) -> None:
    kept = an_opening(occurred_at=NOW, household=f"{new_id('household')[:-4]}0000")
    twin = an_opening(occurred_at=NOW, household=f"{new_id('household')[:-4]}0001")
    children = [a_registration(household=one.household, occurred_at=NOW) for one in (kept, twin)]
    for command in (kept, twin, *children):
        position = await guanhu.give(command, DIRECTOR)
    position = await guanhu.give(an_update(kept.household, phone="13900000009"), DIRECTOR)
    card = (await consult(guanhu, kept.household, position)).json()
    assert (card["file"]["phone"], [line["child"] for line in card["children"]]) == ("13900000009", [children[0].child])

    merge = MergeHouseholds(household=twin.household, into=kept.household, reason="同一户")
    position = await guanhu.give(merge, SUPERVISOR)
    card = (await consult(guanhu, kept.household, position)).json()
    assert card["merged"] == [twin.household]
    assert {line["child"] for line in card["children"]} == {child.child for child in children}
    shown = (await guanhu.open_file(children[1].child, SUPERVISOR, position)).json()
    assert (shown["household"], shown["file"]["household"]) == (kept.household, twin.household)
    refused = await guanhu.tell(an_update(twin.household, phone="13900000008"), DIRECTOR)
    assert (refused.status_code, refused.json()["code"]) == (409, "household_is_merged")
    assert kept.household in refused.json()["detail"]

    await guanhu.give(OfferHouseholdMove(household=kept.household, to_village=NEIGHBOUR, reason=WHY), SUPERVISOR)
    await guanhu.give(TakeOverHousehold(household=kept.household, address="邻村8号"), SUPERVISOR)

    async def followed() -> bool:
        listed = await guanhu.ask("/children", SUPERVISOR, division=NEIGHBOUR)
        return {line["child"] for line in listed["lines"]} == {child.child for child in children}

    await eventually(followed)
    households = await guanhu.ask("/households", SUPERVISOR, division=TOWNSHIP)
    assert {line["household"]: line["village"] for line in households["lines"]} == {
        kept.household: NEIGHBOUR,
        twin.household: VILLAGE,
    }

    position = await guanhu.give(UndoHouseholdMerge(household=twin.household, reason="两户"), SUPERVISOR)
    card = (await consult(guanhu, kept.household, position)).json()
    assert [line["child"] for line in card["children"]] == [children[0].child]

    close = CloseHouseholdFile(household=kept.household, reason=HouseholdCloseReason.NO_CHILD_LEFT)
    refused = await guanhu.tell(close, SUPERVISOR)
    assert (refused.status_code, refused.json()["code"]) == (409, "household_has_open_child")
    await guanhu.give(CloseChildFile(child=children[0].child, reason=CloseReason.ADOPTED), SUPERVISOR)

    async def closed() -> bool:
        """The undone merge leaves the file that went on: until then the twin's child is its own."""
        return (await guanhu.tell(close, SUPERVISOR)).status_code == 201

    await eventually(closed)
    await guanhu.give(RequestHouseholdErasure(household=kept.household, basis="户主要求"), SUPERVISOR)
    position = await guanhu.give(ApproveHouseholdErasure(household=kept.household), OFFICER)
    assert (await consult(guanhu, kept.household, position)).status_code == 404

    async def key_is_gone() -> bool:
        return "personal" not in await guanhu.mongo["guanhu_keys"]["keys"].find_one({"_id": kept.household})

    await eventually(key_is_gone)
    async for record in guanhu.log("registry").find():
        assert WHY not in str(record)
    consulted = [one async for one in guanhu.log("reporting").find()]
    assert sum("HouseholdFileConsulted" in str(one) for one in consulted) >= 3
