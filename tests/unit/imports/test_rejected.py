"""The workbook of rejected rows: nothing in it runs, nothing is lost on the way, and nothing touches the disk."""

import io
import tempfile
import zipfile

from services.registry.imports.cell import Number
from services.registry.imports.rejected import RejectedRow, workbook
from services.registry.imports.roster import ROSTER
from services.registry.imports.sheet import rows_of
from tests.support.importing import ROSTER_ROW, codes, rows_in, table
from tests.support.sheets import xlsx

HEADERS = ["姓名", "备注", "身份证号"]


def book(*rows: RejectedRow, headers: list[str] = HEADERS) -> bytes:
    return workbook(headers, rows, "clerk-1")


def test_no_cell_is_a_formula_whatever_it_begins_with():
    cells = ["=1+1", "+86 139", "-5", "@SUM(A1)", "\tx", "测"]
    found = list(rows_of(book(*(RejectedRow(n, [cell], [], ["原因"]) for n, cell in enumerate(cells, 2)))))
    assert [row.cells[2] for row in found[1:]] == ["'=1+1", "'+86 139", "'-5", "'@SUM(A1)", "'\tx", "测"]
    assert all(type(cell) is str for row in found for cell in row.cells)


def test_a_number_stays_a_number_so_that_lost_digits_are_found_again():
    [_, row] = rows_of(book(RejectedRow(2, ["测", "", "529901201603090048"], [2], ["原因"])))
    assert type(row.cells[4]) is Number


def test_a_corrected_row_is_taken_and_one_that_was_not_is_rejected_again():
    rows = table(ROSTER, ROSTER_ROW, ROSTER_ROW | {"name": "测乙二", "phone": "1"})
    width = len(rows[0])
    sent = [RejectedRow(n, cells, [], ["原因"]) for n, cells in enumerate(rows[1:], 2)]
    good, bad = rows_in(workbook(rows[0], sent, "clerk-1"))
    assert (codes(good), codes(bad)) == ([], ["phone_unreadable"])
    again = workbook(next(rows_of(workbook(rows[0], sent, "clerk-1"))).cells, [], "clerk-1")
    assert len(next(iter(rows_of(again))).cells) == width + 2


def test_what_stands_beyond_the_last_header_comes_along():
    [_, row] = rows_of(book(RejectedRow(2, ["测", "", "", "多余"], [], ["原因"])))
    assert row.cells == ["2", "原因", "测", "", "", "多余"]


def test_it_says_who_took_it():
    with zipfile.ZipFile(io.BytesIO(book())) as parts:
        assert b"clerk-1" in parts.read("docProps/core.xml")


def test_it_is_made_without_a_temporary_file(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    assert book(RejectedRow(2, ["测"] * 3, [], ["原因"]))
    assert len(rows_in(xlsx(table(ROSTER, ROSTER_ROW)))) == 1
