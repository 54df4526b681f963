"""pairing's application: each command bound to its streams and to the division it takes effect in."""

from __future__ import annotations

from typing import Any

from services.pairing.domain import pair
from services.pairing.domain.pair import PAIR, EndPair, FormPair
from shared.commands.command import Handling, Target

SERVICE = "pairing"


def handlings() -> list[Handling[Any]]:
    """Every command of pairing."""
    return [
        Handling(
            FormPair,
            action="form_pair",
            targets=lambda c: (Target(c.pair, PAIR),),
            division=lambda c, _: c.village,
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
