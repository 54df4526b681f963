"""What a visit is held to beyond its standing: birth, answers, amendments, its check, and what a device tells later."""

from datetime import date, timedelta
from typing import Any

import pytest

from services.visits.domain.form import AnswerRefused, FormUnknown
from services.visits.domain.visit import (
    VISIT,
    AlreadyVerified,
    AmendmentOutOfDate,
    ChildNotInVisit,
    ChildWithoutAnswer,
    JudgedAmendment,
    JudgedAttempt,
    JudgedVisit,
    NextVisitPassed,
    NobodyMet,
    NotYourVisit,
    OneAnswerForAll,
    VisitAlreadyLogged,
    VisitBeforeBirth,
    VisitIsReturned,
    VisitorVerifies,
    VisitReturn,
    VisitVerification,
)
from shared.commands.command import NotOnFile
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import (
    AmendReason,
    Danger,
    Present,
    ReturnReason,
    VerifyMethod,
    VisitDoubt,
    VisitKind,
)
from shared.contracts.visits import (
    ChildFinding,
    Location,
    ParentsContact,
    VisitAmended,
    VisitAttempted,
    VisitLogged,
    VisitReturned,
    VisitVerified,
)
from shared.eventlog.placement import new_id
from shared.standing.standing import ChildFileWasClosed, ChildNotOnFile, Standing
from tests.support.builders import TOLD, VILLAGE, a_visit, care
from tests.support.specification import given

HOUSEHOLD = new_id("household")
CHILD = new_id("child", beside=HOUSEHOLD)
DAY = date(2026, 8, 14)
OPEN = Standing(village=VILLAGE, open=True)
CLOSED = Standing(village=VILLAGE, open=False)

ALL_WELL: dict[str, Any] = {
    "alone": False,
    "hurt": False,
    "self_harm": False,
    "out_of_school": False,
    "meals": "good",
    "clothing": "good",
    "daily_care": "fair",
    "ill": False,
    "attendance": "regular",
    "homework": "good",
    "mood": "good",
    "sleep": "good",
    "friends": "fair",
}


def finding(child: str = CHILD, **changes: Any) -> ChildFinding:
    return ChildFinding(**{"child": child, "life": Personal("衣食无忧")} | changes)


def judged(*findings: ChildFinding, standing: Standing | None = OPEN, **changes: Any) -> JudgedVisit:
    visit = a_visit(HOUSEHOLD, CHILD, findings=findings or (finding(),))
    standings = {one.child: standing for one in visit.findings}
    return JudgedVisit(**dict(visit) | {"person": "alice", "standings": standings} | changes)


def decided(command: JudgedVisit) -> VisitLogged:
    [event] = VISIT.decide(command, VISIT.initial)
    assert isinstance(event, VisitLogged)
    return event


LOGGED = decided(judged(visit=new_id("visit", beside=HOUSEHOLD)))


def amendment(**changes: Any) -> JudgedAmendment:
    fields: dict[str, Any] = {
        "visit": LOGGED.visit,
        "village": VILLAGE,
        "amends": 0,
        "finding": finding(life=Personal("缺冬衣")),
        "reason": AmendReason.SLIP,
        "person": "alice",
        "occurred_at": TOLD,
    }
    return JudgedAmendment(**fields | changes)


def amended(number: int = 1, **changes: Any) -> VisitAmended:
    told = amendment(**changes)
    return VisitAmended(
        visit=told.visit, number=number, finding=told.finding, reason=told.reason, amended_by=told.person
    )


def check(person: str = "ping") -> VisitVerification:
    return VisitVerification(visit=LOGGED.visit, method=VerifyMethod.PHONE, person=person)


def sent_back(person: str = "ping") -> VisitReturn:
    return VisitReturn(visit=LOGGED.visit, reason=ReturnReason.INCOMPLETE, person=person)


VERIFIED = VisitVerified(visit=LOGGED.visit, verified_by="ping", method=VerifyMethod.PHONE)
RETURNED = VisitReturned(
    visit=LOGGED.visit,
    village=VILLAGE,
    visitors=("alice",),
    returned_by="ping",
    reason=ReturnReason.INCOMPLETE,
)


def test_whoever_tells_a_visit_was_there_with_those_who_came_along():
    assert decided(judged(visitors=("bo", "alice"))).visitors == ("alice", "bo")


def test_a_visit_before_the_birth_of_its_child_is_refused():
    given(VISIT).when(judged(unborn=frozenset({CHILD}))).then_refused(VisitBeforeBirth)


def test_a_child_of_whom_nothing_is_said_was_not_seen():
    given(VISIT).when(judged(ChildFinding(child=CHILD, wishes=Personal("书包")))).then_refused(ChildWithoutAnswer)


def test_one_answer_for_many_children_is_refused_and_for_two_siblings_it_is_not():
    children = [new_id("child", beside=HOUSEHOLD) for _ in range(10)]
    given(VISIT).when(judged(*map(finding, children))).then_refused(OneAnswerForAll)
    assert len(decided(judged(*map(finding, children[:2]))).findings) == 2
    different = [finding(child, life=Personal(f"第{n}个")) for n, child in enumerate(children)]
    assert len(decided(judged(*different)).findings) == 10


def test_a_telephone_call_is_no_home_visit():
    by_phone = finding(met=Personal((Present.PARENT_BY_PHONE, Present.CHILD_BY_PHONE)))
    given(VISIT).when(judged(by_phone)).then_refused(NobodyMet)
    assert decided(judged(by_phone, kind=VisitKind.PHONE)).kind is VisitKind.PHONE
    assert decided(judged(finding(met=Personal((Present.CAREGIVER,))))).kind is VisitKind.HOME


def test_the_next_visit_comes_after_this_one():
    given(VISIT).when(judged(next_on=DAY)).then_refused(NextVisitPassed)
    assert decided(judged(next_on=DAY + timedelta(30))).next_on == DAY + timedelta(30)


def test_a_location_is_coarse():
    assert Location(longitude=107.123456, latitude=27.98765).longitude == 107.123


def test_a_form_that_is_filled_in_is_logged_with_its_version():
    event = decided(judged(ChildFinding(child=CHILD, answers=Personal(ALL_WELL)), form="HOME-1"))
    assert (event.form, event.findings[0].dangers) == ("HOME-1", None)
    with_contact = finding(parents_contact=Personal(ParentsContact(last_on=DAY)))
    assert decided(judged(with_contact)).findings[0] == with_contact


@pytest.mark.parametrize(
    ("changed", "saying"),
    [
        ({"mood": "splendid"}, "mood"),
        ({"mood": None}, "mood: no answer"),
        ({"treated": True}, "treated: not asked"),
        ({"ill": True}, "treated: no answer"),
        ({"ill": "yes"}, "ill"),
        ({"home_dangers": ("fire", "wolves")}, "home_dangers"),
        ({"days_since_parents": -1}, "days_since_parents"),
        ({"days_since_parents": True}, "days_since_parents"),
        ({"weather": "fine"}, "no question weather"),
    ],
)
def test_an_answer_that_does_not_fit_its_question_is_refused_by_name(changed, saying):
    answers = {key: answer for key, answer in (ALL_WELL | changed).items() if answer is not None}
    command = judged(ChildFinding(child=CHILD, answers=Personal(answers)), form="HOME-1")
    given(VISIT).when(command).then_refused(AnswerRefused, saying)


def test_a_question_that_is_skipped_needs_no_answer_and_one_that_is_asked_does():
    out = {**ALL_WELL, "out_of_school": True}
    given(VISIT).when(judged(ChildFinding(child=CHILD, answers=Personal(out)), form="HOME-1")).then_refused(
        AnswerRefused, "attendance: not asked"
    )
    out = {key: answer for key, answer in out.items() if key not in ("attendance", "homework")}
    event = decided(judged(ChildFinding(child=CHILD, answers=Personal(out)), form="HOME-1"))
    assert event.findings[0].dangers == Counted((Danger.OUT_OF_SCHOOL,))


def test_a_form_without_answers_or_for_another_kind_of_visit_is_refused():
    given(VISIT).when(judged(form="HOME-1")).then_refused(AnswerRefused)
    given(VISIT).when(judged(form="HOME-1", kind=VisitKind.PHONE)).then_refused(FormUnknown)
    given(VISIT).when(judged(form="HOME-999")).then_refused(FormUnknown)


def test_care_that_nobody_gives_is_a_danger_that_the_event_names():
    event = decided(judged(finding(care_found=care(alone=True))))
    assert event.findings[0].dangers == Counted((Danger.LIVING_ALONE,))


def test_what_a_device_tells_of_a_file_that_was_closed_meanwhile_is_kept_and_doubted():
    event = decided(judged(standing=CLOSED, later=True, doubts=(VisitDoubt.OFFICE_ENDED,)))
    assert event.doubts == (VisitDoubt.OFFICE_ENDED, VisitDoubt.FILE_WAS_CLOSED)
    given(VISIT).when(judged(standing=CLOSED)).then_refused(ChildFileWasClosed)
    given(VISIT).when(judged(standing=None, later=True)).then_refused(ChildNotOnFile)


def an_attempt(**changes: Any) -> JudgedAttempt:
    fields: dict[str, Any] = {
        "visit": new_id("visit", beside=HOUSEHOLD),
        "household": HOUSEHOLD,
        "village": VILLAGE,
        "children": (CHILD, CHILD),
        "occurred_at": TOLD,
        "standings": {CHILD: OPEN},
    }
    return JudgedAttempt(**fields | changes)


def test_that_nobody_was_at_home_is_on_record():
    told = an_attempt(next_on=DAY)
    attempted = VisitAttempted(
        visit=told.visit, household=HOUSEHOLD, village=VILLAGE, children=(CHILD,), attempted_on=DAY, next_on=DAY
    )
    given(VISIT).when(told).then(attempted)
    given(VISIT, attempted).when(told).then_refused(VisitAlreadyLogged)
    given(VISIT, attempted).when(check()).then_refused(NotOnFile)
    given(VISIT).when(an_attempt(next_on=DAY - timedelta(1))).then_refused(NextVisitPassed)
    given(VISIT).when(an_attempt(standings={CHILD: None})).then_refused(ChildNotOnFile)


def test_a_visit_is_amended_by_who_was_there():
    given(VISIT, LOGGED).when(amendment()).then(amended())
    given(VISIT, LOGGED, amended()).when(amendment(amends=1)).then(amended(2))
    given(VISIT, LOGGED).when(amendment(person="bo")).then_refused(NotYourVisit)
    given(VISIT).when(amendment()).then_refused(NotOnFile)
    given(VISIT, LOGGED).when(amendment(village="520303105202")).then_refused(NotOnFile)


def test_an_amendment_is_of_the_last_one():
    given(VISIT, LOGGED, amended()).when(amendment()).then_refused(AmendmentOutOfDate)
    given(VISIT, LOGGED).when(amendment(amends=1)).then_refused(AmendmentOutOfDate)


def test_an_amendment_is_held_to_what_the_visit_is_held_to():
    other = finding(new_id("child", beside=HOUSEHOLD))
    given(VISIT, LOGGED).when(amendment(finding=other)).then_refused(ChildNotInVisit)
    given(VISIT, LOGGED).when(amendment(form="HOME-1")).then_refused(FormUnknown)
    given(VISIT, LOGGED).when(amendment(finding=ChildFinding(child=CHILD))).then_refused(ChildWithoutAnswer)


def test_a_visit_is_verified_once_by_who_was_not_there():
    given(VISIT, LOGGED).when(check()).then(VERIFIED)
    given(VISIT, LOGGED).when(check("alice")).then_refused(VisitorVerifies)
    given(VISIT, LOGGED, VERIFIED).when(check()).then_refused(AlreadyVerified)
    given(VISIT).when(check()).then_refused(NotOnFile)


def test_a_returned_visit_waits_for_its_amendment():
    given(VISIT, LOGGED).when(sent_back()).then(RETURNED)
    given(VISIT, LOGGED).when(sent_back("alice")).then_refused(VisitorVerifies)
    given(VISIT, LOGGED, RETURNED).when(check()).then_refused(VisitIsReturned)
    given(VISIT, LOGGED, RETURNED).when(sent_back()).then_refused(VisitIsReturned)
    given(VISIT, LOGGED, RETURNED, amended()).when(check()).then(VERIFIED)
