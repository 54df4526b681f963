"""What stands in the cells of a sheet: text. A cell that was something else in its file says so by its class."""

from __future__ import annotations

from typing import NamedTuple


class Number(str):
    """It was a number in the file: of a long one the last digits may be gone."""

    __slots__ = ()


class Formula(str):
    """It was a formula: what it shows is not in the file, or not to be trusted."""

    __slots__ = ()


class Fault(str):
    """It was an error value such as #REF!."""

    __slots__ = ()


class SheetRow(NamedTuple):
    """``number`` counts from 1, as the spreadsheet shows it."""

    number: int
    cells: list[str]

    @property
    def blank(self) -> bool:
        return not any(self.cells)


_LEADS: tuple[str, ...] = ("=", "+", "-", "@", "\t", "\r")


def harmless(text: str) -> str:
    """The text as a cell that no spreadsheet takes for a formula; ``plain`` gives it back."""
    return f"'{text}" if text.startswith(_LEADS) else text


def plain(text: str) -> str:
    return text[1:] if text[:1] == "'" and text[1:].startswith(_LEADS) else text
