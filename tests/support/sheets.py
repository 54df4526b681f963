"""Ledgers as files of each kind, for tests: xlsx and csv by libraries, xls (BIFF8 in a compound file) by hand."""

from __future__ import annotations

import csv
import io
import re
import struct
import zipfile
from collections.abc import Iterator, Sequence
from typing import Final

from xlsxwriter import Workbook

from services.registry.imports.cell import Formula, Number

Rows = Sequence[Sequence[str]]

_SECTOR: Final = 512
_FREE, _END, _FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def xlsx(rows: Rows, *more_sheets: Rows) -> bytes:
    """Cells are text, but for those that are a ``Number`` or a ``Formula``."""
    out = io.BytesIO()
    book = Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    for one in (rows, *more_sheets):
        sheet = book.add_worksheet()
        for y, row in enumerate(one):
            for x, cell in enumerate(row):
                match cell:
                    case Number():
                        sheet.write_number(y, x, float(cell))
                    case Formula():
                        sheet.write_formula(y, x, str(cell), None, "0")
                    case "":
                        pass
                    case _:
                        sheet.write_string(y, x, cell)
    book.close()
    return out.getvalue()


def csv_(rows: Rows, encoding: str = "utf-8") -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    return out.getvalue().encode(encoding)


def xls(rows: Rows) -> bytes:
    """One sheet; cells are text, but for a ``Number``."""
    sheet = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 0, 0, 6))
    for y, row in enumerate(rows):
        sheet += b"".join(_cell(y, x, cell) for x, cell in enumerate(row) if cell)
    sheet += _record(0x000A, b"")
    begin = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0, 0, 0, 6)) + _record(0x0042, b"\xb0\x04")
    name = b"Sheet1"
    length = len(begin) + 4 + 8 + len(name) + 4
    bound = _record(0x0085, struct.pack("<IBBBB", length, 0, 0, len(name), 0) + name)
    return _compound(begin + bound + _record(0x000A, b"") + sheet)


def _record(kind: int, body: bytes) -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


def _cell(y: int, x: int, cell: str) -> bytes:
    if isinstance(cell, Number):
        return _record(0x0203, struct.pack("<HHHd", y, x, 0, float(cell)))
    text = cell.encode("utf-16-le")
    return _record(0x0204, struct.pack("<HHHHB", y, x, 0, len(text) // 2, 1) + text)


def _compound(stream: bytes) -> bytes:
    """A compound file whose only stream is ``Workbook``; longer than 4,096 bytes, so that it needs no small sectors."""
    stream = stream.ljust(4096, b"\0")
    data = -(-len(stream) // _SECTOR)
    fat_sectors = 1
    while fat_sectors * 128 < data + 1 + fat_sectors:
        fat_sectors += 1
    first_data = fat_sectors + 1
    fat = [_FAT] * fat_sectors + [_END] + list(range(first_data + 1, first_data + data)) + [_END]
    fat += [_FREE] * (fat_sectors * 128 - len(fat))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack("<HHHHH6xIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, fat_sectors, fat_sectors, 0)
    header += struct.pack("<IIIII", 4096, _END, 0, _END, 0)
    header += struct.pack("<109I", *range(fat_sectors), *[_FREE] * (109 - fat_sectors))
    entries = _entry("Root Entry", 5, _END, 0, child=1) + _entry("Workbook", 2, first_data, len(stream))
    directory = entries + _entry("", 0, 0, 0) * 2
    return header + struct.pack(f"<{len(fat)}I", *fat) + directory + stream.ljust(data * _SECTOR, b"\0")


def _entry(name: str, kind: int, start: int, size: int, child: int = _FREE) -> bytes:
    text = name.encode("utf-16-le")
    head = text.ljust(64, b"\0") + struct.pack("<HBB", len(text) + 2 if name else 0, kind, 1)
    return head + struct.pack("<III", _FREE, _FREE, child) + bytes(36) + struct.pack("<IQ", start, size)


def files(rows: Rows) -> Iterator[tuple[str, bytes]]:
    """The same rows as a file of every kind."""
    yield "xlsx", xlsx(rows)
    yield "xls", xls(rows)
    for encoding in ("utf-8", "utf-8-sig", "gb18030"):
        yield f"csv {encoding}", csv_(rows, encoding)


def with_part(content: bytes, name: str, body: bytes) -> bytes:
    out = io.BytesIO(content)
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr(name, body)
    return out.getvalue()


def a_zip(**parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, body in parts.items():
            archive.writestr(name, body)
    return out.getvalue()


def changed(content: bytes, part: str, pattern: bytes, by: bytes) -> bytes:
    """The workbook with a place of one of its parts written anew."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as parts, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in parts.namelist():
            body = parts.read(name)
            new.writestr(name, re.sub(pattern, by, body) if name == part else body)
    return out.getvalue()


def two_million_rows() -> bytes:
    rows = b"<sheetData>" + b"<row><c><v>1</v></c></row>" * 2_000_000
    return changed(xlsx([["甲"]]), "xl/worksheets/sheet1.xml", rb"<sheetData>", rows)
