"""Commands on households' files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.registry.domain.household import HOUSEHOLD, OpenHouseholdFile, UpdateHouseholdFile, village_of
from services.registry.household_places import HouseholdPlaces
from shared.commands.command import Command, Handling, Target


def handlings(places: HouseholdPlaces) -> list[Handling[Any]]:
    return [
        Handling(
            OpenHouseholdFile,
            action="keep_household",
            targets=_household,
            division=lambda c, _: c.village,
            learn=places.opened,
        ),
        _of_household(UpdateHouseholdFile, "keep_household", learn=places.updated),
    ]


def _of_household(command: type[Any], action: str, learn: Any = None) -> Handling[Any]:
    """A command on a household that is on file: it takes effect where the household lives."""
    return Handling(command, action=action, targets=_household, division=_village, told_by_state=True, learn=learn)


def _household(command: Any) -> tuple[Target, ...]:
    return (Target(command.household, HOUSEHOLD),)


def _village(_: Command, states: Sequence[Any]) -> str | None:
    return village_of(states[0])
