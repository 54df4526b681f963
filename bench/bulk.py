"""Registration of children from a file, through the batch API, to durable events, with everything running.

A JSON line for each child; the loader is the one of the demo, in a process of its own: 250 commands a request, four
requests in flight. The peer's figure is what DHIS2 2.43 publishes for its tracker import (965 a second on eight cores,
another payload, another machine); it says in which class a figure is, no more.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import orjson

from bench.generator import aside
from bench.report import Row, cpu_row
from bench.system import System, families, registration, running
from deploy.local.loader import CHUNK, IN_FLIGHT, Load, Loader

CHILDREN: Final = 20_000
TARGET: Final = 1_500


async def measure() -> list[Row]:
    async with running() as system:
        with tempfile.NamedTemporaryFile(suffix=".jsonl") as file:
            count = _write(Path(file.name))
            before = system.cpu()
            load, seconds = await _load(system, file.name)
            used = system.cpu_since(before)
        assert load.accepted == count, load.refused[:1]
        drained = await system.drained(load.positions)
    how = f"{count:,} children, {CHUNK} a request, {IN_FLIGHT} in flight; DHIS2 2.43 publishes 965/s on 8 cores"
    return [
        Row("bulk registration", count / seconds, "children/s", TARGET, note=how),
        cpu_row("bulk registration", used, count, "child"),
        Row("bulk registration, read models level after", drained, "s"),
    ]


def _write(path: Path) -> int:
    lines = [orjson.dumps(child) for family in families(CHILDREN) for child in family.children]
    path.write_bytes(b"\n".join(lines) + b"\n")
    return len(lines)


async def _load(system: System, path: str) -> tuple[Load, float]:
    async with aside() as run:
        loaded: tuple[Load, float] = await run(load_file, path, system.stack.url("registry"), system.token())
        return loaded


def load_file(path: str, url: str, token: str) -> tuple[Load, float]:
    """What came of it, and the seconds it took. For a process of its own."""

    async def load() -> tuple[Load, float]:
        async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
            begun = time.perf_counter()
            done = await Loader(http, url, token).load(registration(child) for child in _read(path))
            return done, time.perf_counter() - begun

    return asyncio.run(load())


def _read(path: str) -> Iterator[dict[str, Any]]:
    with Path(path).open("rb") as file:
        yield from map(orjson.loads, file)
