"""Commands on the daily work beside visits: policies and major changes."""

from __future__ import annotations

from typing import Any

from services.visits.domain.major_change import CHANGE, JudgedChange, ReportMajorChange
from services.visits.domain.visit_policy import VISIT_POLICY, AdoptVisitPolicy, policy_stream
from shared.commands.command import Handling, Target, as_it_is
from shared.standing.look_up import StandingLookUp


def handlings(standings: StandingLookUp) -> list[Handling[Any]]:
    async def judged(command: ReportMajorChange, person: str) -> JudgedChange:
        found = await standings.on(command.occurred_on, [command.child])
        return JudgedChange(**dict(command), person=person, standing=found[command.child])

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
    ]
