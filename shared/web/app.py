"""The application factory: what every service's HTTP side has in common, so that none can forget it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, Protocol

from fastapi import APIRouter, FastAPI, Request, Response

from shared.web.health import Health, health_routes
from shared.web.metrics import Metrics, metrics_routes
from shared.web.problems import HANDLED, MEDIA_TYPE, ProblemDetails, render
from shared.web.request import AroundRequest


class Lifespan(Protocol):
    """Opens what the service needs before the first request, and closes it after the last."""

    def __call__(self, app: FastAPI, /) -> AbstractAsyncContextManager[Any]: ...


def create_app(
    *,
    title: str,
    service: str,
    routers: Iterable[APIRouter] = (),
    lifespan: Lifespan | None = None,
    health: Health | None = None,
    metrics: Metrics | None = None,
    body_limits: Mapping[str, int] | None = None,
) -> FastAPI:
    """``body_limits`` maps path prefixes to bytes, the longest prefix speaks; elsewhere 256 KiB are taken.

    So ``{"/commands": BULK_BODY_LIMIT, "/commands/": BODY_LIMIT}`` lets only the batch of commands be large.
    """
    health, metrics = health or Health(), metrics or Metrics()
    # The pages for docs load scripts from foreign servers, so there are none: /openapi.json is what is served.
    app = _Application(title=title, lifespan=lifespan, docs_url=None, redoc_url=None, responses=_PROBLEM_RESPONSES)
    app.add_middleware(AroundRequest, service=service, metrics=metrics, body_limits=body_limits or {})
    for kind in HANDLED:
        app.add_exception_handler(kind, _render)
    for router in (*routers, health_routes(service, health, metrics), metrics_routes(metrics)):
        app.include_router(router)
    return app


_PLACES: Final = "#/components/schemas/{model}"
_PROBLEM_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    "default": {
        "description": "Problem details (RFC 9457)",
        "content": {MEDIA_TYPE: {"schema": {"$ref": _PLACES.format(model=ProblemDetails.__name__)}}},
    }
}


class _Application(FastAPI):
    def openapi(self) -> dict[str, Any]:
        """FastAPI takes models of answers in application/json alone, so the one of problems is added here."""
        description = super().openapi()
        problem = ProblemDetails.model_json_schema(ref_template=_PLACES)
        nested = problem.pop("$defs", {})
        components = description.setdefault("components", {}).setdefault("schemas", {})
        components |= nested | {ProblemDetails.__name__: problem}
        return description


async def _render(request: Request, error: Exception) -> Response:
    return render(error, request.state.correlation_id)
