"""The daily work beside visits: schools, holidays, a cadre's days in the village and his leave."""

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st
from pydantic import ValidationError

from services.visits.domain.attendance import (
    LEAVE,
    WORK_LOG,
    DayLiesAhead,
    LeaveBy,
    LeaveEndsBeforeItBegins,
    LeaveOverlaps,
    LogUnchanged,
    NotYourOwn,
    RecordWorkLog,
    WorkLogBy,
    leave_stream,
    log_stream,
)
from services.visits.domain.holiday_plan import (
    HOLIDAY_PLAN,
    HolidaysAreOver,
    HolidaysEndBeforeTheyBegin,
    HolidaysHaveBegun,
    JudgedHolidayPlan,
    TooManyWatched,
    plan_stream,
)
from services.visits.domain.school_visit import SCHOOL_VISIT, JudgedSchoolVisit, LogSchoolVisit
from services.visits.domain.visit import ChildNamedTwice, OneAnswerForAll, VisitAlreadyLogged
from services.visits.service import handlings
from shared.commands.command import Meanwhile
from shared.contracts.field_work import (
    HolidayPlanAdopted,
    HolidayRisk,
    LeaveKind,
    LeaveTaken,
    SchoolVisitLogged,
    TeachersWord,
    WorkItem,
    WorkKind,
    WorkLogRecorded,
)
from shared.contracts.refusal import Refusal
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import VisitDoubt
from shared.eventlog.placement import new_id
from shared.identity.directory import MemoryDirectory
from shared.standing.standing import ChildFileWasClosed, ChildNotOnFile, Standing
from tests.support.builders import TOLD, VILLAGE
from tests.support.specification import given

DAY = date(2026, 8, 14)
HERE = Standing(VILLAGE, open=True)
ONE, TWO, THREE = (new_id("child") for _ in range(3))

SCHOOL, VISIT = new_id("school"), new_id("schoolvisit")


def words(*children: str, word: str | None = None) -> tuple[TeachersWord, ...]:
    return tuple(
        TeachersWord(child=child, word=Personal(word or f"上课专心 {number}")) for number, child in enumerate(children)
    )


def at_school(*children: str, **changes: Any) -> JudgedSchoolVisit:
    fields: dict[str, Any] = {
        "occurred_at": TOLD,
        "visit": VISIT,
        "school": SCHOOL,
        "village": VILLAGE,
        "words": words(*children),
        "visitors": ("bo",),
        "person": "alice",
        "standings": dict.fromkeys(children, HERE),
    }
    return JudgedSchoolVisit(**fields | changes)


def logged(*children: str, **changes: Any) -> SchoolVisitLogged:
    fields: dict[str, Any] = {
        "visit": VISIT,
        "school": SCHOOL,
        "village": VILLAGE,
        "visited_on": DAY,
        "words": words(*children),
        "visitors": ("alice", "bo"),
    }
    return SchoolVisitLogged(**fields | changes)


def test_a_school_is_asked_for_the_children_of_several_households_at_once():
    given(SCHOOL_VISIT).when(at_school(ONE, TWO)).then(logged(ONE, TWO))
    given(SCHOOL_VISIT, logged(ONE, TWO)).when(at_school(ONE)).then_refused(VisitAlreadyLogged)


def test_a_teacher_has_an_own_word_for_each_child():
    given(SCHOOL_VISIT).when(at_school(ONE, ONE)).then_refused(ChildNamedTwice)
    same = at_school(ONE, TWO, THREE, words=words(ONE, TWO, THREE, word="都好"))
    given(SCHOOL_VISIT).when(same).then_refused(OneAnswerForAll)
    with pytest.raises(ValueError, match="at least 1 character"):
        TeachersWord.model_validate({"child": ONE, "word": " "})


def test_a_child_that_the_school_was_asked_for_is_judged_by_that_day():
    for standing, refusal in ((None, ChildNotOnFile), (Standing("520303105202", open=True), ChildNotOnFile)):
        command = at_school(ONE, TWO, standings={ONE: HERE, TWO: standing})
        given(SCHOOL_VISIT).when(command).then_refused(refusal)
    closed = {ONE: HERE, TWO: Standing(VILLAGE, open=False, fresh=False)}
    given(SCHOOL_VISIT).when(at_school(ONE, TWO, standings=closed)).then_refused(ChildFileWasClosed)
    doubted = logged(ONE, TWO, doubts=(VisitDoubt.FILE_WAS_CLOSED,), on_stale_standing=True)
    given(SCHOOL_VISIT).when(at_school(ONE, TWO, standings=closed, later=True)).then(doubted)


async def test_a_school_visit_that_a_device_tells_later_says_what_had_changed_meanwhile():
    [handling] = [one for one in handlings(Standings(), MemoryDirectory()) if one.command is LogSchoolVisit]
    command = LogSchoolVisit(occurred_at=TOLD, visit=VISIT, school=SCHOOL, village=VILLAGE, words=words(ONE))
    later = handling.from_device(command, Meanwhile(office_ended=True, clock_corrected=True))
    judged = await handling.learn(later, "alice")
    assert judged.later
    assert judged.doubts == (VisitDoubt.OFFICE_ENDED, VisitDoubt.CLOCK_CORRECTED)
    assert not (await handling.learn(command, "alice")).later


class Standings:
    """A look-up that knows every child here."""

    async def on(self, day, children):
        return dict.fromkeys(children, HERE)


def planned(starts: int, ends: int, **changes: Any) -> JudgedHolidayPlan:
    """In days from the day it is told."""
    fields: dict[str, Any] = {
        "occurred_at": TOLD,
        "village": VILLAGE,
        "starts": DAY + timedelta(starts),
        "ends": DAY + timedelta(ends),
        "risks": (HolidayRisk.DROWNING, HolidayRisk.FIRE, HolidayRisk.DROWNING),
        "watch": Personal((ONE, ONE)),
        "on_duty": ("alice", "bo", "alice"),
        "person": "alice",
        "standings": {ONE: HERE},
    }
    return JudgedHolidayPlan(**fields | changes)


def plan(starts: int, ends: int, told: int = 0) -> HolidayPlanAdopted:
    return HolidayPlanAdopted(
        plan=plan_stream(VILLAGE),
        village=VILLAGE,
        starts=DAY + timedelta(starts),
        ends=DAY + timedelta(ends),
        risks=(HolidayRisk.DROWNING, HolidayRisk.FIRE),
        watch=Personal((ONE,)),
        on_duty=("alice", "bo"),
        adopted_on=DAY + timedelta(told),
        adopted_by="alice",
    )


def test_a_holiday_plan_is_adopted_before_the_holidays_begin():
    given(HOLIDAY_PLAN).when(planned(1, 40)).then(plan(1, 40))
    given(HOLIDAY_PLAN).when(planned(0, 40)).then_refused(HolidaysHaveBegun)
    given(HOLIDAY_PLAN).when(planned(3, 2)).then_refused(HolidaysEndBeforeTheyBegin)
    given(HOLIDAY_PLAN).when(planned(-9, -1)).then_refused(HolidaysAreOver)


def test_a_holiday_plan_is_amended_until_the_holidays_end():
    given(HOLIDAY_PLAN, plan(-10, 20, told=-30)).when(planned(-10, 25)).then(plan(-10, 25))
    given(HOLIDAY_PLAN, plan(-40, -30, told=-60)).when(planned(-10, 25)).then_refused(HolidaysHaveBegun)
    given(HOLIDAY_PLAN, plan(-10, 20, told=-30)).when(planned(-10, -1)).then_refused(HolidaysAreOver)


def test_who_is_watched_is_on_file_in_the_village():
    given(HOLIDAY_PLAN).when(planned(1, 40, standings={ONE: None})).then_refused(ChildNotOnFile)
    closed = {ONE: Standing(VILLAGE, open=False)}
    given(HOLIDAY_PLAN).when(planned(1, 40, standings=closed)).then_refused(ChildFileWasClosed)
    crowd = Personal(tuple(new_id("child") for _ in range(501)))
    given(HOLIDAY_PLAN).when(planned(1, 40, watch=crowd)).then_refused(TooManyWatched)


SPANS = st.tuples(st.integers(-60, 120), st.integers(-5, 60)).map(lambda span: (span[0], span[0] + span[1]))


@drawn(st.lists(SPANS, max_size=30))
def test_no_two_holiday_plans_that_stand_share_a_day(spans):
    plans = HOLIDAY_PLAN.initial
    for starts, ends in spans:
        try:
            events = HOLIDAY_PLAN.decide(planned(starts, ends), plans)
        except Refusal:
            continue
        for event in events:
            plans = HOLIDAY_PLAN.evolve(plans, event)
    days = [(one.starts, one.ends) for one in sorted(plans.days)]
    assert all(before[1] < after[0] for before, after in pairwise(days))


ITEMS = (WorkItem(kind=WorkKind.HOME_VISITS, text=Personal("走访三户")), WorkItem(kind=WorkKind.COLLATION))


def a_day(**changes: Any) -> WorkLogBy:
    fields: dict[str, Any] = {
        "occurred_at": TOLD,
        "person": "alice",
        "village": VILLAGE,
        "day": DAY,
        "hours": Counted(8),
        "items": ITEMS,
        "collated": True,
        "teller": "alice",
    }
    return WorkLogBy(**fields | changes)


def recorded(hours: int = 8) -> WorkLogRecorded:
    return WorkLogRecorded(
        log=log_stream("alice", DAY),
        person="alice",
        village=VILLAGE,
        day=DAY,
        hours=Counted(hours),
        items=ITEMS,
        collated=True,
    )


def test_a_cadre_tells_of_his_own_day_and_tells_it_anew():
    given(WORK_LOG).when(a_day()).then(recorded())
    given(WORK_LOG, recorded()).when(a_day(hours=Counted(6))).then(recorded(6))
    given(WORK_LOG, recorded()).when(a_day()).then_refused(LogUnchanged)
    given(WORK_LOG).when(a_day(teller="bo")).then_refused(NotYourOwn)
    given(WORK_LOG).when(a_day(day=DAY + timedelta(1))).then_refused(DayLiesAhead)


def test_a_day_has_no_more_than_24_hours_and_something_was_done_in_it():
    body = {"person": "alice", "village": VILLAGE, "day": DAY, "hours": 24, "items": [{"kind": "meeting"}]}
    assert RecordWorkLog.model_validate(body).hours == Counted(24)
    for wrong in ({"hours": 25}, {"items": []}, {"items": [{"kind": "sleep"}]}, {"person": "张三"}):
        with pytest.raises(ValidationError):
            RecordWorkLog.model_validate(body | wrong)


def test_a_day_of_a_person_has_one_stream():
    assert log_stream("alice", DAY) == log_stream("alice", DAY)
    assert len({log_stream("alice", DAY), log_stream("bo", DAY), log_stream("alice", DAY + timedelta(1))}) == 3


def away(starts: int, ends: int, **changes: Any) -> LeaveBy:
    fields: dict[str, Any] = {
        "occurred_at": TOLD,
        "person": "alice",
        "village": VILLAGE,
        "starts": DAY + timedelta(starts),
        "ends": DAY + timedelta(ends),
        "kind": Counted(LeaveKind.SICK),
        "teller": "alice",
    }
    return LeaveBy(**fields | changes)


def taken(starts: int, ends: int) -> LeaveTaken:
    return LeaveTaken(
        leave=leave_stream("alice"),
        person="alice",
        village=VILLAGE,
        starts=DAY + timedelta(starts),
        ends=DAY + timedelta(ends),
        kind=Counted(LeaveKind.SICK),
    )


def test_leave_is_taken_once_for_each_day_by_whoever_is_away():
    given(LEAVE).when(away(0, 2)).then(taken(0, 2))
    given(LEAVE, taken(0, 2)).when(away(3, 3)).then(taken(3, 3))
    given(LEAVE, taken(0, 2)).when(away(2, 5)).then_refused(LeaveOverlaps)
    given(LEAVE).when(away(2, 1)).then_refused(LeaveEndsBeforeItBegins)
    given(LEAVE).when(away(0, 0, teller="bo")).then_refused(NotYourOwn)


@drawn(st.lists(SPANS, max_size=30))
def test_no_day_is_leave_twice(spans):
    leave, days = LEAVE.initial, []
    for starts, ends in spans:
        try:
            [event] = LEAVE.decide(away(starts, ends), leave)
        except Refusal:
            continue
        leave = LEAVE.evolve(leave, event)
        days += range(starts, ends + 1)
    assert len(days) == len(set(days))
