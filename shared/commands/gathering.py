"""Commands that come one by one, handled together with those that came meanwhile.

A command that finds nobody at work is handled at once. Under load, a few queries and one seal serve all that wait: then
a service does more for its time the more is asked of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from typing import Final, NamedTuple

from shared.commands.command import Answer, Told
from shared.contracts.refusal import Refusal
from shared.eventlog.port import LogError

AT_WORK: Final = 2
"""Batches handled side by side: one waits for the durable write while the next is decided. More would be smaller."""
MAX_BATCH: Final = 100

Outcome = Answer | Refusal | LogError


class _Waiting(NamedTuple):
    told: Told
    outcome: asyncio.Future[Outcome]


class Gathering:
    """``handle_many`` gives one outcome for each command, in their order."""

    def __init__(self, handle_many: Callable[[Sequence[Told]], Awaitable[Sequence[Outcome]]]) -> None:
        self._handle_many = handle_many
        self._waiting: list[_Waiting] = []
        self._at_work = set[asyncio.Task[None]]()

    async def handle(self, told: Told) -> Outcome:
        """A caller that is cancelled does not take its command back. Raises what ``handle_many`` raises for it."""
        one = _Waiting(told, asyncio.get_running_loop().create_future())
        self._waiting.append(one)
        if len(self._at_work) < AT_WORK:
            # In no request's context: the work is for all that wait.
            working = asyncio.get_running_loop().create_task(self._work(), context=Context())
            self._at_work.add(working)
            working.add_done_callback(self._at_work.discard)
        return await one.outcome

    async def _work(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
            await self._settle(batch)

    async def _settle(self, batch: Sequence[_Waiting]) -> None:
        try:
            outcomes = await self._handle_many([one.told for one in batch])
        except Exception as fault:
            await self._settle_apart(batch, fault)
            return
        for one, outcome in zip(batch, outcomes, strict=True):
            if not one.outcome.done():
                one.outcome.set_result(outcome)

    async def _settle_apart(self, batch: Sequence[_Waiting], fault: Exception) -> None:
        """One of them is more than the code expected; its neighbours shall not fail with it."""
        if len(batch) > 1:
            for one in batch:
                await self._settle([one])
        elif not batch[0].outcome.done():
            batch[0].outcome.set_exception(fault)
