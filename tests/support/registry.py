"""registry's handler over a log in memory, with a director of a village, one of a city, and a data office."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime
from itertools import count

from services.registry.division_map import DivisionMap, TakenOver
from services.registry.held_places import PlaceLearning
from services.registry.household_learning import HouseholdLearning
from services.registry.service import handlings
from shared.commands.handler import Handler
from shared.contracts.event import Event
from shared.contracts.sealed import KINDS
from shared.contracts.values import Role
from shared.eventlog.memory import MemoryLog
from shared.eventlog.record import decode
from shared.identity.directory import DIVISIONS, GRANTS, DirectoryModel, MemoryDirectory
from shared.privacy.cipher import Aes256Gcm
from shared.privacy.memory import MemoryVault
from shared.privacy.sealing import Sealer
from shared.projection.read_model import Document
from shared.projection.workspace import matches
from tests.support.builders import VILLAGE
from tests.support.workspace import fold_all

NOW = datetime(2026, 8, 14, 10, tzinfo=UTC)
TREE = [("52", None), ("5203", "52"), ("520303", "5203"), ("520303105", "520303"), (VILLAGE, "520303105")]


class Registry:
    """registry's handler over a log in memory."""

    def __init__(self, directory: MemoryDirectory | None = None) -> None:
        self.log = MemoryLog("registry", 4, lambda: NOW)
        self.vault = MemoryVault()
        self.sealer = Sealer(self.vault, Aes256Gcm())
        self.directory = directory or MemoryDirectory()
        for code, parent in TREE:
            self.directory.add_division(code, parent)
        self.directory.add_grant("director-1", Role.CHILD_DIRECTOR, VILLAGE, date(2026, 1, 1))
        self.directory.add_grant("director-2", Role.CHILD_DIRECTOR, "5203", date(2026, 1, 1))
        self.directory.add_grant("office-1", Role.DATA_OFFICE, "52", date(2026, 1, 1))
        places = PlaceLearning(self._holdings, self._holdings)
        taken_over = TakenOver(self._taken_over, count(step=60).__next__)
        self.households = HouseholdLearning(self.log, self.sealer, self.directory, taken_over)
        divisions = DivisionMap(self._documents)
        self.handlings = handlings(self.log, self.sealer, divisions, taken_over, places, self.households)
        self.handler = Handler(self.log, self.sealer, self.directory, self.handlings, b"k" * 32, lambda: NOW)

    async def _documents(self, field: str, values: Collection[str]) -> list[Document]:
        return [document for document in await self._divisions() if any(matches(document, field, v) for v in values)]

    async def _holdings(self, field: str, value: str) -> list[Document]:
        grants = (await fold_all(DirectoryModel(), [await self.everything()]))[GRANTS].values()
        return [holding for holding in grants if holding.get(field) == value]

    async def _taken_over(self) -> list[Document]:
        return [document for document in await self._divisions() if document["ends"]]

    async def _divisions(self) -> list[Document]:
        """The map, folded from the whole log."""
        return list((await fold_all(DirectoryModel(), [await self.everything()]))[DIVISIONS].values())

    async def everything(self) -> list[Event]:
        raws = [raw for partition in range(self.log.partitions) for raw in await self.log.read(partition, 0, 10_000)]
        return await self.sealer.open([decode(raw) for raw in raws], KINDS)

    async def events(self, stream: str) -> list[Event]:
        return await self.sealer.open([decode(raw) for raw in await self.log.load(stream)], KINDS)
