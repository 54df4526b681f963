"""The rules of a visit."""

from datetime import date

from services.visits.domain.visit import (
    VISIT,
    ChildNamedTwice,
    JudgedVisit,
    LogVisit,
    VisitAlreadyLogged,
    VisitStandsElsewhere,
)
from shared.contracts.values import VisitPurpose
from shared.contracts.visits import VisitLogged
from shared.eventlog.placement import new_id
from shared.standing.standing import ChildFileWasClosed, ChildNotOnFile, Standing
from tests.support.builders import VILLAGE, a_visit
from tests.support.specification import given

HOUSEHOLD = new_id("household")
CHILD = new_id("child", beside=HOUSEHOLD)
OPEN = Standing(village=VILLAGE, open=True)


def judged(visit: LogVisit, standing: Standing | None) -> JudgedVisit:
    return JudgedVisit(**dict(visit), person="alice", standings={f.child: standing for f in visit.findings})


def logged(visit: LogVisit, stale: bool = False) -> VisitLogged:
    return VisitLogged(
        visit=visit.visit,
        household=visit.household,
        village=visit.village,
        kind=visit.kind,
        purposes=visit.purposes,
        visited_on=date(2026, 8, 14),
        findings=visit.findings,
        on_stale_standing=stale,
        visitors=("alice",),
    )


def test_a_visit_is_logged_on_the_day_it_happened():
    visit = a_visit(HOUSEHOLD, CHILD)
    given(VISIT).when(judged(visit, OPEN)).then(logged(visit))


def test_a_visit_is_logged_once():
    visit = a_visit(HOUSEHOLD, CHILD)
    given(VISIT, logged(visit)).when(judged(visit, OPEN)).then_refused(VisitAlreadyLogged)


def test_a_visit_of_several_purposes_is_one_visit_and_counts_each_purpose_once():
    several = (VisitPurpose.POVERTY, VisitPurpose.LEFT_BEHIND, VisitPurpose.POVERTY)
    [event] = VISIT.decide(judged(a_visit(HOUSEHOLD, CHILD, purposes=several), OPEN), VISIT.initial)
    assert event.purposes == (VisitPurpose.POVERTY, VisitPurpose.LEFT_BEHIND)


def test_a_visit_on_outdated_knowledge_is_accepted_and_flagged():
    visit = a_visit(HOUSEHOLD, CHILD)
    given(VISIT).when(judged(visit, Standing(VILLAGE, open=True, fresh=False))).then(logged(visit, stale=True))


def test_a_visit_to_a_file_that_was_closed_is_refused():
    given(VISIT).when(judged(a_visit(HOUSEHOLD, CHILD), Standing(VILLAGE, open=False))).then_refused(ChildFileWasClosed)


def test_a_visit_to_a_child_that_nobody_knows_is_refused():
    given(VISIT).when(judged(a_visit(HOUSEHOLD, CHILD), None)).then_refused(ChildNotOnFile)
    erased = Standing(VILLAGE, open=True, erased=True)
    given(VISIT).when(judged(a_visit(HOUSEHOLD, CHILD), erased)).then_refused(ChildNotOnFile)


def test_a_visit_is_logged_where_the_child_lived_and_says_nothing_of_where_that_is():
    elsewhere = Standing("520303105202", open=True)
    given(VISIT).when(judged(a_visit(HOUSEHOLD, CHILD), elsewhere)).then_refused(ChildNotOnFile)


def test_a_visit_stands_beside_its_household():
    household = "household-00000000-0000-7000-8000-000000000001"
    child = "child-00000000-0000-7000-8000-000000000002"
    given(VISIT).when(judged(a_visit(household, child), OPEN)).then_refused(VisitStandsElsewhere)


def test_a_child_has_one_finding_in_a_visit():
    given(VISIT).when(judged(a_visit(HOUSEHOLD, CHILD, CHILD), OPEN)).then_refused(ChildNamedTwice)
