"""Values about a person: they travel sealed, print as ``***``, and can be erased.

``Personal[T]`` is what erasure destroys: names, numbers, phones, exact dates, free text, health.
``Counted[T]`` is what figures need after an erasure: coarse codes, birth month, care kind.
Each wraps its value, so that no log line, trace or exception shows it by accident.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final, Generic, Literal, TypeVar, get_args

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

T = TypeVar("T", covariant=True)

Kind = Literal["personal", "counted"]
KINDS: Final[tuple[Kind, ...]] = ("personal", "counted")


class ErasedError(LookupError):
    """The value was asked for after its subject's key was destroyed, or without its key."""


class _Erased:
    __slots__ = ()

    def __repr__(self) -> str:
        return "ERASED"


ERASED: Final = _Erased()


class Sealed(Generic[T]):
    """A value that prints as ``***``; ``reveal()`` gives it, ``get()`` gives None once erased."""

    __slots__ = ("_value",)
    kind: ClassVar[Kind]

    def __init__(self, value: T | _Erased) -> None:
        self._value = value

    def reveal(self) -> T:
        """The value in the clear. Raises ErasedError when its key is gone or was not asked for."""
        if isinstance(self._value, _Erased):
            raise ErasedError(self.kind)
        return self._value

    def get(self) -> T | None:
        return None if isinstance(self._value, _Erased) else self._value

    @property
    def erased(self) -> bool:
        return isinstance(self._value, _Erased)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other._value == self._value

    def __hash__(self) -> int:
        return hash((self.kind, self._value))

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "***"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        inner = handler.generate_schema(get_args(source)[0])
        return core_schema.no_info_wrap_validator_function(
            lambda value, validate: value if isinstance(value, cls) else cls(validate(value)),
            inner,
            serialization=core_schema.wrap_serializer_function_ser_schema(
                lambda sealed, serialize: None if sealed.erased else serialize(sealed.reveal()), schema=inner
            ),
        )


class Personal(Sealed[T]):
    """Sealed under the subject's personal key, which erasure destroys."""

    __slots__ = ()
    kind: ClassVar[Kind] = "personal"


class Counted(Sealed[T]):
    """Sealed under the subject's counted key, which outlives erasure until statistical retention ends."""

    __slots__ = ()
    kind: ClassVar[Kind] = "counted"


def said(value: Sealed[T] | None) -> T | None:
    """What was said, if it was, and is not erased."""
    return value.get() if value else None
