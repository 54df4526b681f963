"""Commands on what a division has: its profiles and schools."""

from __future__ import annotations

from typing import Any

from services.registry.domain.school import SCHOOL, ChangeSchool, RegisterSchool, division_of
from services.registry.domain.village_profile import PROFILE, RecordVillageProfile, profile_stream
from shared.commands.command import Handling, Target


def handlings() -> list[Handling[Any]]:
    return [
        Handling(
            RecordVillageProfile,
            action="record_village_profile",
            targets=lambda c: (Target(profile_stream(c.village), PROFILE),),
            division=lambda c, _: c.village,
        ),
        Handling(
            RegisterSchool,
            action="register_school",
            targets=lambda c: (Target(c.school, SCHOOL),),
            division=lambda c, _: c.division,
        ),
        Handling(
            ChangeSchool,
            action="register_school",
            targets=lambda c: (Target(c.school, SCHOOL),),
            division=lambda _, states: division_of(states[0]),
            told_by_state=True,
        ),
    ]
