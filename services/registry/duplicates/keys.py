"""Which files are compared at all: those that share a key. A key is a keyed hash, never a name or a number.

Each key puts together enough of a child's particulars that few share it, and each leaves something out, so that one
slip of the pen leaves another key standing. Keys change with the dictionary of pinyin: after an upgrade of it the read
model is to be built again.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from typing import Final

from services.registry.duplicates.names import Spoken

_KEY_BYTES: Final = 8
"""Two children share a key by chance once in 2**64: it only costs a comparison."""


class Block(StrEnum):
    """What a key is made of."""

    NUMBER = "number"
    PLACE_AND_DATE_OF_NUMBER = "number14"
    NAME_AND_YEAR = "name+year"
    NAME_AND_DAY = "name+day"
    GIVEN_NAME_AND_DATE = "given+date"
    SURNAME_AND_YEAR_IN_VILLAGE = "surname+year+village"
    MOTHER_IN_VILLAGE = "mother+village"
    FATHER_IN_VILLAGE = "father+village"
    PARENTS = "mother+father"


class BlindKeys:
    """Makes keys under a secret of the installation, derived so that its other uses say nothing of these."""

    def __init__(self, secret: bytes) -> None:
        self._secret = hmac.digest(secret, b"guanhu/registry/duplicates", hashlib.sha256)

    def of_child(
        self, name: str, born: date | None, birth_month: str | None, number: str | None, village: str
    ) -> list[int]:
        """From what a registration says of the child itself."""
        return sorted(
            {self._key(block, *parts) for block, *parts in _of_child(name, born, birth_month, number, village)}
        )

    def of_parents(self, father: str | None, mother: str | None, village: str) -> list[int]:
        """From what is told of the parents: the last telling counts."""
        return sorted({self._key(block, *parts) for block, *parts in _of_parents(father, mother, village)})

    def of_citizen_number(self, number: str) -> list[int]:
        """From the number alone, as when it is told later."""
        return sorted({self._key(block, *parts) for block, *parts in _of_number(number)})

    def of_number(self, number: str) -> int:
        return self._key(Block.NUMBER, number)

    def _key(self, *parts: str) -> int:
        digest = hmac.digest(self._secret, "\0".join(parts).encode(), hashlib.sha256)
        return int.from_bytes(digest[:_KEY_BYTES], "big", signed=True)


def _of_child(
    name: str, born: date | None, birth_month: str | None, number: str | None, village: str
) -> Iterator[tuple[str, ...]]:
    spoken, told = Spoken(name), born.isoformat() if born else birth_month
    if told:
        yield Block.NAME_AND_YEAR, spoken.worn, told[:4]
        yield Block.SURNAME_AND_YEAR_IN_VILLAGE, spoken.surname.worn, told[:4], village
    if born:
        yield Block.NAME_AND_DAY, spoken.worn, f"{born:%m%d}"
        if given := spoken.given.worn:
            yield Block.GIVEN_NAME_AND_DATE, given, born.isoformat()
    if number:
        yield from _of_number(number)


def _of_number(number: str) -> Iterator[tuple[str, ...]]:
    yield Block.NUMBER, number
    yield Block.PLACE_AND_DATE_OF_NUMBER, number[:14]


def _of_parents(father: str | None, mother: str | None, village: str) -> Iterator[tuple[str, ...]]:
    if father:
        yield Block.FATHER_IN_VILLAGE, Spoken(father).worn, village
    if mother:
        yield Block.MOTHER_IN_VILLAGE, Spoken(mother).worn, village
    if father and mother:
        yield Block.PARENTS, Spoken(mother).worn, Spoken(father).worn
