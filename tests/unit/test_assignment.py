"""Whose the children of a village are to visit, and the visits that are planned with them."""

from datetime import date, timedelta

import pytest

from services.reporting.duties.appointments import Assigned, Owner, Planned, open_plans, owner_of
from services.reporting.duties.derivation import Facts, Move, Seen, Turn
from services.visits.domain.appointment import (
    APPOINTMENT,
    AlreadyCancelled,
    AppointmentAlreadyMade,
    AppointmentCancelled,
    AppointmentStandsElsewhere,
    AsPlanned,
    CancellationBy,
    JudgedPlan,
    JudgedRescheduling,
    PlannedForThePast,
    ReasonNotAccepted,
)
from services.visits.domain.assignment import (
    ASSIGNMENT,
    AlreadyAssigned,
    JudgedAssignment,
    VisitorHoldsNoOffice,
    assignment_stream,
)
from shared.commands.command import NotOnFile
from shared.contracts.oversight import PlanChange, VisitCancelled, VisitPlanned, VisitRescheduled, VisitsAssigned
from shared.contracts.values import Role, VisitKind
from shared.contracts.visit_policy import SHIPPED
from shared.eventlog.placement import new_id
from shared.identity.access import Grant, Grants
from shared.standing.standing import ChildFileWasClosed, ChildNotOnFile, Standing
from tests.support.builders import TOLD, VILLAGE
from tests.support.specification import given

DAY = date(2026, 8, 14)
ONE, OTHER = new_id("child"), new_id("child")
HERE = Standing(VILLAGE, open=True)
APPOINTED = new_id("appointment", beside=ONE)
PATH = ("52", "520303", VILLAGE)


def wish(
    *children: str, standing: Standing | None = HERE, office: bool = True, visitor: str = "bo", starts: date = DAY
):
    return JudgedAssignment(
        occurred_at=TOLD,
        village=VILLAGE,
        children=children,
        visitor=visitor,
        starts=starts,
        person="supervisor",
        standings=dict.fromkeys(children, standing),
        visitor_in_office=office,
    )


def assigned(*children: str, visitor: str = "bo", starts: date = DAY) -> VisitsAssigned:
    return VisitsAssigned(
        assignment=assignment_stream(VILLAGE),
        village=VILLAGE,
        children=children,
        visitor=visitor,
        starts=starts,
        assigned_by="supervisor",
    )


def test_many_children_are_given_to_a_visitor_in_one_command():
    given(ASSIGNMENT).when(wish(ONE, OTHER, ONE)).then(assigned(ONE, OTHER))


def test_only_those_who_are_not_the_visitors_already_are_moved():
    given(ASSIGNMENT, assigned(ONE)).when(wish(ONE, OTHER)).then(assigned(OTHER))
    given(ASSIGNMENT, assigned(ONE)).when(wish(ONE)).then_refused(AlreadyAssigned)
    given(ASSIGNMENT, assigned(ONE), assigned(ONE, visitor="eve")).when(wish(ONE)).then(assigned(ONE))


def test_who_does_not_live_there_on_that_day_is_assigned_to_nobody():
    given(ASSIGNMENT).when(wish(ONE, standing=Standing("520303105202", open=True))).then_refused(ChildNotOnFile)
    given(ASSIGNMENT).when(wish(ONE, standing=None)).then_refused(ChildNotOnFile)
    given(ASSIGNMENT).when(wish(ONE, standing=Standing(VILLAGE, open=False))).then_refused(ChildFileWasClosed)


def test_who_holds_no_office_there_is_given_nobody():
    given(ASSIGNMENT).when(wish(ONE, office=False)).then_refused(VisitorHoldsNoOffice)


def plan(
    planned_for: date = DAY, standing: Standing | None = HERE, office: bool = True, beside: str = ONE
) -> JudgedPlan:
    return JudgedPlan(
        occurred_at=TOLD,
        appointment=APPOINTED,
        child=beside,
        village=VILLAGE,
        kind=VisitKind.HOME,
        planned_for=planned_for,
        assignee="bo",
        person="supervisor",
        standing=standing,
        assignee_in_office=office,
    )


PLANNED = VisitPlanned(
    appointment=APPOINTED,
    child=ONE,
    village=VILLAGE,
    kind=VisitKind.HOME,
    planned_for=DAY,
    assignee="bo",
    planned_by="supervisor",
)
CANCELLED = VisitCancelled(appointment=APPOINTED, reason=PlanChange.PLANNED_TWICE, cancelled_by="supervisor")


def rescheduling(day: date = DAY + timedelta(3), office: bool = True, village: str = VILLAGE) -> JudgedRescheduling:
    return JudgedRescheduling(
        occurred_at=TOLD,
        appointment=APPOINTED,
        village=village,
        planned_for=day,
        assignee="bo",
        reason=PlanChange.FAMILY_ASKED,
        person="supervisor",
        assignee_in_office=office,
    )


def cancelling(reason: PlanChange = PlanChange.PLANNED_TWICE) -> CancellationBy:
    return CancellationBy(occurred_at=TOLD, appointment=APPOINTED, reason=reason, person="supervisor")


def test_a_visit_is_planned_for_a_day_and_a_visitor():
    given(APPOINTMENT).when(plan()).then(PLANNED)


def test_an_appointment_is_made_once_beside_its_child_and_not_for_the_past():
    given(APPOINTMENT, PLANNED).when(plan()).then_refused(AppointmentAlreadyMade)
    elsewhere = "child-00000000-0000-7000-8000-00000000" + f"{int(ONE[-4:], 16) ^ 1:04x}"
    given(APPOINTMENT).when(plan(beside=elsewhere)).then_refused(AppointmentStandsElsewhere)
    given(APPOINTMENT).when(plan(DAY - timedelta(1))).then_refused(PlannedForThePast)


def test_a_visit_is_planned_where_the_child_lives_and_the_assignee_works():
    given(APPOINTMENT).when(plan(standing=None)).then_refused(ChildNotOnFile)
    given(APPOINTMENT).when(plan(standing=Standing(VILLAGE, open=False))).then_refused(ChildFileWasClosed)
    given(APPOINTMENT).when(plan(office=False)).then_refused(VisitorHoldsNoOffice)


def test_a_planned_visit_is_put_off():
    given(APPOINTMENT, PLANNED).when(rescheduling()).then(
        VisitRescheduled(
            appointment=APPOINTED,
            planned_for=DAY + timedelta(3),
            assignee="bo",
            reason=PlanChange.FAMILY_ASKED,
            rescheduled_by="supervisor",
        )
    )


def test_what_is_not_planned_or_cancelled_or_so_already_is_not_put_off():
    given(APPOINTMENT).when(rescheduling()).then_refused(NotOnFile)
    given(APPOINTMENT, PLANNED).when(rescheduling(village="520303105202")).then_refused(NotOnFile)
    given(APPOINTMENT, PLANNED, CANCELLED).when(rescheduling()).then_refused(AppointmentCancelled)
    given(APPOINTMENT, PLANNED).when(rescheduling(DAY)).then_refused(AsPlanned)
    given(APPOINTMENT, PLANNED).when(rescheduling(DAY - timedelta(1))).then_refused(PlannedForThePast)
    given(APPOINTMENT, PLANNED).when(rescheduling(office=False)).then_refused(VisitorHoldsNoOffice)


def test_a_planned_visit_is_cancelled_for_an_accepted_reason_once():
    given(APPOINTMENT, PLANNED).when(cancelling()).then(CANCELLED)
    given(APPOINTMENT, PLANNED).when(cancelling(PlanChange.OTHER)).then_refused(ReasonNotAccepted)
    given(APPOINTMENT, PLANNED, CANCELLED).when(cancelling()).then_refused(AlreadyCancelled)
    given(APPOINTMENT).when(cancelling()).then_refused(NotOnFile)


def grants(*ends: date | None, role: Role = Role.POSTED_CADRE, division: str = VILLAGE) -> Grants:
    return Grants(Grant("bo", role, division, date(2026, 1, 1), end, "posting") for end in ends)


@pytest.mark.parametrize(
    ("held", "owner"),
    [
        (grants(None), Owner("bo")),
        (grants(DAY + timedelta(1)), Owner("bo")),
        (grants(None, role=Role.CHILD_SUPERVISOR, division="520303"), Owner("bo")),
        (grants(DAY), Owner(None, "bo", DAY)),
        (grants(DAY - timedelta(9), DAY - timedelta(2)), Owner(None, "bo", DAY - timedelta(2))),
        (grants(DAY, division="520303105202"), Owner(None, "bo", None)),
        (grants(None, role=Role.LEADER), Owner(None, "bo", None)),
        (Grants(), Owner(None, "bo", None)),
    ],
)
def test_a_child_is_without_owner_from_the_day_its_visitor_holds_no_office_there(held: Grants, owner: Owner):
    assert owner_of([Assigned(DAY - timedelta(30), "bo")], held, PATH, DAY) == owner


def test_the_last_assignment_that_has_begun_tells_whose_a_child_is():
    told = [Assigned(DAY - timedelta(5), "eve"), Assigned(DAY, "bo"), Assigned(DAY + timedelta(1), "eve")]
    assert owner_of(told, grants(None), PATH, DAY) == Owner("bo")
    assert owner_of(told[2:], grants(None), PATH, DAY) == Owner(None)


@pytest.mark.parametrize(
    ("kind", "seen", "still_open"),
    [
        (VisitKind.HOME, (VisitKind.HOME, 0), False),
        (VisitKind.HOME, (VisitKind.MAPPING, 2), False),
        (VisitKind.HOME, (VisitKind.PHONE, 2), True),
        (VisitKind.HOME, (VisitKind.HOME, -1), True),
        (VisitKind.PHONE, (VisitKind.VIDEO, 1), False),
        (VisitKind.PHONE, (VisitKind.HOME, 1), False),
        (VisitKind.PHONE, (VisitKind.PHONE, 9), True),
    ],
)
def test_a_planned_visit_is_open_until_a_visit_of_the_child_counts_for_it(kind, seen, still_open):
    planned = Planned(APPOINTED, ONE, kind, DAY + timedelta(1), "bo", DAY)
    began = date(2026, 1, 1)
    facts = Facts([Turn(began, True)], [Move(began, VILLAGE)], seen=[Seen(DAY + timedelta(seen[1]), seen[0])])
    found = open_plans([planned], facts, lambda village, day: SHIPPED, DAY + timedelta(5))
    assert found == ([planned] if still_open else [])
