"""Commands on help plans."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from services.visits.domain import help_plan
from services.visits.domain.help_plan import (
    HELP_PLAN,
    REPORT,
    AdoptHelpPlan,
    CloseHelpPlan,
    JudgedHelpPlan,
    PlanClosedBy,
    PlanProgressBy,
    PlanReviewBy,
    ProgressHelpPlan,
    ReviewHelpPlan,
)
from shared.commands.command import Command, Handling, Meanwhile, Target, as_it_is, told_by
from shared.standing.look_up import StandingLookUp


def handlings(standings: StandingLookUp) -> list[Handling[Any]]:
    async def judged(command: AdoptHelpPlan, person: str) -> JudgedHelpPlan:
        day, child = command.occurred_on, command.child
        standing = (await standings.on(day, [child]))[child]
        unexplained = standing is not None and command.reason is None and command.report is None
        level = await standings.risk_level(child, day) if unexplained else None
        return JudgedHelpPlan(**dict(command), person=person, standing=standing, level=level)

    return [
        Handling(
            AdoptHelpPlan,
            action="adopt_help_plan",
            targets=_adopting,
            division=lambda c, _: c.village,
            follows_files=True,
            learn=judged,
            claims=help_plan.claims,
        ),
        _on(ProgressHelpPlan, PlanProgressBy, "progress_help_plan", as_it_is),
        _on(ReviewHelpPlan, PlanReviewBy, "review_help_plan"),
        _on(CloseHelpPlan, PlanClosedBy, "review_help_plan"),
    ]


def _adopting(command: AdoptHelpPlan) -> tuple[Target, ...]:
    report = () if command.report is None else (Target(command.report, REPORT),)
    return (Target(command.plan, HELP_PLAN), *report)


def _on(
    command: type[Any], by: type[Any], action: str, from_device: Callable[[Any, Meanwhile], Command] | None = None
) -> Handling[Any]:
    """A command on a plan that was adopted: it takes effect in its village."""

    return Handling(
        command,
        action=action,
        targets=lambda c: (Target(c.plan, HELP_PLAN),),
        division=lambda _, states: help_plan.village_of(states[0]),
        told_by_state=True,
        learn=told_by(by),
        claims=help_plan.claims,
        from_device=from_device,
    )
