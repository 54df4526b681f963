"""The export as a document: sections of entries, each a list of labelled values, with all that was ever recorded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from pydantic import BaseModel

from services.reporting.export.sections import SECTIONS, TITLES
from services.reporting.export.wording import FIELDS, HIDDEN, ROLES, ethnicity, word, yes_or_no
from services.reporting.read_models.shown import masked
from shared.contracts.event import Fact
from shared.contracts.sealed import Sealed
from shared.projection.read_model import Occurred

Path = tuple[str, ...]

PLACES: Final = ("residence", "hukou", "village", "from_village", "to_village")
"""Fields that hold the code of a division."""

_SECTION_OF: Final = {event: name for name, section in SECTIONS.items() for event in section.events}


class Value(BaseModel):
    """One thing that was recorded. ``field`` is its dotted path in the event, ``text`` the value in Chinese."""

    field: str
    label: str
    value: Any
    text: str


class Entry(BaseModel):
    """One event: what it is called, when it happened, when it was recorded, by whom in which office."""

    type: str
    title: str
    at: datetime
    told: datetime
    by: str
    by_title: str
    values: list[Value]


class Section(BaseModel):
    section: str
    title: str
    entries: list[Entry]


class Reader(NamedTuple):
    """How an export of one child is read: with numbers in full or masked, and with the names of divisions by code."""

    child: str
    full_numbers: bool
    places: Mapping[str, str]

    def sections(self, told: Sequence[Occurred]) -> list[Section]:
        """All sections in their order, also those of which nothing was recorded."""
        entries: dict[str, list[Entry]] = {name: [] for name in SECTIONS}
        for occurred in told:
            section = _SECTION_OF.get(occurred.record.type)
            if section is not None and self._is_about(occurred.event):
                entries[section].append(self._entry(occurred))
        return [Section(section=name, title=SECTIONS[name].title, entries=found) for name, found in entries.items()]

    def _is_about(self, fact: Fact) -> bool:
        """False for what a stream that names the child says of another, such as what a visit found for a sibling."""
        return getattr(fact, "child", self.child) == self.child

    def _entry(self, occurred: Occurred) -> Entry:
        record, event = occurred
        return Entry(
            type=record.type,
            title=TITLES[record.type],
            at=record.occurred_at,
            told=record.recorded_at,
            by=record.actor.role,
            by_title=ROLES.get(record.actor.role, record.actor.role),
            # A code that is counted stands in an event twice: once in its block.
            values=list({(one.label, one.text): one for one in self._of_fact((), event)}.values()),
        )

    def _of_fact(self, path: Path, fact: Fact) -> Iterator[Value]:
        if not self._is_about(fact):
            return
        for name, value in fact:
            if name not in HIDDEN:
                yield from self._values((*path, name), value)

    def _values(self, path: Path, value: Any) -> Iterator[Value]:
        match value:
            case Sealed():
                yield from self._values(path, value.get())
            case Fact():
                yield from self._of_fact(path, value)
            case None | ():
                return
            case tuple() if isinstance(value[0], Fact):
                for one in value:
                    yield from self._of_fact(path, one)
            case _:
                yield self._value(path, value)

    def _value(self, path: Path, value: Any) -> Value:
        field = path[-1]
        if field == "citizen_number" and not self.full_numbers:
            value = masked(value)
        text = self.places.get(value, value) if field in PLACES else text_of(field, value)
        return Value(field=".".join(path), label=_label(path), value=_plain(value), text=text)


def text_of(field: str, value: Any) -> str:
    """A value as it is read: codes in words, several with a mark between them."""
    match value:
        case tuple():
            return "、".join(text_of(field, one) for one in value)
        case StrEnum():
            return word(value)
        case bool():
            return yes_or_no(value)
        case date():
            return value.isoformat()
        case _:
            return ethnicity(value) if field == "ethnicity" else str(value)


def _plain(value: Any) -> Any:
    match value:
        case tuple():
            return [_plain(one) for one in value]
        case StrEnum():
            return value.value
        case date():
            return value.isoformat()
        case _:
            return value


def _label(path: Iterable[str]) -> str:
    return "·".join(filter(None, (FIELDS.get(name, name) for name in path)))
