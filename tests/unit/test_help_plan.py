"""A help plan from its adoption to its closing."""

from datetime import date, timedelta
from typing import Any

import pytest

from services.visits.domain.help_plan import (
    HELP_PLAN,
    REPORT,
    AdoptHelpPlan,
    HelpPlanAlreadyAdopted,
    HelpPlanEndUnexplained,
    HelpPlanIsClosed,
    HelpPlanStandsElsewhere,
    HelpPlanUnexplained,
    JudgedHelpPlan,
    OwnerReviews,
    PlanClosedBy,
    PlanProgressBy,
    PlanReviewBy,
    ProgressSaysNothing,
    ReportNotYours,
    ReviewDayPassed,
    StepAlreadyDone,
    StepDuePassed,
    StepUnknown,
    ToldStep,
    claims,
)
from services.visits.handlings import help_plans
from shared.commands.command import Claims, Command, NotOnFile
from shared.contracts.field_work import (
    HelpPlanAdopted,
    HelpPlanClosed,
    HelpPlanProgressed,
    HelpPlanResult,
    HelpPlanReviewed,
    HelpStep,
)
from shared.contracts.protection import ProtectionReportClosed, ProtectionReportRaised, ReportReaderNamed
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import ReportResult, RiskLevel, Situation
from shared.eventlog.placement import new_id
from shared.standing.look_up import StandingUnknown
from shared.standing.standing import ChildFileWasClosed, ChildNotOnFile, Standing
from tests.support.builders import TOLD, VILLAGE
from tests.support.specification import given

CHILD = "child-00000000-0000-7000-8000-000000000001"
ID = new_id("helpplan", beside=CHILD)
REPORT_ID = new_id("report", beside=CHILD)
DAY = date(2026, 8, 14)
SOON, LATER = DAY + timedelta(7), DAY + timedelta(30)
TEXT = Personal("每周通一次电话")
GOALS = Personal("有人照料")


def wish(**changes: Any) -> JudgedHelpPlan:
    fields: dict[str, Any] = {
        "occurred_at": TOLD,
        "plan": ID,
        "child": CHILD,
        "village": VILLAGE,
        "owner": "director",
        "goals": GOALS,
        "steps": (ToldStep(text=TEXT, owner="director", due=SOON), ToldStep(text=TEXT, owner="cadre", due=DAY)),
        "review_on": LATER,
        "person": "supervisor",
        "standing": Standing(VILLAGE, open=True),
        "level": RiskLevel.HIGH,
    }
    return JudgedHelpPlan(**fields | changes)


def adopted(**changes: Any) -> HelpPlanAdopted:
    fields: dict[str, Any] = {
        "plan": ID,
        "child": CHILD,
        "village": VILLAGE,
        "owner": "director",
        "goals": GOALS,
        "steps": (HelpStep(text=TEXT, owner="director", due=SOON), HelpStep(text=TEXT, owner="cadre", due=DAY)),
        "review_on": LATER,
        "adopted_on": DAY,
        "adopted_by": "supervisor",
    }
    return HelpPlanAdopted(**fields | changes)


def told(command: type[Command], **fields: Any) -> Any:
    return command(**{"plan": ID, "person": "supervisor", "occurred_at": TOLD} | fields)


ADOPTED = adopted()
CLOSED = HelpPlanClosed(
    plan=ID, child=CHILD, result=Counted(HelpPlanResult.GOALS_REACHED), closed_on=DAY, closed_by="supervisor"
)
REVIEW = told(PlanReviewBy, text=TEXT, review_on=LATER)
CLOSING = told(PlanClosedBy, result=Counted(HelpPlanResult.GOALS_REACHED))


@pytest.mark.parametrize("level", [RiskLevel.HIGH, RiskLevel.MEDIUM_HIGH])
def test_a_child_at_risk_has_a_help_plan(level):
    given(HELP_PLAN).when(wish(level=level)).then(ADOPTED)
    given(HELP_PLAN, ADOPTED).when(wish()).then_refused(HelpPlanAlreadyAdopted)
    given(HELP_PLAN, ADOPTED, CLOSED).when(wish()).then_refused(HelpPlanAlreadyAdopted)


@pytest.mark.parametrize("level", [RiskLevel.MEDIUM, RiskLevel.LOW, None])
def test_a_child_at_less_risk_has_a_help_plan_for_a_reason_or_a_report(level):
    given(HELP_PLAN).when(wish(level=level)).then_refused(HelpPlanUnexplained)
    given(HELP_PLAN).when(wish(level=level, reason=TEXT)).then(adopted(reason=TEXT))
    given(HELP_PLAN).when(wish(level=level, report=REPORT_ID)).then(adopted(report=REPORT_ID))


def raised(child: str = CHILD) -> ProtectionReportRaised:
    return ProtectionReportRaised(
        report=REPORT_ID,
        child=child,
        village=VILLAGE,
        situation=Counted(Situation.WITHOUT_CARE),
        discovered_at=TOLD,
        reporter="director",
    )


def test_a_report_asks_for_a_plan_of_its_child_to_those_who_read_it_while_it_is_open():
    named = ReportReaderNamed(report=REPORT_ID, reader="supervisor", named_by="county")
    closed = ProtectionReportClosed(
        report=REPORT_ID, child=CHILD, result=Counted(ReportResult.SAFE), text=TEXT, closed_by="county"
    )
    command = wish(report=REPORT_ID)
    given(REPORT, raised(), named).when(command).then()
    given(REPORT, raised()).when(wish(report=REPORT_ID, person="director")).then()
    given(REPORT, raised(), named, closed, raised()).when(command).then()
    for history in ([], [raised()], [raised(), named, closed], [raised(new_id("child")), named]):
        given(REPORT, *history).when(command).then_refused(ReportNotYours)


def test_a_plan_is_for_a_child_on_file_there_and_stands_beside_it():
    given(HELP_PLAN).when(wish(standing=None)).then_refused(ChildNotOnFile)
    given(HELP_PLAN).when(wish(standing=Standing("520303105202", open=True))).then_refused(ChildNotOnFile)
    given(HELP_PLAN).when(wish(standing=Standing(VILLAGE, open=False))).then_refused(ChildFileWasClosed)
    elsewhere = "helpplan-00000000-0000-7000-8000-000000000002"
    given(HELP_PLAN).when(wish(plan=elsewhere)).then_refused(HelpPlanStandsElsewhere)


def test_what_is_planned_lies_ahead():
    late = (ToldStep(text=TEXT, owner="director", due=DAY - timedelta(1)),)
    given(HELP_PLAN).when(wish(steps=late)).then_refused(StepDuePassed)
    given(HELP_PLAN).when(wish(review_on=DAY)).then_refused(ReviewDayPassed)


def test_a_step_is_done_once_and_a_note_is_told_any_time():
    done = HelpPlanProgressed(plan=ID, child=CHILD, done=2, told_by="supervisor")
    noted = HelpPlanProgressed(plan=ID, child=CHILD, done=None, note=TEXT, told_by="supervisor")
    given(HELP_PLAN, ADOPTED).when(told(PlanProgressBy, done=2)).then(done)
    given(HELP_PLAN, ADOPTED, done).when(told(PlanProgressBy, note=TEXT)).then(noted)
    given(HELP_PLAN, ADOPTED, done).when(told(PlanProgressBy, done=2)).then_refused(StepAlreadyDone)
    given(HELP_PLAN, ADOPTED, done, noted).when(told(PlanProgressBy, done=3)).then_refused(StepUnknown)
    given(HELP_PLAN, ADOPTED).when(told(PlanProgressBy)).then_refused(ProgressSaysNothing)


def test_a_plan_is_reviewed_by_another_than_its_owner():
    reviewed = HelpPlanReviewed(
        plan=ID, child=CHILD, text=TEXT, review_on=LATER, reviewed_on=DAY, reviewed_by="supervisor"
    )
    given(HELP_PLAN, ADOPTED).when(REVIEW).then(reviewed)
    given(HELP_PLAN, ADOPTED, reviewed).when(REVIEW).then(reviewed)
    given(HELP_PLAN, ADOPTED).when(REVIEW.model_copy(update={"person": "director"})).then_refused(OwnerReviews)
    given(HELP_PLAN, ADOPTED).when(REVIEW.model_copy(update={"review_on": DAY})).then_refused(ReviewDayPassed)


def test_a_plan_is_closed_with_a_result_by_another_than_its_owner():
    given(HELP_PLAN, ADOPTED).when(CLOSING).then(CLOSED)
    given(HELP_PLAN, ADOPTED).when(CLOSING.model_copy(update={"person": "director"})).then_refused(OwnerReviews)
    other = told(PlanClosedBy, result=Counted(HelpPlanResult.OTHER))
    given(HELP_PLAN, ADOPTED).when(other).then_refused(HelpPlanEndUnexplained)


@pytest.mark.parametrize("command", [told(PlanProgressBy, done=1), REVIEW, CLOSING], ids=lambda one: type(one).__name__)
def test_nothing_is_told_of_a_plan_that_is_closed_or_unknown(command):
    given(HELP_PLAN, ADOPTED, CLOSED).when(command).then_refused(HelpPlanIsClosed)
    given(HELP_PLAN).when(command).then_refused(NotOnFile)


def test_a_child_has_one_active_plan():
    assert claims([ADOPTED]) == Claims({f"helpplan/{CHILD}": ID}, ())
    assert claims([CLOSED]) == Claims({}, (f"helpplan/{CHILD}",))


class Asked:
    """A look-up that says how a child stands, and of its risk what it is given."""

    def __init__(self, level: RiskLevel | None = None, away: bool = False) -> None:
        self._level = level
        self._away = away

    async def on(self, day, children):
        return dict.fromkeys(children, Standing(VILLAGE, open=True))

    async def risk_level(self, child, day):
        if self._away:
            raise StandingUnknown
        return self._level


def asking(**changes: Any) -> AdoptHelpPlan:
    fields = {name: one for name, one in dict(wish()).items() if name in AdoptHelpPlan.model_fields}
    return AdoptHelpPlan(**fields | changes)


async def test_the_risk_is_asked_for_where_nothing_else_explains_the_plan():
    adopt, *_ = help_plans.handlings(Asked(RiskLevel.HIGH))
    judged = await adopt.learn(asking(), "supervisor")
    assert judged.level is RiskLevel.HIGH
    assert [target.stream for target in adopt.targets(asking(report=REPORT_ID))] == [ID, REPORT_ID]
    away, *_ = help_plans.handlings(Asked(away=True))
    assert (await away.learn(asking(reason=TEXT), "supervisor")).level is None
    with pytest.raises(StandingUnknown):
        await away.learn(asking(), "supervisor")
