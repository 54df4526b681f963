"""How the rows of each ledger become commands, and what each rule says of a row that breaks it."""

from datetime import date

import pytest

from services.registry.imports.cell import Formula, Number
from services.registry.imports.checked_row import Terms
from services.registry.imports.checking import checked
from services.registry.imports.entry import Entry, Told
from services.registry.imports.finding import RULES, Finding
from services.registry.imports.household_file import HOUSEHOLD_FILE
from services.registry.imports.place import Node, Places
from services.registry.imports.registration_form import REGISTRATION_FORM
from services.registry.imports.roster import ROSTER
from services.registry.imports.working_groups import WORKING_GROUPS
from shared.contracts.child_file import Disability, Entrustment, Health, Schooling, Welfare
from shared.contracts.registry import ParentDetails
from shared.contracts.values import (
    Allowance,
    CareKind,
    CareQuality,
    CitizenNumberStatus,
    DisabilityKind,
    HealthState,
    HouseholdPoverty,
    HouseholdRelation,
    IncomeSource,
    ParentState,
    PostingLevel,
    Relation,
    SchoolState,
    Sex,
)
from tests.support.builders import VILLAGE
from tests.support.importing import (
    ACTIONS,
    FORM_ROW,
    GROUP_ROW,
    ROSTER_ROW,
    TODAY,
    citizen_number,
    codes,
    commands,
    judged,
    nodes,
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
    named = {column.names[0]: column.key for column in REGISTRATION_FORM.columns}
    [row] = judged(REGISTRATION_FORM, FORM_ROW | {named.get(key, key): cell for key, cell in changes.items()})
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
    row = roster(risk="低", helper="李干部")
    assert (row.verdict, len(row.wishes)) == ("warned", 1)
    assert row.findings == [("not_taken_over", name) for name in ("风险等级", "帮扶人")]
    row = form(祖父姓名="测祖父", 祖父出生日期="1950-01-01")
    assert row.findings == [("not_taken_over", name) for name in ("祖父姓名", "祖父出生日期")]


@pytest.mark.parametrize(
    ("school", "grade", "state"),
    [
        ("泗渡小学", "三年级", SchoolState.PRIMARY),
        ("泗渡小学", "", SchoolState.PRIMARY),
        ("泗渡中学", "八年级", SchoolState.JUNIOR),
        ("泗渡中学", "初二", SchoolState.JUNIOR),
        ("汇川一中", "高一年级", SchoolState.SENIOR),
        ("", Number("5"), SchoolState.PRIMARY),
        ("泗渡幼儿园", "大班", SchoolState.KINDERGARTEN),
        ("汇川职高", "一年级", SchoolState.VOCATIONAL),
        ("", "辍学", SchoolState.DROPOUT),
    ],
)
def test_where_a_child_learns_is_read_off_the_grade_or_else_the_school(school, grade, state):
    row = roster(school=school, grade=grade)
    [command] = commands(row)
    schooling = command.schooling.reveal()
    assert (row.verdict, schooling.state) == ("accepted", state)
    assert (schooling.school, schooling.grade) == (school or None, str(grade) or None)


def test_a_school_that_does_not_tell_where_the_child_stands_is_warned_about():
    row = roster(school="泗渡学校")
    assert (row.verdict, row.findings) == ("warned", [("school_state_unknown", "学校")])
    assert commands(row)[0].schooling is None


FULL = {
    "ethnicity": "苗族",
    "registered": "是",
    "health": "残疾",
    "disability": "肢体三级",
    "schooling": "小学",
    "boarding": "是",
    "father_born": "1988.1.2",
    "mother_citizen_number": citizen_number("52990119890101002"),
    "entrusted": "有",
    "guardian_citizen_number": citizen_number("52990119500101001"),
    "guardian_address": "松杉村三组",
    "income": "务工、种植",
    "aid": "低保、慈善捐助",
}


def test_the_official_form_gives_every_block_of_the_file_with_the_registration():
    row = form(**FULL)
    [command] = commands(row)
    assert (row.verdict, codes(row)) == ("accepted", [])
    assert command.care_quality.reveal() is CareQuality.FAIR
    assert command.ethnicity.reveal() == "06"
    assert command.schooling.reveal() == Schooling(state=SchoolState.PRIMARY, boarding=True)
    disability = Disability(kind=DisabilityKind.PHYSICAL, grade=3)
    assert command.health.reveal() == Health(state=HealthState.DISABLED, disability=disability)
    assert command.welfare.reveal() == Welfare(minimum_allowance=True, other="慈善捐助")
    assert command.household_details.reveal().income_sources == (IncomeSource.WAGES, IncomeSource.FARMING)
    assert command.parents.father.details.reveal() == ParentDetails(birth_date=date(1988, 1, 2))
    assert command.parents.mother.details.reveal().citizen_number == FULL["mother_citizen_number"]
    assert command.entrustment.reveal() == Entrustment(
        caregiver="测户主",
        relation=Relation.PATERNAL_GRANDPARENT,
        phone="13900000000",
        address="松杉村三组",
        citizen_number=FULL["guardian_citizen_number"],
    )


def test_a_child_without_registration_has_no_number():
    [command] = commands(form(registered="否"))
    assert command.citizen_number_status.reveal() is CitizenNumberStatus.NONE


def test_what_only_a_keeper_of_files_may_record_stays_behind_where_the_sender_is_none():
    ours = Terms(list(nodes()), {action: ["520303"] for action in ACTIONS if action != "keep_child_file"}, TODAY)
    [[row]] = checked(xlsx(table(REGISTRATION_FORM, FORM_ROW | FULL)), ours)
    [command] = commands(row)
    assert (row.verdict, set(codes(row))) == ("warned", {"not_of_your_role"})
    assert len(row.findings) == 7
    assert command.health is command.welfare is command.entrustment is command.ethnicity is None
    assert command.schooling
    assert command.household_details


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"illness": "先心病"}, None),
        ({"disability": "听力、言语"}, None),
        ({"health": "患病"}, ("health_incomplete", "身体情况")),
        ({"boarding": "是"}, ("school_state_unknown", "是否学校寄宿")),
        ({"guardian_address": "松杉村"}, ("without_entrustment", "委托监护人居住地址")),
        (
            {"father_born": "1988-1-2", "father_citizen_number": citizen_number("52990119880103001")},
            ("birth_date_differs", "父亲出生日期"),
        ),
    ],
)
def test_a_block_that_can_not_be_taken_whole_is_warned_about(changes, finding):
    row = form(**changes)
    assert row.findings == ([finding] if finding else [])
    assert len(row.wishes) == 1


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
        ({"ethnicity": "火星族"}, "code_unknown"),
        ({"schooling": "不知道"}, "code_unknown"),
        ({"disability": "不知道"}, "code_unknown"),
        ({"health": "健康", "illness": "先心病"}, "health_contradicts"),
        ({"registered": "否", "citizen_number": GIRL}, "registration_contradicts"),
        ({"father_born": "2016-03-09"}, "parent_younger_than_child"),
        ({"entrusted": "有", "guardian": ""}, "required"),
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
        ({"祖母姓名": "测祖母"}, "not_taken_over"),
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
        ({"members": "李明、cadre-2"}, "named_not_identified", "warned"),
        ({"phone": "13900000000"}, "not_taken_over", "warned"),
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


def test_members_who_are_told_by_their_accounts_join_the_posting():
    begun, *joined = commands(group(leader="leader-1", members="leader-1、cadre-1，cadre-2"))
    assert [(one.person, one.starts) for one in joined] == [("cadre-1", begun.starts), ("cadre-2", begun.starts)]


HOUSEHOLD_ROW = {
    "head": "测户主",
    "persons": "3",
    "members": "测户主、测甲一（孙女）；测甲二(长子)",
    "address": "汇川区泗渡镇松杉村三组",
    "income": "务工、养老金",
    "allowance": "低保/监测户",
}


def household(**changes):
    [row] = judged(HOUSEHOLD_FILE, HOUSEHOLD_ROW | changes)
    return row


def test_a_household_is_opened_with_its_people_income_and_aid():
    row = household()
    [command] = commands(row)
    assert (row.verdict, codes(row), row.made) == ("accepted", [], [command.household])
    assert (command.village, command.head.reveal()) == (VILLAGE, "测户主")
    assert command.poverty.reveal() is HouseholdPoverty.MONITORED
    details = command.details.reveal()
    assert [(one.name, one.relation) for one in details.members] == [
        ("测户主", HouseholdRelation.HEAD),
        ("测甲一", HouseholdRelation.GRANDCHILD),
        ("测甲二", HouseholdRelation.SON),
    ]
    assert details.income_sources == (IncomeSource.WAGES, IncomeSource.STATE_AID)
    assert details.allowances == (Allowance.MINIMUM_ALLOWANCE,)


def test_the_village_of_a_household_is_told_by_its_column_or_else_by_the_address():
    assert commands(household(village="松杉村", address="三组"))[0].village == VILLAGE
    assert codes(household(address="三组", members="")) == ["place_unknown", "persons_differ"]


@pytest.mark.parametrize(
    ("changes", "code", "verdict"),
    [
        ({"members": "测甲一、测甲二（孙子）"}, "relation_assumed", "warned"),
        ({"persons": "5人"}, "persons_differ", "warned"),
        ({"children": "2"}, "not_taken_over", "warned"),
        ({"members": "13900000000"}, "name_unreadable", "rejected"),
        ({"allowance": "富裕"}, "code_unknown", "rejected"),
        ({"head": ""}, "required", "rejected"),
        ({"address": "", "village": "松杉村"}, "required", "rejected"),
    ],
)
def test_what_is_found_about_a_household(changes, code, verdict):
    row = household(**changes)
    assert (row.verdict, code in codes(row), bool(row.wishes)) == (verdict, True, verdict == "warned")


def test_every_reason_names_what_to_do_in_chinese():
    for code, rule in RULES.items():
        assert "；" in rule.reason, code
        assert rule.reason.endswith("。"), code
        assert not rule.reason.isascii(), code
