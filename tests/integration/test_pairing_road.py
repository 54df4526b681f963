"""Pairs through the real processes: judged by what registry says of the child, and ended with its file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
import pytest_asyncio

from deploy.local.operator import operator
from services.pairing.domain.pair import FormPair
from services.registry.domain.child import CloseChildFile, RegisterChild
from shared.commands.command import business_day
from shared.contracts.values import CloseReason, PairKind, Role
from shared.eventlog.placement import new_id
from tests.support.builders import VILLAGE, a_registration
from tests.support.installation import Installation, installation

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]

DIRECTOR, COUNTY = "pairing-director", "pairing-county"
NOW = datetime.now(UTC)
TODAY = business_day(NOW)
ENDED_WITHIN_SECONDS = 15


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def guanhu() -> AsyncIterator[Installation]:
    async with installation("pairing") as guanhu:
        async with operator(guanhu.stack.environment("registry")) as own:
            await own.import_divisions("520303105")
            await own.grant(DIRECTOR, Role.CHILD_DIRECTOR, VILLAGE, TODAY)
            await own.grant(COUNTY, Role.COUNTY_CIVIL_AFFAIRS, "520303", TODAY)
            await own.everybody_knows()
        yield guanhu


def a_pair_with(child: str, starts: date = TODAY) -> FormPair:
    return FormPair(
        pair=new_id("pair", beside=child),
        child=child,
        helper="helper-1",
        kind=PairKind.DUTY,
        village=VILLAGE,
        starts=starts,
    )


async def registered(guanhu: Installation) -> str:
    command: RegisterChild = a_registration(occurred_at=NOW)
    await guanhu.give(command, DIRECTOR)
    return command.child


async def pair_of(guanhu: Installation, child: str, pair: str) -> dict[str, Any]:
    """What the child's card says of a pair that is to end; a closed file is the county's to read."""
    for _ in range(ENDED_WITHIN_SECONDS * 5):
        card = (await guanhu.open_file(child, COUNTY)).json()
        found: dict[str, Any] = (card.get("pairs") or {}).get(pair, {})
        if "ends" in found:
            return found
        await asyncio.sleep(0.2)
    return found


async def test_a_pair_with_a_child_just_registered_is_formed_and_ends_with_its_file(
    guanhu: Installation,
) -> None:
    child = await registered(guanhu)
    wish = a_pair_with(child)
    await guanhu.give(wish, DIRECTOR)
    close = CloseChildFile(child=child, reason=CloseReason.PARENT_RETURNED, closed_on=TODAY)
    await guanhu.give(close, DIRECTOR)
    assert (await pair_of(guanhu, child, wish.pair))["ends"] == TODAY.isoformat()
    assert await guanhu.mongo["guanhu_pairing"]["work_items"].count_documents({}) == 0


async def test_a_child_that_nobody_knows_is_paired_with_nobody(guanhu: Installation) -> None:
    answer = await guanhu.tell(a_pair_with(new_id("child")), DIRECTOR)
    assert (answer.status_code, answer.json()["code"]) == (404, "child_not_on_file")
