"""A help plan (domain 3.2): adopted for a child, progressed step by step, reviewed by another than its owner, closed.

A child whose risk is high or medium_high has one, and so has a child with an open protection report; for any other a
reason is told. A child has one active plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Final

from pydantic import Field

from services.visits.domain import protection_report
from services.visits.domain.protection_report import Protection, Report
from shared.commands.command import Aggregate, Claims, Command, NothingToRecord, NotOnFile
from shared.contracts.event import Event
from shared.contracts.field_work import (
    HelpPlanAdopted,
    HelpPlanClosed,
    HelpPlanProgressed,
    HelpPlanResult,
    HelpPlanReviewed,
    HelpStep,
    Words,
)
from shared.contracts.refusal import Refusal
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import (
    ChildId,
    Day,
    HelpPlanId,
    PersonId,
    ReportId,
    RiskLevel,
    ToldPersonId,
    VillageCode,
)
from shared.eventlog.placement import placement_of
from shared.standing.standing import Standing, check_standing

ASKED_FOR_AT: Final = frozenset({RiskLevel.HIGH, RiskLevel.MEDIUM_HIGH})


class ToldStep(HelpStep):
    owner: ToldPersonId


class AdoptHelpPlan(Command):
    """``report`` is an open protection report of the child that the teller may read. Without it, and without a
    ``reason``, the child's risk has to ask for a plan."""

    plan: HelpPlanId
    child: ChildId
    village: VillageCode
    owner: ToldPersonId
    goals: Personal[Words]
    steps: tuple[ToldStep, ...] = Field(min_length=1, max_length=20)
    review_on: Day
    reason: Personal[Words] | None = None
    report: ReportId | None = None


class JudgedHelpPlan(AdoptHelpPlan):
    """``level`` is the child's risk on that day; it is looked up only where nothing else is told."""

    person: PersonId
    standing: Standing | None
    level: RiskLevel | None = None


class ProgressHelpPlan(Command):
    """``done`` is the number of a step, from 1."""

    plan: HelpPlanId
    done: int | None = Field(None, ge=1)
    note: Personal[Words] | None = None


class ReviewHelpPlan(Command):
    """``review_on`` is the day by which it is looked at again."""

    plan: HelpPlanId
    text: Personal[Words]
    review_on: Day


class CloseHelpPlan(Command):
    plan: HelpPlanId
    result: Counted[HelpPlanResult]
    text: Personal[Words] | None = None


class PlanProgressBy(ProgressHelpPlan):
    person: PersonId


class PlanReviewBy(ReviewHelpPlan):
    person: PersonId


class PlanClosedBy(CloseHelpPlan):
    person: PersonId


class HelpPlanAlreadyAdopted(Refusal):
    """This help plan is on record already."""

    what_to_do: ClassVar[str] = "Give a new plan an id of its own."


class HelpPlanStandsElsewhere(Refusal):
    """The id of a help plan must end in the same two bytes as the child's."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Make the plan's id beside the child's, so that both stand in one partition."


class HelpPlanUnexplained(Refusal):
    """reason: neither the child's risk nor an open report asks for a help plan."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Say in reason why the child is to have one."


class ReportNotYours(Refusal):
    """report: no open protection report of this child under this id names you as a reader."""

    status: ClassVar[int] = 404
    what_to_do: ClassVar[str] = "Check the id, or say in reason why the child is to have a plan."


class StepDuePassed(Refusal):
    """steps.due: a step is due on the day the plan is adopted or later."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Name a day that is to come."


class ReviewDayPassed(Refusal):
    """review_on: the review is to come after this day."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Name a later day."


class ProgressSaysNothing(Refusal):
    """Neither done nor note is given."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Say which step is done, or note how it goes."


class StepUnknown(Refusal):
    """done: the plan has no step of this number."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Steps are counted from 1."


class StepAlreadyDone(NothingToRecord):
    """This step is done."""


class OwnerReviews(Refusal):
    """Who owns a help plan neither reviews nor closes it."""

    status: ClassVar[int] = 403
    what_to_do: ClassVar[str] = "Let somebody else of the township or the county look at it."


class HelpPlanEndUnexplained(Refusal):
    """text: a plan that ended with another result than those listed needs a text."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Say why it ended, or choose one of the results."


class HelpPlanIsClosed(Refusal):
    """The help plan is closed."""

    what_to_do: ClassVar[str] = "Adopt a new one."


@dataclass(frozen=True)
class NotAdopted:
    pass


@dataclass(frozen=True)
class Active:
    """``done`` are the numbers of the steps that are done."""

    child: str
    village: str
    owner: str
    steps: int
    done: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Closed:
    village: str


HelpPlan = NotAdopted | Active | Closed
OnHelpPlan = PlanProgressBy | PlanReviewBy | PlanClosedBy


def village_of(plan: HelpPlan) -> str | None:
    """Where a command on this plan takes effect."""
    return None if isinstance(plan, NotAdopted) else plan.village


def decide(command: JudgedHelpPlan | OnHelpPlan, plan: HelpPlan) -> Sequence[Event]:
    match command, plan:
        case JudgedHelpPlan(), NotAdopted():
            return [_adopted(command)]
        case JudgedHelpPlan(), _:
            raise HelpPlanAlreadyAdopted
        case _, NotAdopted():
            raise NotOnFile
        case _, Closed():
            raise HelpPlanIsClosed
        case PlanProgressBy(), Active():
            return [_progressed(command, plan)]
        case ((PlanReviewBy() | PlanClosedBy()), Active()):
            if command.person == plan.owner:
                raise OwnerReviews
            return [_reviewed(command, plan) if isinstance(command, PlanReviewBy) else _closed(command, plan)]
        case _:
            raise AssertionError(command)


def _adopted(command: JudgedHelpPlan) -> HelpPlanAdopted:
    if placement_of(command.plan) != placement_of(command.child):
        raise HelpPlanStandsElsewhere
    check_standing(command.standing, command.village)
    if command.reason is None and command.report is None and command.level not in ASKED_FOR_AT:
        raise HelpPlanUnexplained
    if any(step.due < command.occurred_on for step in command.steps):
        raise StepDuePassed
    if command.review_on <= command.occurred_on:
        raise ReviewDayPassed
    return HelpPlanAdopted(
        plan=command.plan,
        child=command.child,
        village=command.village,
        owner=command.owner,
        goals=command.goals,
        steps=tuple(HelpStep(**dict(step)) for step in command.steps),
        review_on=command.review_on,
        adopted_on=command.occurred_on,
        adopted_by=command.person,
        reason=command.reason,
        report=command.report,
    )


def _progressed(command: PlanProgressBy, plan: Active) -> HelpPlanProgressed:
    if command.done is None and command.note is None:
        raise ProgressSaysNothing
    if command.done is not None and command.done > plan.steps:
        raise StepUnknown
    if command.done in plan.done:
        raise StepAlreadyDone
    return HelpPlanProgressed(
        plan=command.plan, child=plan.child, done=command.done, note=command.note, told_by=command.person
    )


def _reviewed(command: PlanReviewBy, plan: Active) -> HelpPlanReviewed:
    if command.review_on <= command.occurred_on:
        raise ReviewDayPassed
    return HelpPlanReviewed(
        plan=command.plan,
        child=plan.child,
        text=command.text,
        review_on=command.review_on,
        reviewed_on=command.occurred_on,
        reviewed_by=command.person,
    )


def _closed(command: PlanClosedBy, plan: Active) -> HelpPlanClosed:
    if command.result.reveal() is HelpPlanResult.OTHER and command.text is None:
        raise HelpPlanEndUnexplained
    return HelpPlanClosed(
        plan=command.plan,
        child=plan.child,
        result=command.result,
        text=command.text,
        closed_on=command.occurred_on,
        closed_by=command.person,
    )


def evolve(plan: HelpPlan, event: Event) -> HelpPlan:
    match event:
        case HelpPlanAdopted():
            return Active(event.child, event.village, event.owner, len(event.steps))
        case HelpPlanProgressed() if isinstance(plan, Active):
            return plan if event.done is None else replace(plan, done=plan.done | {event.done})
        case HelpPlanReviewed():
            return plan
        case HelpPlanClosed() if isinstance(plan, Active):
            return Closed(plan.village)
        case _:
            raise AssertionError(event)


def claims(events: Sequence[Event]) -> Claims:
    """A child has one active plan at a time."""
    taken = {f"helpplan/{one.child}": one.plan for one in events if isinstance(one, HelpPlanAdopted)}
    released = tuple(f"helpplan/{one.child}" for one in events if isinstance(one, HelpPlanClosed))
    return Claims(taken, released)


def _check_report(command: JudgedHelpPlan, report: Protection) -> Sequence[Event]:
    """Whoever may not read a report learns nothing of it, not even that there is one."""
    if not isinstance(report, Report) or report.closed or report.child != command.child:
        raise ReportNotYours
    if command.person not in report.readers:
        raise ReportNotYours
    return []


HELP_PLAN = Aggregate[HelpPlan](NotAdopted(), evolve, decide)

REPORT = Aggregate[Protection](protection_report.NotRaised(), protection_report.evolve, _check_report)
"""The report that asks for a plan, as a second target: it is read, and stays as it is."""
