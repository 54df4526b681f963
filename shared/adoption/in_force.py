"""Which of the policies that divisions have adopted is in force in a place on a day, as known on a day. Pure.

The nearest division upward that has adopted one decides, unless one above it lets no division below decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Generic, NamedTuple, TypeVar

C = TypeVar("C")


class Adopted(NamedTuple, Generic[C]):
    """``known`` is the day it was told, ``version`` its place among all that the division adopted."""

    division: str
    starts: date
    known: date
    version: int
    name: str
    may_override: bool
    content: C


def in_force(
    path: Sequence[str], adopted: Iterable[Adopted[C]], on: date, known_at: date | None = None
) -> Adopted[C] | None:
    """``path`` leads from the root down to the division asked for; None where nobody on it had adopted one.

    Of one division the latest beginning holds; of two that begin on one day, the one told last.
    """
    own: dict[str, Adopted[C]] = {}
    for one in adopted:
        if one.starts <= on and (known_at is None or one.known <= known_at):
            held = own.get(one.division)
            if held is None or _order(one) > _order(held):
                own[one.division] = one
    found: Adopted[C] | None = None
    for division in path:
        found = own.get(division, found)
        if found is not None and not found.may_override:
            return found
    return found


def _order(one: Adopted[C]) -> tuple[date, date, int]:
    return one.starts, one.known, one.version
