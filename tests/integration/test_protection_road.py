"""A child registered as living alone, on real servers: a report, or an alarm where the policy stands still."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from deploy.local.operator import operator, settings_of
from services.registry.domain.child import ApproveErasure, AssessRisk, RequestErasure
from services.visits.__main__ import build
from services.visits.demands import REPORTS, DemandLookUp, Demands
from services.visits.domain.protection_report import AlarmProtectionWatch, report_stream
from services.visits.watch import ProtectionWatch
from shared.commands.command import business_day
from shared.contracts.risk import RiskAnswers
from shared.contracts.sealed import Personal
from shared.contracts.values import Role, Situation
from shared.projection.live import LiveModels
from shared.standing.look_up import StandingLookUp
from tests.support.builders import VILLAGE, a_registration, care
from tests.support.installation import Installation, installation

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]

DIRECTOR, COUNTY, OFFICER = "watch-director", "watch-county", "watch-officer"
NOW = datetime.now(UTC)
TODAY = business_day(NOW)
DIVISION = "520303"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def guanhu() -> AsyncIterator[Installation]:
    async with installation("watch") as guanhu:
        async with operator(guanhu.stack.environment("registry")) as own:
            await own.import_divisions("520303105")
            await own.grant(DIRECTOR, Role.CHILD_DIRECTOR, VILLAGE, TODAY)
            await own.grant(COUNTY, Role.COUNTY_CIVIL_AFFAIRS, DIVISION, TODAY)
            await own.grant(OFFICER, Role.DATA_PROTECTION_OFFICER, DIVISION, TODAY)
            await own.everybody_knows()
        yield guanhu


async def a_child_alone(guanhu: Installation, born: date = date(2016, 3, 9)) -> str:
    command = a_registration(occurred_at=datetime.now(UTC), care=care(alone=True), birth_date=born)
    await guanhu.give(command, DIRECTOR)
    return command.child


async def listed(guanhu: Installation, path: str, person: str = COUNTY) -> Any:
    answer = await guanhu.request(f"/protection-reports{path}", person, division=DIVISION)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def eventually(found: Any) -> Any:
    for _ in range(150):
        if (value := await found()) is not None:
            return value
        await asyncio.sleep(0.1)
    raise AssertionError("not within fifteen seconds")


async def report_on(guanhu: Installation, child: str, situation: Situation) -> dict[str, Any]:
    async def found() -> Any:
        stream = report_stream(child, situation)
        return next((one for one in (await listed(guanhu, ""))["reports"] if one["report"] == stream), None)

    report: dict[str, Any] = await eventually(found)
    return report


async def alarms_of(guanhu: Installation, child: str) -> list[dict[str, Any]]:
    return [one for one in (await listed(guanhu, "/alarms"))["alarms"] if one["child"] == child]


async def test_a_registration_and_an_emergency_open_the_reports_they_demand(guanhu: Installation) -> None:
    grown = await a_child_alone(guanhu, born=date(TODAY.year - 17, 1, 9))
    child = await a_child_alone(guanhu)
    await report_on(guanhu, child, Situation.WITHOUT_CARE)
    answers = Personal(RiskAnswers(emergencies=("missing", "danger_to_life")))
    await guanhu.give(AssessRisk(child=child, instrument="SHEET-1", answers=answers), DIRECTOR)
    for situation in (Situation.MISSING_OR_TRAFFICKED, Situation.OTHER_SERIOUS):
        await report_on(guanhu, child, situation)
    reports = {one["report"] for one in (await listed(guanhu, ""))["reports"]}
    assert report_stream(grown, Situation.WITHOUT_CARE) not in reports
    named = await guanhu.request("/protection-reports", DIRECTOR)
    assert len(named.json()["reports"]) == 3
    assert (await guanhu.request("/protection-reports/alarms", DIRECTOR, division=VILLAGE)).status_code == 403
    assert await guanhu.mongo["guanhu_visits"]["work_items"].count_documents({}) == 0


async def test_who_handles_reports_is_alarmed_when_the_policy_stands_still(guanhu: Installation) -> None:
    visits = guanhu.mongo["guanhu_visits"]
    elsewhere = {"holder": "nobody", "epoch": 1_000, "until": datetime.now(UTC) + timedelta(hours=1)}
    await visits["leases"].update_one({"_id": "policies"}, {"$set": elsewhere})
    await asyncio.sleep(7)  # the process asks for its lease every five seconds
    child, erased = await a_child_alone(guanhu), await a_child_alone(guanhu)
    alarm = AlarmProtectionWatch(
        report=report_stream(child, Situation.WITHOUT_CARE), child=child, village=VILLAGE, since=NOW
    )
    assert (await guanhu.tell(alarm, COUNTY)).json()["code"] == "not_the_watch"

    service = build(settings_of(guanhu.stack.environment("visits")))
    kernel = service.kernel
    standings = StandingLookUp(kernel.live, kernel.owner("registry"), kernel.sealer, kernel.directory)
    demands = DemandLookUp(kernel.live.of(Demands.name))

    async def heard() -> Any:
        return await (await LiveModels(visits).collection(Demands.name, REPORTS)).find_one({"child": erased})

    try:
        await service.log.open()
        await eventually(heard)
        await ProtectionWatch(demands, standings, service.handler, lambda: datetime.now(UTC)).look()
        assert await alarms_of(guanhu, child) == []
        for _ in range(2):
            later = ProtectionWatch(
                demands, standings, service.handler, lambda: datetime.now(UTC) + timedelta(seconds=61)
            )
            await later.look()
    finally:
        await service.log.close()
        await kernel.close()

    async def alarmed(child: str) -> Any:
        return await alarms_of(guanhu, child) or None

    [line] = await eventually(lambda: alarmed(child))
    assert (line["village"], line["state"]) == (VILLAGE, None)
    await eventually(lambda: alarmed(erased))
    await guanhu.give(RequestErasure(child=erased, basis=Personal("家长申请")), DIRECTOR)
    await guanhu.give(ApproveErasure(child=erased), OFFICER)

    async def gone() -> Any:
        return True if not await alarms_of(guanhu, erased) and await heard() is None else None

    await eventually(gone)
    await visits["leases"].update_one({"_id": "policies"}, {"$set": {"holder": None, "until": NOW}})
    await report_on(guanhu, child, Situation.WITHOUT_CARE)
    [line] = await alarms_of(guanhu, child)
    assert line["state"] == "raised"
    assert await visits["work_items"].count_documents({}) == 0
