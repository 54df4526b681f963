"""GET /health: each check by name, 200 when all pass, otherwise 503. GET /live: the process answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import structlog
from fastapi import APIRouter
from fastapi.responses import JSONResponse

from shared.web.logs import LogEvent
from shared.web.metrics import Metrics

Check = Callable[[], Awaitable[Any]]
"""Passes by returning (its value is shown: numbers and codes only), fails by raising."""

PATIENCE_SECONDS: Final = 2.0

_log = structlog.get_logger()


class Unhealthy(Exception):
    """A check's own finding, shown as it is: what is wrong and how to go on, nothing personal."""


class Health:
    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}

    def add(self, name: str, check: Check) -> None:
        self._checks[name] = check

    async def examine(self) -> dict[str, dict[str, Any]]:
        """By name: ``{"ok": bool, "found": ...}``; all checks at once, each with two seconds."""
        found = await asyncio.gather(*(self._ask(name, check) for name, check in self._checks.items()))
        return dict(zip(self._checks, found, strict=True))

    @staticmethod
    async def _ask(name: str, check: Check) -> dict[str, Any]:
        try:
            return {"ok": True, "found": await asyncio.wait_for(check(), PATIENCE_SECONDS)}
        except Unhealthy as finding:
            return {"ok": False, "found": str(finding)}
        except Exception as error:
            # The text of a driver's exception may quote what it was asked: its class is enough here.
            _log.warning(LogEvent.CHECK_FAILED, check=name, exception=type(error).__name__)
            return {"ok": False, "found": type(error).__name__}


def health_routes(service: str, health: Health, metrics: Metrics) -> APIRouter:
    router = APIRouter(tags=["operation"])

    @router.get("/health", summary="Can it do its work?")
    async def examined() -> JSONResponse:
        checks = await health.examine()
        for name, found in checks.items():
            metrics.checks.labels(name).set(found["ok"])
        well = all(found["ok"] for found in checks.values())
        return JSONResponse({"service": service, "ok": well, "checks": checks}, 200 if well else 503)

    @router.get("/live", summary="Does it answer?")
    async def live() -> dict[str, str]:
        return {"service": service}

    return router
