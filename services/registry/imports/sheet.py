"""Reads a workbook or a csv file as rows of text cells, a row at a time where the format allows.

xlsx is read by openpyxl, which streams and shows formulas; xls, at most 65,536 rows, by calamine. Both are fed here
only after the container was looked at, and in a process of its own with bounded memory (``checker``).
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from math import isfinite
from typing import Any, Final, Literal

from openpyxl import load_workbook  # type: ignore[import-untyped]
from openpyxl.utils.exceptions import InvalidFileException  # type: ignore[import-untyped]
from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from services.registry.imports.bad_file import (
    MAX_ROWS,
    FileIsDamaged,
    FileIsEmpty,
    FileIsLocked,
    FileTypeUnknown,
    LinksOutside,
    MacroWorkbook,
    SeveralSheets,
    TooManyRows,
    UnpacksTooLarge,
)
from services.registry.imports.cell import Fault, Formula, Number, SheetRow

FileKind = Literal["xlsx", "xls", "csv"]

MAX_COLUMNS: Final = 200
MAX_UNPACKED: Final = 320 * 1024 * 1024
MAX_PARTS: Final = 2_000
MAX_CELL: Final = 32_767
"""Characters Excel itself lets a cell hold."""

_ZIP: Final = b"PK\x03\x04"
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_VBA: Final = "_VBA_PROJECT".encode("utf-16-le")
_LOCKED: Final = "EncryptedPackage".encode("utf-16-le")
_CHINESE: Final = re.compile("[\u2e80-\U0003ffff]")
_LOOKED_AT: Final = 50
"""Rows of a sheet that are looked at to tell whether it holds something."""

_DAMAGE: Final = (zipfile.BadZipFile, KeyError, ValueError, TypeError, IndexError, EOFError, OSError, SyntaxError)
"""What the readers raise about a file that is not what it should be; a parse error of XML is a SyntaxError."""


def kind_of(content: bytes) -> FileKind:
    """By what stands in the file, whatever it is called. Raises BadFile."""
    if not content.strip():
        raise FileIsEmpty
    if content.startswith(_ZIP):
        _check_parts(content)
        return "xlsx"
    if content.startswith(_OLE):
        _check_compound(content)
        return "xls"
    _decoded(content)
    return "csv"


def rows_of(content: bytes) -> Iterator[SheetRow]:
    """Rows with something in them, in order. Raises BadFile, also on the way."""
    read = {"xlsx": _xlsx, "xls": _xls, "csv": _csv}[kind_of(content)]
    taken = 0
    try:
        for row in read(content):
            if not row.blank:
                taken += 1
                if taken > MAX_ROWS + _LOOKED_AT:  # with title and header; what is checked counts them exactly
                    raise TooManyRows
                yield SheetRow(row.number, _without_end(row.cells))
    except _DAMAGE as damage:
        raise FileIsDamaged from damage
    if not taken:
        raise FileIsEmpty


def _without_end(cells: list[str]) -> list[str]:
    """Without the empty cells at the end, which some kinds of files have and others have not."""
    width = next((place for place in range(len(cells), 0, -1) if cells[place - 1]), 0)
    return cells[:width]


def count_rows(content: bytes) -> int:
    """How many rows hold something, or somewhat more: found without parsing. Raises BadFile."""
    match kind_of(content):
        case "xlsx":
            return _count_in_parts(content)
        case "xls":
            return 0  # the format itself ends at 65,536
        case "csv":
            return _count_lines(content)


def _count_lines(content: bytes) -> int:
    """0 where cells may hold line breaks."""
    return 0 if b'"' in content else sum(bool(line.strip(b",;\t\r ")) for line in content.split(b"\n"))


def _check_parts(content: bytes) -> None:
    """Before anything is unpacked. A part that unpacks to more than it declares is cut off there by zipfile."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            infos = parts.infolist()
    except _DAMAGE as damage:
        raise FileIsDamaged from damage
    names = {info.filename.lower() for info in infos}
    if any(name.endswith("vbaproject.bin") for name in names):
        raise MacroWorkbook
    if any(name.startswith("xl/externallinks/") for name in names):
        raise LinksOutside
    if len(infos) > MAX_PARTS or sum(info.file_size for info in infos) > MAX_UNPACKED:
        raise UnpacksTooLarge
    if "xl/workbook.xml" not in names:
        raise FileTypeUnknown
    if any(info.flag_bits & 1 for info in infos):
        raise FileIsLocked


def _check_compound(content: bytes) -> None:
    if _LOCKED in content:
        raise FileIsLocked
    if _VBA in content:
        raise MacroWorkbook


_ROW: Final = re.compile(rb"<(?:\w+:)?row[ >]")
_VALUE: Final = re.compile(rb"<(?:\w+:)?(?:v|is|f)[ >]")
_PIECE: Final = 1 << 20


def _count_in_parts(content: bytes) -> int:
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        sheets = [name for name in parts.namelist() if name.lower().startswith("xl/worksheets/sheet")]
        try:
            return max((_count_in(parts, name) for name in sheets), default=0)
        except _DAMAGE as damage:
            raise FileIsDamaged from damage


def _count_in(parts: zipfile.ZipFile, name: str) -> int:
    """Rows with a value in them: a sheet may be formatted far below its data."""
    found, tail = 0, b""
    with parts.open(name) as part:
        while piece := part.read(_PIECE):
            *rows, tail = _ROW.split(tail + piece)
            found += sum(bool(_VALUE.search(row)) for row in rows)
            tail = b"<row>" + tail if rows else tail[-_PIECE:]
    return found + bool(_VALUE.search(tail))


def _xlsx(content: bytes) -> Iterator[SheetRow]:
    try:
        book = load_workbook(io.BytesIO(content), read_only=True, keep_links=False)
    except InvalidFileException as damage:
        raise FileIsDamaged from damage
    try:
        shown = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
        for sheet in shown:
            sheet.reset_dimensions()  # what a sheet declares of its size may be anything
        sheet = _only([sheet for sheet in shown if _holds_something(_of_openpyxl(sheet))])
        yield from _of_openpyxl(sheet)
    finally:
        book.close()


def _of_openpyxl(sheet: Any) -> Iterator[SheetRow]:
    for number, row in enumerate(sheet.iter_rows(max_col=None), 1):
        cells = [_text_of(cell.value, cell.data_type) for cell in row[:MAX_COLUMNS]]
        if any(cell.value is not None for cell in row[MAX_COLUMNS:]):
            raise FileIsDamaged
        yield SheetRow(number, cells)


def _xls(content: bytes) -> Iterator[SheetRow]:
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    except PasswordError:
        raise FileIsLocked from None
    except CalamineError as damage:
        raise FileIsDamaged from damage
    shown = [
        book.get_sheet_by_name(one.name)
        for one in book.sheets_metadata
        if one.visible is SheetVisibleEnum.Visible and one.typ is SheetTypeEnum.WorkSheet
    ]
    sheet = _only([sheet for sheet in shown if sheet.start is not None])
    _, column = (
        sheet.start
    )  # rows are given from the first of the sheet on, columns from the first with something in it
    for number, row in enumerate(sheet.iter_rows(), 1):
        yield SheetRow(number, [""] * column + [_text_of(value, "n") for value in row[:MAX_COLUMNS]])


def _csv(content: bytes) -> Iterator[SheetRow]:
    text = _decoded(content)
    first = text.split("\n", 1)[0]
    separator = max(",\t;", key=first.count)
    csv.field_size_limit(MAX_CELL * 4)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        for number, row in enumerate(reader, 1):
            yield SheetRow(number, [_of_csv(cell) for cell in row[:MAX_COLUMNS]])
    except csv.Error as damage:
        raise FileIsDamaged from damage


def _of_csv(cell: str) -> str:
    """``="…"`` is how text is kept from Excel; any other leading = is a formula."""
    if cell.startswith('="') and cell.endswith('"') and '"' not in cell[2:-1]:
        return cell[2:-1]
    return Formula(cell) if cell.startswith("=") else cell.strip()


def _decoded(content: bytes) -> str:
    """UTF-8 with or without mark, else GB18030. Raises FileTypeUnknown."""
    if b"\0" in content:
        raise FileTypeUnknown
    text = _in(content, "utf-8-sig")
    # A short text in GB18030 may be UTF-8 by chance, but then of two-byte letters only: 一 reads as a Cyrillic one.
    if text is None or not (text.isascii() or content.startswith(codecs.BOM_UTF8) or _CHINESE.search(text)):
        text = _in(content, "gb18030") or text
    if text is None or text.lstrip().startswith(("<", "%PDF", "{\\rtf")):
        raise FileTypeUnknown
    return text


def _in(content: bytes, encoding: str) -> str | None:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return None


def _text_of(value: Any, kind: str) -> str:
    match value:
        case None:
            return ""
        case str():
            if kind == "f":
                return Formula(value)
            return Fault(value) if kind == "e" else value.strip()
        case bool():
            return "是" if value else "否"
        case int() | float():
            return Number(_digits(value)) if isfinite(value) else Fault(value)
        case datetime() if value.time() == time():
            return value.date().isoformat()
        case datetime() | date():
            return value.isoformat()
        case time() | timedelta():
            return str(value)
        case _:
            return Formula(str(value))  # an array formula, a data table


def _digits(value: float) -> str:
    return str(int(value)) if abs(value) < 1e21 and value == int(value) else repr(value)


def _holds_something(rows: Iterator[SheetRow]) -> bool:
    return any(not row.blank for row, _ in zip(rows, range(_LOOKED_AT), strict=False))


def _only(sheets: Sequence[Any]) -> Any:
    if len(sheets) > 1:
        raise SeveralSheets
    if not sheets:
        raise FileIsEmpty
    return sheets[0]
