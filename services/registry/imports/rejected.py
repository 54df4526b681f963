"""The workbook of rejected rows: the ledger's own columns with each row's number and reasons, to be corrected and sent.

It is made in memory: a temporary file would hold people's data in the clear.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
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
    reasons: Sequence[str]


def workbook(headers: Sequence[str], rows: Iterable[RejectedRow]) -> bytes:
    """All cells are text, and none begins as a formula does. Columns that an earlier such workbook added are left."""
    out = io.BytesIO()
    book = Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    text = book.add_format({"num_format": "@", "text_wrap": True, "valign": "top"})
    bold = book.add_format({"num_format": "@", "bold": True})
    sheet = book.add_worksheet("未导入")
    kept = [index for index, header in enumerate(headers) if header not in OWN]
    for column, name in enumerate([NUMBER, REASONS, *(headers[index] for index in kept)]):
        sheet.write_string(0, column, harmless(name), bold)
    for line, row in enumerate(rows, 1):
        cells = [row.cells[index] if index < len(row.cells) else "" for index in kept]
        for column, cell in enumerate([str(row.number), "\n".join(row.reasons), *cells]):
            sheet.write_string(line, column, harmless(cell), text)
    sheet.set_column(0, len(kept) + 1, _WIDTH, text)
    sheet.set_column(1, 1, _WIDE, text)
    sheet.freeze_panes(1, 0)
    book.close()
    return out.getvalue()
