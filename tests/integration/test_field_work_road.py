"""The daily work beside visits through the real processes: purposes, help plans, and what a cadre's device brings."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from deploy.local.operator import WITH_A_DIRECTORY, operator
from services.registry.domain.child import ApproveErasure, AssessRisk, RequestErasure
from services.registry.domain.posting import PostWorkingGroup
from services.visits.domain.attendance import RecordWorkLog, TakeLeave
from services.visits.domain.help_plan import (
    AdoptHelpPlan,
    CloseHelpPlan,
    ProgressHelpPlan,
    ReviewHelpPlan,
    ToldStep,
)
from services.visits.domain.holiday_plan import AdoptHolidayPlan
from services.visits.domain.protection_report import RaiseProtectionReport, report_stream
from services.visits.domain.school_visit import LogSchoolVisit
from shared.commands.command import Command, business_day
from shared.contracts.field_work import HelpPlanResult, HolidayRisk, LeaveKind, TeachersWord, WorkItem, WorkKind
from shared.contracts.risk import INSTRUMENTS, RiskAnswer, RiskAnswers
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import PostingLevel, Role, Situation, VisitPurpose
from shared.eventlog.placement import new_id
from shared.eventlog.record import Position
from shared.projection.live import LiveModels
from tests.support.builders import VILLAGE, a_registration, a_visit
from tests.support.installation import Installation, installation, json_of

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]

DIRECTOR, CADRE, SUPERVISOR, COLLEAGUE = "work-director", "work-cadre", "work-supervisor", "work-colleague"
OFFICE, OFFICER = "work-office", "work-officer"
TOWNSHIP = "520303105"
NOW = datetime.now(UTC)
TODAY = business_day(NOW)
TEXT = Personal("每周通一次电话")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def guanhu() -> AsyncIterator[Installation]:
    async with installation("work") as guanhu:
        async with operator(guanhu.stack.environment("registry")) as own:
            await own.import_divisions(TOWNSHIP)
            begun = TODAY - timedelta(60)
            await own.grant(DIRECTOR, Role.CHILD_DIRECTOR, VILLAGE, begun)
            await own.grant(OFFICE, Role.DATA_OFFICE, "520303", begun)
            await own.grant(SUPERVISOR, Role.CHILD_SUPERVISOR, TOWNSHIP, begun)
            await own.grant(COLLEAGUE, Role.CHILD_SUPERVISOR, TOWNSHIP, begun)
            await own.grant(OFFICER, Role.DATA_PROTECTION_OFFICER, "520303", begun)
            await own.everybody_knows()
        posting = PostWorkingGroup(
            posting=new_id("posting"),
            village=VILLAGE,
            level=PostingLevel.COUNTY,
            unit="测试单位",
            starts=begun,
            leader=CADRE,
        )
        position = Position.parse(await guanhu.give(posting, OFFICE))
        for service in WITH_A_DIRECTORY:
            live = LiveModels(guanhu.mongo[f"guanhu_{service}"])
            assert await live.wait_for("directory", position, timeout=30)
        yield guanhu


async def a_child(guanhu: Installation) -> Any:
    command = a_registration(occurred_at=NOW - timedelta(days=20))
    await guanhu.give(command, DIRECTOR)
    return command


async def refused(guanhu: Installation, command: Command, person: str) -> str:
    code: str = (await guanhu.tell(command, person)).json()["code"]
    return code


async def shown(guanhu: Installation, path: str, caller: str, after: str | None = None, **query: Any) -> Any:
    headers = guanhu.headers(caller, after) | {"guanhu-purpose": "follow-up"}
    return await guanhu.http.get(f"{guanhu.stack.url('reporting')}{path}", params=query, headers=headers)


async def test_a_visit_with_purposes_poverty_masses_and_left_behind_counts_once_and_once_in_each_purpose(
    guanhu: Installation,
) -> None:
    child = await a_child(guanhu)
    purposes = (VisitPurpose.POVERTY, VisitPurpose.MASS_CONTACT, VisitPurpose.LEFT_BEHIND, VisitPurpose.POVERTY)
    visit = a_visit(child.household, child.child, occurred_at=NOW, purposes=purposes)
    position = await guanhu.give(visit, CADRE)
    names = ["VISITS", *(f"VISITS-{purpose}" for purpose in VisitPurpose)]
    asked = {"division": TOWNSHIP, "indicator": names}
    table = (await shown(guanhu, "/figures/table", SUPERVISOR, position, **asked)).json()
    counted = {name: figure["numerator"] for name, figure in table["total"]["figures"].items()}
    assert counted == {
        "VISITS": 1,
        "VISITS-poverty": 1,
        "VISITS-mass_contact": 1,
        "VISITS-left_behind": 1,
        "VISITS-pairing": 0,
        "VISITS-activity": 0,
    }


def a_plan(child: str, **changes: Any) -> AdoptHelpPlan:
    fields: dict[str, Any] = {
        "plan": new_id("helpplan", beside=child),
        "child": child,
        "village": VILLAGE,
        "owner": DIRECTOR,
        "goals": Personal("有人照料"),
        "steps": (ToldStep(text=TEXT, owner=DIRECTOR, due=TODAY),),
        "review_on": TODAY + timedelta(30),
    }
    return AdoptHelpPlan(**fields | changes)


def a_sheet(child: str, **answers: str) -> AssessRisk:
    told = {item.code: item.choices[0].code for item in INSTRUMENTS["SHEET-1"].items} | answers
    sheet = RiskAnswers(answers=tuple(RiskAnswer(item=item, choice=choice) for item, choice in told.items()))
    return AssessRisk(child=child, instrument="SHEET-1", answers=Personal(sheet))


async def test_a_child_at_risk_is_helped_by_one_plan_at_a_time(guanhu: Installation) -> None:
    child = (await a_child(guanhu)).child
    plan = a_plan(child)
    assert await refused(guanhu, plan, SUPERVISOR) == "help_plan_unexplained"
    assert await refused(guanhu, plan, DIRECTOR) == "no_role"
    await guanhu.give(a_sheet(child, care_quality="poor"), DIRECTOR)
    await guanhu.give(plan, SUPERVISOR)
    assert (await guanhu.tell(a_plan(child, reason=TEXT), SUPERVISOR)).status_code == 409

    done = ProgressHelpPlan(occurred_at=NOW - timedelta(hours=1), plan=plan.plan, done=1, note=TEXT)
    assert await synced(guanhu, [done], DIRECTOR) == ["taken"]
    review = ReviewHelpPlan(plan=plan.plan, text=TEXT, review_on=TODAY + timedelta(60))
    assert await refused(guanhu, review, DIRECTOR) == "not_on_file"
    position = await guanhu.give(review, SUPERVISOR)
    listed = (await shown(guanhu, "/help-plans", DIRECTOR, position, division=VILLAGE)).json()["plans"]
    line = next(one for one in listed if one["plan"] == plan.plan)
    assert (line["steps"], line["done"], line["overdue"]) == (1, 1, False)
    assert line["review_on"] == (TODAY + timedelta(60)).isoformat()
    assert TEXT.reveal() not in str(listed)
    card = (await shown(guanhu, f"/help-plans/{plan.plan}", DIRECTOR)).json()
    assert (card["goals"], card["to_do"][0]["done"]) == ("有人照料", True)
    assert [one["type"] for one in card["told"]] == ["HelpPlanAdopted", "HelpPlanProgressed", "HelpPlanReviewed"]
    assert (await shown(guanhu, f"/help-plans/{plan.plan}", "nobody")).status_code == 404

    closing = CloseHelpPlan(plan=plan.plan, result=Counted(HelpPlanResult.GOALS_REACHED))
    await guanhu.give(closing, SUPERVISOR)
    await guanhu.give(a_plan(child), SUPERVISOR)


async def test_a_report_asks_for_a_plan_to_nobody_who_may_not_read_it(guanhu: Installation) -> None:
    child = (await a_child(guanhu)).child
    situation = Situation.WITHOUT_CARE
    raising = RaiseProtectionReport(occurred_at=NOW, child=child, village=VILLAGE, situation=Counted(situation))
    await guanhu.give(raising, SUPERVISOR)
    plan = a_plan(child, report=report_stream(child, situation))
    none = a_plan(child, report=report_stream(child, Situation.OTHER_SERIOUS))
    assert await refused(guanhu, plan, COLLEAGUE) == await refused(guanhu, none, COLLEAGUE) == "report_not_yours"
    position = await guanhu.give(plan, SUPERVISOR)
    card = await guanhu.open_file(child, SUPERVISOR, position)
    types = [entry["type"] for entry in card.json()["time_line"]]
    assert "HelpPlanAdopted" in types
    assert not any("Protection" in one for one in types)


async def synced(guanhu: Installation, commands: Sequence[Command], person: str) -> list[str]:
    items = [{"command": type(one).__name__, "id": str(uuid4()), "body": json.loads(json_of(one))} for one in commands]
    answer = await guanhu.http.post(
        f"{guanhu.stack.url('visits')}/sync",
        headers=guanhu.headers(person),
        json={"device": "phone-1", "device_time": datetime.now(UTC).isoformat(), "items": items},
    )
    assert answer.status_code == 200, answer.text
    return [one["problem"]["code"] if one["problem"] else "taken" for one in answer.json()["answers"]]


async def told_so_far(guanhu: Installation) -> str:
    ends: dict[int, int] = {}
    async for one in guanhu.log("visits").find({}, {"partition": 1, "seq": 1}):
        ends[one["partition"]] = max(ends.get(one["partition"], 0), one["seq"])
    return ",".join(f"visits/{partition}/{seq}" for partition, seq in ends.items())


async def test_what_a_cadre_did_offline_is_told_later_in_any_order_and_read_by_those_it_concerns(
    guanhu: Installation,
) -> None:
    first, second = [(await a_child(guanhu)).child for _ in range(2)]
    at, day = NOW - timedelta(hours=5), business_day(NOW - timedelta(hours=5))
    items = (WorkItem(kind=WorkKind.SCHOOL_VISIT, text=TEXT), WorkItem(kind=WorkKind.COLLATION))
    mine = {"occurred_at": at, "person": CADRE, "village": VILLAGE}
    log = RecordWorkLog(**mine, day=day, hours=Counted(6), items=items)
    commands = [
        LogSchoolVisit(
            occurred_at=at,
            visit=new_id("schoolvisit"),
            school=new_id("school"),
            village=VILLAGE,
            words=(
                TeachersWord(child=first, word=Personal("按时到校")),
                TeachersWord(child=second, word=Personal("话少")),
            ),
        ),
        AdoptHolidayPlan(
            occurred_at=at,
            village=VILLAGE,
            starts=TODAY + timedelta(1),
            ends=TODAY + timedelta(40),
            risks=(HolidayRisk.DROWNING,),
            watch=Personal((first,)),
            on_duty=(CADRE,),
        ),
        log,
        log.model_copy(update={"occurred_at": at + timedelta(minutes=1), "hours": Counted(7), "collated": True}),
        TakeLeave(**mine, starts=TODAY + timedelta(3), ends=TODAY + timedelta(4), kind=Counted(LeaveKind.SICK)),
    ]
    random.Random(20_261_125).shuffle(commands)
    assert await synced(guanhu, commands, CADRE) == ["taken"] * 5
    again = TakeLeave(**mine, starts=TODAY + timedelta(4), ends=TODAY + timedelta(9), kind=Counted(LeaveKind.FAMILY))
    assert await synced(guanhu, [again, log.model_copy(update={"person": DIRECTOR})], CADRE) == [
        "leave_overlaps",
        "not_your_own",
    ]

    after = await told_so_far(guanhu)
    period = {"from": day.isoformat(), "to": (TODAY + timedelta(9)).isoformat()}
    own = (await shown(guanhu, "/work-log", CADRE, after, **period)).json()
    assert [(one["day"], one["hours"], one["collated"]) for one in own["days"]] == [(day.isoformat(), 7, True)]
    assert own["days"][0]["items"][0] == {"kind": "school_visit", "text": TEXT.reveal()}
    assert [one["kind"] for one in own["leave"]] == ["sick"]
    of_cadre = {"person": CADRE, **period}
    supervised = (await shown(guanhu, "/work-log", SUPERVISOR, **of_cadre)).json()
    assert (supervised["days"], supervised["leave"]) == (own["days"], own["leave"])
    unseen = (await shown(guanhu, "/work-log", DIRECTOR, **of_cadre)).json()
    assert (unseen["days"], unseen["leave"]) == ([], [])
    long = {"from": "2020-01-01", "to": TODAY.isoformat()}
    assert (await shown(guanhu, "/work-log", CADRE, **long)).json()["code"] == "period_too_long"

    [plan] = (await shown(guanhu, "/holiday-plans", SUPERVISOR, division=TOWNSHIP)).json()["plans"]
    assert (plan["watch"], plan["on_duty"], plan["risks"]) == ([first], [CADRE], ["drowning"])
    card = (await guanhu.open_file(second, DIRECTOR, after)).json()
    assert card["visits"] == {"school": {"count": 1, "last_on": day.isoformat()}}
    entry = next(one for one in card["time_line"] if one["type"] == "SchoolVisitLogged")
    assert entry["facts"]["word"] == "话少"


async def test_of_an_erased_child_no_plan_is_left(guanhu: Installation) -> None:
    child = (await a_child(guanhu)).child
    plan = a_plan(child, reason=TEXT)
    await guanhu.give(plan, SUPERVISOR)
    holidays = AdoptHolidayPlan(
        village=VILLAGE,
        starts=TODAY + timedelta(100),
        ends=TODAY + timedelta(120),
        risks=(HolidayRisk.FIRE,),
        watch=Personal((child,)),
        on_duty=(DIRECTOR,),
    )
    told = await guanhu.give(holidays, DIRECTOR)
    watched = (await shown(guanhu, "/holiday-plans", DIRECTOR, told, division=VILLAGE)).json()["plans"]
    assert watched[-1]["watch"] == [child]

    await guanhu.give(RequestErasure(child=child, basis=Personal("家长申请")), DIRECTOR)
    erased = await guanhu.give(ApproveErasure(child=child), OFFICER)
    watched = (await shown(guanhu, "/holiday-plans", DIRECTOR, erased, division=VILLAGE)).json()["plans"]
    assert watched[-1]["watch"] == []
    assert (await shown(guanhu, f"/help-plans/{plan.plan}", SUPERVISOR)).status_code == 404
