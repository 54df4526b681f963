"""The service's side of ``checker``: a file goes to a process of its own, and what it says comes back in pieces."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from enum import StrEnum
from typing import Final

import structlog

from services.registry.imports.bad_file import BAD_FILES, FileIsDamaged
from services.registry.imports.checked_row import CheckedRow, Opened, Terms
from services.registry.imports.frame import LENGTH_BYTES, Answer, Desk, Task, answers, framed

_log = structlog.get_logger()


class LogEvent(StrEnum):
    """What this module logs."""

    LEDGER_UNREADABLE = "ledger_unreadable"
    """A reader met a file in a way nobody expected: class and place. The sender was told that it is damaged."""

    LEDGER_READER_ENDED = "ledger_reader_ended"
    """The process that read a file was ended, by its limits or from outside: its exit code."""


AT_ONCE: Final = 2
"""Files that are read at the same time; others wait."""


class Examiner:
    def __init__(self, desk: Desk = "imports") -> None:
        self._desk = desk
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def open(self, content: bytes) -> Opened:
        """What the head of the file says. Raises BadFile."""
        async with self._answers(Task(desk=self._desk), content) as found:
            async for answer in found:
                if answer.opened is not None:
                    return answer.opened
        raise FileIsDamaged

    async def check(self, content: bytes, terms: Terms) -> AsyncIterator[list[CheckedRow]]:
        """Pieces of rows in their order. Raises BadFile, also on the way."""
        async with self._answers(Task(terms, self._desk), content) as found:
            async for answer in found:
                if answer.rows:
                    yield answer.rows

    @asynccontextmanager
    async def _answers(self, task: Task, content: bytes) -> AsyncIterator[AsyncIterator[Answer]]:
        async with self._turns:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "services.registry.imports.checker", stdin=PIPE, stdout=PIPE, stderr=DEVNULL
            )
            try:
                yield _said(process, task, content)
            finally:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()


async def _said(process: Process, task: Task, content: bytes) -> AsyncIterator[Answer]:
    """Raises BadFile; FileIsDamaged where the process ended in the middle: the file took more than it may."""
    if process.stdin is None or process.stdout is None:
        raise AssertionError("the process was started with pipes")
    try:
        with suppress(ConnectionError):  # one that ended while it was told says so below
            process.stdin.write(framed(task))
            process.stdin.write(content)
            await process.stdin.drain()
            process.stdin.close()
        while True:
            answer = await _next(process.stdout)
            if answer.fault:
                _log.warning(LogEvent.LEDGER_UNREADABLE, fault=answer.fault)
            if answer.what == "refused":
                raise BAD_FILES.get(answer.refused, FileIsDamaged)(answer.detail)
            yield answer
            if answer.what == "ended":
                return
    except asyncio.IncompleteReadError:
        _log.warning(LogEvent.LEDGER_READER_ENDED, exit_code=await process.wait())
        raise FileIsDamaged from None


async def _next(source: asyncio.StreamReader) -> Answer:
    length = int.from_bytes(await source.readexactly(LENGTH_BYTES), "big")
    return answers.decode(await source.readexactly(length))
