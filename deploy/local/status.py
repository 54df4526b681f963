"""What the processes of a running stack are doing, as a table for the terminal."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.table import Table

from deploy.local.port import is_free
from deploy.local.processes import holder, is_healthy
from deploy.local.refusal import CannotRun, NotRunning
from deploy.local.settings import Settings


async def table(settings: Settings) -> Table:
    """Process, number, port, health and memory of each. Raises NotRunning."""
    state = settings.home / "stack.json"
    if (pid := holder(settings.home)) is None:
        raise NotRunning(settings.home)
    if not state.exists():
        raise CannotRun(f"the stack on {settings.home} (process {pid}) is starting; ask again in some seconds")
    processes: dict[str, dict[str, int]] = json.loads(state.read_text())
    health = await _health(processes)
    shown = Table("process", "pid", "port", "health", "memory", title=f"Guanhu on {settings.home}")
    for name, process in processes.items():
        memory = f"{memory_of(process['pid']) / 2**20:.0f} MiB"
        shown.add_row(name, str(process["pid"]), str(process["port"]), health[name], memory)
    return shown


def memory_of(pid: int) -> int:
    """Resident bytes of a process; 0 when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS")), 0)


async def _health(processes: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    good = await asyncio.gather(*(_is_good(name, process["port"]) for name, process in processes.items()))
    return {name: "good" if fine else "ill" for name, fine in zip(processes, good, strict=True)}


async def _is_good(name: str, port: int) -> bool:
    if name in ("mongodb", "kafka"):  # they speak no HTTP; that they listen must do
        return not is_free(port)
    return await is_healthy(port)
