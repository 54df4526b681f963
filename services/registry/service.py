"""registry's application: each command bound to the streams it decides on and to the division it takes effect in.

The bindings stand in ``handlings/``, by what they are about.
"""

from __future__ import annotations

from typing import Any

from services.registry.division_map import DivisionMap, TakenOver
from services.registry.handlings import children, divisions, households, places, postings
from services.registry.held_places import PlaceLearning
from services.registry.household_learning import HouseholdLearning
from shared.commands.command import Handling
from shared.eventlog.port import Log
from shared.privacy.sealing import Sealer

SERVICE = "registry"


def handlings(
    log: Log,
    sealer: Sealer,
    division_map: DivisionMap,
    taken_over: TakenOver,
    held_places: PlaceLearning,
    household_learning: HouseholdLearning,
) -> list[Handling[Any]]:
    """Every command of registry."""
    return [
        *divisions.handlings(log, sealer, division_map),
        *postings.handlings(held_places),
        *places.handlings(),
        *children.handlings(log, taken_over, household_learning),
        *households.handlings(household_learning),
    ]
