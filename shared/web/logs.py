"""Logs: a JSON object a line on stdout, personal values masked; and each event of this package, declared once."""

from __future__ import annotations

import logging
import sys
from enum import StrEnum
from typing import Any, Final, TextIO

import msgspec
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger


class LogEvent(StrEnum):
    """What ``shared.web`` and ``shared.identity`` log."""

    REQUEST_SERVED = "request_served"
    """A request was answered: route template, method, status, milliseconds. Never a path, query or body."""

    REQUEST_FAILED = "request_failed"
    """Nobody expected this exception: its class and where it was raised, never its text. A bug: look at the place."""

    CHECK_FAILED = "health_check_failed"
    """A health check raised: its name and the class. Look at the server the check is named for."""

    ISSUER_UNREACHABLE = "issuer_unreachable"
    """The issuer's keys could not be fetched; known keys stay in use. See GUANHU_ISSUER_URL."""


def configure_logs(service: str, stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """For the process: structlog and the standard library both write JSON lines to ``stream`` (default stdout)."""
    out = stream or sys.stdout
    shared = _processors(service)
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, _json],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _no_traceback, _json],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(level, logging.WARNING))


def _processors(service: str) -> list[Processor]:
    def name_the_service(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        event.setdefault("service", service)
        return event

    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        name_the_service,
    ]


def _no_traceback(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """A library's traceback ends in the exception's text, and a driver's text may quote a document: keep the class."""
    information = event.pop("exc_info", None)
    if isinstance(information, tuple) and information[0] is not None:
        event["exception"] = information[0].__name__
    return event


_ENCODER: Final = msgspec.json.Encoder(enc_hook=lambda value: str(value))


def _json(_: WrappedLogger, __: str, event: EventDict) -> str:
    return _ENCODER.encode(_plain(event)).decode()


def _plain(value: Any) -> Any:
    """Keys as text, so that no odd key can make a log line fail."""
    return {str(key): item for key, item in value.items()}
