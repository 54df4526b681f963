"""pairing's application: each command bound to its streams, its division, and what must be known before."""

from __future__ import annotations

from typing import Any

from services.pairing.domain import pair
from services.pairing.domain.pair import PAIR, EndPair, FormPair, JudgedPair
from shared.commands.command import Handling, Target
from shared.standing.look_up import StandingLookUp

SERVICE = "pairing"


def handlings(standings: StandingLookUp) -> list[Handling[Any]]:
    """Every command of pairing."""

    async def judged(command: FormPair, person: str) -> JudgedPair:
        standing = (await standings.on(command.starts, [command.child]))[command.child]
        return JudgedPair(**dict(command), standing=standing)

    return [
        Handling(
            FormPair,
            action="form_pair",
            targets=lambda c: (Target(c.pair, PAIR),),
            division=lambda c, _: c.village,
            follows_files=True,
            learn=judged,
            claims=pair.claims,
        ),
        Handling(
            EndPair,
            action="form_pair",
            targets=lambda c: (Target(c.pair, PAIR),),
            division=lambda _, states: getattr(states[0], "village", None),
            told_by_state=True,
            claims=pair.claims,
        ),
    ]
