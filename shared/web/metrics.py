"""Every metric of the HTTP side, once, with its meaning; and GET /metrics. Each application has its own registry."""

from __future__ import annotations

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest


class Metrics:
    """Another part declares its own metrics on ``registry``; they show on the same page."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        self.requests = Counter(
            "guanhu_http_requests",
            "Requests answered, by route template, method and status. Many 503: look at /health.",
            ("route", "method", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "guanhu_http_request_seconds",
            "Seconds from the first byte of a request to the end of its answer, by route template.",
            ("route",),
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
            registry=self.registry,
        )
        self.running = Gauge(
            "guanhu_http_requests_running",
            "Requests being handled now. Growing without end: the store is slower than the callers.",
            registry=self.registry,
        )
        self.checks = Gauge(
            "guanhu_health_check_ok",
            "1 when the named health check passed the last time it was asked, 0 when it failed.",
            ("check",),
            registry=self.registry,
        )


def metrics_routes(metrics: Metrics) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/metrics")
    async def page() -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return router
