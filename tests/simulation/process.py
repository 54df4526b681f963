"""A simulated process: each of its calls to the world outside takes time, and may fail or be its last."""

from __future__ import annotations

import asyncio
import inspect
import random
from collections.abc import Awaitable, Callable
from typing import Any, Final

from shared.projection.store import StoreUnavailableError


class Crash(BaseException):
    """The process is no more. No ``except Exception`` may save it."""


class MishapError(Exception):
    """A call that failed; whether it took effect nobody knows."""


MISHAPS: Final = (
    "crash",
    "failed call",
    "pause",
    "topic fault",
    "topic made anew",
    "stored messages lost",
    "delivery lost",
    "delivery doubled",
    "delivery shuffled",
    "rubbish delivered",
)


class Weather:
    """How bad the world is, by seed. ``calm`` ends all mishaps; ``history`` is what there were, with their seconds."""

    def __init__(self, chance: random.Random, clock: Callable[[], float]) -> None:
        self.chance = chance
        self.calm = False
        self.history: list[tuple[float, str]] = []
        self._clock = clock
        self._strength = {what: chance.choice([0.0, 0.3, 1.0]) for what in MISHAPS}

    def delay(self) -> float:
        """Seconds a call takes. A pause is often longer than a lease."""
        if self.strikes("pause", 0.03):
            return self.chance.uniform(1, 40)
        return self.chance.uniform(0, 0.01 if self.calm else 0.1)

    def crashes(self) -> bool:
        return self.strikes("crash", 0.01)

    def fails(self) -> bool:
        return self.strikes("failed call", 0.05)

    def strikes(self, what: str, probability: float) -> bool:
        struck = not self.calm and self.chance.random() < probability * self._strength[what]
        if struck:
            self.history.append((self._clock(), what))
        return struck


class Process:
    def __init__(self, weather: Weather) -> None:
        self._weather = weather
        self._main: asyncio.Task[Any] | None = None
        self._dead = False

    async def live(self, main: Callable[[], Awaitable[None]]) -> None:
        """Until it ends, crashes or fails by a mishap. Any other exception is a finding."""
        self._main = asyncio.ensure_future(main())
        try:
            await asyncio.wait([self._main])
        except asyncio.CancelledError:
            self._main.cancel()
            await asyncio.gather(self._main, return_exceptions=True)
            raise
        error = None if self._main.cancelled() else self._main.exception()
        if error and not isinstance(error, (Crash, MishapError, StoreUnavailableError)):
            raise error

    def gated(self, port: Any, fault: type[Exception] = MishapError) -> Any:
        """The port as this process sees it; a call that fails raises ``fault``."""
        return _Gated(port, self, fault)

    async def step(self, fault: type[Exception]) -> None:
        """One point at which the process may be held up, fail or crash."""
        self._stay()
        await asyncio.sleep(self._weather.delay())
        self._stay()
        if self._weather.crashes():
            self._dead = True
            if self._main is not None:
                self._main.cancel()
            raise Crash
        if self._weather.fails():
            raise fault

    def _stay(self) -> None:
        if self._dead:
            raise Crash


class _Gated:
    """Before and after each call there is a step of the process."""

    def __init__(self, port: Any, process: Process, fault: type[Exception]) -> None:
        self._port = port
        self._process = process
        self._fault = fault

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._port, name)
        if not inspect.iscoroutinefunction(member):
            return member

        async def call(*args: Any, **kwargs: Any) -> Any:
            await self._process.step(self._fault)
            answer = await member(*args, **kwargs)
            await self._process.step(self._fault)
            return answer

        return call
