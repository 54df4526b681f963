"""What every event is: a frozen fact with a wire name, a schema version and, where it is about a person, a subject."""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict

from shared.contracts.sealed import Counted, Kind, Personal


class Fact(BaseModel):
    """A part of an event. ``subject`` names the field that holds the id whose keys seal its fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    subject: ClassVar[str | None] = None


class Event(Fact):
    """A fact that is stored. The wire name is the class name; ``schema_version`` counts its shapes."""

    schema_version: ClassVar[int] = 1


class SealedField:
    """Where a sealed value stands in an event: its dotted path below the owner, and its kind."""

    __slots__ = ("kind", "name")

    def __init__(self, name: str, kind: Kind) -> None:
        self.name = name
        self.kind = kind


class Layout:
    """The sealed fields of one Fact class: its own, and those of the facts nested in it."""

    __slots__ = ("nested", "sealed", "subject")

    def __init__(self, fact: type[Fact]) -> None:
        self.subject = fact.subject
        self.sealed: list[SealedField] = []
        self.nested: list[tuple[str, Layout, bool]] = []
        for name, field in fact.model_fields.items():
            self._place(name, field.annotation)

    def _place(self, name: str, annotation: Any) -> None:
        for shape in _alternatives(annotation):
            origin = get_origin(shape)
            if origin in (Personal, Counted):
                self.sealed.append(SealedField(name, origin.kind))
            elif origin is tuple:
                item = get_args(shape)[0]
                if _is_fact(item) and layout_of(item).holds_any:
                    self.nested.append((name, layout_of(item), True))
            elif _is_fact(shape) and layout_of(shape).holds_any:
                self.nested.append((name, layout_of(shape), False))

    @property
    def holds_any(self) -> bool:
        return bool(self.sealed or self.nested)


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    """The members of ``X | None``; a plain annotation is its own only member."""
    return (
        get_args(annotation)
        if get_origin(annotation) is not tuple and type(None) in get_args(annotation)
        else (annotation,)
    )


def _is_fact(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Fact)


@cache
def layout_of(fact: type[Fact]) -> Layout:
    return Layout(fact)
