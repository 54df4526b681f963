"""Commands on concerns."""

from __future__ import annotations

from typing import Any

from services.visits.domain import concern
from services.visits.domain.concern import (
    CONCERN,
    AnswerReferral,
    AssignConcern,
    AssignmentBy,
    ClosureBy,
    EscalateConcern,
    EscalationBy,
    JudgedConcern,
    MoveBy,
    MoveConcern,
    ProgressBy,
    ProgressConcern,
    RaiseConcern,
    ReferConcern,
    ReferralAnswerBy,
    ReferralBy,
    ReopenConcern,
    ReopeningBy,
    ResolutionBy,
    ResolveConcern,
    VerifyConcernClosure,
)
from shared.commands.command import Handling, Target, as_it_is, told_by
from shared.standing.look_up import StandingLookUp


def handlings(standings: StandingLookUp) -> list[Handling[Any]]:
    async def judged(command: RaiseConcern, person: str) -> JudgedConcern:
        found = await standings.on(command.occurred_on, [command.child]) if command.child else {}
        return JudgedConcern(**dict(command), person=person, standing=found.get(command.child or ""))

    return [
        Handling(
            RaiseConcern,
            action="raise_concern",
            targets=lambda c: (Target(c.concern, CONCERN),),
            division=lambda c, _: c.village,
            follows_files=True,
            learn=judged,
            from_device=as_it_is,
        ),
        _on(MoveConcern, MoveBy, "work_on_concern"),
        _on(AssignConcern, AssignmentBy, "assign_concern"),
        _on(ProgressConcern, ProgressBy, "work_on_concern"),
        _on(ResolveConcern, ResolutionBy, "work_on_concern"),
        _on(EscalateConcern, EscalationBy, "work_on_concern"),
        _on(VerifyConcernClosure, ClosureBy, "verify_concern"),
        _on(ReopenConcern, ReopeningBy, "verify_concern"),
        _on(ReferConcern, ReferralBy, "refer_concern"),
        _on(AnswerReferral, ReferralAnswerBy, "refer_concern"),
    ]


def _on(command: type[Any], by: type[Any], action: str) -> Handling[Any]:
    """A command on a concern that is on record: it takes effect in its village."""

    return Handling(
        command,
        action=action,
        targets=lambda c: (Target(c.concern, CONCERN),),
        division=lambda _, states: concern.village_of(states[0]),
        told_by_state=True,
        learn=told_by(by),
        from_device=as_it_is,
    )
