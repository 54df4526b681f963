"""The workbook of rejected rows: the ledger's own columns with each row's number and reasons, to be corrected and sent.

It is made in memory: a temporary file would hold people's data in the clear.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Final, NamedTuple

from xlsxwriter import Workbook  # type: ignore[import-untyped]

from services.registry.imports.cell import harmless
from services.registry.imports.ledger import OWN

MAX_ROWS: Final = 20_000
NUMBER, REASONS = "行号", "问题"
_WIDTH, _WIDE = 14, 60


class RejectedRow(NamedTuple):
    number: int
    cells: Sequence[str]
    numbers: Sequence[int]
    reasons: Sequence[str]


def new_book(out: io.BytesIO, person: str) -> Workbook:
    """In memory alone. Who takes it stands in its properties beside the time (domain 6.2, rule 5)."""
    book = Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"author": person})
    return book


def workbook(headers: Sequence[str], rows: Sequence[RejectedRow], person: str) -> bytes:
    """All cells are text, and none begins as a formula does. Columns that an earlier such workbook added are left.

    What was a number stays one: a citizen number whose digits are gone must not come back as text that looks whole.
    """
    out = io.BytesIO()
    book = new_book(out, person)
    text = book.add_format({"num_format": "@", "text_wrap": True, "valign": "top"})
    bold = book.add_format({"num_format": "@", "bold": True})
    sheet = book.add_worksheet("未导入")
    # What stands right of the last header comes along, so that nothing is lost on the way.
    width = max([len(headers), *(len(row.cells) for row in rows)])
    named = [*headers, *[""] * (width - len(headers))]
    kept = [index for index, header in enumerate(named) if header not in OWN]
    for column, name in enumerate([NUMBER, REASONS, *(named[index] for index in kept)]):
        sheet.write_string(0, column, harmless(name), bold)
    for line, row in enumerate(rows, 1):
        sheet.write_string(line, 0, str(row.number), text)
        sheet.write_string(line, 1, "\n".join(row.reasons), text)
        for column, index in enumerate(kept, 2):
            cell = row.cells[index] if index < len(row.cells) else ""
            if index in row.numbers:
                sheet.write_number(line, column, float(cell), text)
            else:
                sheet.write_string(line, column, harmless(cell), text)
    sheet.set_column(0, len(kept) + 1, _WIDTH, text)
    sheet.set_column(1, 1, _WIDE, text)
    sheet.freeze_panes(1, 0)
    book.close()
    return out.getvalue()
