"""One origin for the browser: ``/api/<service>/…`` is passed on to the service, and nothing internal is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

import httpx
from fastapi import APIRouter, Request, Response

from shared.contracts.refusal import Refusal

_PASSED_ON: Final = ("authorization", "content-type", "idempotency-key", "if-match", "guanhu-source", "guanhu-device")
_TRACED: Final = ("traceparent",)
_ANSWERED: Final = ("content-type", "retry-after", "www-authenticate", "x-correlation-id")


class ServiceUnreachable(Refusal):
    """The service does not answer now."""

    status: ClassVar[int] = 503
    what_to_do: ClassVar[str] = "Repeat the same request; a command is safe to repeat under the same Idempotency-Key."


class NoSuchService(Refusal):
    """There is no such service."""

    status: ClassVar[int] = 404
    what_to_do: ClassVar[str] = "Use /api/registry, /api/visits or /api/pairing."


def gateway_routes(services: Mapping[str, str], http: httpx.AsyncClient) -> APIRouter:
    """``services`` maps a name to its base URL. Only commands are passed on: a log is never open to a browser."""
    router = APIRouter(prefix="/api", include_in_schema=False)

    @router.post("/{service}/commands")
    @router.post("/{service}/commands/{command}")
    async def passed_on(service: str, request: Request, command: str | None = None) -> Response:
        if service not in services:
            raise NoSuchService
        headers = {name: value for name in (*_PASSED_ON, *_TRACED) if (value := request.headers.get(name))}
        headers["x-correlation-id"] = request.state.correlation_id
        path = f"/commands/{command}" if command else "/commands"
        try:
            answer = await http.post(services[service] + path, content=await request.body(), headers=headers)
        except httpx.TransportError:
            raise ServiceUnreachable from None
        kept = {name: value for name in _ANSWERED if (value := answer.headers.get(name))}
        return Response(answer.content, answer.status_code, kept)

    return router
