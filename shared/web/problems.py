"""The only renderer of errors: whatever goes wrong becomes problem details (RFC 9457) that repeat nothing personal.

A problem names a field, a rule and what to do; never the value that was sent, never the text of a fault.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import msgspec
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from pymongo.errors import ConnectionFailure
from starlette.exceptions import HTTPException
from starlette.responses import Response

from shared.contracts.refusal import Refusal
from shared.eventlog.port import (
    ClaimTaken,
    CommandAlreadyDone,
    LogError,
    LogUnavailableError,
    RecordTooLarge,
    VersionConflict,
)

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER_SECONDS: Final = 2
MAX_ERRORS: Final = 100
"""Fields named in one problem: a body that is wrong everywhere is not answered with a longer one."""


class FieldProblem(BaseModel):
    """One field that breaks a rule. ``rule`` is a stable name; ``field`` a dotted path from the body's root."""

    field: str
    rule: str
    what_to_do: str


class ProblemDetails(BaseModel):
    """Every answer that is no success. ``code`` is stable and for programs, the rest is for people."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    what_to_do: str
    errors: list[FieldProblem] | None = None
    correlation_id: str | None = None


class _Known(msgspec.Struct, frozen=True):
    status: int
    code: str
    detail: str
    what_to_do: str


_UNAVAILABLE: Final = _Known(503, "store_unavailable", "The store can not be reached now.", "Repeat the same request.")
_UNEXPECTED: Final = _Known(
    500, "unexpected", "Something went wrong here.", "Give the correlation id to the operator of this service."
)
_FAULTS: Final[Mapping[type[Exception], _Known]] = {
    VersionConflict: _Known(
        409, "version_conflict", "Somebody else changed it first.", "Load it again and repeat the command."
    ),
    ClaimTaken: _Known(
        409, "claim_taken", "A value that must be unique is held by another.", "Check the value, or correct the other."
    ),
    CommandAlreadyDone: _Known(409, "command_already_done", "The command was done before.", "Nothing."),
    RecordTooLarge: _Known(413, "record_too_large", "The fact is over 256 KiB.", "Shorten its texts, or split it."),
    LogUnavailableError: _UNAVAILABLE,
    ConnectionFailure: _UNAVAILABLE,
}
_HTTP: Final[Mapping[int, _Known]] = {
    400: _Known(400, "malformed", "The body could not be read.", "Send one JSON value in UTF-8."),
    404: _Known(404, "not_found", "There is nothing at this address.", "See the OpenAPI description."),
    405: _Known(405, "method_not_allowed", "This address knows other methods.", "See the Allow header."),
    413: _Known(413, "body_too_large", "The body is larger than this address takes.", "Send less at a time."),
}
HANDLED: Final[tuple[type[Exception], ...]] = (
    Refusal,
    LogError,
    ConnectionFailure,
    RequestValidationError,
    HTTPException,
)
"""What an application hands to ``render``; anything else is unexpected."""


def problem_of(error: Exception) -> dict[str, Any]:
    """The body of a problem, without the correlation id. An error that nobody expected tells nothing of itself."""
    match error:
        case Refusal():
            return _body(_Known(error.status, error.code, error.detail, error.what_to_do)) | _named(error)
        case RequestValidationError() | ValidationError():
            return _invalid(error)
        case HTTPException():
            return _body(_of_status(error.status_code))
        case _:
            return _body(_known(error))


def render(error: Exception, correlation_id: str | None) -> Response:
    body = problem_of(error)
    if correlation_id is not None:
        body["correlation_id"] = correlation_id
    headers = dict(getattr(error, "headers", None) or {})
    if body["status"] == 503:
        headers.setdefault("Retry-After", str(RETRY_AFTER_SECONDS))
    return Response(msgspec.json.encode(body), body["status"], headers, MEDIA_TYPE)


def _named(refusal: Refusal) -> dict[str, Any]:
    """The field that a refusal is about, as it is named where a form is broken; nothing where it names none."""
    if refusal.field is None:
        return {}
    return {"errors": [{"field": refusal.field, "rule": refusal.code, "what_to_do": refusal.what_to_do}]}


def _known(error: Exception) -> _Known:
    return next((known for kind, known in _FAULTS.items() if isinstance(error, kind)), _UNEXPECTED)


def _of_status(status: int) -> _Known:
    """A framework's own error: only its status is believed, its text may repeat what was sent."""
    phrase = HTTPStatus(status).phrase
    return _HTTP.get(status) or _Known(status, re.sub(r"\W+", "_", phrase).lower(), f"{phrase}.", "")


def _body(known: _Known) -> dict[str, Any]:
    return {
        "type": f"urn:guanhu:problem:{known.code}",
        "title": HTTPStatus(known.status).phrase,
        **msgspec.structs.asdict(known),
    }


_INVALID: Final = _Known(422, "invalid", "Some fields break a rule.", "Correct the fields and send it again.")
_SAFE_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,39}")
_REMEDIES: Final[Mapping[str, str]] = {
    "missing": "Add this field.",
    "extra_forbidden": "Leave this field out.",
    "string_pattern_mismatch": "Match the pattern {pattern}.",
    "string_too_short": "Give at least {min_length} characters.",
    "string_too_long": "Give at most {max_length} characters.",
    "too_short": "Give at least {min_length} entries.",
    "too_long": "Give at most {max_length} entries.",
    "greater_than_equal": "Give {ge} or more.",
    "greater_than": "Give more than {gt}.",
    "less_than_equal": "Give {le} or less.",
    "less_than": "Give less than {lt}.",
    "enum": "Give one of {expected}.",
    "literal_error": "Give one of {expected}.",
    "timezone_aware": "Add the offset to the time, such as +08:00.",
}


def _invalid(error: RequestValidationError | ValidationError) -> dict[str, Any]:
    # Pydantic's own sentences and contexts can quote the input ("found `x` at 1"): only types and rules are taken over.
    found = error.errors()
    if any(one["type"] == "json_invalid" for one in found):
        return _body(_HTTP[400])
    return _body(_INVALID) | {
        "errors": [
            {"field": _field(one["loc"]), "rule": one["type"], "what_to_do": _remedy(one["type"], one.get("ctx", {}))}
            for one in found[:MAX_ERRORS]
        ]
    }


def _field(location: tuple[int | str, ...]) -> str:
    """A key that is no plain name may be a person's: it is shown as ``?``."""
    parts = location[1:] if location[:1] == ("body",) else location
    return ".".join(str(p) if isinstance(p, int) or _SAFE_NAME.fullmatch(p) else "?" for p in parts) or "body"


def _remedy(rule: str, context: Mapping[str, Any]) -> str:
    remedy = _REMEDIES.get(rule)
    if remedy is None:
        return "See this field in the OpenAPI description."
    return remedy.format_map(context)
