"""The demo as a user starts it: seconds from the command to the supervisor's table, and the memory it takes then."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Final, NamedTuple

from bench.report import Row
from deploy.local.settings import Settings

LIMITS: Final = {"demo": 60, "city": 240}
SERVICE_MB: Final = 200
PROJECTOR_MB: Final = 300
WHOLE_MB: Final = 3 * 1024
SERVICES: Final = ("registry", "visits", "pairing", "reporting")
GUANHU: Final = Path(sys.executable).with_name("guanhu")
_DONE: Final = b"I1 by"


class Memory(NamedTuple):
    """Of one process, in MB: resident, and its share where pages are shared."""

    rss: float
    pss: float


async def measure() -> list[Row]:
    rows = []
    for size, limit in LIMITS.items():
        seconds, said, held = await _shown(size)
        rows.append(Row(f"demo, SIZE={size}", seconds, "s", limit, "lower", note=said))
    return [*rows, *_rows(held, "city")]


async def memory() -> list[Row]:
    """After the small demo."""
    _, _, held = await _shown("demo")
    return _rows(held, "demo")


def _rows(held: dict[str, Memory], size: str) -> list[Row]:
    def row(name: str, figure: float, limit: float | None, note: str) -> Row:
        return Row(f"memory after SIZE={size}, {name}", figure, "MB", limit, "lower", note)

    limits = dict.fromkeys(SERVICES, SERVICE_MB) | {"projector": PROJECTOR_MB}
    rows = [row(name, held[name].rss, limit, f"PSS {held[name].pss:.0f}") for name, limit in limits.items()]
    others = ", ".join(f"{name} {one.rss:.0f}" for name, one in held.items() if name not in limits)
    whole = sum(one.pss for one in held.values())
    return [*rows, row("everything", sum(one.rss for one in held.values()), WHOLE_MB, f"PSS {whole:.0f}; {others}")]


async def _shown(size: str) -> tuple[float, str, dict[str, Memory]]:
    """Seconds to the table, its last line, and the memory of all processes then."""
    with tempfile.TemporaryDirectory() as unused:
        ports = Settings.on_free_ports(home=Path(unused)).variables
    begun = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        GUANHU, "demo", "--size", size, env=os.environ | ports, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async for line in process.stdout:
            if line.startswith(_DONE):
                return time.perf_counter() - begun, line.decode().strip(), _held(process.pid)
        raise RuntimeError("the demo ended without its table")
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        await process.communicate()


def _held(root: int) -> dict[str, Memory]:
    """By name, of a process and all its children; those of one name together."""
    held: dict[str, Memory] = {_name(root): _memory(root)}
    for child in Path(f"/proc/{root}/task/{root}/children").read_text().split():
        for name, one in _held(int(child)).items():
            rss, pss = held.get(name, Memory(0, 0))
            held[name] = Memory(rss + one.rss, pss + one.pss)
    return held


def _name(pid: int) -> str:
    command = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    known = ("mongod", "kafka.Kafka", "services.reporting.projector", *(f"services.{name}" for name in SERVICES))
    return next((name.rpartition(".")[2] for name in known if name in command), "demo itself")


def _memory(pid: int) -> Memory:
    lines = (line.split() for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines())
    kilobytes = {words[0]: int(words[1]) for words in lines if words[0] in ("Rss:", "Pss:")}
    return Memory(kilobytes["Rss:"] / 1024, kilobytes["Pss:"] / 1024)
