"""Visits through the real processes: what a visit finds, and what a device brings that was offline."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from deploy.local.operator import operator
from services.registry.domain.child import CloseChildFile
from services.registry.domain.duty import NameDutyHolder, RelieveDutyHolder
from services.visits.domain.concern import ProgressConcern, RaiseConcern, ResolveConcern, VerifyConcernClosure
from services.visits.domain.major_change import ReportMajorChange
from services.visits.domain.protection_report import FileProtectionReport, NameReportReader, RaiseProtectionReport
from services.visits.domain.visit import AmendVisit, AttemptVisit, ReturnVisit, VerifyVisit
from services.visits.domain.visit_policy import AdoptVisitPolicy
from shared.commands.command import Command, business_day
from shared.contracts.field_work import MajorChangeKind
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import (
    AmendReason,
    CloseReason,
    ConcernKind,
    Duty,
    ReliefReason,
    ReportChannel,
    ReturnReason,
    Role,
    Situation,
    VerifyMethod,
)
from shared.contracts.visit_policy import SHIPPED, LevelRule
from shared.contracts.visits import ChildFinding
from shared.eventlog.placement import new_id
from shared.eventlog.record import Record, decode
from shared.projection.live import LiveModels
from shared.standing.look_up import CHILDREN, Standings
from tests.support.builders import VILLAGE, a_registration, a_visit, care
from tests.support.installation import Installation, installation, json_of

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]

DIRECTOR, LEAVER, OFFICE = "visits-director", "visits-leaver", "visits-office"
NOW = datetime.now(UTC)
TODAY = business_day(NOW)
DEVICE = "phone-1"
TOWNSHIP = "520303105"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def guanhu() -> AsyncIterator[Installation]:
    async with installation("visits") as guanhu:
        async with operator(guanhu.stack.environment("registry")) as own:
            await own.import_divisions(TOWNSHIP)
            await own.grant(DIRECTOR, Role.CHILD_DIRECTOR, VILLAGE, TODAY - timedelta(60))
            await own.grant(OFFICE, Role.DATA_OFFICE, "520303", TODAY - timedelta(60))
            await own.everybody_knows()
        yield guanhu


async def a_child(guanhu: Installation, born: str = "2016-03-09", **changes: Any) -> Any:
    command = a_registration(
        **{"occurred_at": NOW - timedelta(days=20), "birth_date": datetime.fromisoformat(born).date()} | changes
    )
    await guanhu.give(command, DIRECTOR)
    return command


async def records(guanhu: Installation, **query: Any) -> list[Record]:
    return [
        decode(one["record"]) async for one in guanhu.log("visits").find(query).sort([("partition", 1), ("seq", 1)])
    ]


def item(command: Command, under: str | None = None) -> dict[str, Any]:
    return {"command": type(command).__name__, "id": under or str(uuid4()), "body": json.loads(json_of(command))}


async def synced(
    guanhu: Installation, items: Sequence[Any], person: str = DIRECTOR, clock: datetime | None = None
) -> list[dict[str, Any]]:
    answer = await guanhu.http.post(
        f"{guanhu.stack.url('visits')}/sync",
        headers=guanhu.headers(person),
        json={
            "device": DEVICE,
            "device_time": (clock or datetime.now(UTC)).isoformat(),
            "items": list(items),
        },
    )
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["answers"]
    assert len(found) == len(items)
    return found


def codes(answers: Sequence[dict[str, Any]]) -> list[str]:
    return [answer["problem"]["code"] if answer["problem"] else "taken" for answer in answers]


async def test_a_visit_that_finds_a_child_living_alone_raises_concern_and_report_in_one_step(
    guanhu: Installation,
) -> None:
    child = await a_child(guanhu)
    alone = ChildFinding(child=child.child, life=Personal("一个人做饭"), care_found=care(alone=True))
    visit = a_visit(child.household, child.child, occurred_at=NOW, findings=(alone,))
    answer = (await guanhu.tell(visit, DIRECTOR)).json()
    assert len(answer["versions"]) == 3
    found = [one for one in await records(guanhu) if one.stream in answer["versions"]]
    assert {one.type for one in found} == {"VisitLogged", "ConcernRaised", "ProtectionReportRaised"}
    assert len({one.command_id for one in found}) == 1
    assert [one.seq - found[0].seq for one in found] == [0, 1, 2]
    again = a_visit(child.household, child.child, occurred_at=NOW, findings=(alone,))
    assert len((await guanhu.tell(again, DIRECTOR)).json()["versions"]) == 2
    told = [one.type for one in await records(guanhu)]
    assert (told.count("ProtectionReportRaised"), told.count("ConcernRaised"), told.count("ConcernFound")) == (1, 1, 1)


async def test_who_is_sixteen_may_live_alone_without_a_report(guanhu: Installation) -> None:
    before = len([one for one in await records(guanhu) if one.type == "ProtectionReportRaised"])
    child = await a_child(guanhu, born=f"{TODAY.year - 17}-01-09")
    alone = ChildFinding(child=child.child, life=Personal("住校外"), care_found=care(alone=True))
    answer = await guanhu.tell(a_visit(child.household, child.child, occurred_at=NOW, findings=(alone,)), DIRECTOR)
    assert len(answer.json()["versions"]) == 2
    assert len([one for one in await records(guanhu) if one.type == "ProtectionReportRaised"]) == before


async def test_a_visit_before_the_birth_of_its_child_is_refused(guanhu: Installation) -> None:
    child = await a_child(guanhu, born=(TODAY - timedelta(90)).isoformat())
    early = a_visit(child.household, child.child, occurred_at=NOW - timedelta(days=200))
    assert (await guanhu.tell(early, DIRECTOR)).json()["code"] == "visit_before_birth"
    after = a_visit(child.household, child.child, occurred_at=NOW - timedelta(days=30))
    assert (await guanhu.tell(after, DIRECTOR)).status_code == 201


def a_day_in_the_field() -> list[Command]:
    """A child found at a door, visited, amended, attempted; its concern from raising to resolution."""
    then = NOW - timedelta(days=2)
    registration = a_registration(occurred_at=then)
    child, household = registration.child, registration.household
    visit = a_visit(household, child, occurred_at=then + timedelta(minutes=10))
    concern = new_id("concern", beside=child)
    told = Personal("书包破了")
    return [
        registration,
        visit,
        AmendVisit(
            occurred_at=then + timedelta(minutes=20),
            visit=visit.visit,
            village=VILLAGE,
            amends=0,
            finding=ChildFinding(child=child, life=told),
            reason=AmendReason.ADDED,
        ),
        AttemptVisit(
            occurred_at=then + timedelta(hours=1),
            visit=new_id("visit", beside=household),
            household=household,
            village=VILLAGE,
            children=(child,),
        ),
        RaiseConcern(
            occurred_at=then + timedelta(minutes=11),
            concern=concern,
            village=VILLAGE,
            child=child,
            kind=Counted(ConcernKind.LEARNING),
            severity=Counted(1),
            text=told,
        ),
        ProgressConcern(occurred_at=then + timedelta(hours=2), concern=concern, text=told),
        ResolveConcern(occurred_at=then + timedelta(hours=3), concern=concern, text=told),
    ]


async def all_taken(guanhu: Installation, items: list[dict[str, Any]], draw: random.Random) -> None:
    """As a device does it: in pieces, some of them twice; what is refused stays and is sent again."""
    waiting = items
    for _ in range(len(items)):
        sent = waiting + draw.choices(waiting, k=draw.randrange(4))
        draw.shuffle(sent)
        cut = draw.randrange(len(sent))
        refused = set()
        for piece in filter(None, (sent[:cut], sent[cut:])):
            answers = await synced(guanhu, piece)
            refused |= {one["id"] for one, code in zip(piece, codes(answers), strict=True) if code != "taken"}
        waiting = [one for one in waiting if one["id"] in refused]
        if not waiting:
            return
    raise AssertionError(f"{len(waiting)} items stay on the device")


async def test_a_day_offline_has_one_result_in_whatever_order_and_however_often_it_is_sent(
    guanhu: Installation,
) -> None:
    draw = random.Random(20_261_125)
    results = set()
    for _ in range(50):
        items = [item(command) for command in a_day_in_the_field()]
        await all_taken(guanhu, items, draw)
        streams = [one["body"].get("visit") or one["body"].get("concern") for one in items]
        told = [one for one in await records(guanhu) if one.stream in streams]
        results.add(tuple(sorted((streams.index(one.stream), one.type, one.occurred_at) for one in told)))
    assert len(results) == 1
    assert [told[1] for told in results.pop()] == [
        *("VisitAmended", "VisitLogged", "VisitAttempted"),
        *("ConcernProgressed", "ConcernRaised", "ConcernResolved"),
    ]


async def test_a_broken_item_leaves_its_neighbours_alone(guanhu: Installation) -> None:
    registration, visit, *_ = a_day_in_the_field()
    later = [
        item(visit),
        {"command": "LogVisit", "id": "x"},
        "nonsense",
        item(registration),
        {"command": "FlyToTheMoon", "id": str(uuid4()), "body": {}},
        {**item(visit), "body": {"visit": "visit-1"}},
        item(a_visit(registration.household, registration.child, occurred_at=NOW + timedelta(days=3))),  # type: ignore[attr-defined]
        item(visit.model_copy(update={"occurred_at": None})),
    ]
    assert codes(await synced(guanhu, later)) == [
        *("taken", "invalid", "invalid", "taken", "unknown_command", "invalid"),
        *("happens_later", "item_without_time"),
    ]


async def test_ten_thousand_items_are_answered_one_by_one(guanhu: Installation) -> None:
    child = await a_child(guanhu)
    visit = item(a_visit(child.household, child.child, occurred_at=NOW - timedelta(hours=1)))
    answers = await synced(
        guanhu, [{"command": "LogVisit", "id": f"broken-{n:05}", "body": {}} for n in range(9_999)] + [visit]
    )
    assert codes(answers) == ["invalid"] * 9_999 + ["taken"]


async def test_a_device_whose_clock_is_two_years_off_is_put_right_and_its_visit_doubted(guanhu: Installation) -> None:
    child = await a_child(guanhu)
    slow = timedelta(days=730)
    visit = a_visit(child.household, child.child, occurred_at=NOW - slow - timedelta(hours=5))
    entry = item(visit)
    for _ in range(2):
        assert codes(await synced(guanhu, [entry], clock=datetime.now(UTC) - slow)) == ["taken"]
    [logged] = await records(guanhu, stream=visit.visit)
    assert abs(logged.occurred_at - (NOW - timedelta(hours=5))) < timedelta(minutes=5)
    assert b"clock_corrected" in bytes(logged.data)


async def standing_known(guanhu: Installation, child: str) -> None:
    """Returns when visits has heard that the file was closed."""
    live = LiveModels(guanhu.mongo["guanhu_visits"])
    for _ in range(100):
        known = await (await live.collection(Standings.name, CHILDREN)).find_one({"_id": child})
        if known and known["turns"]:
            return
        await asyncio.sleep(0.1)
    raise AssertionError("visits has not heard of it within ten seconds")


async def test_a_visit_to_a_file_that_was_closed_meanwhile_is_kept_and_waits_for_review(guanhu: Installation) -> None:
    child = await a_child(guanhu)
    closing = CloseChildFile(child=child.child, reason=CloseReason.MOVED_OUT, closed_on=TODAY - timedelta(3))
    await guanhu.give(closing, DIRECTOR)
    await standing_known(guanhu, child.child)
    visit = a_visit(child.household, child.child, occurred_at=NOW - timedelta(days=1))
    assert (await guanhu.tell(visit, DIRECTOR)).json()["code"] == "child_file_was_closed"
    assert codes(await synced(guanhu, [item(visit)])) == ["taken"]
    [logged] = await records(guanhu, stream=visit.visit)
    assert b"file_was_closed" in bytes(logged.data)


async def test_whose_office_has_ended_tells_what_was_done_in_it_and_nothing_of_later(guanhu: Installation) -> None:
    duty = new_id("duty")
    child = await a_child(guanhu)
    named = NameDutyHolder(
        duty=duty, person=LEAVER, role=Duty.CHILD_SUPERVISOR, division=TOWNSHIP, starts=TODAY - timedelta(20)
    )
    await guanhu.give(named, OFFICE)
    relieved = RelieveDutyHolder(duty=duty, ends=TODAY - timedelta(1), reason=ReliefReason.TERM_ENDED)
    await guanhu.give(relieved, OFFICE)
    async with operator(guanhu.stack.environment("registry")) as own:
        await own.grant("somebody-else", Role.STATISTICS_USER, TOWNSHIP, TODAY)
        await own.everybody_knows()
    in_office = a_visit(child.household, child.child, occurred_at=NOW - timedelta(days=5))
    after_it = a_visit(child.household, child.child, occurred_at=NOW)
    assert (await guanhu.tell(in_office, LEAVER)).json()["code"] == "no_role"
    assert codes(await synced(guanhu, [item(after_it), item(in_office)], LEAVER)) == ["no_role", "taken"]
    [logged] = await records(guanhu, stream=in_office.visit)
    assert b"office_ended" in bytes(logged.data)
    assert codes(await synced(guanhu, [item(in_office)], "nobody")) == ["no_role"]


async def test_ten_thousand_and_one_items_are_too_many(guanhu: Installation) -> None:
    answer = await guanhu.http.post(
        f"{guanhu.stack.url('visits')}/sync",
        headers=guanhu.headers(DIRECTOR),
        json={"device": DEVICE, "device_time": NOW.isoformat(), "items": [0] * 10_001},
    )
    assert answer.status_code == 422


async def work_list(guanhu: Installation, after: str | None = None, token: str = "") -> Any:
    headers = guanhu.headers(DIRECTOR, after) | {"if-none-match": token}
    return await guanhu.http.get(
        f"{guanhu.stack.url('reporting')}/work-list", params={"village": VILLAGE}, headers=headers
    )


async def test_a_work_list_shows_who_is_due_and_what_a_visit_changes(guanhu: Installation) -> None:
    child = await a_child(guanhu, occurred_at=NOW - timedelta(days=110))
    change = ReportMajorChange(
        occurred_at=NOW - timedelta(days=2),
        change=new_id("change", beside=child.child),
        child=child.child,
        village=VILLAGE,
        kind=Counted(MajorChangeKind.PARENT_GONE),
    )
    position = await guanhu.give(change, DIRECTOR)
    found = await work_list(guanhu, position)
    line = next(one for one in found.json()["children"] if one["child"] == child.child)
    assert [(due["reason"], due["overdue"], due["late_days"]) for due in line["due"]] == [
        ("regular", True, 20),
        ("major_change", True, 1),
    ]
    assert (line["name"], line["colour"]) == (child.name.reveal(), "green")
    assert (await work_list(guanhu, token=found.headers["etag"])).status_code == 304

    visit = a_visit(child.household, child.child, occurred_at=NOW)
    after = await work_list(guanhu, await guanhu.give(visit, DIRECTOR), found.headers["etag"])
    line = next(one for one in after.json()["children"] if one["child"] == child.child)
    assert [(due["reason"], due["due"]) for due in line["due"]] == [
        ("regular", (TODAY + timedelta(days=90)).isoformat())
    ]
    assert line["last_visit"] == TODAY.isoformat()


async def test_a_policy_plans_anew_what_is_not_yet_due(guanhu: Installation) -> None:
    child = await a_child(guanhu, occurred_at=NOW - timedelta(days=40))
    content = SHIPPED.model_copy(update={"low": LevelRule(home_days=30, grace_days=3)})
    adopting = AdoptVisitPolicy(division="520303", starts=TODAY, content=content)
    assert (await guanhu.tell(adopting, DIRECTOR)).json()["code"] == "no_role"
    async with operator(guanhu.stack.environment("registry")) as own:
        await own.grant("visits-county", Role.COUNTY_CIVIL_AFFAIRS, "520303", TODAY)
        await own.everybody_knows()
    found = await work_list(guanhu, await guanhu.give(adopting, "visits-county"))
    line = next(one for one in found.json()["children"] if one["child"] == child.child)
    assert [due["due"] for due in line["due"]] == [TODAY.isoformat()]


async def test_a_returned_visit_stands_on_its_visitors_list_until_it_is_amended(guanhu: Installation) -> None:
    child = await a_child(guanhu)
    visit = a_visit(child.household, child.child, occurred_at=NOW)
    await guanhu.give(visit, DIRECTOR)
    returning = ReturnVisit(visit=visit.visit, reason=ReturnReason.INCOMPLETE)
    assert (await guanhu.tell(returning, DIRECTOR)).json()["code"] == "not_on_file"
    found = await work_list(guanhu, await guanhu.give(returning, "visits-county"))
    assert [one["visit"] for one in found.json()["returned"]] == [visit.visit]
    amendment = AmendVisit(
        visit=visit.visit,
        village=VILLAGE,
        amends=0,
        finding=ChildFinding(child=child.child, life=Personal("补记")),
        reason=AmendReason.ASKED_FOR,
    )
    found = await work_list(guanhu, await guanhu.give(amendment, DIRECTOR))
    assert found.json()["returned"] == []
    assert (await guanhu.tell(VerifyVisit(visit=visit.visit, method=VerifyMethod.PHONE), "visits-county")).is_success


async def shown(guanhu: Installation, path: str, person: str, after: str | None = None, **query: str) -> Any:
    headers = guanhu.headers(person, after) | {"guanhu-purpose": "follow-up"}
    return await guanhu.http.get(f"{guanhu.stack.url('reporting')}{path}", params=query, headers=headers)


async def test_a_concern_is_followed_from_its_raising_to_its_closing_by_another(guanhu: Installation) -> None:
    child = await a_child(guanhu)
    concern = new_id("concern", beside=child.child)
    raising = RaiseConcern(
        concern=concern,
        village=VILLAGE,
        child=child.child,
        kind=Counted(ConcernKind.DROPOUT),
        severity=Counted(2),
        text=Personal("两周没有上学"),
    )
    position = await guanhu.give(raising, DIRECTOR)
    listed = (await shown(guanhu, "/concerns", DIRECTOR, position, division=VILLAGE)).json()["concerns"]
    line = next(one for one in listed if one["concern"] == concern)
    assert (line["kind"], line["owner"], line["overdue"], list(line["referred"])) == (
        *("dropout", "township", False),
        ["education"],
    )
    assert "两周" not in str(listed)
    await guanhu.give(ResolveConcern(concern=concern, text=Personal("已返校")), DIRECTOR)
    closing = VerifyConcernClosure(concern=concern)
    assert (await guanhu.tell(closing, DIRECTOR)).json()["code"] == "not_on_file"
    position = await guanhu.give(closing, "visits-county")
    card = (await shown(guanhu, f"/concerns/{concern}", DIRECTOR, position)).json()
    assert card["stage"] == "closed"
    assert [step["type"] for step in card["steps"]] == [
        *("ConcernRaised", "ConcernReferred", "ConcernResolved", "ConcernClosureVerified")
    ]
    assert card["steps"][0]["facts"] == {"text": "两周没有上学"}
    assert (await shown(guanhu, f"/concerns/{concern}", "nobody")).status_code == 404


async def test_a_protection_report_is_for_named_readers_and_the_county(guanhu: Installation) -> None:
    child = await a_child(guanhu)
    raising = RaiseProtectionReport(
        occurred_at=NOW - timedelta(hours=3),
        child=child.child,
        village=VILLAGE,
        situation=Counted(Situation.VIOLENCE_OR_NEGLECT),
        facts=Personal("手臂多处伤痕"),
    )
    answer = (await guanhu.tell(raising, DIRECTOR)).json()
    [report] = answer["versions"]
    filing = FileProtectionReport(report=report, unit=Personal("派出所"), channel=ReportChannel.EMERGENCY_CALL)
    position = await guanhu.give(filing, DIRECTOR)
    own = (await shown(guanhu, "/protection-reports", DIRECTOR, position)).json()["reports"]
    [hours] = [one["hours_to_filing"] for one in own if one["report"] == report]
    assert 3 <= hours < 3.5
    card = (await shown(guanhu, f"/protection-reports/{report}", DIRECTOR)).json()
    assert (card["situation"], card["steps"][0]["facts"]) == ("violence_or_neglect", {"text": "手臂多处伤痕"})

    assert (await shown(guanhu, f"/protection-reports/{report}", "visits-reader")).status_code == 404
    listed = await shown(guanhu, "/protection-reports", DIRECTOR, division=VILLAGE)
    assert listed.json()["code"] in ("no_role", "out_of_scope")
    naming = NameReportReader(report=report, reader="visits-reader")
    assert (await guanhu.tell(naming, DIRECTOR)).json()["code"] == "not_on_file"
    position = await guanhu.give(naming, "visits-county")
    assert (await shown(guanhu, f"/protection-reports/{report}", "visits-reader", position)).status_code == 200
    of_county = (await shown(guanhu, "/protection-reports", "visits-county", division="520303")).json()["reports"]
    assert report in [one["report"] for one in of_county]
    opened = [decode(one["record"]) async for one in guanhu.log("reporting").find({"type": "FileOpened"})]
    assert any(b"visits-reader" in bytes(one.data) for one in opened)
