"""The whole system under measurement: the local stack on free ports, its tree, its roles and generated families."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import httpx
from motor.motor_asyncio import AsyncIOMotorClient
from rich.console import Console

from deploy.local.demo import CITY_CODE, ROLES, SUPERVISOR, Demo, visit
from deploy.local.loader import Item, Load, Loader
from deploy.local.operator import operator
from deploy.local.population import DEMO, Family, Plan, Population, populate
from deploy.local.processes import Stack
from deploy.local.settings import Settings
from services.registry.division_list import divisions
from shared.commands.command import business_day
from shared.contracts.values import DivisionKind
from shared.eventlog.record import Position
from shared.projection.live import LiveModels

__all__ = ["CITY_CODE", "SUPERVISOR", "System", "families", "population", "registration", "running", "visit"]

READ_MODELS: Final = ("children", "figures", "duties")
DRAIN_SECONDS: Final = 600.0


class System:
    """A stack that runs, with the city's real divisions and the persons of the demo."""

    def __init__(self, stack: Stack, http: httpx.AsyncClient, client: AsyncIOMotorClient[Any]) -> None:
        self.stack = stack
        self.client = client
        self.live = LiveModels(client["guanhu_reporting"])
        self.http = http
        self._demo = Demo(stack, Console(quiet=True), DEMO, http)

    def port(self, service: str) -> int:
        return self.stack.settings.port(service)

    def token(self, person: str = SUPERVISOR) -> str:
        return self._demo.token(person)

    async def load(self, service: str, items: Iterable[Item], person: str = SUPERVISOR) -> Load:
        """Through the batch API, as the demo does. Raises RuntimeError when one of them is refused."""
        load = await Loader(self.http, self.stack.url(service), self.token(person)).load(items)
        if load.refused:
            raise RuntimeError(f"{len(load.refused)} refused, the first with {load.refused[0]['code']}")
        return load

    async def register(self, some: Iterable[Family]) -> Load:
        """All children of these families; returns once visits has heard of them too."""
        load = await self.load("registry", [registration(child) for family in some for child in family.children])
        visits = LiveModels(self.client["guanhu_visits"])
        await _reached(visits, "standings", load.positions)
        return load

    async def drained(self, positions: Mapping[str, int]) -> float:
        """Seconds until all read models of reporting have come to these positions."""
        begun = time.perf_counter()
        await asyncio.gather(*(_reached(self.live, name, positions) for name in READ_MODELS))
        return time.perf_counter() - begun

    def cpu(self) -> dict[str, float]:
        """Seconds of CPU that each process of the stack has used."""
        return {name: _cpu_of(child.pid) for name, child in self.stack.children.items()}

    def cpu_since(self, before: Mapping[str, float]) -> dict[str, float]:
        return {name: seconds - before[name] for name, seconds in self.cpu().items()}

    async def _open_the_tree(self) -> None:
        async with operator(self.stack.environment("registry")) as own:
            await own.import_divisions(CITY_CODE)
            for person, role, division in ROLES:
                await own.grant(person, role, division, date(2026, 1, 1))
            await own.everybody_knows()


@asynccontextmanager
async def running() -> AsyncIterator[System]:
    """All processes, in a folder that is removed afterwards."""
    home = Path(tempfile.mkdtemp(prefix="guanhu-bench-"))
    stack = Stack(Settings.on_free_ports(home=home), home, keep=False)
    async with stack, httpx.AsyncClient(trust_env=False, timeout=60) as http:
        client: AsyncIOMotorClient[Any] = AsyncIOMotorClient(stack.mongo_url, tz_aware=True)
        system = System(stack, http, client)
        await system._open_the_tree()
        try:
            yield system
        finally:
            client.close()


def _cpu_of(pid: int) -> float:
    user, kernel = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(kernel)) / os.sysconf("SC_CLK_TCK")


async def _reached(live: LiveModels, model: str, positions: Mapping[str, int]) -> None:
    for source, seq in positions.items():
        service, _, partition = source.rpartition("/")
        if not await live.wait_for(model, Position(service, int(partition), seq), timeout=DRAIN_SECONDS):
            raise TimeoutError(f"{model} has not come to {source}/{seq}")


def population(plan: Plan) -> Population:
    """Of the city's real villages; the same for the same plan and day."""
    villages = [node.code for node in divisions(CITY_CODE) if node.kind is DivisionKind.VILLAGE]
    return populate(plan, villages, business_day(datetime.now(UTC)))


def families(children: int) -> Sequence[Family]:
    """With about so many children, and a tenth more that do not count."""
    return population(Plan(children, round(children * 0.553))).families


def registration(child: dict[str, Any]) -> Item:
    return Item("RegisterChild", f"register-{child['child'][-36:]}", child)
