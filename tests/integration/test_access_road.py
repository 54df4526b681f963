"""Access for a time, a broken glass and the access log, through the real processes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio

from deploy.local.operator import operator
from services.registry.domain.access import ApproveAccess, BreakTheGlass, EndAccess, RequestAccess
from shared.commands.command import business_day
from shared.contracts.values import Access, AccessPurpose, GlassReason, Role
from shared.eventlog.placement import new_id
from shared.eventlog.record import Position
from shared.identity.directory import CACHE_SECONDS
from shared.projection.live import LiveModels
from tests.support.builders import VILLAGE, a_registration
from tests.support.installation import Installation, installation

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]

TOWNSHIP, OTHER_VILLAGE = "520303105", "520303105202"
DIRECTOR, NEIGHBOUR, SUPERVISOR = "access-director", "access-neighbour", "access-supervisor"
COUNTY, LEADER, OFFICER, INSPECTOR = "access-county", "access-leader", "access-officer", "access-inspector"
OTHER_COUNTY, OTHER_TOWNSHIP = "access-other-county", "520302001"
NOW = datetime.now(UTC)
TODAY = business_day(NOW)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def guanhu() -> AsyncIterator[Installation]:
    async with installation("access") as guanhu:
        async with operator(guanhu.stack.environment("registry")) as own:
            await own.import_divisions(TOWNSHIP)
            await own.import_divisions(OTHER_TOWNSHIP)
            for person, role, division in (
                (DIRECTOR, Role.CHILD_DIRECTOR, VILLAGE),
                (NEIGHBOUR, Role.CHILD_DIRECTOR, OTHER_VILLAGE),
                (SUPERVISOR, Role.CHILD_SUPERVISOR, TOWNSHIP),
                (LEADER, Role.LEADER, TOWNSHIP),
                (COUNTY, Role.COUNTY_CIVIL_AFFAIRS, "520303"),
                (OFFICER, Role.DATA_PROTECTION_OFFICER, "52"),
                (OTHER_COUNTY, Role.COUNTY_CIVIL_AFFAIRS, "520302"),
            ):
                await own.grant(person, role, division, TODAY)
            await own.everybody_knows()
        yield guanhu


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def child(guanhu: Installation) -> str:
    child = a_registration(occurred_at=NOW)
    registered = await guanhu.give(child, DIRECTOR)
    assert (await guanhu.open_file(child.child, DIRECTOR, registered)).status_code == 200
    return child.child


async def known(guanhu: Installation, position: str) -> None:
    """Returns when reporting's directory has taken it in, and no answer from before it is used."""
    live = LiveModels(guanhu.mongo["guanhu_reporting"])
    assert await live.wait_for("directory", Position.parse(position), timeout=30)
    await asyncio.sleep(CACHE_SECONDS)


async def log_of(guanhu: Installation, child: str, person: str, looked: str) -> dict[str, Any]:
    """The access log of today, as soon as it tells that ``looked`` has."""
    deadline = time.monotonic() + 10
    while True:
        told = await guanhu.ask(f"/children/{child}/access", person)
        if looked in {one["person"] for one in told["did"]}:
            return told
        assert time.monotonic() < deadline


async def test_who_is_granted_access_opens_the_file_until_it_is_ended(guanhu: Installation, child: str) -> None:
    request = RequestAccess(
        access=new_id("access"),
        person=INSPECTOR,
        opens=Access.PERSONAL_DATA,
        purpose=AccessPurpose.INSPECTION,
        division=VILLAGE,
        child=child,
        starts=TODAY,
        ends=TODAY + timedelta(days=7),
    )
    await guanhu.give(request, LEADER)
    assert (await guanhu.open_file(child, INSPECTOR)).status_code == 404
    await known(guanhu, await guanhu.give(ApproveAccess(access=request.access), COUNTY))
    opened = await guanhu.open_file(child, INSPECTOR, purpose="核实投诉")
    assert opened.status_code == 200
    assert (await guanhu.request("/children", INSPECTOR, division=VILLAGE)).status_code == 403
    await known(guanhu, await guanhu.give(EndAccess(access=request.access), LEADER))
    assert (await guanhu.open_file(child, INSPECTOR)).status_code == 404

    told = await log_of(guanhu, child, OFFICER, looked=INSPECTOR)
    could = {(one["person"], one["office"]): one["division"] for one in told["could"]}
    assert could == {
        (DIRECTOR, "child_director"): VILLAGE,
        (SUPERVISOR, "child_supervisor"): TOWNSHIP,
        (COUNTY, "county_civil_affairs"): "520303",
        (INSPECTOR, "access_c2"): f"{VILLAGE}/{child}",
    }
    assert [(one["person"], one["purpose"]) for one in told["did"][:2]] == [
        (DIRECTOR, "prepare a visit"),
        (INSPECTOR, "核实投诉"),
    ]
    assert (await guanhu.request(f"/children/{child}/access", LEADER)).status_code == 404


async def unread(guanhu: Installation, person: str) -> list[dict[str, Any]]:
    return [notice for notice in (await guanhu.ask("/notices", person))["notices"] if notice["unread"]]


async def test_a_broken_glass_opens_the_file_and_is_told_within_a_second(guanhu: Installation, child: str) -> None:
    assert (await guanhu.open_file(child, NEIGHBOUR)).status_code == 404
    glass = BreakTheGlass(glass=new_id("glass"), village=VILLAGE, reason=GlassReason.MISSING)
    assert (await guanhu.tell(glass, INSPECTOR)).status_code == 403
    assert await unread(guanhu, SUPERVISOR) == []

    position = await guanhu.give(glass, NEIGHBOUR)
    broken_at = time.monotonic()
    while not (notices := await unread(guanhu, SUPERVISOR)):
        await asyncio.sleep(0.02)
        assert time.monotonic() - broken_at < 10
    told_after = time.monotonic() - broken_at
    print(f"a notice {told_after:.3f} s after the glass broke")
    assert told_after < 2
    assert [(one["glass"], one["person"], one["reason"]) for one in notices] == [(glass.glass, NEIGHBOUR, "missing")]
    assert [one["glass"] for one in await unread(guanhu, OFFICER)] == [glass.glass]
    assert (await guanhu.request("/notices", DIRECTOR)).json()["code"] == "no_role"

    for _ in range(2):
        assert (await acknowledge(guanhu, glass.glass, OFFICER)).status_code == 201
    assert (await acknowledge(guanhu, glass.glass, NEIGHBOUR)).status_code == 404
    await known(guanhu, position)
    opened = await guanhu.open_file(child, NEIGHBOUR, purpose="孩子走失")
    assert opened.status_code == 200
    lines = await guanhu.ask("/children", NEIGHBOUR, division=VILLAGE)
    assert [line["child"] for line in lines["lines"]] == [child]

    told = await log_of(guanhu, child, OFFICER, looked=NEIGHBOUR)
    [broken] = told["broken"]
    assert (broken["person"], [seen["person"] for seen in broken["seen"]]) == (NEIGHBOUR, [OFFICER])
    assert (NEIGHBOUR, "broken_glass") in {(one["person"], one["office"]) for one in told["could"]}
    assert {one["person"] for one in told["did"] if one["type"] == "FileOpened"} <= {o["person"] for o in told["could"]}
    assert (NEIGHBOUR, "孩子走失") in {(one["person"], one["purpose"]) for one in told["did"]}
    assert await unread(guanhu, OFFICER) == []
    assert len(await unread(guanhu, SUPERVISOR)) == 1


async def test_that_the_log_was_read_is_in_the_log(guanhu: Installation, child: str) -> None:
    assert (await guanhu.request(f"/children/{child}/access", COUNTY)).status_code == 200
    told = await log_of(guanhu, child, OFFICER, looked=COUNTY)
    assert {"AccessLogRead", "FileOpened"} == {one["type"] for one in told["did"]}


ASKED = [
    ("reporting", "/children?division={village}", 403),
    ("reporting", "/children/closed?division={village}", 403),
    ("reporting", "/children/{child}", 404),
    ("reporting", "/children/{child}/access", 404),
    ("reporting", "/figures/table?division={village}", 403),
    ("reporting", "/figures/I1?division={village}", 403),
    ("registry", "/roster?division={village}", 403),
    ("registry", "/schools?division={village}", 403),
    ("registry", "/villages/{village}/profile", 403),
]


@pytest.mark.parametrize("code", [VILLAGE, "520303105999"], ids=["of another county", "of no village"])
async def test_whoever_may_all_in_another_county_learns_nothing_of_this_one(
    guanhu: Installation, child: str, code: str
) -> None:
    unknown = code != VILLAGE
    for service, path, status in ASKED:
        url = guanhu.stack.url(service) + path.format(village=code, child=new_id("child") if unknown else child)
        answer = await guanhu.http.get(url, headers=guanhu.headers(OTHER_COUNTY) | {"guanhu-purpose": "visit"})
        assert answer.status_code == status, path
        assert answer.json()["code"] == ("out_of_scope" if status == 403 else "not_on_file"), path
    for url, body in (
        (guanhu.stack.url("reporting") + "/children/search", {"division": code, "name": "测"}),
        (guanhu.stack.url("registry") + "/duplicates/check", {"village": code, "name": "测甲一"}),
    ):
        answer = await guanhu.http.post(url, json=body, headers=guanhu.headers(OTHER_COUNTY))
        assert (answer.status_code, answer.json()["code"]) == (403, "out_of_scope"), url
    told = {"village": f"{OTHER_TOWNSHIP}001", "name": "测甲一", "birth_date": "2016-03-09"}
    own = guanhu.stack.url("registry") + "/duplicates/check"
    found = (await guanhu.http.post(own, json=told, headers=guanhu.headers(OTHER_COUNTY))).json()
    assert (found["files"], found["exists_elsewhere"]) == ([], False)
    pairs = await guanhu.http.get(guanhu.stack.url("registry") + "/duplicates", headers=guanhu.headers(OTHER_COUNTY))
    assert pairs.json()["pairs"] == []


async def acknowledge(guanhu: Installation, glass: str, person: str) -> httpx.Response:
    url = f"{guanhu.stack.url('reporting')}/notices/{glass}/acknowledgement"
    return await guanhu.http.post(url, headers=guanhu.headers(person))
