"""The service's side of ``checker``: a file goes to a process of its own, and what it says comes back in pieces."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from services.registry.imports.bad_file import BAD_FILES, FileIsDamaged
from services.registry.imports.checking import CheckedRow, Opened, Terms
from services.registry.imports.frame import LENGTH_BYTES, Answer, Task, answers, framed

AT_ONCE: Final = 2
"""Files that are read at the same time; others wait."""


class Examiner:
    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def open(self, content: bytes) -> Opened:
        """What the head of the file says. Raises BadFile."""
        async with self._answers(Task(), content) as found:
            async for answer in found:
                if answer.opened is not None:
                    return answer.opened
        raise FileIsDamaged

    async def check(self, content: bytes, terms: Terms) -> AsyncIterator[list[CheckedRow]]:
        """Pieces of rows in their order. Raises BadFile, also on the way."""
        async with self._answers(Task(terms), content) as found:
            async for answer in found:
                if answer.rows:
                    yield answer.rows

    @asynccontextmanager
    async def _answers(self, task: Task, content: bytes) -> AsyncIterator[AsyncIterator[Answer]]:
        async with self._turns:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "services.registry.imports.checker", stdin=PIPE, stdout=PIPE, stderr=None
            )
            try:
                yield _said(process, task, content)
            finally:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()


async def _said(process: Process, task: Task, content: bytes) -> AsyncIterator[Answer]:
    if process.stdin is None or process.stdout is None:
        raise AssertionError("the process was started with pipes")
    # One that ended while it was told will say so below.
    with suppress(ConnectionError):
        process.stdin.write(framed(task))
        process.stdin.write(content)
        await process.stdin.drain()
        process.stdin.close()
    while True:
        answer = await _next(process.stdout)
        if answer.what == "refused":
            raise BAD_FILES.get(answer.refused, FileIsDamaged)(answer.detail)
        yield answer
        if answer.what == "ended":
            return


async def _next(source: asyncio.StreamReader) -> Answer:
    """Raises FileIsDamaged where the process ended in the middle: the file took more than it may."""
    try:
        length = int.from_bytes(await source.readexactly(LENGTH_BYTES), "big")
        return answers.decode(await source.readexactly(length))
    except asyncio.IncompleteReadError:
        raise FileIsDamaged from None
