"""A ledger from one workbook to durable events, with everything running: a county's, and a city's.

The roster (E2) has the columns that a county keeps. The seconds are those of somebody who sends the file and looks
until it is checked, and until it is committed. The memory is that of the process that reads the file, at its highest,
and what registry grows by meanwhile.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final, NamedTuple

import httpx

from bench.report import Row, cpu_row
from bench.system import CITY_CODE, SUPERVISOR, System, families, running
from deploy.local.importing import Import, ImportClient
from deploy.local.ledgers import Line, numbered, roster_lines, save, spots_of
from services.registry.imports.roster import ROSTER
from shared.commands.command import business_day

COUNTY: Final = 11_000
CITY: Final = 100_000
CHECK_SECONDS: Final = 10
COMMIT_SECONDS: Final = 10
TARGET: Final = 1_500
MEMORY_MIB: Final = 400
MIB: Final = 2**20
LOOK_SECONDS: Final = 0.05


class Times(NamedTuple):
    """What came of a file, and the seconds it took."""

    found: Import
    check: float
    commit: float


class Memory:
    """Bytes: the most that the process which reads the file had, and that registry grew by."""

    def __init__(self, registry: int) -> None:
        self._registry = registry
        self._before = _resident(registry)
        self.reader = 0
        self.growth = 0

    def look(self) -> None:
        self.growth = max(self.growth, _resident(self._registry) - self._before)
        self.reader = max([self.reader, *map(_resident, _children(self._registry))])


async def measure(county: int = COUNTY, city: int = CITY) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="guanhu-bench-") as folder:
        small, large = _workbooks(Path(folder), county, city)
        async with running() as system, httpx.AsyncClient(trust_env=False, timeout=120) as http:
            client = ImportClient(http, system.stack.url("registry"), system.token(SUPERVISOR))
            return [*await _county(client, small), *await _city(system, client, large)]


async def _county(client: ImportClient, file: Path) -> list[Row]:
    times = await _imported(client, file)
    name = f"import of {times.found['rows']:,} rows"
    return [
        Row(f"{name}, checked", times.check, "s", CHECK_SECONDS, better="lower"),
        Row(f"{name}, committed", times.commit, "s", COMMIT_SECONDS, better="lower"),
    ]


async def _city(system: System, client: ImportClient, file: Path) -> list[Row]:
    before = system.cpu()
    async with _watched(system.stack.children["registry"].pid) as memory:
        times = await _imported(client, file)
    used, rows = system.cpu_since(before), times.found["rows"]
    name = f"import of {rows:,} rows"
    parts = f"reader {memory.reader / MIB:.0f}, registry grew by {memory.growth / MIB:.0f}"
    how = "checked and committed; DHIS2 2.43 publishes 965/s for its tracker import, on 8 cores"
    return [
        Row(f"{name}, checked", times.check, "s"),
        Row(f"{name}, committed", times.commit, "s"),
        Row(name, rows / (times.check + times.commit), "children/s", TARGET, note=how),
        cpu_row(name, used, rows, "child"),
        Row(f"{name}, memory", (memory.reader + memory.growth) / MIB, "MiB", MEMORY_MIB, better="lower", note=parts),
    ]


async def _imported(client: ImportClient, file: Path) -> Times:
    """Raises RuntimeError when a row is rejected."""
    begun = time.perf_counter()
    batch = (await client.receive(await asyncio.to_thread(file.read_bytes)))["batch"]
    await client.settled(batch)
    checked = time.perf_counter()
    await client.commit(batch)
    found = await client.settled(batch)
    if found["state"] != "committed" or found["refused"]:
        raise RuntimeError(f"{found['refused']} rows of {found['rows']} are not taken over: {found['summary'][:1]}")
    return Times(found, checked - begun, time.perf_counter() - checked)


def _workbooks(folder: Path, county: int, city: int) -> tuple[Path, Path]:
    lines = list(_lines(county + city))
    return (
        _workbook(folder / "county.xlsx", lines[:county]),
        _workbook(folder / "city.xlsx", lines[county : county + city]),
    )


def _workbook(path: Path, lines: Sequence[Line]) -> Path:
    return save(path, ROSTER, list(numbered([line] for line in lines)))


def _lines(children: int) -> Iterator[Line]:
    spots, today = spots_of(CITY_CODE), _today()
    for family in families(children):
        yield from roster_lines(spots, family, today)


def _today() -> date:
    return business_day(datetime.now(UTC))


@asynccontextmanager
async def _watched(registry: int) -> AsyncIterator[Memory]:
    memory = Memory(registry)
    watch = asyncio.create_task(_watch(memory))
    try:
        yield memory
    finally:
        watch.cancel()
        with suppress(asyncio.CancelledError):
            await watch


async def _watch(memory: Memory) -> None:
    while True:
        memory.look()
        await asyncio.sleep(LOOK_SECONDS)


def _children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _resident(pid: int) -> int:
    """Bytes in memory; 0 of a process that has ended."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
