"""Commands on the daily work beside visits: policies, major changes, schools, holidays, and a cadre's own days."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from services.visits.domain import attendance
from services.visits.domain.attendance import LEAVE, WORK_LOG, LeaveBy, RecordWorkLog, TakeLeave, WorkLogBy
from services.visits.domain.holiday_plan import HOLIDAY_PLAN, AdoptHolidayPlan, JudgedHolidayPlan, plan_stream
from services.visits.domain.major_change import CHANGE, JudgedChange, ReportMajorChange
from services.visits.domain.school_visit import (
    SCHOOL_VISIT,
    JudgedSchoolVisit,
    LaterSchoolVisit,
    LogSchoolVisit,
)
from services.visits.domain.visit_policy import VISIT_POLICY, AdoptVisitPolicy, policy_stream
from services.visits.handlings.visits import doubts
from shared.commands.command import Command, Handling, Meanwhile, Target, as_it_is
from shared.standing.look_up import StandingLookUp


def handlings(standings: StandingLookUp) -> list[Handling[Any]]:
    async def judged(command: ReportMajorChange, person: str) -> JudgedChange:
        found = await standings.on(command.occurred_on, [command.child])
        return JudgedChange(**dict(command), person=person, standing=found[command.child])

    async def judged_school(command: LogSchoolVisit, person: str) -> JudgedSchoolVisit:
        found = await standings.on(command.occurred_on, [one.child for one in command.words])
        later = isinstance(command, LaterSchoolVisit)
        return JudgedSchoolVisit(**dict(command), person=person, standings=found, later=later)

    async def judged_plan(command: AdoptHolidayPlan, person: str) -> JudgedHolidayPlan:
        found = await standings.on(command.occurred_on, command.watch.reveal())
        return JudgedHolidayPlan(**dict(command), person=person, standings=found)

    return [
        Handling(
            AdoptVisitPolicy,
            action="adopt_visit_policy",
            targets=lambda c: (Target(policy_stream(c.division), VISIT_POLICY),),
            division=lambda c, _: c.division,
        ),
        Handling(
            ReportMajorChange,
            action="log_visit",
            targets=lambda c: (Target(c.change, CHANGE),),
            division=lambda c, _: c.village,
            follows_files=True,
            learn=judged,
            from_device=as_it_is,
        ),
        Handling(
            LogSchoolVisit,
            action="log_visit",
            targets=lambda c: (Target(c.visit, SCHOOL_VISIT),),
            division=lambda c, _: c.village,
            follows_files=True,
            learn=judged_school,
            from_device=_later,
        ),
        Handling(
            AdoptHolidayPlan,
            action="adopt_holiday_plan",
            targets=lambda c: (Target(plan_stream(c.village), HOLIDAY_PLAN),),
            division=lambda c, _: c.village,
            learn=judged_plan,
            from_device=as_it_is,
        ),
        Handling(
            RecordWorkLog,
            action="record_work_log",
            targets=lambda c: (Target(attendance.log_stream(c.person, c.day), WORK_LOG),),
            division=lambda c, _: c.village,
            learn=_own(WorkLogBy),
            from_device=as_it_is,
        ),
        Handling(
            TakeLeave,
            action="record_work_log",
            targets=lambda c: (Target(attendance.leave_stream(c.person), LEAVE),),
            division=lambda c, _: c.village,
            learn=_own(LeaveBy),
            from_device=as_it_is,
        ),
    ]


def _later(command: LogSchoolVisit, meanwhile: Meanwhile) -> LaterSchoolVisit:
    return LaterSchoolVisit(**dict(command), doubts=doubts(meanwhile))


def _own(by: type[Any]) -> Callable[[Command, str], Awaitable[Command]]:
    """The command names a person; who gives it is another field."""

    async def learn(command: Command, teller: str) -> Command:
        told: Command = by(**dict(command), teller=teller)
        return told

    return learn
