"""What happens around every request: its size, its ids, its log line and measures, and the fault nobody expected."""

from __future__ import annotations

import re
import time
import traceback
import uuid
from collections.abc import Mapping
from typing import Final

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.web.logs import LogEvent
from shared.web.metrics import Metrics
from shared.web.problems import render

KIB: Final = 1024
BODY_LIMIT: Final = 256 * KIB
"""Bytes of a body where no prefix says otherwise: as much as a record may have."""
BULK_BODY_LIMIT: Final = 16 * 1024 * KIB
"""Bytes for an address that takes many commands at once."""
FILE_BODY_LIMIT: Final = 32 * 1024 * KIB
"""Bytes for an address that takes a ledger; one of 200,000 rows has about half of it."""

_CORRELATION_ID: Final = re.compile(r"[A-Za-z0-9-]{8,64}")
_TRACEPARENT: Final = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")

_log = structlog.get_logger()


class AroundRequest:
    """The outermost layer of an application."""

    def __init__(self, app: ASGIApp, service: str, metrics: Metrics, body_limits: Mapping[str, int]) -> None:
        self._app = app
        self._service = service
        self._metrics = metrics
        # The longest prefix speaks.
        self._limits = sorted(body_limits.items(), key=lambda limit: len(limit[0]), reverse=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        exchange = _Exchange(scope, send)
        started = time.perf_counter()
        with self._metrics.running.track_inprogress(), structlog.contextvars.bound_contextvars(**exchange.ids):
            try:
                await self._serve(scope, receive, exchange)
            finally:
                self._account(scope, exchange.status, time.perf_counter() - started)

    async def _serve(self, scope: Scope, receive: Receive, exchange: _Exchange) -> None:
        try:
            limit = self._limit(scope["path"])
            _refuse_declared(scope, limit)
            await self._app(scope, _limited(receive, limit), exchange.send)
        except HTTPException as error:
            await render(error, exchange.correlation_id)(scope, receive, exchange.send)
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            _log.error(
                LogEvent.REQUEST_FAILED,
                service=self._service,
                route=_route(scope),
                exception=type(error).__name__,
                place=f"{place.filename}:{place.lineno}",
            )
            if exchange.status is not None:
                raise ConnectionAbortedError("the answer had begun") from None
            await render(error, exchange.correlation_id)(scope, receive, exchange.send)

    def _limit(self, path: str) -> int:
        return next((limit for prefix, limit in self._limits if path.startswith(prefix)), BODY_LIMIT)

    def _account(self, scope: Scope, status: int | None, seconds: float) -> None:
        # The template, not the path: a path holds ids, and an address that nobody knows holds whatever was sent.
        route, method = _route(scope), scope["method"] if scope["method"] in _METHODS else "OTHER"
        self._metrics.requests.labels(route, method, status or 0).inc()
        self._metrics.seconds.labels(route).observe(seconds)
        _log.info(
            LogEvent.REQUEST_SERVED,
            service=self._service,
            route=route,
            method=method,
            status=status,
            ms=round(seconds * 1000, 1),
        )


_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class _Exchange:
    """The ids of one request, which its answer repeats, and the status it was answered with."""

    def __init__(self, scope: Scope, send: Send) -> None:
        headers = MutableHeaders(scope=scope)
        self.status: int | None = None
        self.correlation_id = _accepted(_CORRELATION_ID, headers.get("x-correlation-id")) or str(uuid.uuid4())
        traceparent = _accepted(_TRACEPARENT, headers.get("traceparent")) or _new_trace()
        # What is malformed must not travel on into a record: handlers find only what was accepted.
        headers["traceparent"] = traceparent
        scope.setdefault("state", {})["correlation_id"] = self.correlation_id
        self.ids = {"correlation_id": self.correlation_id, "traceparent": traceparent}
        self._send = send

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["x-correlation-id"] = self.correlation_id
            headers["traceparent"] = self.ids["traceparent"]
            headers.setdefault("x-content-type-options", "nosniff")
        await self._send(message)


def _accepted(form: re.Pattern[str], text: str | None) -> str | None:
    return text if text is not None and form.fullmatch(text) else None


def _new_trace() -> str:
    return f"00-{uuid.uuid4().hex}-{uuid.uuid4().hex[:16]}-01"


def _route(scope: Scope) -> str:
    return getattr(scope.get("route"), "path", None) or "unmatched"


def _refuse_declared(scope: Scope, limit: int) -> None:
    length = Headers(scope=scope).get("content-length", "0")
    if length.isdecimal() and int(length) > limit:
        raise HTTPException(413)


def _limited(receive: Receive, limit: int) -> Receive:
    """Counts what really comes: a chunked body declares no length."""
    taken = 0

    async def counted() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > limit:
            # FastAPI turns any other exception that is raised while it reads a body into a 400.
            raise HTTPException(413)
        return message

    return counted
