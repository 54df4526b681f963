"""One origin for the browser: ``/api/<service>/…`` is passed on to the service, and nothing internal is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, ClassVar, Final, Literal

import httpx
from fastapi import APIRouter, Path, Request, Response

from shared.contracts.consent import AttachmentId
from shared.contracts.refusal import Refusal
from shared.contracts.values import ChildId
from shared.web.request import BODY_LIMIT, BULK_BODY_LIMIT, FILE_BODY_LIMIT

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
    *("cache-control", "content-disposition", "content-security-policy", "guanhu-left-out"),
)
FILE_SECONDS: Final = 120.0
"""How long a service may take to answer to a file: it looks into it first."""


class ServiceUnreachable(Refusal):
    """The service does not answer now."""

    status: ClassVar[int] = 503
    what_to_do: ClassVar[str] = "Repeat the same request; a command is safe to repeat under the same Idempotency-Key."


class NoSuchService(Refusal):
    """There is no such service."""

    status: ClassVar[int] = 404
    what_to_do: ClassVar[str] = "Use /api/registry, /api/visits or /api/pairing."


Command = Annotated[str, Path(pattern=r"^[A-Za-z]{1,64}$")]

Batch = Annotated[str, Path(pattern=r"^import-[0-9a-f-]{36}$")]


def gateway_routes(services: Mapping[str, str], http: httpx.AsyncClient) -> APIRouter:
    """``services`` maps a name to its base URL. Commands are passed on, what a device did offline, and what a browser
    asks of registry alone: duplicates, attachments, the privacy notice, the import desk.

    Nothing else is: a log is never open to a browser.
    """
    router = APIRouter(prefix="/api", include_in_schema=False)

    @router.post("/{service}/commands")
    async def batch(service: str, request: Request) -> Response:
        return await passed_on(service, "/commands", request)

    @router.post("/{service}/commands/{command}")
    async def one(service: str, command: Command, request: Request) -> Response:
        return await passed_on(service, f"/commands/{command}", request)

    @router.post("/{service}/sync")
    async def sync(service: str, request: Request) -> Response:
        return await passed_on(service, "/sync", request)

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

    @router.post("/registry/imports")
    async def receive(request: Request) -> Response:
        return await passed_on("registry", "/imports", request, file=True)

    @router.get("/registry/imports")
    async def imports(request: Request) -> Response:
        return await passed_on("registry", "/imports", request)

    @router.get("/registry/imports/{batch}")
    async def progress(batch: Batch, request: Request) -> Response:
        return await passed_on("registry", f"/imports/{batch}", request)

    @router.post("/registry/imports/{batch}/{wish}")
    async def wanted(batch: Batch, wish: Literal["commit", "withdraw"], request: Request) -> Response:
        return await passed_on("registry", f"/imports/{batch}/{wish}", request)

    @router.get("/registry/imports/{batch}/rejected.xlsx")
    async def rejected(batch: Batch, request: Request) -> Response:
        return await passed_on("registry", f"/imports/{batch}/rejected.xlsx", request)

    async def passed_on(service: str, path: str, request: Request, *, file: bool = False) -> Response:
        """A file passes in the pieces in which it comes: nothing of it stays here."""
        if service not in services:
            raise NoSuchService
        # As bytes: a header that is no ASCII is for the service to refuse.
        passing = _PASSED_ON | {b"content-length"} if file else _PASSED_ON
        headers = [(name, value) for name, value in request.headers.raw if name in passing]
        headers.append((b"x-correlation-id", request.state.correlation_id.encode()))
        try:
            url = httpx.URL(services[service] + path, query=request.scope["query_string"] or None)
            content = request.stream() if file else await request.body()
            timeout = httpx.Timeout(FILE_SECONDS) if file else httpx.USE_CLIENT_DEFAULT
            answer = await http.request(request.method, url, content=content, headers=headers, timeout=timeout)
        except httpx.TransportError:
            raise ServiceUnreachable from None
        kept = {name: value for name in _ANSWERED if (value := answer.headers.get(name))}
        return Response(answer.content, answer.status_code, kept)

    return router


def gateway_limits(services: Iterable[str]) -> dict[str, int]:
    """Bytes of a body by prefix: what the services themselves take."""
    batches = {f"/api/{service}/commands": BULK_BODY_LIMIT for service in services}
    batches |= {f"{prefix}/": BODY_LIMIT for prefix in batches}
    synced = {f"/api/{service}/sync": BULK_BODY_LIMIT for service in services}
    files = {"/api/registry/children/": BULK_BODY_LIMIT, "/api/registry/imports": FILE_BODY_LIMIT}
    return batches | synced | files
