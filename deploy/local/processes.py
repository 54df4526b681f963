"""The stack of one machine: MongoDB, Kafka and the services as child processes of whoever holds a ``Stack``.

They start in this order, end in the opposite one, and none outlives its holder.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import shutil
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO

import httpx

from deploy.local import kafka, mongo
from deploy.local.child import GRACE, Child
from deploy.local.port import is_free
from deploy.local.refusal import AlreadyRunning, ChildDied, DiskFull, OtherLayout, PortTaken
from deploy.local.settings import SERVICES, Service, Settings, kept_secrets

LAYOUT = 1  # of the data folder; raise it when an older version could not read what this one writes
ROOM = 2 * 1024**3  # bytes that must be free on the disk before a start


class Stack:
    """Holds the whole stack for the time of an ``async with``. Use it from the main thread of a process that
    lives as long: children end with the thread that started them.

    ``keep=False`` removes what the stack has written below ``home`` when it ends, except its logs after a failure.
    Raises CannotRun on entering, with nothing left running.
    """

    def __init__(
        self, settings: Settings, home: Path, *, keep: bool = True, services: Sequence[Service] = SERVICES
    ) -> None:
        self.settings = settings
        self.home = home
        self.children: dict[str, Child] = {}
        self._keep = keep
        self._services = {service.name: service for service in services}
        self._hold: Hold | None = None

    @property
    def mongo_url(self) -> str:
        return mongo.url(self.settings.mongodb_port)

    @property
    def kafka_address(self) -> str:
        return kafka.address(self.settings.kafka_port)

    def url(self, name: str) -> str:
        return self.settings.url(name)

    def environment(self, name: str) -> dict[str, str]:
        """The variables the service ``name`` reads, for a process that shall see what it sees."""
        return self.settings.environment(self._services[name], self.home, kept_secrets(self.home))

    async def __aenter__(self) -> Stack:
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._hold = Hold(self.home)
        try:
            self._check()
            for name in ("mongodb", "kafka"):
                await self.start(name)
            await self._start_services()
            self._hold.note(self)
        except BaseException as reason:  # also Ctrl-C: whatever it is, nothing half-started stays
            self._end(failed=isinstance(reason, Exception))
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, reason: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end(failed=isinstance(reason, ChildDied))

    async def watch(self) -> None:
        """Return never; raise ChildDied when a process ends that nobody has ended."""
        while True:
            for child in self.children.values():
                if not child.running:
                    raise ChildDied(child.name, f"ended with code {child.exit_code}", child.log)
            await asyncio.sleep(0.2)

    async def start(self, name: str) -> None:
        """Start one process, also again after ``kill``, and wait until it is of use. Raises ChildDied."""
        child = self.children[name] = self._spawn(name)
        port = self.settings.port(name)
        match name:
            case "mongodb":
                await mongo.ready(child, port)
            case "kafka":
                await kafka.ready(child, port)
            case _:
                await _until_healthy(child, port)

    def kill(self, name: str) -> None:
        """End one process at once, as a power cut would."""
        self.children[name].stop(grace=0)

    def _check(self) -> None:
        check_layout(self.home)
        if (free := shutil.disk_usage(self.home).free) < ROOM:
            raise DiskFull(self.home, free, ROOM)
        mongo.executable()
        kafka.check()
        for name, port in self.settings.ports.items():
            if not is_free(port):
                raise PortTaken(name, port, f"GUANHU_{name.upper()}_PORT")

    async def _start_services(self) -> None:
        for name in self._services:
            self.children[name] = self._spawn(name)
        for name in self._services:
            await _until_healthy(self.children[name], self.settings.port(name))

    def _spawn(self, name: str) -> Child:
        port, log = self.settings.port(name), self.home / "log" / f"{name}.log"
        match name:
            case "mongodb":
                return mongo.start(self.home / "mongodb", port, log=log, cache_gb=self.settings.cache_gb)
            case "kafka":
                return kafka.start(self.home / "kafka", port, log=log)
            case _:
                environment = self.environment(name)
                Path(environment["GUANHU_DATA"]).mkdir(parents=True, exist_ok=True)
                command = [sys.executable, "-m", self._services[name].module]
                return Child(name, command, log=log, environment={**os.environ, **environment})

    def _end(self, *, failed: bool) -> None:
        grace = GRACE if self._keep else 0.0
        services = [self.children[name] for name in self._services if name in self.children]
        for child in reversed(services):
            child.ask_to_end()
        for child in reversed(services):
            child.stop()
        for name in ("kafka", "mongodb"):
            if name in self.children:
                self.children[name].stop(grace)
        if not self._keep:
            self._remove(logs=not failed)
        if self._hold:
            self._hold.release()

    def _remove(self, *, logs: bool) -> None:
        """Remove what a stack writes, by name: ``home`` may be a folder somebody has other things in."""
        for name in ("mongodb", "kafka", "data", *(["log"] if logs else [])):
            shutil.rmtree(self.home / name, ignore_errors=True)
        for name in ("layout.json", "secrets.json", "stack.json"):
            (self.home / name).unlink(missing_ok=True)
        with suppress(OSError):
            (self.home / "supervisor.pid").unlink()
            self.home.rmdir()


class Hold:
    """The right to run a stack on a folder: a lock that the kernel takes back from a process that is gone, in
    a file that says which process has it."""

    def __init__(self, home: Path) -> None:
        self._state = home / "stack.json"
        self._file: IO[str] = (home / "supervisor.pid").open("a+")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise AlreadyRunning(home, holder(home) or 0) from None
        self._file.truncate(0)
        self._file.write(f"{os.getpid()}\n")
        self._file.flush()

    def note(self, stack: Stack) -> None:
        """Write down which processes run, for ``guanhu status``."""
        state = {name: {"pid": child.pid, "port": stack.settings.port(name)} for name, child in stack.children.items()}
        self._state.write_text(json.dumps(state, indent=2))

    def release(self) -> None:
        self._state.unlink(missing_ok=True)
        self._file.close()


def holder(home: Path) -> int | None:
    """The process that runs a stack on this folder, if one does."""
    with suppress(FileNotFoundError), (home / "supervisor.pid").open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return int(file.read() or 0)
    return None


def check_layout(home: Path) -> None:
    """Mark a new data folder with this version's layout. Raises OtherLayout for one with another."""
    file = home / "layout.json"
    if not file.exists():
        file.write_text(json.dumps({"layout": LAYOUT}))
    try:
        found = json.loads(file.read_text())["layout"]
    except (ValueError, KeyError, TypeError):
        found = "unknown"
    if found != LAYOUT:
        raise OtherLayout(home, found, LAYOUT)


async def is_healthy(port: int) -> bool:
    """Whether the service on this port says that it can do its work."""
    async with httpx.AsyncClient(timeout=2, trust_env=False, verify=False) as client:
        try:
            answer = await client.get(f"http://127.0.0.1:{port}/health")
        except httpx.HTTPError:
            return False
        return answer.status_code == httpx.codes.OK


async def _until_healthy(child: Child, port: int) -> None:
    await child.until(lambda: is_healthy(port), seconds=60)
