"""Logs: a JSON object a line on stdout, personal values masked; and each event of this package, declared once."""

from __future__ import annotations

import logging
import sys
import traceback
from enum import StrEnum
from typing import Any, Final, TextIO

import msgspec
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from shared.privacy.masking import mask_personal


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
        processors=[*shared, name_the_place, mask_personal, _json],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                name_the_place,
                mask_personal,
                _json,
            ],
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


def name_the_place(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Of an exception its class and its places are logged, not its text: a driver's may quote a document."""
    information = event.pop("exc_info", None)
    error = sys.exc_info()[1] if information is True else information
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        event["exception"] = type(error).__name__
        event["places"] = [f"{f.filename}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__)][-8:]
    return event


_ENCODER: Final = msgspec.json.Encoder(enc_hook=lambda value: str(value))


def _json(_: WrappedLogger, __: str, event: EventDict) -> str:
    return _ENCODER.encode(_plain(event)).decode()


def _plain(value: Any) -> Any:
    """Keys as text, so that no odd key can make a log line fail."""
    return {str(key): item for key, item in value.items()}
