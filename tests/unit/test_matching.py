"""What a row of another register says, which file it is, and which files the register was to hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from services.registry.domain.list_export import LIST_EXPORT, RecordListExport
from services.registry.duplicates.comparison import Comparison, Particulars
from services.registry.duplicates.files import File
from services.registry.duplicates.rule import RULE
from services.registry.imports.checked_row import CheckedRow, Terms
from services.registry.imports.checking import checked
from services.registry.imports.sheet import rows_of
from services.registry.matching.judgement import DOUBTED_FROM, MOST_DOUBTED, Near, RowState, judge
from services.registry.matching.register import MATCH, REGISTER, RegisterRow, particulars
from services.registry.matching.there import Absent, is_expected, workbook
from shared.commands.command import NothingToRecord
from shared.contracts.mapping_gap import ListExported
from shared.contracts.values import Likeness, RegisterKind, Sex
from shared.eventlog.placement import new_id
from tests.support.builders import VILLAGE
from tests.support.importing import COUNTY, TODAY, citizen_number, codes, nodes
from tests.support.sheets import files, xlsx
from tests.support.specification import given

NUMBER = citizen_number("52990120160309001")
HEADER = ["备注", "班级", "出生日期", "学生姓名", "母亲姓名", "身份证号码", "住址"]
ADDRESS = "泗渡镇松杉村三组"


def read(content: bytes, root: str = COUNTY) -> list[CheckedRow]:
    terms = Terms(list(nodes()), {MATCH: [root]}, TODAY)
    return [row for piece in checked(content, terms, [REGISTER]) for row in piece]


def row_of(**cells: str) -> CheckedRow:
    told = {"学生姓名": "测甲一", "住址": ADDRESS} | cells
    [row] = read(xlsx([[*HEADER], [told.get(header, "") for header in HEADER]]))
    return row


def said_by(row: CheckedRow) -> RegisterRow:
    return RegisterRow.model_validate_json(row.wishes[0].body)


def test_a_register_is_read_from_every_kind_of_file_whatever_the_order_of_its_columns():
    roll = [HEADER, ["", "三班", "2016年3月9日", "测 甲一", "测母亲", NUMBER, ADDRESS]]
    for kind, content in files(roll):
        [row] = read(content)
        told = particulars(said_by(row), ("52", VILLAGE))
        expected = Particulars(
            name="测甲一",
            born=date(2016, 3, 9),
            birth_month="2016-03",
            sex=Sex.MALE if int(NUMBER[16]) % 2 else Sex.FEMALE,
            place=("52", VILLAGE),
            number=NUMBER,
            mother="测母亲",
        )
        assert told == expected, kind
        assert said_by(row).village == VILLAGE


@pytest.mark.parametrize(
    "cells",
    [{"身份证号码": NUMBER[:17]}, {"出生日期": "去年"}, {"母亲姓名": "12"}],
    ids=["number", "day", "mother"],
)
def test_what_cannot_be_read_is_not_compared_and_the_row_goes_on(cells):
    row = row_of(**cells)
    assert codes(row) == ["not_compared"]
    assert row.findings[0][1] in {"身份证号", "出生日期", "母亲姓名"}
    assert said_by(row).name.reveal() == "测甲一"


def test_a_month_of_birth_is_enough():
    assert said_by(row_of(出生日期="2016.3")).month == "2016-03"


def test_a_village_outside_the_scope_ends_the_row():
    row = row_of(住址="遵义市红花岗区长征镇某村")
    assert codes(row) == ["place_unknown"]
    assert row.wishes == []


def test_a_row_without_a_village_or_with_one_that_several_bear_is_compared_without_it():
    assert said_by(row_of(住址="")).village is None
    [row] = read(xlsx([["姓名", "性别", "村"], ["测甲一", "女", "罗家坝社区"]]), root="5203")
    assert codes(row) == ["not_compared"]
    assert said_by(row).village is None


def test_a_row_without_a_name_is_not_read():
    assert (codes(row_of(学生姓名="")), row_of(学生姓名="").wishes) == (["required"], [])


def near(score: int, *reasons: Likeness) -> Near:
    return Near(new_id("child"), Comparison(score, RULE.version, reasons, score >= RULE.threshold))


EXACT, ALIKE, CLOSE = near(60, Likeness.NUMBER_EQUAL), near(RULE.threshold), near(DOUBTED_FROM)


@pytest.mark.parametrize(
    ("found", "state", "kept"),
    [
        ([EXACT, ALIKE, CLOSE], RowState.MATCHED, (EXACT,)),
        ([ALIKE, CLOSE], RowState.MATCHED, (ALIKE,)),
        ([EXACT, EXACT, ALIKE], RowState.DOUBTFUL, (EXACT, EXACT)),
        ([ALIKE, ALIKE], RowState.DOUBTFUL, (ALIKE, ALIKE)),
        ([CLOSE], RowState.DOUBTFUL, (CLOSE,)),
        ([near(DOUBTED_FROM - 1)], RowState.MISSING, ()),
        ([], RowState.MISSING, ()),
    ],
    ids=["a number", "one alike", "two of a number", "two alike", "one near", "far", "none"],
)
def test_a_row_is_matched_where_one_file_is_certain(found, state, kept):
    assert judge(found) == (state, kept)


@drawn(st.lists(st.integers(-40, 80)))
def test_a_row_is_missing_only_where_no_file_is_near(scores):
    judged = judge([near(score) for score in sorted(scores, reverse=True)])
    assert (judged.state is RowState.MISSING) == all(score < DOUBTED_FROM for score in scores)
    assert len(judged.near) <= MOST_DOUBTED
    assert (judged.state is RowState.MATCHED) == (sum(score >= RULE.threshold for score in scores) == 1)


def a_file(born: date | None = date(2016, 3, 9), **changes) -> File:
    told = Particulars(name="=测甲一", born=born, number=NUMBER, sex=Sex.FEMALE)
    return replace(File("child-1", VILLAGE, True, "director-1", told, "松杉小学"), **changes)


@pytest.mark.parametrize(
    ("file", "school", "expected"),
    [
        (a_file(), None, True),
        (a_file(date(2020, 8, 1)), None, True),
        (a_file(date(2020, 9, 1)), None, False),
        (a_file(date(2010, 9, 1)), None, True),
        (a_file(date(2010, 8, 1)), None, False),
        (a_file(None), None, False),
        (a_file(open=False), None, False),
        (a_file(), "松杉小学", True),
        (a_file(), "泗渡中学", False),
        (a_file(school=None), "松杉小学", False),
    ],
)
def test_a_school_roll_is_to_hold_its_own_school_or_who_is_of_school_age(file, school, expected):
    assert is_expected(file, RegisterKind.SCHOOL_ROLL, school, TODAY) is expected


def test_other_registers_are_to_hold_every_open_file():
    assert is_expected(a_file(None), RegisterKind.CLINIC_LIST, None, TODAY)
    assert not is_expected(a_file(open=False), RegisterKind.ALLOWANCE_LIST, None, TODAY)


def test_the_list_of_who_is_missing_there_is_harmless_text_with_masked_numbers_and_its_taker():
    book = workbook(
        RegisterKind.SCHOOL_ROLL, [Absent("child-1", a_file())], "supervisor-1", datetime(2026, 8, 14, 1, tzinfo=UTC)
    )
    mark, _, row = rows_of(book)
    assert "supervisor-1 · 2026-08-14 09:00" in mark.cells[0]
    assert row.cells[0] == "'=测甲一"
    assert row.cells[3] == f"{NUMBER[:6]}********{NUMBER[-4:]}"
    assert NUMBER.encode() not in book


EXPORT = {
    "export": new_id("export"),
    "matching": new_id("matching"),
    "register_kind": RegisterKind.SCHOOL_ROLL,
    "division": COUNTY,
    "children": 3,
    "person": "supervisor-1",
}


def test_an_export_is_on_record_once():
    given(LIST_EXPORT).when(RecordListExport(**EXPORT)).then(ListExported(**EXPORT))
    given(LIST_EXPORT, ListExported(**EXPORT)).when(RecordListExport(**EXPORT)).then_refused(NothingToRecord)
