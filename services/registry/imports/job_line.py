"""A line of jobs in a store: the one that has waited longest is done first, by one process of the service at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Final

from services.registry.imports.store import Document, ImportStore
from shared.eventlog.lease import Tenure

LOOK_SECONDS: Final = 1.0

Work = Callable[[Document], Awaitable[None]]
"""One job; it is begun again from the same state when a process was ended in the middle of it."""


class JobLine:
    """``work`` tells by the states of jobs what is to be done; ``waiting`` is set by whoever asks for something."""

    def __init__(
        self, store: ImportStore, waiting: asyncio.Event, work: Mapping[str, Work], clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._waiting = waiting
        self._work = work
        self._clock = clock

    async def run(self, tenure: Tenure) -> None:
        """Until it is cancelled. Raises what the stores raise; whoever keeps it starts it again."""
        await self._store.prepare()
        await self._store.tidy(self._clock())
        try:
            while True:
                if not await self.work_once(tenure):
                    await self._rest()
        finally:
            await tenure.release()

    async def work_once(self, tenure: Tenure) -> bool:
        """Does the job that has waited longest; False when there is none, or another process does them."""
        job = await self._store.next_at(list(self._work)) if await tenure.hold() is not None else None
        if job is None:
            return False
        await self._do(job, tenure)
        return True

    async def _do(self, job: Document, tenure: Tenure) -> None:
        """One job, while the lease is held: without it another process goes on."""
        work = asyncio.ensure_future(self._work[job["state"]](job))
        try:
            while not work.done() and await tenure.hold() is not None:
                await asyncio.wait([work], timeout=LOOK_SECONDS)
        finally:
            if not work.done():
                work.cancel()
            await self._end(job, work)

    async def _end(self, job: Document, work: asyncio.Future[None]) -> None:
        """One that fails again and again must not keep the others waiting: it goes to the end of their line."""
        try:
            with suppress(asyncio.CancelledError):
                await work
        except Exception:
            await self._store.move(job["_id"], (job["state"],), {"asked_at": self._clock()})
            raise

    async def _rest(self) -> None:
        self._waiting.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._waiting.wait(), LOOK_SECONDS)
