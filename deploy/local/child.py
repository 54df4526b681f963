"""One process of the stack: in a group of its own, its output in a file, gone when its parent is gone."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from deploy.local.refusal import ChildDied

GRACE = 10.0  # seconds between asking a process to end and ending it
_PR_SET_PDEATHSIG = 1


class Child:
    """A running process. Start it from a thread that lives as long as the process shall: Linux ends the
    process when the *thread* that started it ends."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        sieve: Sequence[str] = (),
    ) -> None:
        """``sieve`` is the command of a filter that the output passes before it reaches ``log``."""
        self.name = name
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        tether = _tether()
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if sieve else output,
                stderr=subprocess.STDOUT,
                env=None if environment is None else dict(environment),
                process_group=0,
                preexec_fn=tether,
            )
            self._sieve = self._filter(sieve, output, tether) if sieve else None

    def _filter(self, sieve: Sequence[str], output: IO[bytes], tether: Callable[[], None]) -> subprocess.Popen[bytes]:
        assert self._process.stdout is not None
        with self._process.stdout as unfiltered:
            return subprocess.Popen(
                sieve, stdin=unfiltered, stdout=output, stderr=output, process_group=self.pid, preexec_fn=tether
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        return self._process.poll()

    async def until(self, ready: Callable[[], Awaitable[bool]], *, seconds: float) -> None:
        """Wait until ``ready`` says so. Raises ChildDied when the process ends first or takes longer."""
        deadline = time.monotonic() + seconds
        while not await ready():
            if not self.running:
                raise ChildDied(self.name, f"ended with code {self.exit_code} while it was starting", self.log)
            if time.monotonic() > deadline:
                raise ChildDied(self.name, f"was not ready after {seconds:.0f} s", self.log)
            await asyncio.sleep(0.05)

    def ask_to_end(self) -> None:
        if self.running:
            self._process.terminate()

    def stop(self, grace: float = GRACE) -> None:
        """Ask the process to end, and end its whole group after ``grace`` seconds; without any it is not asked.

        Safe to repeat.
        """
        if self.running and grace > 0:
            self.ask_to_end()
            _wait(self._process, grace)
            if self._sieve:
                _wait(self._sieve, 1.0)  # it still has the last lines
        self._kill_group()
        self._process.wait()
        if self._sieve:
            self._sieve.wait()

    def _kill_group(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)


def _wait(process: subprocess.Popen[bytes], seconds: float) -> None:
    with suppress(subprocess.TimeoutExpired):
        process.wait(seconds)


def _tether() -> Callable[[], None]:
    # Runs between fork and exec, so everything it needs is looked up before.
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent, kill, getppid = os.getpid(), os.kill, os.getppid
    number = int(signal.SIGKILL)

    def tether() -> None:
        prctl(_PR_SET_PDEATHSIG, number)
        if getppid() != parent:  # the parent went before the kernel knew of the wish
            kill(os.getpid(), number)

    return tether
