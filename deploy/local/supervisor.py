"""The process that holds a stack until it is told to end: in the terminal, or detached behind ``guanhu up``."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path

from deploy.local.processes import Stack, holder
from deploy.local.refusal import AlreadyRunning, CannotRun, NotRunning
from deploy.local.settings import SERVICES, Service, Settings

_READY = "ready"
_PATIENCE = 60.0  # seconds a stack gets to end


async def hold(
    settings: Settings, on_ready: Callable[[Settings], Awaitable[None]], services: Sequence[Service] = SERVICES
) -> None:
    """Run the stack until SIGTERM or Ctrl-C. Raises CannotRun when it does not start or a process ends."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    with suppress(asyncio.CancelledError):
        async with Stack(settings, settings.home, services=services) as stack:
            await on_ready(settings)
            await stack.watch()


def detach(settings: Settings, module: str = "deploy.local.supervisor") -> subprocess.Popen[str]:
    """Start a supervisor that outlives this process, and wait until its stack works.

    Raises CannotRun with the supervisor's own reason.
    """
    if running := holder(settings.home):
        raise AlreadyRunning(settings.home, running)
    log = settings.home / "log" / "supervisor.log"
    process = _launch(module, settings, log)
    assert process.stdout is not None
    try:
        with process.stdout:
            said = process.stdout.readline().strip()
    except KeyboardInterrupt:
        process.terminate()
        process.wait(_PATIENCE)
        raise
    if said != _READY:
        process.wait(_PATIENCE)
        raise CannotRun(said or f"the supervisor ended with code {process.returncode}; its log is {log}")
    return process


def _launch(module: str, settings: Settings, log: Path) -> subprocess.Popen[str]:
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    log.parent.mkdir(exist_ok=True)
    with log.open("ab") as errors:
        return subprocess.Popen(
            [sys.executable, "-m", module],
            env={**os.environ, **settings.variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )


def end(settings: Settings) -> None:
    """End the supervisor of this data folder and everything it holds. Raises NotRunning."""
    pid = holder(settings.home)
    if pid is None:
        raise NotRunning(settings.home)
    deadline = time.monotonic() + _PATIENCE
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
        while holder(settings.home) == pid and time.monotonic() < deadline:
            time.sleep(0.1)
        if holder(settings.home) == pid:
            os.kill(pid, signal.SIGKILL)  # the kernel ends its children with it


def _say(line: str) -> None:
    """Tell the one who started this process. It may be gone, and will read no second line."""
    with suppress(BrokenPipeError):
        os.write(1, f"{line}\n".encode())


async def _say_ready(_: Settings) -> None:
    _say(_READY)


def main(services: Sequence[Service] = SERVICES) -> int:
    """Run as the detached process of ``guanhu up``: its first line of output is ``ready``, or why not."""
    try:
        asyncio.run(hold(Settings(), on_ready=_say_ready, services=services))
    except CannotRun as reason:
        sys.stderr.write(f"{reason}\n")
        _say(str(reason))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
