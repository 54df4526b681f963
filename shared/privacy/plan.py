"""How an event class is taken apart into clear and sealed values and put together again: worked out once per class.

What comes from the log was validated when the event was made, and its bytes are authenticated and chained; so
putting together only restores the Python types, without validating again (five times faster, and a rebuild opens
every event there is). In clear data ``null`` at a sealed field says that its value stands in a sealed part; a
missing field was not given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime
from enum import Enum
from functools import cache
from types import NoneType
from typing import Annotated, Any, Final, Literal, NamedTuple, TypeGuard, get_args, get_origin

import msgspec
from pydantic import BaseModel, TypeAdapter

from shared.contracts.event import Fact, layout_of
from shared.contracts.sealed import ERASED, Counted, Kind, Personal, Sealed

Build = Callable[[Any], Any]
Parts = dict[tuple[str, Kind], dict[str, Any]]
"""The sealed values of one event: (subject, kind) to {dotted path: value}."""


class UnsealableFieldError(TypeError):
    """An event model has a sealed value where the machinery cannot seal it; it would travel in the clear."""

    def __init__(self, fact: type[Fact], field: str, why: str) -> None:
        super().__init__(f"{fact.__name__}.{field}: {why}")


def to_json(value: Any) -> Any:
    """What msgspec cannot encode by itself: facts without sealed values, and types only pydantic knows."""
    if isinstance(value, Sealed) or _holds_sealed(type(value)):
        raise TypeError("a sealed value is not written in the clear")
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    return TypeAdapter(type(value)).dump_python(value, mode="json")


encoder: Final = msgspec.json.Encoder(enc_hook=to_json)


class _Nested(NamedTuple):
    name: str
    plan: Plan
    many: bool


class Plan:
    """The plan of one Fact class."""

    __slots__ = (
        "_builders",
        "_clear",
        "_fact",
        "_nested",
        "_nullable",
        "_required",
        "_sealed",
        "_subject",
        "_template",
    )

    def __init__(self, fact: type[Fact]) -> None:
        layout, fields = layout_of(fact), fact.model_fields
        self._fact = fact
        self._subject = layout.subject
        self._sealed = [(field.name, field.kind) for field in layout.sealed]
        self._nested = [
            _Nested(name, plan_of(_fact_in(fields[name].annotation)), many) for name, _, many in layout.nested
        ]
        placed = {name for name, _ in self._sealed} | {nested.name for nested in self._nested}
        self._clear = [name for name in fields if name not in placed]
        for name in fields:
            _check(fact, name, name in placed)
        self._template = {
            name: None if field.is_required() else field.get_default(call_default_factory=True)
            for name, field in fields.items()
        }
        # None is left out where reading gives it back anyway; a required ``X | None`` in the clear is written.
        self._nullable = {
            name for name in self._clear if fields[name].is_required() or self._template[name] is not None
        }
        self._required = {
            name
            for name, field in fields.items()
            if field.is_required() and (name in self._clear or not _optional(field.annotation))
        }
        built = [(name, _builder(field.annotation)) for name, field in fields.items()]
        self._builders = [(name, build) for name, build in built if build is not _same]

    def take_apart(self, fact: Fact, parts: Parts, subject: str | None = None, prefix: str = "") -> dict[str, Any]:
        """The clear data of ``fact``; its sealed values are added to ``parts`` under their subject and kind.

        Raises UnsealableFieldError when a sealed value has no subject, ErasedError when a value is erased.
        """
        values = fact.__dict__
        if self._subject is not None:
            subject = values[self._subject]
        clear = {n: v for n in self._clear if (v := values[n]) is not None or n in self._nullable}
        for name, kind in self._sealed:
            if (sealed := values[name]) is not None:
                if subject is None:
                    raise UnsealableFieldError(self._fact, name, "no subject")
                parts.setdefault((subject, kind), {})[prefix + name] = sealed.reveal()
                clear[name] = None
        for name, plan, many in self._nested:
            value = values[name]
            if value is None:
                continue
            path = f"{prefix}{name}."
            if many:
                clear[name] = [plan.take_apart(one, parts, subject, f"{path}{i}.") for i, one in enumerate(value)]
            else:
                clear[name] = plan.take_apart(value, parts, subject, path)
        return clear

    def put_together(self, data: dict[str, Any]) -> Fact:
        """The fact of JSON-like ``data``; ``None`` at a sealed field is an erased value.

        Raises LookupError, TypeError or ValueError when the data are not of this class; the message may hold values.
        """
        values = self._template | data
        if len(values) != len(self._template) or not self._required <= data.keys():
            raise ValueError("a field is missing, or there is one too many")
        for name, build in self._builders:
            if name in data:
                values[name] = build(data[name])
        fact = _new(self._fact)
        _set(fact, "__dict__", values)
        _set(fact, "__pydantic_fields_set__", set(data))
        _set(fact, "__pydantic_extra__", None)
        _set(fact, "__pydantic_private__", None)
        return fact


_new = object.__new__
_set = object.__setattr__  # facts are frozen


@cache
def plan_of(fact: type[Fact]) -> Plan:
    """Raises UnsealableFieldError when the class has a sealed value where it cannot be sealed."""
    return Plan(fact)


def _builder(annotation: Any) -> Build:
    """What makes the Python value of a JSON value."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _builder(arguments[0])
    if NoneType in arguments:
        return _optional_builder(annotation)
    if origin in (Personal, Counted):
        return _sealed_builder(origin, _bare(arguments[0]))
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        item = _builder(arguments[0])
        return lambda values: tuple([item(value) for value in values])
    if origin is Literal or annotation in (str, int, bool):
        return _same
    if annotation is date or annotation is datetime:
        return annotation.fromisoformat
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return {member.value: member for member in annotation}.__getitem__
    if _is_fact(annotation):
        return plan_of(annotation).put_together
    return TypeAdapter(annotation).validate_python


def _same(value: Any) -> Any:
    return value


def _optional_builder(annotation: Any) -> Build:
    rest = [member for member in get_args(annotation) if member is not NoneType]
    if len(rest) != 1:
        return TypeAdapter(annotation).validate_python
    build = _builder(rest[0])
    if build is _same or get_origin(rest[0]) in (Personal, Counted):
        return build
    return lambda value: None if value is None else build(value)


def _sealed_builder(wrap: type[Sealed[Any]], inner: Any) -> Build:
    erased = wrap(ERASED)
    if isinstance(inner, type) and issubclass(inner, Enum):
        members = {member.value: wrap(member) for member in inner} | {None: erased}
        return members.__getitem__
    build = _builder(inner)
    if build is _same:
        return lambda value: erased if value is None else wrap(value)
    return lambda value: erased if value is None else wrap(build(value))


def _bare(annotation: Any) -> Any:
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def _optional(annotation: Any) -> bool:
    return NoneType in get_args(annotation)


def _shapes(annotation: Any) -> Iterator[Any]:
    """The annotation and all that stands in its brackets."""
    yield annotation
    for argument in get_args(annotation):
        yield from _shapes(argument)


def _is_fact(shape: Any) -> TypeGuard[type[Fact]]:
    return isinstance(shape, type) and issubclass(shape, Fact)


def _fact_in(annotation: Any) -> type[Fact]:
    """The Fact class in ``F``, ``F | None`` or ``tuple[F, ...]``, where the layout found one."""
    return next(shape for shape in _shapes(annotation) if _is_fact(shape))


def _check(fact: type[Fact], name: str, placed: bool) -> None:
    """Refuses what the layout would overlook, and what could not be told from an erased value."""
    annotation = fact.model_fields[name].annotation
    if not placed and _holds_sealed(annotation):
        raise UnsealableFieldError(fact, name, "a sealed value stands alone, optional, or in a fact or tuple of facts")
    for shape in (annotation, *get_args(annotation)):
        if get_origin(shape) in (Personal, Counted) and (
            _optional(_bare(get_args(shape)[0])) or _holds_sealed(get_args(shape)[0])
        ):
            raise UnsealableFieldError(fact, name, "a sealed value is neither None nor sealed twice")


def _holds_sealed(annotation: Any) -> bool:
    return any(
        get_origin(shape) in (Personal, Counted)
        or (_is_model(shape) and any(_holds_sealed(field.annotation) for field in shape.model_fields.values()))
        for shape in _shapes(annotation)
    )


def _is_model(shape: Any) -> TypeGuard[type[BaseModel]]:
    return isinstance(shape, type) and issubclass(shape, BaseModel)
