"""Published division lists: code, parent, kind and name, as it is shipped or as a file of the same form."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator, Mapping
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Final, NamedTuple

from services.registry.domain.division import DIGITS, AddDivision
from shared.contracts.values import DivisionKind

GUIZHOU_2023: Final = "guizhou-2023.csv.gz"
CUT: Final = date(2023, 6, 30)
"""The day of the shipped list: what it holds is there since then at the latest."""

_COLUMNS: Final = ("code", "parent", "kind", "name")
_GZIP: Final = b"\x1f\x8b"


class Row(NamedTuple):
    """``parent`` is None for a root."""

    code: str
    parent: str | None
    kind: str
    name: str


class ListMalformedError(ValueError):
    """A file is no division list; the text names the line and the rule."""


def shipped() -> dict[str, Row]:
    return parsed((files("services.registry.data") / GUIZHOU_2023).read_bytes())


def list_in(file: Path) -> dict[str, Row]:
    """The list in a file, gzipped or not. Raises ListMalformedError, OSError."""
    return parsed(file.read_bytes())


def parsed(raw: bytes) -> dict[str, Row]:
    """By code, in the order of the file. Raises ListMalformedError."""
    try:
        text = (gzip.decompress(raw) if raw.startswith(_GZIP) else raw).decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError):
        raise ListMalformedError("the file is no CSV in UTF-8, plain or gzipped") from None
    reader = csv.DictReader(text.splitlines())
    if not set(_COLUMNS) <= set(reader.fieldnames or ()):
        raise ListMalformedError(f"line 1 must name the columns {', '.join(_COLUMNS)}")
    rows: dict[str, Row] = {}
    for line, cells in enumerate(reader, start=2):
        row = Row(cells["code"], cells["parent"] or None, cells["kind"], (cells["name"] or "").strip())
        if reason := _fault(row, rows):
            raise ListMalformedError(f"line {line}: {reason}")
        rows[row.code] = row
    return rows


def _fault(row: Row, rows: Mapping[str, Row]) -> str | None:
    if row.kind not in DIGITS:
        return f"kind must be one of {', '.join(DIGITS)}"
    if not (row.code or "").isdecimal() or len(row.code) != DIGITS[row.kind]:
        return f"the code of a {row.kind} has {DIGITS[row.kind]} digits"
    if row.code in rows:
        return f"{row.code} stands in an earlier line too"
    if row.parent is not None and row.parent not in rows:
        return f"the parent {row.parent} must stand in an earlier line"
    return None if row.name else "the name is missing"


def part_of(rows: Mapping[str, Row], node: str) -> dict[str, Row]:
    """The node with this code, its ancestors and all below it, parents first. Raises KeyError without such a node."""
    ancestors = set(_ancestors(rows, node))
    below = {node}
    found = {}
    for code, row in rows.items():
        if row.parent in below:
            below.add(code)
        if code in below or code in ancestors:
            found[code] = row
    return found


def _ancestors(rows: Mapping[str, Row], code: str) -> Iterator[str]:
    row = rows[code]
    while row.parent is not None:
        yield row.parent
        row = rows[row.parent]


def divisions(node: str) -> Iterator[AddDivision]:
    """Of the shipped list: the node, its ancestors and all below it, parents first. Raises KeyError."""
    return (addition(row, CUT) for row in part_of(shipped(), node).values())


def divisions_below(node: str) -> Iterator[AddDivision]:
    """Of the shipped list: the node with this code and all below it. Raises KeyError when it has no such node."""
    below: set[str] = set()
    for one in divisions(node):
        if one.code == node or one.parent in below:
            below.add(one.code)
            yield one


def addition(row: Row, valid_from: date) -> AddDivision:
    return AddDivision(
        code=row.code, name=row.name, kind=DivisionKind(row.kind), parent=row.parent, valid_from=valid_from
    )
