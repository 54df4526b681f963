"""What a ledger is: its columns by their headers, and how a row of it becomes commands.

A column that no command takes over yet says ``taken=False``: its cells are warned about, never silently dropped. When a
command for it comes to be, the ledger's ``commands`` reads it, and the mark goes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from services.registry.imports.bad_file import (
    ColumnMissing,
    ColumnTwice,
    ColumnUnknown,
    LedgerUnknown,
    SecondHeaderLine,
)
from services.registry.imports.cell import SheetRow
from services.registry.imports.entry import Entry
from services.registry.imports.wording import header
from shared.commands.command import Command
from shared.contracts.values import LedgerKind, RegisterKind


class Column(NamedTuple):
    """``names`` are the headers it may have; the first is the ledger's own, by which findings call it."""

    key: str
    names: tuple[str, ...]
    needed: bool = False
    taken: bool = True


class RowIds(NamedTuple):
    """The ids a row gives to what it begins: the same whenever the same row of the same file is read."""

    of: Callable[[str, str | None], str]
    """By kind, beside another id."""
    household: Callable[[str], str]
    """By what tells one household of the file from another."""


@dataclass(frozen=True)
class Ledger:
    """``action`` is the right that its commands ask for."""

    kind: LedgerKind | RegisterKind
    title: str
    action: str
    columns: tuple[Column, ...]
    commands: Callable[[Entry, RowIds], Sequence[Command]]
    by_header: Mapping[str, Column] = field(init=False)

    def __post_init__(self) -> None:
        named = {header(name): column for column in self.columns for name in column.names}
        object.__setattr__(self, "by_header", named)


class Heading(NamedTuple):
    """Which ledger a file is, in which row its header stands, and which column stands where."""

    ledger: Ledger
    row: int
    headers: list[str]
    columns: dict[int, Column]


OWN: Final = frozenset({"行号", "问题"})
"""Columns that the workbook of rejected rows has beside the ledger's own: passed over when it comes back."""

KEEP: Final = "keep_child_file"
"""The right that some columns ask for beside the ledger's own."""

LINES_BEFORE: Final = 10
_ENOUGH: Final = 3
"""Headers a row must have to be taken for a header line."""


def heading_of(rows: Sequence[SheetRow], ledgers: Iterable[Ledger]) -> Heading:
    """Of the first rows of a file; titles above the header are passed over. Raises BadFile."""
    known = list(ledgers)
    for place, row in enumerate(rows[:LINES_BEFORE]):
        ledger = max(known, key=lambda one: _fit(one, row))
        if len(_found(ledger, row)) >= _ENOUGH:
            heading = Heading(ledger, row.number, row.cells, _columns(ledger, row))
            if place + 1 < len(rows) and looks_like_header(ledger, rows[place + 1]):
                raise SecondHeaderLine
            return heading
    raise LedgerUnknown


def looks_like_header(ledger: Ledger, row: SheetRow) -> bool:
    """Most of what stands in it are headers, or what stands under a merged header."""
    cells = [header(cell) for cell in row.cells if cell]
    known = sum(cell in ledger.by_header or cell in _SECOND_LINE for cell in cells)
    return known >= 2 and known * 2 > len(cells)


_SECOND_LINE: Final = frozenset(
    {
        "姓名",
        "性别",
        "出生日期",
        "出生年月",
        "电话",
        "联系电话",
        "身份证号",
        "务工地点",
        "关系",
        "与儿童关系",
        "居住地址",
    }
)


def _found(ledger: Ledger, row: SheetRow) -> set[str]:
    """The keys of its columns that the row has headers of."""
    return {column.key for cell in row.cells if (column := ledger.by_header.get(header(cell)))}


def _fit(ledger: Ledger, row: SheetRow) -> int:
    """How well the row is its header: one that is missing tells ledgers apart that share most of their columns."""
    found = _found(ledger, row)
    return len(found) - 2 * sum(column.needed and column.key not in found for column in ledger.columns)


def _columns(ledger: Ledger, row: SheetRow) -> dict[int, Column]:
    columns: dict[int, Column] = {}
    for index, cell in enumerate(row.cells):
        named = header(cell)
        if not named or named in OWN:
            continue
        column = ledger.by_header.get(named)
        if column is None:
            raise ColumnUnknown(f"第 {letter(index)} 列的表头不属于《{ledger.title}》。")
        if column in columns.values():
            raise ColumnTwice(f"第 {letter(index)} 列的表头「{column.names[0]}」前面已经有了。")
        columns[index] = column
    if absent := [column.names[0] for column in ledger.columns if column.needed and column not in columns.values()]:
        raise ColumnMissing(f"《{ledger.title}》缺少列：{'、'.join(absent)}。")
    return columns


def letter(index: int) -> str:
    """How a spreadsheet calls the column: 0 is A, 26 is AA."""
    above, here = divmod(index, 26)
    return (letter(above - 1) if above else "") + chr(ord("A") + here)
