"""What the events of a child's file beyond its first shape change on the card: its check, and its blocks."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final

from shared.commands.command import business_day
from shared.contracts.child_file import (
    ChildFileReturned,
    ChildFileReviewConfirmed,
    ChildFileReviewed,
    ChildFileReviewOpened,
    ChildFileSubmitted,
    ChildFileVerified,
    HealthRecorded,
    SchoolingRecorded,
)
from shared.contracts.event import Event, Fact
from shared.contracts.sealed import Personal
from shared.eventlog.record import Record
from shared.projection.read_model import Document

EVENTS: Final = frozenset(
    {
        "ChildFileSubmitted",
        "ChildFileReviewed",
        "ChildFileReturned",
        "ChildFileVerified",
        "ChildFileReviewOpened",
        "ChildFileReviewConfirmed",
        "SchoolingRecorded",
        "HealthRecorded",
    }
)

DRAFT: Final = "draft"
_HALF_A_YEAR: Final = timedelta(days=183)
"""A verified file is confirmed half-yearly (domain 5.2, I4)."""


def change_file(file: Document, record: Record, event: Event) -> None:
    """Changes the card's part ``file`` in place."""
    match event:
        case SchoolingRecorded():
            since = event.since.get()
            file["schooling"] = opened(event.schooling) | {"since": since and since.isoformat()}
        case HealthRecorded():
            file["health"] = opened(event.health)
        case _:
            _change_check(file.setdefault("check", {"stage": DRAFT}), record, event)


def _change_check(check: Document, record: Record, event: Event) -> None:
    match event:
        case ChildFileSubmitted():
            check["stage"] = "submitted"
            check.pop("returned_for", None)
        case ChildFileReviewed():
            check["stage"] = "township_reviewed"
        case ChildFileReturned():
            check.update(stage="returned", returned_by=event.level.value, returned_for=event.reason.get())
        case ChildFileVerified():
            check["stage"] = "county_verified"
            check.update(_confirmed("verified_on", business_day(record.occurred_at)))
        case ChildFileReviewOpened():
            check["stage"] = "under_review"
        case ChildFileReviewConfirmed():
            check.update(_confirmed("confirmed_on", event.as_of))
        case _:
            raise TypeError(f"{type(event).__name__} is no event of a child's file")


def _confirmed(what: str, on: date) -> Document:
    return {what: on.isoformat(), "due_on": (on + _HALF_A_YEAR).isoformat()}


def file_facts(event: Event) -> Document:
    """What the time line shows of such an event."""
    match event:
        case SchoolingRecorded():
            return opened(event.schooling)
        case HealthRecorded():
            return opened(event.health)
        case ChildFileReturned():
            return told(level=event.level.value, reason=event.reason.get())
        case _:
            return {}


def opened(block: Personal[Any]) -> Document:
    """The fields of a block that were filled in; none once it is erased."""
    fact = block.get()
    return fact.model_dump(mode="json", exclude_none=True) if isinstance(fact, Fact) else {}


def told(**fields: Any) -> Document:
    """Only what was told: a field that nobody filled in takes no room."""
    return {name: value for name, value in fields.items() if value is not None}
