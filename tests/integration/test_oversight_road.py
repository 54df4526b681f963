"""Through the real processes: whose a child is to visit, what a leaving working group leaves, and what is checked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from deploy.local.operator import operator
from services.registry.domain.posting import PostWorkingGroup, WithdrawWorkingGroup
from services.visits.domain.appointment import CancelVisit, PlanVisit, RescheduleVisit
from services.visits.domain.assignment import AssignVisits
from services.visits.domain.plausibility import ClearPlausibility, FlagPlausibility
from services.visits.domain.visit import VerifyVisit
from shared.commands.command import business_day
from shared.contracts.oversight import ClearReason, PlanChange, PlausibilityRule
from shared.contracts.values import PostingLevel, Role, VerifyMethod, VisitKind, WithdrawalReason
from shared.eventlog.placement import new_id
from shared.eventlog.record import Position
from shared.projection.live import LiveModels
from tests.support.builders import VILLAGE, a_registration, a_visit
from tests.support.installation import Installation, installation

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]

DIRECTOR, LEADER, SUPERVISOR, OFFICE = "road-director", "road-leader", "road-supervisor", "road-office"
NOW = datetime.now(UTC)
TODAY = business_day(NOW)
TOWNSHIP = "520303105"
NEXT = "520303105202"
POSTING = new_id("posting")
FLAGGED_WITHIN_SECONDS = 20


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def guanhu() -> AsyncIterator[Installation]:
    async with installation("oversight") as guanhu:
        async with operator(guanhu.stack.environment("registry")) as own:
            await own.import_divisions(TOWNSHIP)
            began = TODAY - timedelta(60)
            await own.grant(DIRECTOR, Role.CHILD_DIRECTOR, VILLAGE, began)
            await own.grant(DIRECTOR, Role.CHILD_DIRECTOR, NEXT, began)
            await own.grant(SUPERVISOR, Role.CHILD_SUPERVISOR, TOWNSHIP, began)
            await own.grant(OFFICE, Role.DATA_OFFICE, "520303", began)
            await own.everybody_knows()
        posting = PostWorkingGroup(
            posting=POSTING,
            village=VILLAGE,
            level=PostingLevel.COUNTY,
            unit="测试局",
            starts=TODAY - timedelta(30),
            leader=LEADER,
        )
        told = Position.parse(await guanhu.give(posting, OFFICE))
        for service in ("visits", "reporting"):
            assert await LiveModels(guanhu.mongo[f"guanhu_{service}"]).wait_for("directory", told, 10)
        yield guanhu


async def a_child(guanhu: Installation, village: str = VILLAGE) -> Any:
    command = a_registration(occurred_at=NOW - timedelta(days=20), residence=village)
    await guanhu.give(command, DIRECTOR)
    return command


async def assigned(guanhu: Installation, visitor: str, *children: str) -> str:
    wish = AssignVisits(village=VILLAGE, children=children, visitor=visitor, starts=TODAY)
    return await guanhu.give(wish, SUPERVISOR)


async def line_of(guanhu: Installation, child: str, person: str, after: str, **parameters: str) -> Any:
    found = await guanhu.ask("/work-list", person, after, village=VILLAGE, **parameters)
    return next((one for one in found["children"] if one["child"] == child), None)


async def test_a_childs_visits_have_a_visitor_and_appointments_until_a_visit_fulfils_them(
    guanhu: Installation,
) -> None:
    child, other = await a_child(guanhu), await a_child(guanhu)
    position = await assigned(guanhu, LEADER, child.child)
    assert (await line_of(guanhu, child.child, LEADER, position, mine="true"))["visitor"] == LEADER
    assert await line_of(guanhu, other.child, LEADER, position, mine="true") is None
    appointment = new_id("appointment", beside=other.child)
    plan = PlanVisit(
        appointment=appointment,
        child=other.child,
        village=VILLAGE,
        kind=VisitKind.HOME,
        planned_for=TODAY + timedelta(1),
        assignee=LEADER,
    )
    await guanhu.give(plan, LEADER)
    later = RescheduleVisit(
        appointment=appointment,
        village=VILLAGE,
        planned_for=TODAY + timedelta(2),
        assignee=LEADER,
        reason=PlanChange.FAMILY_ASKED,
    )
    position = await guanhu.give(later, DIRECTOR)
    [planned] = (await line_of(guanhu, other.child, LEADER, position, mine="true"))["planned"]
    assert (planned["appointment"], planned["planned_for"]) == (appointment, str(TODAY + timedelta(2)))
    position = await guanhu.give(a_visit(other.household, other.child, occurred_at=None), LEADER)
    assert await line_of(guanhu, other.child, LEADER, position, mine="true") is None
    again = plan.model_copy(update={"appointment": new_id("appointment", beside=child.child), "child": child.child})
    await guanhu.give(again, LEADER)
    cancelling = CancelVisit(appointment=again.appointment, reason=PlanChange.PLANNED_TWICE)
    position = await guanhu.give(cancelling, LEADER)
    assert (await line_of(guanhu, child.child, LEADER, position))["planned"] == []
    refused = cancelling.model_copy(update={"reason": PlanChange.OTHER})
    assert (await guanhu.tell(refused, LEADER)).json()["code"] == "already_cancelled"


async def test_only_who_works_there_is_given_children_and_only_a_supervisor_or_leader_gives_them(
    guanhu: Installation,
) -> None:
    child = await a_child(guanhu)
    wish = AssignVisits(village=VILLAGE, children=(child.child,), visitor=LEADER, starts=TODAY)
    assert (await guanhu.tell(wish, DIRECTOR)).json()["code"] == "no_role"
    stranger = wish.model_copy(update={"visitor": OFFICE})
    assert (await guanhu.tell(stranger, SUPERVISOR)).json()["code"] == "visitor_holds_no_office"
    await guanhu.give(wish, LEADER)


async def test_when_a_working_group_leaves_its_children_are_without_owner_until_they_are_moved_at_once(
    guanhu: Installation,
) -> None:
    children = [(await a_child(guanhu)).child for _ in range(3)]
    await assigned(guanhu, LEADER, *children)
    leaving = WithdrawWorkingGroup(posting=POSTING, ends=TODAY, reason=WithdrawalReason.ROTATED)
    position = await guanhu.give(leaving, OFFICE)
    found: dict[str, Any] = {}
    for _ in range(50):
        found = await of_village(guanhu, position)
        if all(found.get(child, {}).get("former") == LEADER for child in children):
            break
        await asyncio.sleep(0.2)
    assert {found[child]["since"] for child in children} == {str(TODAY)}
    position = await assigned(guanhu, DIRECTOR, *children)
    after = await of_village(guanhu, position)
    assert not after.keys() & set(children)
    assert (await guanhu.request("/work-list/unassigned", OFFICE, division=TOWNSHIP)).status_code == 403
    assert (await line_of(guanhu, children[0], DIRECTOR, position, mine="true"))["visitor"] == DIRECTOR


async def of_village(guanhu: Installation, after: str) -> dict[str, Any]:
    found = await guanhu.ask("/work-list/unassigned", SUPERVISOR, after, division=TOWNSHIP)
    return {
        child["child"]: child for one in found["villages"] if one["village"] == VILLAGE for child in one["children"]
    }


async def test_what_is_flagged_is_asked_about_drawn_first_and_cleared_by_a_supervisor(guanhu: Installation) -> None:
    here, there = await a_child(guanhu), await a_child(guanhu, NEXT)
    moment = NOW - timedelta(days=1)
    first = a_visit(here.household, here.child, occurred_at=moment)
    second = a_visit(there.household, there.child, occurred_at=moment + timedelta(minutes=4), village=NEXT)
    quiet = a_visit(here.household, here.child, occurred_at=moment - timedelta(hours=5))
    for visit in (first, second, quiet):
        await guanhu.give(visit, DIRECTOR)
    flag = await flagged(guanhu)
    assert (flag["rule"], flag["visits"]) == ("two_villages", [first.visit, second.visit])
    assert flag["question"].endswith("?")
    for path in ("/plausibility", "/visits/review"):
        assert (await guanhu.request(path, DIRECTOR, division=TOWNSHIP)).status_code == 403
    for share in ("0", "1.1"):
        asked = {"division": TOWNSHIP, "month": "2026-08", "share": share}
        assert (await guanhu.request("/visits/sample", SUPERVISOR, **asked)).status_code == 422

    def visits_of(found: dict[str, Any]) -> set[str]:
        return {one["visit"] for one in found["visits"]}

    months = {business_day(one.occurred_at) for one in (first, second) if one.occurred_at}
    month = f"{max(months):%Y-%m}"
    assert visits_of(await guanhu.ask("/visits/review", SUPERVISOR, division=TOWNSHIP)) == {first.visit, second.visit}
    drawn = await guanhu.ask("/visits/sample", SUPERVISOR, division=TOWNSHIP, month=month, share="0.5")
    assert {one["visit"] for one in drawn["visits"][:2]} == {first.visit, second.visit}
    assert len(drawn["visits"]) == -(-drawn["of"] // 2)
    position = await guanhu.give(VerifyVisit(visit=first.visit, method=VerifyMethod.PHONE), SUPERVISOR)
    after = await guanhu.ask("/visits/sample", SUPERVISOR, position, division=TOWNSHIP, month=month, share="0.5")
    assert after["visits"] == [one for one in drawn["visits"] if one["visit"] != first.visit]
    clearing = ClearPlausibility(flag=flag["flag"], reason=ClearReason.TIMES_ENTERED_LATER)
    assert (await guanhu.tell(clearing, DIRECTOR)).json()["code"] == "not_on_file"
    position = await guanhu.give(clearing, SUPERVISOR)
    assert (await guanhu.ask("/plausibility", SUPERVISOR, position, division=TOWNSHIP))["flags"] == []
    assert visits_of(await guanhu.ask("/visits/review", SUPERVISOR, position, division=TOWNSHIP)) == set()
    [cleared] = (await guanhu.ask("/plausibility", SUPERVISOR, division=TOWNSHIP, state="cleared"))["flags"]
    assert cleared["cleared"]["by"] == SUPERVISOR
    assert b"two_villages" not in b"".join([bytes(one["record"]) async for one in guanhu.log("visits").find()])


async def test_no_person_flags_anybody(guanhu: Installation) -> None:
    wish = FlagPlausibility(
        rule=PlausibilityRule.SAME_NOTE, visitor=DIRECTOR, visits=(new_id("visit"),), villages=(VILLAGE,)
    )
    assert (await guanhu.tell(wish, SUPERVISOR)).json()["code"] == "not_on_file"


async def flagged(guanhu: Installation) -> dict[str, Any]:
    for _ in range(FLAGGED_WITHIN_SECONDS * 5):
        found = await guanhu.ask("/plausibility", SUPERVISOR, division=TOWNSHIP)
        if found["flags"]:
            [flag] = found["flags"]
            return dict(flag)
        await asyncio.sleep(0.2)
    raise AssertionError("nothing was flagged in time")
