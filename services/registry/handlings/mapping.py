"""Commands on mapping campaigns, and on the villages that are mapped in them."""

from __future__ import annotations

from typing import Any, Final

from services.registry.domain.mapping_campaign import (
    CAMPAIGN,
    CloseMappingCampaign,
    OpenMappingCampaign,
    division_of,
)
from services.registry.domain.village_mapping import (
    MAPPING,
    AddHouseholdToRoster,
    ConcludeVillageMapping,
    FixHouseholdRoster,
    MapHousehold,
    ReopenVillageMapping,
    StartVillageMapping,
)
from services.registry.mapping import MappingLearning
from shared.commands.command import Handling, Target


def handlings(learning: MappingLearning) -> list[Handling[Any]]:
    return [
        Handling(
            OpenMappingCampaign,
            action="open_mapping_campaign",
            targets=lambda c: (Target(c.campaign, CAMPAIGN),),
            division=lambda c, _: c.division,
        ),
        Handling(
            CloseMappingCampaign,
            action="open_mapping_campaign",
            targets=lambda c: (Target(c.campaign, CAMPAIGN),),
            division=lambda _, states: division_of(states[0]),
            told_by_state=True,
        ),
        *(_of_a_village(command, action, learning) for command, action in _ON_A_VILLAGE),
    ]


_ON_A_VILLAGE: Final[tuple[tuple[type[Any], str], ...]] = (
    (FixHouseholdRoster, "fix_household_roster"),
    (StartVillageMapping, "map_village"),
    (AddHouseholdToRoster, "map_village"),
    (MapHousehold, "map_village"),
    (ConcludeVillageMapping, "map_village"),
    (ReopenVillageMapping, "reopen_village_mapping"),
)


def _of_a_village(command: type[Any], action: str, learning: MappingLearning) -> Handling[Any]:
    """The village is named by the code under which its mapping began, and that may have ended since: so it is told by
    the mapping, which refuses to begin under a code that has ended."""
    return Handling(
        command,
        action=action,
        targets=lambda c: (Target(c.mapping, MAPPING),),
        division=lambda c, _: c.village,
        told_by_state=True,
        learn=learning,
    )
