"""How the rows of each ledger become commands, and what each rule says of a row that breaks it."""

from datetime import date

import pytest

from services.registry.imports.cell import Formula, Number
from services.registry.imports.entry import Entry, Told
from services.registry.imports.finding import RULES, Finding
from services.registry.imports.household_file import HOUSEHOLD_FILE
from services.registry.imports.place import Node, Places
from services.registry.imports.registration_form import REGISTRATION_FORM
from services.registry.imports.roster import ROSTER
from services.registry.imports.working_groups import WORKING_GROUPS
from shared.contracts.values import CareKind, ParentState, PostingLevel, Sex
from tests.support.builders import VILLAGE
from tests.support.importing import (
    FORM_ROW,
    GROUP_ROW,
    ROSTER_ROW,
    TODAY,
    citizen_number,
    codes,
    commands,
    judged,
    rows_in,
    table,
)
from tests.support.sheets import xlsx

GIRL = citizen_number("52990120160309002")
BOY = citizen_number("52990120160309001")


def roster(**changes):
    [row] = judged(ROSTER, ROSTER_ROW | changes)
    return row


def form(**changes):
    [row] = judged(REGISTRATION_FORM, FORM_ROW | changes)
    return row


def group(**changes):
    [row] = judged(WORKING_GROUPS, GROUP_ROW | changes)
    return row


def test_a_row_of_the_roster_registers_a_child():
    row = roster(citizen_number=GIRL.lower(), remark="每月回来", group="三组")
    [command] = commands(row)
    assert (row.verdict, codes(row), row.made) == ("accepted", [], [command.child])
    assert (command.residence, command.hukou, command.sex) == (VILLAGE, "520303", Sex.FEMALE)
    assert command.name.reveal() == "测甲一"
    assert command.birth_date.reveal() == date(2016, 3, 9)
    assert command.citizen_number.reveal() == GIRL
    assert command.parents.father.state.reveal() is command.parents.mother.state.reveal() is ParentState.AWAY
    assert command.care.kind.reveal() is CareKind.GRANDPARENT
    assert (command.care.note.reveal(), command.address.reveal()) == ("每月回来", "三组")


def test_what_the_system_has_no_command_for_is_warned_about_and_the_row_is_taken():
    row = roster(school="泗渡小学", grade="三年级", risk="低", helper="李干部")
    assert (row.verdict, len(row.wishes)) == ("warned", 1)
    assert row.findings == [("not_taken_over", name) for name in ("学校", "年级", "风险等级", "帮扶人")]


@pytest.mark.parametrize(
    ("changes", "code", "column"),
    [
        ({"name": ""}, "required", "姓名"),
        ({"guardian": "／"}, "name_unreadable", "监护人"),
        ({"guardian": "/"}, "required", "监护人"),
        ({"relation": ""}, "required", "关系"),
        ({"village": ""}, "required", "村"),
        ({"birth_date": ""}, "required", "出生日期"),
        ({"name": Formula("=B2")}, "formula", "姓名"),
        ({"guardian": "13900000001"}, "name_unreadable", "监护人"),
        ({"group": "组" * 51}, "too_long", "组"),
        ({"relation": "不知道"}, "code_unknown", "关系"),
        ({"sex": "X"}, "code_unknown", "性别"),
        ({"birth_date": "三年级"}, "date_unreadable", "出生日期"),
        ({"birth_date": "1800-01-01"}, "date_unreadable", "出生日期"),
        ({"birth_date": "2026-08-15"}, "date_in_future", "出生日期"),
        ({"phone": "12345"}, "phone_unreadable", "联系电话"),
        ({"village": "没有村"}, "place_unknown", "村"),
        ({"township": "没有镇"}, "place_unknown", "村"),
        ({"parents": "见备注"}, "parents_unreadable", "父母去向"),
        ({"citizen_number": Number("529901201603090019")}, "digits_lost", "身份证号"),
        ({"citizen_number": Number("5299")}, "digits_lost", "身份证号"),
        ({"citizen_number": "5.29901E+17"}, "digits_lost", "身份证号"),
        ({"citizen_number": "5.29901201603090e+17"}, "digits_lost", "身份证号"),
        ({"citizen_number": "529901201603090000"}, "digits_lost", "身份证号"),
        ({"citizen_number": "52990120160309"}, "number_malformed", "身份证号"),
        ({"citizen_number": "52990120160309002Y"}, "number_malformed", "身份证号"),
        ({"citizen_number": citizen_number("99990120160309002")}, "number_province_unknown", "身份证号"),
        ({"citizen_number": "529901160309001"}, "number_of_15_digits", "身份证号"),
        ({"citizen_number": "529901201802290019"}, "number_date_wrong", "身份证号"),
        ({"citizen_number": GIRL[:17] + ("1" if GIRL[17] != "1" else "2")}, "number_check_wrong", "身份证号"),
    ],
)
def test_a_row_that_breaks_a_rule_is_rejected_with_its_code_and_column(changes, code, column):
    row = roster(**changes)
    assert (row.verdict, row.findings, row.wishes) == ("rejected", [(code, column)], [])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"sex": "男", "citizen_number": GIRL}, "sex_differs"),
        ({"birth_date": "2016-03-10", "citizen_number": GIRL}, "birth_date_differs"),
        ({"birth_date": "", "citizen_number": GIRL}, "birth_date_from_number"),
        ({"parents": ""}, "parents_not_told"),
    ],
)
def test_what_may_be_right_is_a_warning_and_the_row_is_taken(changes, code):
    row = roster(**changes)
    assert (row.verdict, codes(row), len(row.wishes)) == ("warned", [code], 1)


def test_a_whole_number_that_ends_in_zeros_may_be_genuine():
    whole = next(
        number
        for day in range(1, 29)
        for serial in range(100)
        if (number := citizen_number(f"5299012016{3:02}{day:02}{serial:02}0")).endswith("000")
    )
    row = roster(citizen_number=whole, sex="", birth_date="")
    assert (row.verdict, codes(row)) == ("warned", ["number_ends_in_zeros", "birth_date_from_number"])


def test_sex_is_that_of_the_number_where_nothing_is_told():
    [command] = commands(roster(sex="", citizen_number=BOY))
    assert command.sex is Sex.MALE


def test_the_same_row_again_is_rejected_and_the_same_number_is_warned_about():
    row = ROSTER_ROW | {"citizen_number": GIRL}
    first, again, other = judged(ROSTER, row, row, row | {"name": "测甲二"})
    assert (first.verdict, codes(again), codes(other)) == ("accepted", ["row_repeated"], ["number_repeated"])


def test_a_header_between_the_rows_and_a_cell_beyond_the_header_are_rejected_with_their_row():
    rows = table(ROSTER, ROSTER_ROW, ROSTER_ROW | {"name": "测甲二"})
    header, beyond = rows_in(xlsx([*rows[:2], rows[0], [*rows[2], "多余"]]))[1:]
    assert (codes(header), codes(beyond)) == (["header_in_rows"], ["beyond_header"])


def test_children_of_one_guardian_in_one_village_are_one_household_and_others_are_not():
    rows = judged(
        ROSTER, ROSTER_ROW, ROSTER_ROW | {"name": "测甲二"}, ROSTER_ROW | {"name": "测甲三", "guardian": "测别户"}
    )
    first, second, third = (commands(row)[0] for row in rows)
    assert first.household == second.household != third.household
    assert first.child[-4:] == second.child[-4:] == first.household[-4:]


def test_a_village_is_found_by_name_by_code_and_only_within_the_scope():
    for told in ("松杉村", "松杉村村民委员会", "松杉村委会", "松杉", VILLAGE, "松杉村\n"):
        assert commands(roster(village=told))[0].residence == VILLAGE, told
    [outside] = judged(ROSTER, ROSTER_ROW, root="520303001")
    assert codes(outside) == ["place_unknown"]


def test_a_village_name_that_stands_twice_needs_its_township():
    twice = [
        Node("52", "贵州省", "province", None),
        Node("520303", "汇川区", "county", "52"),
        *(Node(f"52030310{n}", name, "township", "520303") for n, name in ((1, "甲镇"), (2, "乙乡"))),
        *(Node(f"52030310{n}201", "新村村民委员会", "village", f"52030310{n}") for n in (1, 2)),
    ]
    places = Places(twice, ["520303"])
    assert len(places.village("", "", "新村")) == 2
    assert places.village("", "乙", "新村") == places.in_text("汇川区乙乡新村二组") == ["520303102201"]
    assert places.village("播州区", "乙乡", "新村") == places.in_text("播州区丙乡新村") == []
    entry = Entry({"village": Told("村", "新村")}, places, TODAY)
    assert entry.village("county", "township", "village") is None
    assert entry.findings == [Finding("place_ambiguous", "村")]


def test_the_official_form_registers_a_child_with_its_parents():
    row = form()
    [command] = commands(row)
    assert (row.verdict, command.residence, command.hukou) == ("accepted", VILLAGE, "520303")
    assert command.parents.father.away_place.reveal() == "广东省东莞市"
    assert command.parents.father.name.reveal() == "测父亲"
    assert command.address.reveal() == FORM_ROW["residence"]
    assert command.household_head.reveal() == command.care.caregiver.reveal() == "测户主"


@pytest.mark.parametrize(
    ("changes", "father", "mother"),
    [
        ({}, ParentState.AWAY, ParentState.AWAY),
        ({"both_away": "否", "one_away": "是", "incapable": "父"}, ParentState.INCAPABLE, ParentState.AWAY),
        ({"both_away": "否", "one_away": "是", "incapable": "母亲"}, ParentState.AWAY, ParentState.INCAPABLE),
        ({"both_away": "否"}, ParentState.AWAY, ParentState.HOME),
    ],
)
def test_where_the_parents_are_follows_from_the_three_fields_of_the_form(changes, father, mother):
    [command] = commands(form(**changes))
    parents = command.parents
    assert (parents.father.state.reveal(), parents.mother.state.reveal()) == (father, mother)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"one_away": "是"}, "situations_contradict"),
        ({"both_away": "否", "one_away": "是"}, "incapable_parent_missing"),
        ({"residence": "某县某镇某村"}, "place_unknown"),
        ({"hukou": "四川省某县"}, "hukou_unknown"),
        ({"guardianship": "很好"}, "code_unknown"),
        ({"relation": ""}, "required"),
        ({"guardian": "", "father_name": ""}, "required"),
        ({"father_citizen_number": Number("529901198001010019")}, "digits_lost"),
    ],
)
def test_a_form_that_breaks_a_rule_is_rejected(changes, code):
    row = form(**changes)
    assert (row.verdict, code in codes(row), row.wishes) == ("rejected", True, [])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"hukou": ""}, "hukou_assumed"),
        ({"guardianship": "无人监护"}, "unattended"),
        ({"both_away": "", "father_works": ""}, "parents_not_told"),
        ({"health": "健康"}, "not_taken_over"),
    ],
)
def test_a_form_that_may_be_right_is_taken_with_a_warning(changes, code):
    row = form(**changes)
    assert (row.verdict, codes(row), len(row.wishes)) == ("warned", [code], 1)


def test_a_household_of_registration_elsewhere_is_told_by_its_code():
    assert commands(form(hukou="510100"))[0].hukou == "510100"


def test_a_child_without_a_guardian_is_recorded_as_cared_for_by_nobody():
    assert commands(form(guardianship="无人监护"))[0].care.kind.reveal() is CareKind.NOBODY


def test_a_working_group_is_posted():
    row = group()
    [command] = commands(row)
    assert (row.verdict, row.made) == ("accepted", [command.posting])
    assert (command.village, command.level, command.starts) == (VILLAGE, PostingLevel.COUNTY, date(2025, 3, 1))
    assert (command.first_secretary, command.leader) == ("secretary-1", None)


@pytest.mark.parametrize(
    "period",
    [
        "2023.3.1—2025.2.28",
        "2023年3月1日至2025年2月28日",
        "2023.3至2025.2",
        "20230301-20250228",
        "2023-03-01~2025-02-28",
    ],
)
def test_a_posting_that_is_over_is_withdrawn_on_the_day_after(period):
    begun, ended = commands(group(period=period))
    assert (begun.starts, ended.ends) == (date(2023, 3, 1), date(2025, 3, 1))


@pytest.mark.parametrize(
    ("changes", "code", "verdict"),
    [
        ({"leader": "李明"}, "named_not_identified", "warned"),
        ({"members": "李明、王芳"}, "not_taken_over", "warned"),
        ({"period": "2025.3—2027.3"}, "posting_ends_later", "warned"),
        ({"period": "2025.3—2024.3"}, "posting_ends_first", "rejected"),
        ({"period": "去年"}, "date_unreadable", "rejected"),
        ({"period": ""}, "required", "rejected"),
        ({"level": "村派"}, "code_unknown", "rejected"),
        ({"unit": ""}, "required", "rejected"),
        ({"village": "没有村"}, "place_unknown", "rejected"),
    ],
)
def test_what_is_found_about_a_posting(changes, code, verdict):
    row = group(**changes)
    assert (row.verdict, codes(row)) == (verdict, [code])


def test_a_household_file_is_read_and_every_cell_that_stays_behind_is_told():
    [row] = judged(HOUSEHOLD_FILE, {"head": "测户主", "persons": "4", "members": "测甲一、测甲二", "address": "松杉村"})
    assert (row.verdict, row.wishes) == ("warned", [])
    assert [column for _, column in row.findings] == ["户主", "人口", "成员", "住址"]


def test_every_reason_names_what_to_do_in_chinese():
    for code, rule in RULES.items():
        assert "；" in rule.reason, code
        assert rule.reason.endswith("。"), code
        assert not rule.reason.isascii(), code
