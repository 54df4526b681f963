"""registry's handler with the people who check files: two of the township, two of the county."""

from __future__ import annotations

from datetime import date

from shared.commands.command import Answer, Command, Told
from shared.contracts.values import Role
from tests.support.builders import VILLAGE
from tests.support.registry import Registry


class Offices(Registry):
    def __init__(self) -> None:
        super().__init__()
        for person in ("supervisor-1", "supervisor-2"):
            self.directory.add_grant(person, Role.CHILD_SUPERVISOR, VILLAGE[:9], date(2026, 1, 1))
        for person in ("county-1", "county-2"):
            self.directory.add_grant(person, Role.COUNTY_CIVIL_AFFAIRS, VILLAGE[:6], date(2026, 1, 1))
        self._told = 0

    async def tell(self, command: Command, person: str) -> Answer:
        self._told += 1
        return await self.handler.handle(Told(command, f"command-{self._told}", person))
