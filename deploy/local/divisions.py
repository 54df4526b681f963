"""``guanhu divisions``: loads a division list, or shows first what it would change on the map."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

from rich.console import Console
from rich.table import Table

from deploy.local.operator import Operator
from deploy.local.refusal import CannotRun
from services.registry.division_changes import Changes
from services.registry.division_list import ListMalformedError, Row, list_in, part_of, shipped

SHOWN_OF_A_KIND: Final = 40


class Line(NamedTuple):
    level: str
    code: str
    name: str
    remark: str


async def compare(own: Operator, code: str, file: Path | None) -> Changes:
    """What the list changes on the map. Raises CannotRun, KeyError when the list has no such node."""
    return await own.compare(part_of(_list(file), code), code)


def _list(file: Path | None) -> dict[str, Row]:
    try:
        return shipped() if file is None else list_in(file)
    except ListMalformedError as fault:
        raise CannotRun(f"{file}: {fault}") from None
    except OSError as fault:
        raise CannotRun(f"{file} can not be read: {fault.strerror}") from None


def show(changes: Changes, code: str, console: Console) -> None:
    """A table of the differences, and how many there are of each kind."""
    console.print(_table(changes, code) if not changes.nothing else f"the map of {code} is as the list says")
    console.print(
        f"added {len(changes.added):,} · renamed {len(changes.renamed):,} · recoded {len(changes.recoded):,} · "
        f"moved {len(changes.moved):,} · gone {len(changes.gone):,} · unchanged {changes.unchanged:,}"
    )
    if changes.moved or changes.gone:
        console.print("What moved or is gone is merged, split or withdrawn by commands of their own: see registry.")


def show_done(changes: Changes, day: date, console: Console) -> None:
    console.print(
        f"from {day}: {len(changes.added):,} added, {len(changes.recoded):,} recoded, {len(changes.renamed):,} renamed"
    )


def _table(changes: Changes, code: str) -> Table:
    table = Table(title=f"What the list changes on the map of {code}")
    table.add_column("change", no_wrap=True)
    table.add_column("level", no_wrap=True)
    table.add_column("code", no_wrap=True)
    table.add_column("name", overflow="fold")
    table.add_column("", overflow="fold")
    for change, lines in _lines(changes):
        known = list(lines)
        for line in islice(known, SHOWN_OF_A_KIND):
            table.add_row(change, *line)
        if len(known) > SHOWN_OF_A_KIND:
            table.add_row(change, "", "", "", f"… and {len(known) - SHOWN_OF_A_KIND:,} more")
    return table


def _lines(changes: Changes) -> Iterator[tuple[str, Iterable[Line]]]:
    yield "added", (Line(row.kind, row.code, row.name, f"below {row.parent or 'nothing'}") for row in changes.added)
    yield "renamed", (Line(node.kind, node.code, node.name, f"now {name}") for node, name in changes.renamed)
    yield "recoded", (Line(node.kind, node.code, node.name, f"now {row.code}") for node, row in changes.recoded)
    yield (
        "moved",
        (Line(node.kind, node.code, node.name, f"{node.parent} → {parent}") for node, parent in changes.moved),
    )
    yield "gone", (Line(node.kind, node.code, node.name, f"below {node.parent}") for node in changes.gone)
