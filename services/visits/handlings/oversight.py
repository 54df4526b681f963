"""Commands on whose work a visit is, and on what a supervisor looks at."""

from __future__ import annotations

from typing import Any

from services.visits.domain import appointment, plausibility
from services.visits.domain.appointment import (
    APPOINTMENT,
    CancellationBy,
    CancelVisit,
    JudgedPlan,
    JudgedRescheduling,
    PlanVisit,
    RescheduleVisit,
)
from services.visits.domain.assignment import ASSIGNMENT, AssignVisits, JudgedAssignment, assignment_stream
from services.visits.domain.plausibility import FLAG, ClearanceBy, ClearPlausibility, FlagPlausibility
from shared.commands.command import Handling, Target, as_it_is, told_by
from shared.identity.access import VISITING, Directory, permitted
from shared.standing.look_up import StandingLookUp


def handlings(standings: StandingLookUp, directory: Directory) -> list[Handling[Any]]:
    judging = _Judging(standings, directory)
    return [
        Handling(
            AssignVisits,
            action="assign_visits",
            targets=lambda c: (Target(assignment_stream(c.village), ASSIGNMENT),),
            division=lambda c, _: c.village,
            follows_files=True,
            learn=judging.assignment,
        ),
        Handling(
            PlanVisit,
            action="plan_visit",
            targets=lambda c: (Target(c.appointment, APPOINTMENT),),
            division=lambda c, _: c.village,
            follows_files=True,
            learn=judging.plan,
            from_device=as_it_is,
        ),
        Handling(
            RescheduleVisit,
            action="plan_visit",
            targets=lambda c: (Target(c.appointment, APPOINTMENT),),
            division=lambda _, states: appointment.village_of(states[0]),
            told_by_state=True,
            learn=judging.rescheduling,
            from_device=as_it_is,
        ),
        Handling(
            CancelVisit,
            action="plan_visit",
            targets=lambda c: (Target(c.appointment, APPOINTMENT),),
            division=lambda _, states: appointment.village_of(states[0]),
            told_by_state=True,
            learn=told_by(CancellationBy),
            from_device=as_it_is,
        ),
        Handling(
            FlagPlausibility,
            # Nobody but the policy flags: until then a flag has no village that a person could have a right in.
            action="check_visit",
            targets=lambda c: (Target(plausibility.flag_of(c), FLAG),),
            division=lambda _, states: plausibility.village_of(states[0]),
            told_by_state=True,
        ),
        Handling(
            ClearPlausibility,
            action="check_visit",
            targets=lambda c: (Target(c.flag, FLAG),),
            division=lambda _, states: plausibility.village_of(states[0]),
            told_by_state=True,
            learn=told_by(ClearanceBy),
        ),
    ]


class _Judging:
    """Tells a command how the children stand on the day it is about, and whether its visitor holds an office then."""

    def __init__(self, standings: StandingLookUp, directory: Directory) -> None:
        self._standings = standings
        self._directory = directory

    async def assignment(self, command: AssignVisits, person: str) -> JudgedAssignment:
        standings = await self._standings.on(command.starts, command.children)
        visits = await permitted(self._directory, command.visitor, VISITING, command.village, command.starts)
        return JudgedAssignment(**dict(command), person=person, standings=standings, visitor_in_office=visits)

    async def plan(self, command: PlanVisit, person: str) -> JudgedPlan:
        standings = await self._standings.on(command.planned_for, [command.child])
        visits = await self._may_visit(command)
        return JudgedPlan(**dict(command), person=person, standing=standings[command.child], assignee_in_office=visits)

    async def rescheduling(self, command: RescheduleVisit, person: str) -> JudgedRescheduling:
        return JudgedRescheduling(**dict(command), person=person, assignee_in_office=await self._may_visit(command))

    async def _may_visit(self, command: PlanVisit | RescheduleVisit) -> bool:
        return await permitted(self._directory, command.assignee, VISITING, command.village, command.planned_for)
