"""The metrics of a process beyond HTTP, each declared once with its meaning and what to do when it looks wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from prometheus_client import Gauge

from shared.eventlog.port import Log, LogUnavailableError
from shared.eventlog.relay import Relay
from shared.projection.live import LiveModels
from shared.runtime.kernel import now
from shared.web.metrics import Metrics

EVERY_SECONDS: Final = 5.0


class LogMeasures:
    """Of a service that has a log."""

    def __init__(self, metrics: Metrics) -> None:
        self._events = Gauge(
            "guanhu_log_events",
            "Events in the log, by partition. One that stands still while others grow: look at its streams.",
            ("partition",),
            registry=metrics.registry,
        )
        self._sends = Gauge(
            "guanhu_relay_sends",
            "1 in the process that holds the relay's lease. None with 1 for over 15 s: look at Kafka, then MongoDB.",
            registry=metrics.registry,
        )

    async def keep(self, log: Log, relay: Relay) -> None:
        """Until it is cancelled."""
        while True:
            self._sends.set(relay.sends)
            with suppress(LogUnavailableError):  # the health check of MongoDB says so
                for head in await log.heads():
                    self._events.labels(str(head.partition)).set(head.seq)
            await asyncio.sleep(EVERY_SECONDS)


class ReadModelMeasures:
    """Of a process that writes read models."""

    def __init__(self, metrics: Metrics) -> None:
        self._waiting = Gauge(
            "guanhu_read_model_waiting",
            "Events the read model lacks. Growing: the projector is slower than the services, or stopped.",
            ("read_model",),
            registry=metrics.registry,
        )
        self._behind = Gauge(
            "guanhu_read_model_behind_seconds",
            "Seconds since the read model was last complete; -1: it never was. Over 10 when quiet: see /health.",
            ("read_model",),
            registry=metrics.registry,
        )

    async def keep(self, live: LiveModels, names: Sequence[str]) -> None:
        """Until it is cancelled. Raises what the driver raises."""
        while True:
            for name in names:
                freshness = await live.freshness(name)
                complete = freshness.complete_up_to
                self._waiting.labels(name).set(freshness.waiting)
                self._behind.labels(name).set((now() - complete).total_seconds() if complete else -1)
            await asyncio.sleep(EVERY_SECONDS)
