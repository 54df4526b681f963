"""A concern from its raising to its closing, and the concerns that visits find."""

from datetime import date, timedelta
from typing import Any

import pytest

from services.visits.domain import concern
from services.visits.domain.concern import (
    CONCERN,
    DAYS,
    FOLLOWER,
    AssignmentBy,
    ClosureBy,
    ConcernAlreadyRaised,
    ConcernIsClosed,
    ConcernIsUnresolved,
    ConcernNotResolved,
    ConcernStandsElsewhere,
    DueBeforeToday,
    EscalationBy,
    JudgedConcern,
    MoveBy,
    NothingAbove,
    NotMovedByHand,
    NotReferred,
    ProgressBy,
    ReferralAnswerBy,
    ReferralBy,
    ReopeningBy,
    ResolutionBy,
    ResolverVerifies,
    WrongRoute,
)
from services.visits.domain.visit import JudgedVisit
from shared.commands.command import Command, NotOnFile
from shared.contracts.concerns import (
    ConcernAssigned,
    ConcernClosureVerified,
    ConcernEscalated,
    ConcernFound,
    ConcernMoved,
    ConcernProgressed,
    ConcernRaised,
    ConcernReferred,
    ConcernReopened,
    ConcernResolved,
    ReferralAnswered,
)
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import Body, ConcernKind
from shared.eventlog.placement import new_id
from shared.standing.standing import ChildFileWasClosed, ChildNotOnFile, Standing
from tests.support.builders import TOLD, VILLAGE, a_visit
from tests.support.specification import given

HOUSEHOLD = new_id("household")
CHILD = new_id("child", beside=HOUSEHOLD)
ID = new_id("concern", beside=CHILD)
DAY = date(2026, 8, 14)
WEEK = DAY + timedelta(days=DAYS[2])
TEXT = Personal("缺冬衣")


def wish(**changes: Any) -> JudgedConcern:
    fields: dict[str, Any] = {
        "occurred_at": TOLD,
        "concern": ID,
        "village": VILLAGE,
        "child": CHILD,
        "kind": Counted(ConcernKind.LIVELIHOOD),
        "severity": Counted(2),
        "text": TEXT,
        "person": "alice",
        "standing": Standing(VILLAGE, open=True),
    }
    return JudgedConcern(**fields | changes)


def raised(**changes: Any) -> ConcernRaised:
    fields: dict[str, Any] = {
        "concern": ID,
        "about": CHILD,
        "village": VILLAGE,
        "kind": Counted(ConcernKind.LIVELIHOOD),
        "severity": Counted(2),
        "text": TEXT,
        "raised_by": "alice",
        "raised_on": DAY,
        "owner": Body.TOWNSHIP,
        "due": WEEK,
    }
    return ConcernRaised(**fields | changes)


def told(command: type[Command], **fields: Any) -> Any:
    return command(**{"concern": ID, "person": "bo", "occurred_at": TOLD} | fields)


RAISED = raised()
RESOLVED = ConcernResolved(concern=ID, about=CHILD, text=TEXT, resolved_by="bo", resolved_on=DAY)
CLOSED = ConcernClosureVerified(concern=ID, verified_by="chen")
REFERRED = ConcernReferred(concern=ID, body=Body.HEALTH, referred_by="bo", due=WEEK)


def test_a_concern_is_raised_for_an_owner_and_a_day():
    given(CONCERN).when(wish()).then(RAISED)
    given(CONCERN, RAISED).when(wish()).then_refused(ConcernAlreadyRaised)


@pytest.mark.parametrize(
    ("severity", "owner", "days"), [(1, Body.VILLAGE, 30), (2, Body.TOWNSHIP, 7), (3, Body.CIVIL_AFFAIRS, 1)]
)
def test_the_graver_a_concern_the_higher_its_owner_and_the_sooner_its_day(severity, owner, days):
    [event] = CONCERN.decide(wish(severity=Counted(severity)), CONCERN.initial)
    assert (event.owner, event.due) == (owner, DAY + timedelta(days=days))


def test_a_concern_is_about_a_child_a_household_or_a_village():
    of_house = raised(about=HOUSEHOLD)
    given(CONCERN).when(wish(child=None, household=HOUSEHOLD, standing=None)).then(of_house)
    given(CONCERN).when(wish(child=None, standing=None)).then(raised(about=ID))


def test_a_concern_about_a_child_that_is_not_on_file_there_is_refused():
    given(CONCERN).when(wish(standing=None)).then_refused(ChildNotOnFile)
    given(CONCERN).when(wish(standing=Standing("520303105202", open=True))).then_refused(ChildNotOnFile)
    given(CONCERN).when(wish(standing=Standing(VILLAGE, open=False))).then_refused(ChildFileWasClosed)


def test_a_concern_stands_beside_whom_it_is_about():
    child = "child-00000000-0000-7000-8000-000000000001"
    elsewhere = "concern-00000000-0000-7000-8000-000000000002"
    given(CONCERN).when(wish(child=child, concern=elsewhere)).then_refused(ConcernStandsElsewhere)


@pytest.mark.parametrize(
    ("kind", "body"), [(ConcernKind.NO_REGISTRATION, Body.POLICE), (ConcernKind.DROPOUT, Body.EDUCATION)]
)
def test_a_concern_with_a_fixed_route_is_passed_on_at_once_and_to_nobody_else(kind, body):
    known = raised(kind=Counted(kind))
    passed_on = ConcernReferred(concern=ID, body=body, referred_by="alice", due=WEEK)
    given(CONCERN).when(wish(kind=Counted(kind))).then(known, passed_on)
    given(CONCERN, known).when(told(ReferralBy, body=Body.HEALTH)).then_refused(WrongRoute)


def test_a_concern_is_assigned_until_a_day_that_is_to_come():
    assigned = ConcernAssigned(concern=ID, owner=Body.VILLAGE, assignee="dan", assigned_by="bo", due=WEEK)
    given(CONCERN, RAISED).when(told(AssignmentBy, owner=Body.VILLAGE, assignee="dan")).then(assigned)
    late = told(AssignmentBy, owner=Body.VILLAGE, due=DAY - timedelta(1))
    given(CONCERN, RAISED).when(late).then_refused(DueBeforeToday)


def test_work_on_a_concern_is_told_and_brings_it_to_its_resolution():
    progressed = ConcernProgressed(concern=ID, about=CHILD, text=TEXT, by="bo")
    given(CONCERN, RAISED).when(told(ProgressBy, text=TEXT)).then(progressed)
    given(CONCERN, RAISED, progressed).when(told(ResolutionBy, text=TEXT)).then(RESOLVED)


def test_work_that_a_device_tells_late_takes_no_resolution_back():
    progressed = ConcernProgressed(concern=ID, about=CHILD, text=TEXT, by="bo")
    assigned = ConcernAssigned(concern=ID, owner=Body.VILLAGE, assigned_by="bo", due=WEEK)
    for late in (progressed, assigned):
        given(CONCERN, RAISED, RESOLVED, late).when(told(ClosureBy, person="chen")).then(CLOSED)


def test_who_resolved_a_concern_does_not_close_it():
    given(CONCERN, RAISED, RESOLVED).when(told(ClosureBy, person="chen")).then(CLOSED)
    given(CONCERN, RAISED, RESOLVED).when(told(ClosureBy)).then_refused(ResolverVerifies)
    given(CONCERN, RAISED).when(told(ClosureBy)).then_refused(ConcernNotResolved)


def test_a_concern_that_was_not_settled_after_all_is_reopened():
    reopened = ConcernReopened(concern=ID, about=CHILD, reason=TEXT, reopened_by="bo", due=WEEK)
    given(CONCERN, RAISED, RESOLVED).when(told(ReopeningBy, reason=TEXT)).then(reopened)
    given(CONCERN, RAISED, RESOLVED, CLOSED).when(told(ReopeningBy, reason=TEXT)).then(reopened)
    given(CONCERN, RAISED).when(told(ReopeningBy, reason=TEXT)).then_refused(ConcernIsUnresolved)


def test_a_concern_goes_up_to_the_county_and_no_further():
    up = ConcernEscalated(concern=ID, owner=Body.CIVIL_AFFAIRS, escalated_by="bo", due=WEEK)
    given(CONCERN, RAISED).when(told(EscalationBy)).then(up)
    given(CONCERN, RAISED, up).when(told(EscalationBy)).then_refused(NothingAbove)


def test_a_body_that_was_asked_answers_once():
    given(CONCERN, RAISED).when(told(ReferralBy, body=Body.HEALTH)).then(REFERRED)
    answer = told(ReferralAnswerBy, body=Body.HEALTH, answer=TEXT)
    answered = ReferralAnswered(concern=ID, about=CHILD, body=Body.HEALTH, answer=TEXT, recorded_by="bo")
    given(CONCERN, RAISED, REFERRED).when(answer).then(answered)
    given(CONCERN, RAISED, REFERRED, answered).when(answer).then_refused(NotReferred)
    given(CONCERN, RAISED).when(answer).then_refused(NotReferred)


ON_A_CONCERN = [
    told(AssignmentBy, owner=Body.VILLAGE),
    told(ProgressBy, text=TEXT),
    told(ResolutionBy, text=TEXT),
    told(ClosureBy),
    told(EscalationBy),
    told(ReferralBy, body=Body.HEALTH),
    told(ReferralAnswerBy, body=Body.HEALTH, answer=TEXT),
]


@pytest.mark.parametrize("command", ON_A_CONCERN, ids=lambda command: type(command).__name__)
def test_nothing_is_told_of_a_concern_that_is_closed_or_unknown(command):
    given(CONCERN, RAISED, RESOLVED, CLOSED).when(command).then_refused(ConcernIsClosed)
    given(CONCERN).when(command).then_refused(NotOnFile)
    given(CONCERN).when(told(ReopeningBy, reason=TEXT)).then_refused(NotOnFile)


def test_a_visit_finds_one_concern_of_a_kind_however_often():
    visit = a_visit(HOUSEHOLD, CHILD)
    finding = JudgedVisit(**dict(visit), person="alice", standings={CHILD: Standing(VILLAGE, open=True)})
    found = concern.found(CHILD, ConcernKind.SAFETY, 2)
    stream = concern.found_stream(CHILD, ConcernKind.SAFETY)
    first = raised(concern=stream, kind=Counted(ConcernKind.SAFETY), text=None, found_at=visit.visit)
    given(found).when(finding).then(first)
    given(found, first).when(finding).then(ConcernFound(concern=stream, found_at=visit.visit, child=CHILD))
    given(found, first, RESOLVED, CLOSED).when(finding).then(first)


def test_a_concern_follows_its_child_open_or_closed_and_back():
    there = "520303105202"
    move = told(MoveBy, village=there, person=FOLLOWER)
    moved = ConcernMoved(concern=ID, about=CHILD, village=there)
    given(CONCERN, RAISED).when(move).then(moved)
    given(CONCERN, RAISED, RESOLVED, CLOSED).when(move).then(moved)
    given(CONCERN, RAISED, moved).when(move).then()
    back = move.model_copy(update={"village": VILLAGE})
    given(CONCERN, RAISED, moved).when(back).then(moved.model_copy(update={"village": VILLAGE}))
    assert concern.village_of(CONCERN.evolve(CONCERN.evolve(CONCERN.initial, RAISED), moved)) == there


def test_nobody_moves_a_concern_by_hand_and_none_that_is_unknown_is_moved():
    given(CONCERN, RAISED).when(told(MoveBy, village="520303105202")).then_refused(NotMovedByHand)
    given(CONCERN).when(told(MoveBy, village="520303105202", person=FOLLOWER)).then_refused(NotOnFile)
