"""Masks for whatever is written for people to read: personal values show as ``***`` in every log line.

Three nets: sealed values by their type, known personal fields by their name, and citizen and phone numbers by their
form in any text. Models are named, never printed.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping, MutableMapping
from functools import cache
from typing import Any, Final

from pydantic import BaseModel

from shared.contracts.catalogue import CATALOGUE
from shared.contracts.event import Layout, layout_of
from shared.contracts.sealed import Sealed

MASK: Final = "***"

_FIELDS_OF_COMMANDS: Final = frozenset(
    {
        "birth_date",
        "caregiver_name",
        "certificate",
        "citizen_number",
        "father",
        "ethnicity",
        "father_name",
        "former_names",
        "father_phone",
        "full_name",
        "head",
        "homeroom_teacher",
        "household_head",
        "housing",
        "hukou_book_number",
        "id_number",
        "mother",
        "illness",
        "mother_name",
        "mother_phone",
        "name",
        "note",
        "phone",
        "psychology",
        "school",
        "search",
        "without_members",
        # not about children, but no better in a log
        "authorization",
        "cookie",
        "password",
        "secret",
        "token",
    }
)

# A citizen number of 18 characters (GB 11643), or a mobile number; neither inside a longer run of letters or digits.
_NUMBERS: Final = re.compile(r"(?<![0-9A-Za-z])(?:\d{17}[\dXx]|1[3-9]\d{9})(?![0-9A-Za-z])")

_PASSED: Final = frozenset({"exc_info", "stack_info", "_record", "_from_structlog"})
"""What other processors put into an event dict for each other."""

_OWN_FIELDS_OF_A_LINE: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


@cache
def personal_fields() -> frozenset[str]:
    """The names under which personal values travel: those of every event, and those that only commands have."""
    named = {name for event in CATALOGUE.values() for name in _personal_in(layout_of(event))}
    return frozenset(named) | _FIELDS_OF_COMMANDS


def _personal_in(layout: Layout) -> Iterator[str]:
    yield from (field.name for field in layout.sealed if field.kind == "personal")
    for _, nested, _ in layout.nested:
        yield from _personal_in(nested)


def mask_personal(logger: Any, method: str, event_dict: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor. Set it after the one that formats exceptions, before the renderer."""
    for key, value in event_dict.items():
        event_dict[key] = _masked(key, value)
    return event_dict


class PersonalFilter(logging.Filter):
    """The same for the standard library's logging, for its handlers: message, arguments and extra fields."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = _masked("", record.getMessage())
        record.args = None
        if record.exc_info:
            record.exc_text = _masked("", logging.Formatter().formatException(record.exc_info))
        for name in vars(record).keys() - _OWN_FIELDS_OF_A_LINE:
            setattr(record, name, _masked(name, getattr(record, name)))
        return True


def _masked(key: str, value: Any) -> Any:
    if value is None or key in _PASSED:
        return value
    if key in personal_fields():
        return MASK
    return _masked_inside(value)


def _masked_inside(value: Any) -> Any:
    match value:
        case str():
            return _NUMBERS.sub(MASK, value)
        case Sealed():
            return MASK
        case BaseModel():
            return f"<{type(value).__name__}>"
        case Mapping():
            return {key: _masked(str(key), one) for key, one in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_masked("", one) for one in value]
        case BaseException():
            return _NUMBERS.sub(MASK, f"{type(value).__name__}: {value}")
        case _:
            return value
