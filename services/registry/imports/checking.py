"""A dry run: every row of a file is judged on its own, and what it would become is made ready. Pure but for the clock.

Which ids a row gives follows from the file's hash and the row's number, so that the same file never registers a child
twice, whoever sends it and however often.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Final

from pydantic import ValidationError

from services.registry.domain.child import RegisterChild
from services.registry.domain.household import OpenHouseholdFile
from services.registry.domain.posting import PostWorkingGroup
from services.registry.imports.bad_file import MAX_ROWS, FileIsEmpty, TooManyRows
from services.registry.imports.cell import Number, SheetRow
from services.registry.imports.checked_row import CheckedRow, Opened, Terms, Wish
from services.registry.imports.entry import Entry, Told
from services.registry.imports.finding import REJECTED, Finding, verdict_of
from services.registry.imports.ledger import KEEP, LINES_BEFORE, Heading, Ledger, RowIds, heading_of, looks_like_header
from services.registry.imports.ledgers import LEDGERS
from services.registry.imports.place import Places
from services.registry.imports.sheet import count_rows, rows_of
from services.registry.imports.wording import tight
from shared.commands.command import Command
from shared.eventlog.placement import derived_id

PIECE: Final = 250
"""Rows that are checked, stored and committed together."""
MAX_TEXT: Final = 8_000
"""Characters of a row: a piece must fit into one document of the store, whatever a file holds."""
SHOWN: Final = 40
"""Characters that are kept of each cell of a longer row."""


def opened(content: bytes, ledgers: Iterable[Ledger] = LEDGERS) -> Opened:
    """Looks at container, size and header only. Raises BadFile."""
    if count_rows(content) > MAX_ROWS + LINES_BEFORE:
        raise TooManyRows
    head = list(islice(rows_of(content), LINES_BEFORE + 2))
    heading = heading_of(head, ledgers)
    if head[-1].number == heading.row:
        raise FileIsEmpty("表头下面没有数据。")
    return Opened(heading.ledger.kind, [str(header) for header in heading.headers])


def checked(content: bytes, terms: Terms, ledgers: Iterable[Ledger] = LEDGERS) -> Iterator[list[CheckedRow]]:
    """Pieces of rows in their order. Raises BadFile, also on the way."""
    rows = rows_of(content)
    head = list(islice(rows, LINES_BEFORE + 2))
    heading = heading_of(head, ledgers)
    below = chain((row for row in head if row.number > heading.row), rows)
    check = _Check(heading, hashlib.sha256(content).hexdigest(), terms)
    taken = 0
    while piece := list(islice(below, PIECE)):
        taken += len(piece)
        if taken > MAX_ROWS:
            raise TooManyRows
        yield [check.row(row) for row in piece]


class _Check:
    """Judges the rows of one file; remembers by digest what has been seen, never the rows themselves."""

    def __init__(self, heading: Heading, file_hash: str, terms: Terms) -> None:
        self._heading = heading
        self._ledger = heading.ledger
        self._file_hash = file_hash
        self._today = terms.today
        self._places = Places(terms.nodes, terms.roots.get(self._ledger.action, []))
        self._keeping = frozenset(terms.roots.get(KEEP, ()))
        self._rows: set[bytes] = set()
        self._numbers: set[bytes] = set()
        self._households: dict[bytes, int] = {}

    def row(self, row: SheetRow) -> CheckedRow:
        longest = MAX_TEXT if sum(map(len, row.cells)) <= MAX_TEXT else SHOWN
        entry = Entry(self._told(row), self._places, self._today, self._keeping)
        wishes: list[Command] = []
        if fault := self._fault(row):
            entry.findings.append(Finding(fault))
        else:
            wishes = self._wishes(entry, row.number)
        self._note_what_stays(entry)
        verdict = verdict_of(entry.findings)
        wishes = [] if verdict is REJECTED else wishes
        return CheckedRow(
            row.number,
            verdict.value,
            list(dict.fromkeys((finding.code, finding.column) for finding in entry.findings)),
            [str(cell)[:longest] for cell in row.cells],
            [place for place, cell in enumerate(row.cells) if isinstance(cell, Number)],
            [Wish(type(wish).__name__, wish.model_dump_json(exclude_unset=True).encode()) for wish in wishes],
            _made(wishes),
        )

    def _told(self, row: SheetRow) -> dict[str, Told]:
        width = len(row.cells)
        return {
            column.key: Told(column.names[0], row.cells[index] if index < width else "")
            for index, column in self._heading.columns.items()
        }

    def _fault(self, row: SheetRow) -> str | None:
        """What is wrong with the row as a whole."""
        if sum(map(len, row.cells)) > MAX_TEXT:
            return "row_too_long"
        if looks_like_header(self._ledger, row):
            return "header_in_rows"
        if any(cell for index, cell in enumerate(row.cells) if not self._has_header(index)):
            return "beyond_header"
        told = [row.cells[i] for i, one in self._heading.columns.items() if i < len(row.cells) and one.key != "number"]
        return "row_repeated" if _seen(self._rows, "\x1f".join(told)) else None

    def _has_header(self, index: int) -> bool:
        return index < len(self._heading.headers) and bool(self._heading.headers[index])

    def _wishes(self, entry: Entry, number: int) -> list[Command]:
        try:
            wishes = list(self._ledger.commands(entry, self._ids(number)))
        except ValidationError as invalid:
            # The model's own rules are wider than those above, so this names a rule that is missing there.
            entry.findings.append(Finding("code_unknown", str(invalid.errors()[0]["loc"][0])))
            return []
        citizen_number = entry.cell("citizen_number")
        if citizen_number and _seen(self._numbers, tight(citizen_number).upper()):
            entry.note("number_repeated", "citizen_number")
        return wishes

    def _note_what_stays(self, entry: Entry) -> None:
        for column in self._heading.columns.values():
            if not column.taken and entry.cell(column.key):
                entry.note("not_taken_over", column.key)

    def _ids(self, number: int) -> RowIds:
        def household(key: str) -> str:
            first = self._households.setdefault(_digest(key), number)
            return derived_id(f"{self._file_hash}/{first}", "household")

        return RowIds(lambda kind, beside: derived_id(f"{self._file_hash}/{number}", kind, beside), household)


def _made(wishes: list[Command]) -> list[str]:
    """The streams that are this row's own: a household that a child opens may be shared with other rows."""
    own = {RegisterChild: "child", OpenHouseholdFile: "household", PostWorkingGroup: "posting"}
    return [getattr(wish, own[type(wish)]) for wish in wishes if type(wish) in own]


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def _seen(before: set[bytes], text: str) -> bool:
    """Whether it was there; from now on it is."""
    digest = _digest(text)
    known = digest in before
    before.add(digest)
    return known
