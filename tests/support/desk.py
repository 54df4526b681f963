"""The import desk over a log in memory and a MongoDB, with a clock that a test sets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection

from services.registry.imports.batch_commands import BatchTeller, batch_handlings
from services.registry.imports.desk import ImportDesk
from services.registry.imports.examiner import Examiner
from services.registry.imports.scope import ImportScope
from services.registry.imports.store import Document, ImportStore
from services.registry.imports.worker import ImportWorker
from shared.commands.handler import Handler
from shared.contracts.retention import DEFAULT_RETENTION
from shared.contracts.values import Role
from shared.eventlog.lease import MemoryLeases, Tenure
from tests.support.importing import COUNTY, nodes
from tests.support.registry import NOW, Registry

CLERK = "clerk-1"
NODES = [node for node in nodes() if node.code.startswith(COUNTY) or len(node.code) < len(COUNTY)]
"""One county and what lies above it."""


async def thirty_days(division: str) -> timedelta:
    return timedelta(days=DEFAULT_RETENTION.import_file_days)


class Desk:
    def __init__(self, database: Any) -> None:
        self.now: datetime = NOW
        self.registry = Registry()
        self.database = database
        for node in NODES:
            self.registry.directory.add_division(node.code, node.parent)
        self.registry.directory.add_grant(CLERK, Role.COUNTY_CIVIL_AFFAIRS, COUNTY, date(2026, 1, 1))
        self.tenure = Tenure(MemoryLeases(), "imports", "test")
        self.store = ImportStore(database, self.registry.vault)
        parts = self.registry
        teller = BatchTeller(
            Handler(parts.log, parts.sealer, parts.directory, batch_handlings(), b"k" * 32, lambda: self.now)
        )
        scope = ImportScope(parts.directory, self._divisions, lambda: self.now)
        self.desk = ImportDesk(self.store, Examiner(), scope, teller, lambda: self.now, thirty_days)
        self.worker = ImportWorker(
            self.desk, self.store, Examiner(), scope, teller, parts.handler, parts.log, lambda: self.now
        )

    async def _divisions(self) -> AsyncIOMotorCollection[dict[str, Any]]:
        return self.database["divisions"]

    async def prepare(self) -> None:
        await self.store.prepare()
        known = {node.code: node for node in NODES}

        def path(code: str) -> list[str]:
            parent = known[code].parent
            return [*(path(parent) if parent else []), code]

        await self.database["divisions"].insert_many(
            {"_id": n.code, "name": n.name, "kind": n.kind, "parent": n.parent, "path": path(n.code)} for n in NODES
        )

    async def settled(self, batch: str) -> Document:
        """Lets the worker do all there is to do."""
        while await self.worker.work_once(self.tenure):
            pass
        return await self.desk.progress(CLERK, batch)

    async def checked(self, content: bytes) -> Document:
        return await self.settled((await self.desk.receive(CLERK, content))["_id"])

    async def committed(self, content: bytes) -> Document:
        batch = (await self.checked(content))["_id"]
        await self.desk.commit(CLERK, batch)
        return await self.settled(batch)


@asynccontextmanager
async def a_desk(mongo_url: str, name: str) -> AsyncIterator[Desk]:
    client: AsyncIOMotorClient[Any] = AsyncIOMotorClient(mongo_url, tz_aware=True)
    try:
        await client.drop_database(name)
        desk = Desk(client[name])
        await desk.prepare()
        yield desk
        await client.drop_database(name)
    finally:
        client.close()
