"""Duplicates through the real processes: one child in two villages is one suspected pair, whatever comes twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
import pytest_asyncio

from deploy.local.operator import operator, settings_of
from deploy.local.rebuild import read_models, rebuild_in
from services.registry.domain.duplicate import DismissDuplicate, duplicate_of
from services.registry.duplicates.read_model import Duplicates
from shared.commands.command import business_day
from shared.contracts.values import DismissReason, Role, Sex
from shared.eventlog.record import Record, decode
from shared.runtime.kernel import Kernel
from tests.support.builders import VILLAGE, a_registration
from tests.support.installation import Installation, installation

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]

NEXT_VILLAGE = "520303105202"
TOWNSHIP = "520303105"
DIRECTOR, NEXT_DIRECTOR, SUPERVISOR = "duplicates-director", "duplicates-next-director", "duplicates-supervisor"
NOW = datetime.now(UTC)
TODAY = business_day(NOW)
WITHIN_SECONDS = 30
WANG = {"name": "王志明", "birth_date": date(2016, 3, 9), "sex": Sex.MALE, "occurred_at": NOW}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def guanhu() -> AsyncIterator[Installation]:
    async with installation("duplicates") as guanhu:
        async with operator(guanhu.stack.environment("registry")) as own:
            await own.import_divisions(TOWNSHIP)
            await own.grant(DIRECTOR, Role.CHILD_DIRECTOR, VILLAGE, TODAY)
            await own.grant(NEXT_DIRECTOR, Role.CHILD_DIRECTOR, NEXT_VILLAGE, TODAY)
            await own.grant(SUPERVISOR, Role.CHILD_SUPERVISOR, TOWNSHIP, TODAY)
            await own.everybody_knows()
        yield guanhu


async def told(guanhu: Installation, kind: str) -> list[Record]:
    """The records of a kind in registry's log, in no order."""
    return [decode(row["record"]) async for row in guanhu.log("registry").find({"type": kind})]


async def listed(guanhu: Installation, person: str, **parameters: str) -> list[dict[str, Any]]:
    url = guanhu.stack.url("registry") + "/duplicates"
    answer = await guanhu.http.get(url, params=parameters, headers=guanhu.headers(person))
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["pairs"]
    return found


async def until_listed(guanhu: Installation, count: int) -> list[dict[str, Any]]:
    async with asyncio.timeout(WITHIN_SECONDS):
        while len(found := await listed(guanhu, SUPERVISOR)) != count:  # noqa: ASYNC110 - a list knows no events
            await asyncio.sleep(0.2)
    return found


async def until_the_policy_has_seen_all(guanhu: Installation) -> None:
    database = guanhu.mongo["guanhu_registry"]
    heads = {head["_id"]: head["seq"] async for head in database["heads"].find()}
    async with asyncio.timeout(WITHIN_SECONDS):
        while True:
            marks = {m["partition"]: m["seq"] async for m in database["policy_marks_duplicates"].find()}
            if all(marks.get(partition, 0) >= seq for partition, seq in heads.items()):
                return
            await asyncio.sleep(0.2)


async def check(guanhu: Installation, person: str, village: str) -> list[str]:
    body = {"village": village, "name": "王智明", "birth_date": "2016-03-09", "sex": "1"}
    url = guanhu.stack.url("registry") + "/duplicates/check"
    answer = await guanhu.http.post(url, json=body, headers=guanhu.headers(person))
    assert answer.status_code == 200, answer.text
    assert answer.json()["complete"]
    return [file["child"] for file in answer.json()["files"]]


async def test_one_child_registered_in_two_villages_is_one_pair_that_ends_with_its_dismissal(
    guanhu: Installation,
) -> None:
    here, there = a_registration(**WANG), a_registration(**WANG | {"residence": NEXT_VILLAGE})
    twin = a_registration(**WANG | {"name": "王志亮"})
    await asyncio.gather(guanhu.give(here, DIRECTOR), guanhu.give(there, NEXT_DIRECTOR), guanhu.give(twin, DIRECTOR))
    assert await check(guanhu, DIRECTOR, VILLAGE) == [here.child]
    assert await check(guanhu, NEXT_DIRECTOR, NEXT_VILLAGE) == [there.child]
    [pair] = await until_listed(guanhu, 1)
    assert pair["duplicate"] == duplicate_of(here.child, there.child)

    await everything_comes_again(guanhu)
    assert len(await told(guanhu, "DuplicateSuspected")) == 1
    assert await guanhu.mongo["guanhu_registry"]["work_items"].count_documents({}) == 0

    dismissal = DismissDuplicate(duplicate=pair["duplicate"], reason=DismissReason.SAME_NAME)
    refused = await guanhu.tell(dismissal, DIRECTOR)
    assert (refused.status_code, refused.json()["code"]) == (404, "not_on_file")
    await guanhu.give(dismissal, SUPERVISOR)
    assert await listed(guanhu, SUPERVISOR) == []
    [dismissed] = await listed(guanhu, SUPERVISOR, state="dismissed")
    assert dismissed["dismissed_for"] == "same_name"


async def everything_comes_again(guanhu: Installation) -> None:
    """registry is killed, sends its whole log a second time, and its policy begins anew."""
    guanhu.stack.kill("registry")
    database = guanhu.mongo["guanhu_registry"]
    await database["relay"].update_many({}, {"$set": {"seq": 0}})
    await database["policy_marks_duplicates"].delete_many({})
    await guanhu.stack.start("registry")
    await until_the_policy_has_seen_all(guanhu)


async def test_the_look_up_is_built_anew_and_is_the_same(guanhu: Installation) -> None:
    child = a_registration(**WANG | {"name": "李红", "citizen_number": None})
    await guanhu.give(child, DIRECTOR)
    kernel = Kernel(settings_of(guanhu.stack.environment("registry")), "registry", process="rebuild")
    try:
        report = await rebuild_in(kernel, Duplicates.name, read_models(kernel.settings))
    finally:
        await kernel.close()
    assert (report.differences, report.switched) == ((), True)
    assert len(await listed(guanhu, SUPERVISOR, state="dismissed")) == 1


async def test_nothing_personal_stands_in_the_look_up_nor_in_the_events_of_a_pair(guanhu: Installation) -> None:
    await until_the_policy_has_seen_all(guanhu)
    database = guanhu.mongo["guanhu_registry"]
    names = [name for name in await database.list_collection_names() if name.startswith("duplicates_v")]
    kept = str([[document async for document in database[name].find()] for name in names])
    assert "village" in kept
    pairs = str(
        [record for kind in ("DuplicateSuspected", "DuplicateDismissed") for record in await told(guanhu, kind)]
    )
    for word in ("王", "志明", "2016", "wang", "zhi"):
        assert word not in kept
        assert word not in pairs
