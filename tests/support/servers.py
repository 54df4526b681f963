"""The real MongoDB and Kafka of one test run, shared by all its workers.

They belong to pytest's main process: a thread there starts a server when a test first asks for it, and when
that process ends, in whatever way, Linux ends the servers. Workers ask over a socket whose address they
inherit. A run that asks for nothing starts nothing.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path

from deploy.local import kafka, mongo
from deploy.local.child import Child
from deploy.local.port import free_port

_VARIABLE = "GUANHU_TEST_SERVERS"
_PREFIX = "guanhu-tests-"


class Servers:
    """Starts each server once, on a free port, with its data in memory where the machine has /dev/shm."""

    def __init__(self) -> None:
        _sweep()
        self.folder = _scratch() / f"{_PREFIX}{os.getpid()}"
        self.folder.mkdir()
        self._children: list[Child] = []
        self._addresses: dict[str, str | Exception] = {}
        self._start: dict[str, Callable[[], str]] = {"mongo": self._mongo, "kafka": self._kafka}
        self._door = Listener(str(self.folder / "door"), family="AF_UNIX")
        self._thread = threading.Thread(target=self._serve, name="test servers", daemon=True)

    def open(self) -> None:
        os.environ[_VARIABLE] = str(self.folder / "door")
        self._thread.start()

    def close(self) -> None:
        with suppress(OSError):
            ask_at(self._door.address, "close")
        self._thread.join()
        self._door.close()
        os.environ.pop(_VARIABLE, None)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _serve(self) -> None:
        asked = ""
        while asked != "close":
            # A worker may be killed while it waits for its answer.
            with self._door.accept() as caller, suppress(EOFError, OSError):
                asked = caller.recv()
                caller.send(self._answer(asked))

    def _answer(self, asked: str) -> str | Exception:
        if asked == "close":
            for child in reversed(self._children):
                child.stop(grace=0.0)  # nothing of what they hold is wanted any more
            return ""
        if asked not in self._addresses:
            try:
                self._addresses[asked] = self._start[asked]()
            except Exception as reason:
                self._addresses[asked] = RuntimeError(str(reason))
        return self._addresses[asked]

    def _mongo(self) -> str:
        port = free_port()
        child = mongo.start(self.folder / "mongodb", port, log=self.folder / "mongodb.log", cache_gb=0.25, oplog_mb=256)
        self._children.append(child)
        asyncio.run(mongo.ready(child, port))
        return mongo.url(port)

    def _kafka(self) -> str:
        port = free_port()
        child = kafka.start(self.folder / "kafka", port, log=self.folder / "kafka.log")
        self._children.append(child)
        asyncio.run(kafka.ready(child, port))
        return kafka.address(port)


def ask(server: str) -> str:
    """The address of ``mongo`` or ``kafka``, started if this is the first wish for it in the run."""
    return ask_at(os.environ[_VARIABLE], server)


def ask_at(door: str | tuple[str, int], wish: str) -> str:
    connection: Connection
    with Client(door, family="AF_UNIX") as connection:
        connection.send(wish)
        answer: str | Exception = connection.recv()
    if isinstance(answer, Exception):
        raise answer
    return answer


def _scratch() -> Path:
    memory = Path("/dev/shm")
    return memory if os.access(memory, os.W_OK) else Path(tempfile.gettempdir())


def _sweep() -> None:
    """Remove what killed runs have left."""
    for left in _scratch().glob(f"{_PREFIX}*"):
        if not Path(f"/proc/{left.name.removeprefix(_PREFIX)}").exists():
            shutil.rmtree(left, ignore_errors=True)
