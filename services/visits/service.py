"""visits' application: each command bound to its streams, and to what must be known of the children before deciding.

The bindings stand in ``handlings/``, by what they are about.
"""

from __future__ import annotations

from typing import Any

from services.visits.handlings import concerns, field_work, help_plans, oversight, protection, visits
from shared.commands.command import Handling
from shared.identity.access import Directory
from shared.standing.look_up import StandingLookUp

SERVICE = "visits"


def handlings(standings: StandingLookUp, directory: Directory) -> list[Handling[Any]]:
    """Every command of visits. What a device tells of one moment is handled in this order."""
    return [
        *visits.handlings(standings),
        *field_work.handlings(standings),
        *concerns.handlings(standings),
        *protection.handlings(standings),
        *help_plans.handlings(standings),
        *oversight.handlings(standings, directory),
    ]
