"""visits' application: each command bound to its streams, and to what must be known of the children before deciding."""

from __future__ import annotations

from typing import Any

from services.visits.domain.visit import VISIT, JudgedVisit, LogVisit
from shared.commands.command import Handling, Target
from shared.standing.look_up import StandingLookUp

SERVICE = "visits"


def handlings(standings: StandingLookUp) -> list[Handling[Any]]:
    """Every command of visits."""

    async def judged(command: LogVisit, person: str) -> JudgedVisit:
        children = [finding.child for finding in command.findings]
        # Constructed, not validated again: the command has been.
        return JudgedVisit.model_construct(**dict(command), standings=await standings.on(command.occurred_on, children))

    return [
        Handling(
            LogVisit,
            action="log_visit",
            targets=lambda c: (Target(c.visit, VISIT),),
            division=lambda c, _: c.village,
            follows_files=True,
            learn=judged,
        )
    ]
