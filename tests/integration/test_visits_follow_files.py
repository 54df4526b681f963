"""What children's files say, and what becomes of them, followed by visits on real servers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from deploy.local.operator import operator, settings_of
from services.registry.domain.child import (
    ApproveErasure,
    AssessRisk,
    MergeChildFiles,
    OfferTransfer,
    RequestErasure,
    TakeOverChild,
    UndoChildMerge,
)
from services.visits.__main__ import build
from services.visits.demands import REPORTS, DemandLookUp, Demands
from services.visits.domain.concern import MoveConcern, ProgressConcern, RaiseConcern
from services.visits.domain.protection_report import AlarmProtectionWatch, report_stream
from services.visits.watch import ProtectionWatch
from shared.commands.command import business_day
from shared.contracts.risk import RiskAnswers
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import ConcernKind, Role, Situation
from shared.eventlog.placement import new_id
from shared.projection.live import LiveModels
from shared.standing.look_up import StandingLookUp
from tests.support.builders import VILLAGE, a_registration, a_visit, care
from tests.support.installation import Installation, installation

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]

DIRECTOR, COUNTY, OFFICER = "watch-director", "watch-county", "watch-officer"
NEXT, NEXT_DIRECTOR, SUPERVISOR = "520303105202", "watch-next-director", "watch-supervisor"
NOW = datetime.now(UTC)
TODAY = business_day(NOW)
DIVISION = "520303"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def guanhu() -> AsyncIterator[Installation]:
    async with installation("watch") as guanhu:
        async with operator(guanhu.stack.environment("registry")) as own:
            await own.import_divisions("520303105")
            await own.grant(DIRECTOR, Role.CHILD_DIRECTOR, VILLAGE, TODAY)
            await own.grant(NEXT_DIRECTOR, Role.CHILD_DIRECTOR, NEXT, TODAY)
            await own.grant(SUPERVISOR, Role.CHILD_SUPERVISOR, "520303105", TODAY)
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
    """A line of policies that rests three quarters of its time is slow on a machine that is busy."""
    for _ in range(450):
        if (value := await found()) is not None:
            return value
        await asyncio.sleep(0.1)
    raise AssertionError("not within 45 seconds")


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


async def a_concern(guanhu: Installation, child: str, village: str, person: str) -> str:
    raising = RaiseConcern(
        concern=new_id("concern", beside=child),
        village=village,
        child=child,
        kind=Counted(ConcernKind.LIVELIHOOD),
        severity=Counted(2),
        text=Personal("缺冬衣"),
    )
    await guanhu.give(raising, person)
    return raising.concern


async def until_it_is_worked_on_by(guanhu: Installation, concern: str, person: str) -> None:
    async def taken() -> Any:
        answer = await guanhu.tell(ProgressConcern(concern=concern, text=Personal("已联系")), person)
        assert answer.is_success or answer.json()["code"] == "not_on_file", answer.text
        return True if answer.is_success else None

    await eventually(taken)


async def concerns_in(guanhu: Installation, village: str, person: str, about: str) -> list[str]:
    answer = await guanhu.request("/concerns", person, division=village, about=about)
    return [one["concern"] for one in answer.json()["concerns"]]


async def due_of(guanhu: Installation, village: str, person: str, child: str, after: str) -> list[date]:
    answer = await guanhu.request("/work-list", person, after, village=village)
    assert answer.status_code == 200, answer.text
    found = [one["due"] for one in answer.json()["children"] if one["child"] == child]
    return [date.fromisoformat(due["due"]) for dues in found for due in dues]


async def test_concerns_follow_a_child_that_moves(guanhu: Installation) -> None:
    child = a_registration(occurred_at=NOW)
    await guanhu.give(child, DIRECTOR)
    concern = await a_concern(guanhu, child.child, VILLAGE, DIRECTOR)
    await guanhu.give(OfferTransfer(child=child.child, to_village=NEXT, reason=Personal("搬家")), SUPERVISOR)
    await guanhu.give(TakeOverChild(child=child.child), SUPERVISOR)
    await until_it_is_worked_on_by(guanhu, concern, NEXT_DIRECTOR)
    refused = await guanhu.tell(ProgressConcern(concern=concern, text=Personal("x")), DIRECTOR)
    assert refused.json()["code"] == "not_on_file"
    by_hand = await guanhu.tell(MoveConcern(concern=concern, village=VILLAGE), SUPERVISOR)
    assert by_hand.json()["code"] == "not_moved_by_hand"


async def test_visits_concerns_and_duties_go_along_with_a_merge_and_come_back(guanhu: Installation) -> None:
    then = NOW - timedelta(days=40)
    here, there = a_registration(occurred_at=then), a_registration(occurred_at=then, residence=NEXT)
    await guanhu.give(here, DIRECTOR)
    await guanhu.give(there, NEXT_DIRECTOR)
    due, later = TODAY + timedelta(days=50), TODAY + timedelta(days=90)
    visit = a_visit(there.household, there.child, occurred_at=NOW, village=NEXT)
    position = await guanhu.give(visit, NEXT_DIRECTOR)
    concern = await a_concern(guanhu, there.child, NEXT, NEXT_DIRECTOR)
    assert await due_of(guanhu, VILLAGE, DIRECTOR, here.child, position) == [due]

    merge = MergeChildFiles(child=there.child, into=here.child, reason=Personal("同一儿童"))
    merged = await guanhu.give(merge, SUPERVISOR)
    assert await due_of(guanhu, VILLAGE, DIRECTOR, here.child, merged) == [later]
    assert await due_of(guanhu, NEXT, NEXT_DIRECTOR, there.child, merged) == []
    await until_it_is_worked_on_by(guanhu, concern, DIRECTOR)
    assert await concerns_in(guanhu, VILLAGE, DIRECTOR, here.child) == [concern]

    undoing = UndoChildMerge(child=there.child, into=here.child, reason=Personal("两名儿童"))
    undone = await guanhu.give(undoing, SUPERVISOR)
    assert await due_of(guanhu, VILLAGE, DIRECTOR, here.child, undone) == [due]
    assert await due_of(guanhu, NEXT, NEXT_DIRECTOR, there.child, undone) == [later]
    await until_it_is_worked_on_by(guanhu, concern, NEXT_DIRECTOR)
    assert await concerns_in(guanhu, VILLAGE, DIRECTOR, here.child) == []


async def test_a_visit_to_a_merged_file_is_refused_and_names_the_one_that_goes_on(guanhu: Installation) -> None:
    here, there = a_registration(occurred_at=NOW), a_registration(occurred_at=NOW)
    for one in (here, there):
        await guanhu.give(one, DIRECTOR)
    await guanhu.give(MergeChildFiles(child=there.child, into=here.child, reason=Personal("同一儿童")), SUPERVISOR)

    async def refused() -> Any:
        answer = await guanhu.tell(a_visit(there.household, there.child, occurred_at=datetime.now(UTC)), DIRECTOR)
        return None if answer.is_success else answer.json()

    problem = await eventually(refused)
    assert (problem["code"], here.child in problem["detail"]) == ("child_file_was_merged", True)
