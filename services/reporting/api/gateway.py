"""One origin for the browser: ``/api/<service>/…`` is passed on to the service, and nothing internal is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, ClassVar, Final

import httpx
from fastapi import APIRouter, Path, Request, Response

from shared.contracts.consent import AttachmentId
from shared.contracts.refusal import Refusal
from shared.contracts.values import ChildId
from shared.web.request import BODY_LIMIT, BULK_BODY_LIMIT

_PASSED_ON: Final = frozenset(
    {
        b"authorization",
        b"content-type",
        b"idempotency-key",
        b"if-match",
        b"guanhu-source",
        b"guanhu-device",
        b"guanhu-purpose",
        b"traceparent",
    }
)
_ANSWERED: Final = (
    *("content-type", "retry-after", "www-authenticate", "x-correlation-id"),
    *("cache-control", "content-disposition", "content-security-policy"),
)


class ServiceUnreachable(Refusal):
    """The service does not answer now."""

    status: ClassVar[int] = 503
    what_to_do: ClassVar[str] = "Repeat the same request; a command is safe to repeat under the same Idempotency-Key."


class NoSuchService(Refusal):
    """There is no such service."""

    status: ClassVar[int] = 404
    what_to_do: ClassVar[str] = "Use /api/registry, /api/visits or /api/pairing."


Command = Annotated[str, Path(pattern=r"^[A-Za-z]{1,64}$")]


def gateway_routes(services: Mapping[str, str], http: httpx.AsyncClient) -> APIRouter:
    """``services`` maps a name to its base URL. Commands are passed on, and what a browser asks of registry alone:
    duplicates, attachments, the privacy notice.

    Nothing else is: a log is never open to a browser.
    """
    router = APIRouter(prefix="/api", include_in_schema=False)

    @router.post("/{service}/commands")
    async def batch(service: str, request: Request) -> Response:
        return await passed_on(service, "/commands", request)

    @router.post("/{service}/commands/{command}")
    async def one(service: str, command: Command, request: Request) -> Response:
        return await passed_on(service, f"/commands/{command}", request)

    @router.post("/registry/duplicates/check")
    async def check(request: Request) -> Response:
        return await passed_on("registry", "/duplicates/check", request)

    @router.get("/registry/duplicates")
    async def duplicates(request: Request) -> Response:
        return await passed_on("registry", "/duplicates", request)

    @router.api_route("/registry/children/{child}/attachments/{attachment}", methods=["GET", "PUT"])
    async def attachment(child: ChildId, attachment: AttachmentId, request: Request) -> Response:
        return await passed_on("registry", f"/children/{child}/attachments/{attachment}", request)

    @router.get("/registry/privacy-notice")
    async def notice(request: Request) -> Response:
        return await passed_on("registry", "/privacy-notice", request)

    async def passed_on(service: str, path: str, request: Request) -> Response:
        if service not in services:
            raise NoSuchService
        # As bytes: a header that is no ASCII is for the service to refuse.
        headers = [(name, value) for name, value in request.headers.raw if name in _PASSED_ON]
        headers.append((b"x-correlation-id", request.state.correlation_id.encode()))
        try:
            url = httpx.URL(services[service] + path, query=request.scope["query_string"] or None)
            answer = await http.request(request.method, url, content=await request.body(), headers=headers)
        except httpx.TransportError:
            raise ServiceUnreachable from None
        kept = {name: value for name in _ANSWERED if (value := answer.headers.get(name))}
        return Response(answer.content, answer.status_code, kept)

    return router


def gateway_limits(services: Iterable[str]) -> dict[str, int]:
    """Bytes of a body by prefix: what the services themselves take."""
    batches = {f"/api/{service}/commands": BULK_BODY_LIMIT for service in services}
    return batches | {f"{prefix}/": BODY_LIMIT for prefix in batches} | {"/api/registry/children/": BULK_BODY_LIMIT}
