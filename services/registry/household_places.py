"""Whether the divisions that a command on a household names are in the tree, and belong to the household's village."""

from __future__ import annotations

from datetime import date
from functools import reduce
from typing import ClassVar

from services.registry.domain.household import HOUSEHOLD, OpenHouseholdFile, UpdateHouseholdFile, village_of
from shared.commands.command import DivisionEnded, UnknownDivision
from shared.contracts.refusal import Refusal
from shared.eventlog.port import Log
from shared.eventlog.record import decode
from shared.identity.access import Directory
from shared.privacy.sealing import Sealer


class GroupOutsideVillage(Refusal):
    """group: it is no village group of the household's village."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Choose a group of that village, or leave the group out."


class HouseholdPlaces:
    """Each method returns the command as it is; all raise UnknownDivision, DivisionEnded, GroupOutsideVillage."""

    def __init__(self, log: Log, sealer: Sealer, directory: Directory) -> None:
        self._log = log
        self._sealer = sealer
        self._directory = directory

    async def opened(self, command: OpenHouseholdFile, person: str) -> OpenHouseholdFile:
        if command.group is not None:
            await self._check_group(command.group, command.village, command.occurred_on)
        return command

    async def updated(self, command: UpdateHouseholdFile, person: str) -> UpdateHouseholdFile:
        if command.group is not None and (village := await self._village(command.household)) is not None:
            await self._check_group(command.group, village, command.occurred_on)
        return command

    async def _check_group(self, group: str, village: str, day: date) -> None:
        place = (await self._directory.places([group])).get(group)
        if place is None:
            raise UnknownDivision(f"group: {group} is not in the division tree")
        if place.ending is not None and place.ending.on <= day:
            raise DivisionEnded(group, place.ending.on, place.ending.successors)
        if group == village or village not in place.path:
            raise GroupOutsideVillage(f"group: {group} is no village group of {village}")

    async def _village(self, household: str) -> str | None:
        """Where it is on file. Should it move meanwhile, the append finds out: its version has changed."""
        records = [decode(raw) for raw in await self._log.load(household)]
        return village_of(reduce(HOUSEHOLD.evolve, await self._sealer.open(records, ()), HOUSEHOLD.initial))
