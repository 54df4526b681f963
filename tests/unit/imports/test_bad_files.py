"""A file that is none of the ledgers, or made to hurt, is refused with what to do, before a row is read."""

import io
import zipfile

import pytest

from services.registry.imports import bad_file, checking, sheet
from services.registry.imports.bad_file import (
    BAD_FILES,
    BadFile,
    ColumnMissing,
    ColumnTwice,
    ColumnUnknown,
    FileIsDamaged,
    FileIsEmpty,
    FileIsLocked,
    FileTypeUnknown,
    LedgerUnknown,
    LinksOutside,
    MacroWorkbook,
    SecondHeaderLine,
    SeveralSheets,
    TooManyRows,
    UnpacksTooLarge,
)
from services.registry.imports.checker import answers_to
from services.registry.imports.checking import opened
from services.registry.imports.examiner import Examiner
from services.registry.imports.frame import Task
from services.registry.imports.roster import ROSTER
from shared.contracts.values import LedgerKind
from tests.support.importing import ROSTER_ROW, codes, rows_in, table, terms
from tests.support.sheets import a_zip, changed, csv_, files, two_million_rows, with_part, xls, xlsx

GOOD = table(ROSTER, ROSTER_ROW)


BARE = [["姓名", "村", "性别", "出生日期"], ["测甲一", "松杉村", "女", "2016-03-09"]]
ENCRYPTED = xls(GOOD) + "EncryptedPackage".encode("utf-16-le")
VBA = xls(GOOD) + "_VBA_PROJECT".encode("utf-16-le")


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"", FileIsEmpty),
        (b"  \r\n ", FileIsEmpty),
        (csv_(GOOD[:1]), FileIsEmpty),
        (xlsx([]), FileIsEmpty),
        (b"%PDF-1.7 ...", FileTypeUnknown),
        (b"<html><table></table></html>", FileTypeUnknown),
        (b"\x89PNG\r\n\x1a\n\0\0", FileTypeUnknown),
        (a_zip(readme=b"x"), FileTypeUnknown),
        (with_part(xlsx(GOOD), "xl/vbaProject.bin", b"x"), MacroWorkbook),
        (VBA, MacroWorkbook),
        (ENCRYPTED, FileIsLocked),
        (with_part(xlsx(GOOD), "xl/externalLinks/externalLink1.xml", b"<externalLink/>"), LinksOutside),
        (csv_(GOOD).replace("测甲一".encode(), b"\0"), FileTypeUnknown),
        (xlsx(GOOD)[:2000], FileIsDamaged),
        (xls(GOOD)[:1600], FileIsDamaged),
        (b"PK\x03\x04" + bytes(100), FileIsDamaged),
        (xlsx(GOOD, GOOD), SeveralSheets),
        (csv_([["甲", "乙", "丙"], ["1", "2", "3"]]), LedgerUnknown),
        (csv_([[*GOOD[0], "爱好"], GOOD[1]]), ColumnUnknown),
        (csv_([[*GOOD[0], "姓名"], [*GOOD[1], "测乙"]]), ColumnTwice),
        (csv_([[*GOOD[0], "儿童姓名"], [*GOOD[1], "测乙"]]), ColumnTwice),
        (csv_([[c for c in GOOD[0] if c != "监护人"], GOOD[1]]), ColumnMissing),
        (csv_(BARE), ColumnMissing),
        (csv_([GOOD[0], GOOD[0], GOOD[1]]), SecondHeaderLine),
        (csv_([GOOD[0], ["", "", "", "姓名", "", "", "", "电话"], GOOD[1]]), SecondHeaderLine),
    ],
)
def test_a_bad_file_is_refused_and_says_what_to_do(content, refusal):
    with pytest.raises(refusal) as caught:
        opened(content)
    assert caught.value.detail
    assert caught.value.what_to_do
    assert 400 <= caught.value.status < 500


def test_a_zip_bomb_is_refused_by_what_it_declares_and_never_unpacked(monkeypatch):
    bomb = with_part(xlsx(GOOD), "xl/media/bomb.bin", bytes(sheet.MAX_UNPACKED + 1))
    assert len(bomb) < 2_000_000
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *_: pytest.fail("it was unpacked"))
    with pytest.raises(UnpacksTooLarge):
        opened(bomb)


def test_a_workbook_of_thousands_of_parts_is_refused():
    out = io.BytesIO(xlsx(GOOD))
    with zipfile.ZipFile(out, "a") as parts:
        for number in range(sheet.MAX_PARTS):
            parts.writestr(f"xl/media/{number}", b"")
    with pytest.raises(UnpacksTooLarge):
        opened(out.getvalue())


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_too_many_rows_are_refused_when_the_file_is_opened(monkeypatch, kind):
    monkeypatch.setattr(checking, "MAX_ROWS", 30)
    rows = [GOOD[0], *([*GOOD[1][:3], f"测{chr(0x4E00 + n)}", *GOOD[1][4:]] for n in range(60))]
    with pytest.raises(TooManyRows):
        opened(xlsx(rows) if kind == "xlsx" else csv_(rows))


@pytest.mark.parametrize("content", [two_million_rows(), csv_(GOOD[:1]) + b"a,b,c\n" * 2_000_000], ids=["xlsx", "csv"])
async def test_two_million_rows_are_refused_before_any_of_them_is_read(content):
    assert len(content) < 32 * 2**20
    with pytest.raises(TooManyRows):
        await Examiner().open(content)


@pytest.mark.parametrize("told", ["A1:A1", "A1:XFD1048576", "B7"])
def test_what_a_sheet_declares_of_its_size_is_not_believed(told):
    lying = changed(
        xlsx(GOOD), "xl/worksheets/sheet1.xml", rb'<dimension ref="[^"]*"', f'<dimension ref="{told}"'.encode()
    )
    assert lying != xlsx(GOOD)
    assert [row.verdict for row in rows_in(lying)] == ["accepted"]


def test_too_many_rows_are_refused_on_the_way_where_they_could_not_be_counted_before(monkeypatch):
    monkeypatch.setattr(checking, "MAX_ROWS", 300)
    rows = [GOOD[0], *([*GOOD[1][:3], f"测{chr(0x4E00 + n)}", *GOOD[1][4:]] for n in range(400))]
    with pytest.raises(TooManyRows):
        rows_in(xls(rows))


def test_titles_above_the_header_are_passed_over():
    titled = [["汇川区农村留守儿童花名册"], ["填报单位：泗渡镇"], *GOOD]
    for kind, content in files(titled):
        assert opened(content).ledger is LedgerKind.ROSTER, kind
        assert [row.number for row in rows_in(content)] == [4], kind


def test_a_formula_that_keeps_text_from_excel_is_read_as_text_and_any_other_is_rejected():
    [kept] = rows_in(csv_([GOOD[0], ['="测甲一"' if cell == "测甲一" else cell for cell in GOOD[1]]]))
    [formula] = rows_in(csv_([GOOD[0], ["=A1" if cell == "测甲一" else cell for cell in GOOD[1]]]))
    assert (codes(kept), codes(formula)) == ([], ["formula"])


def test_a_file_that_asks_for_too_much_memory_is_refused_and_not_the_end_of_the_process(monkeypatch):
    def exhausted(content: bytes) -> None:
        raise MemoryError

    monkeypatch.setattr("services.registry.imports.checker.opened", exhausted)
    [answer] = answers_to(Task(), b"x")
    assert (answer.what, answer.refused) == ("refused", "file_is_damaged")


async def test_another_process_reads_the_file_and_its_refusal_comes_back_as_it_was():
    examiner = Examiner()
    assert (await examiner.open(xlsx(GOOD))).ledger == LedgerKind.ROSTER
    with pytest.raises(ColumnUnknown) as caught:
        await examiner.open(csv_([[*GOOD[0], "爱好"], GOOD[1]]))
    assert "第 L 列" in caught.value.detail
    rows = [row async for piece in examiner.check(xlsx(GOOD), terms()) for row in piece]
    assert [row.verdict for row in rows] == ["accepted"]


def test_every_bad_file_is_known_by_its_code():
    assert set(BAD_FILES.values()) == set(BadFile.__subclasses__())
    assert all(kind().detail and kind().what_to_do for kind in BAD_FILES.values())
    assert all(name in (bad_file.__doc__ or "") for name in (kind.__name__ for kind in BAD_FILES.values()))


FAR = [*GOOD, *([""] for _ in range(65_000)), [""] * 255 + ["x"]]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(
            xls(FAR), id="an xls whose two cells stand so far apart that the sheet between them fills the memory"
        ),
        pytest.param(
            with_part(
                a_zip(**{"xl/workbook.xml": b"<workbook/>"}),
                "[Content_Types].xml",
                b"<!DOCTYPE t ["
                + b"".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "x" * 10}">'.encode() for n in range(12))
                + b"]><t>&e11;</t>",
            ),
            id="a workbook whose entities unfold without end",
        ),
    ],
)
async def test_what_is_made_to_exhaust_the_reader_is_refused(content):
    with pytest.raises(FileIsDamaged):
        await Examiner().open(content)


def test_a_row_of_endless_text_is_rejected_and_only_its_beginnings_are_kept():
    long = ["字" * 9_000 if name == "父母去向" else cell for name, cell in zip(*GOOD, strict=True)]
    [row] = rows_in(xlsx([GOOD[0], long]))
    assert codes(row) == ["row_too_long"]
    assert max(map(len, row.cells)) == 40


def test_empty_lines_of_a_csv_file_are_no_rows(monkeypatch):
    monkeypatch.setattr(checking, "MAX_ROWS", 30)
    assert opened(csv_([*GOOD, *([""] * len(GOOD[0]) for _ in range(100))])).ledger is LedgerKind.ROSTER
