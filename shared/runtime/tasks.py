"""The long-running tasks of a process: started together, watched, ended together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Any, Final

import structlog

from shared.web.health import Health, Unhealthy

RESTART_SECONDS: Final = 2.0

_log = structlog.get_logger()


class LogEvent(StrEnum):
    """What this package logs."""

    TASK_FAILED = "task_failed"
    """A background task raised: its name and the class. It is started again after two seconds; see /health."""


class Tasks:
    """Keeps each task running: one that raises is reported on /health and started again."""

    def __init__(self, health: Health) -> None:
        self._health = health
        self._running: list[asyncio.Task[None]] = []
        self._failed: dict[str, str] = {}

    def start(self, name: str, work: Callable[[], Awaitable[Any]], *, vital: bool = True) -> None:
        """``work`` runs until it is cancelled. Without a task that is not vital the process is of use all the same."""
        self._health.add(name, lambda: self._examine(name, vital))
        self._running.append(asyncio.create_task(self._keep(name, work), name=name))

    async def stop(self) -> None:
        """Cancels all, last started first, and waits until each has left its own ``finally``."""
        for task in reversed(self._running):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        self._running.clear()

    async def _keep(self, name: str, work: Callable[[], Awaitable[Any]]) -> None:
        while True:
            begun = asyncio.create_task(self._settled(name), name=f"{name} settled")
            try:
                await work()
            except Exception as error:
                # A driver's text may quote a document: the class says enough to look further.
                self._failed[name] = type(error).__name__
                _log.exception(LogEvent.TASK_FAILED, task=name, exception=type(error).__name__)
            finally:
                begun.cancel()
            await asyncio.sleep(RESTART_SECONDS)

    async def _settled(self, name: str) -> None:
        await asyncio.sleep(5 * RESTART_SECONDS)
        self._failed.pop(name, None)

    async def _examine(self, name: str, vital: bool) -> str:
        if name not in self._failed:
            return "running"
        finding = f"failed with {self._failed[name]}; it is started again every two seconds"
        if vital:
            raise Unhealthy(finding)
        return finding
