"""The published division list as it is shipped: code, parent, kind and name, parents before children."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator, Mapping
from datetime import date
from importlib.resources import files
from typing import Final

from services.registry.domain.division import AddDivision
from shared.contracts.values import DivisionKind

GUIZHOU_2023: Final = "guizhou-2023.csv.gz"
_CUT: Final = date(2023, 6, 30)


def divisions(node: str, file: str = GUIZHOU_2023) -> Iterator[AddDivision]:
    """The node of the list with this code, its ancestors and all below it, parents first.

    Raises KeyError when the list has no such node.
    """
    raw = gzip.decompress((files("services.registry.data") / file).read_bytes()).decode()
    rows = {row["code"]: row for row in csv.DictReader(raw.splitlines())}
    ancestors = set(_ancestors(rows, node))
    below = {node}
    for code, row in rows.items():
        if row["parent"] in below:
            below.add(code)
        if code in below or code in ancestors:
            yield _addition(row)


def divisions_below(node: str, file: str = GUIZHOU_2023) -> Iterator[AddDivision]:
    """The node of the list with this code and all below it. Raises KeyError when the list has no such node."""
    below: set[str] = set()
    for one in divisions(node, file):
        if one.code == node or one.parent in below:
            below.add(one.code)
            yield one


def _ancestors(rows: Mapping[str, Mapping[str, str]], code: str) -> Iterator[str]:
    while code := rows[code]["parent"]:
        yield code


def _addition(row: Mapping[str, str]) -> AddDivision:
    return AddDivision(
        code=row["code"],
        name=row["name"],
        kind=DivisionKind(row["kind"]),
        parent=row["parent"] or None,
        valid_from=_CUT,
    )
