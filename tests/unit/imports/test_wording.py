"""One thing is meant, however it is typed."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registry.imports import wording
from services.registry.imports.cell import harmless, plain
from services.registry.imports.family import parents_of
from shared.contracts.values import ParentState

DAYS = st.dates(min_value=date(1950, 1, 1), max_value=date(2030, 12, 31))
FORMS = ("%Y-%m-%d", "%Y.%m.%d", "%Y/%m/%d", "%Y%m%d", "%Y年%m月%d日")
WIDE = str.maketrans("0123456789", "０１２３４５６７８９")


@given(DAYS, st.sampled_from(FORMS), st.booleans())
def test_a_day_is_the_same_in_each_of_its_forms_and_widths(day, form, wide):
    text = day.strftime(form)
    assert wording.day(text.translate(WIDE) if wide else text) == day


@pytest.mark.parametrize(
    "text", ["2016-7-3", "2016.7.3", "2016/7/3", "2016年7月3日", "2016年 7月\n3日", "2016-07-03T00:00:00"]
)
def test_a_day_needs_no_zeros(text):
    assert wording.day(text) == date(2016, 7, 3)


@pytest.mark.parametrize(
    "text", ["2016-13-01", "20160230", "7月31日", "2016", "42582", "三年级", "2016-7", "0000-00-00"]
)
def test_what_is_no_day_is_none(text):
    assert wording.day(text) is None


@pytest.mark.parametrize(
    "text", ["张三", "买买提·艾力", "买买提•艾力", "买买提．艾力", "买买提.艾力", "欧 阳 一", "Anna Li"]
)
def test_a_name_is_a_name_with_its_dot_and_without_the_spaces_between(text):
    found = wording.name(text)
    assert found is not None
    assert not set(found) & set("•．.")
    assert text == "Anna Li" or " " not in found


@pytest.mark.parametrize("text", ["", "张3", "13900000000", "一" * 51, "见备注！", "·", "·张"])
def test_what_is_no_name_is_none(text):
    assert wording.name(text) is None


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("13900000000", "13900000000"),
        ("139 0000 0000", "13900000000"),
        ("139-0000-0000", "13900000000"),
        ("１３９００００００００", "13900000000"),
        ("+8613900000000", "13900000000"),
        ("0851-28612345", "0851-28612345"),
        ("(0851)28612345", "0851-28612345"),
        ("12345", None),
        ("无", None),
    ],
)
def test_a_phone_is_a_mobile_or_a_land_line(text, phone):
    assert wording.phone(text) == phone


@pytest.mark.parametrize("text", ["姓名", " 姓 名 ", "姓名：", "姓名（必填）", "姓\n名", "姓名*"])
def test_a_header_is_read_without_what_stands_around_it(text):
    assert wording.header(text) == "姓名"


@pytest.mark.parametrize("text", ["爷爷/奶奶", "爷爷、奶奶", "爷爷\n奶奶", "爷爷，奶奶", "爷爷;奶奶"])
def test_several_things_in_a_cell_are_told_apart(text):
    assert wording.parts(text) == ["爷爷", "奶奶"]


HOME, AWAY, DEAD, LOST, INCAPABLE = (
    ParentState.HOME,
    ParentState.AWAY,
    ParentState.DEAD,
    ParentState.LOST_CONTACT,
    ParentState.INCAPABLE,
)


@pytest.mark.parametrize(
    ("text", "parents"),
    [
        ("双方外出", (AWAY, AWAY)),
        ("父母均在广东务工", (AWAY, AWAY)),
        ("父、母外出", (AWAY, AWAY)),
        ("父外出、母在家", (AWAY, HOME)),
        ("父外出母在家", (AWAY, HOME)),
        ("母亲在家/父亲打工", (AWAY, HOME)),
        ("父亲在成都务工\n母亲去世", (AWAY, DEAD)),
        ("爸爸失联，妈妈外出务工", (LOST, AWAY)),
        ("父服刑；母在外", (INCAPABLE, AWAY)),
        ("父母双亡", (DEAD, DEAD)),
        ("父外出", None),
        ("见备注", None),
        ("父、母", None),
    ],
)
def test_where_parents_are_is_read_for_both_or_not_at_all(text, parents):
    assert parents_of(text) == parents


@given(st.text(max_size=30))
def test_what_is_harmless_is_no_formula_and_comes_back_as_it_was(text):
    assert not harmless(text).startswith(("=", "+", "-", "@", "\t", "\r"))
    if not text.startswith("'"):
        assert plain(harmless(text)) == text
