"""``guanhu demo ledgers``: sample ledgers of generated families, and such as break another rule in each row.

All cells are text, code lists are drop-downs, and the version of the template is a property of the workbook.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

from xlsxwriter import Workbook  # type: ignore[import-untyped]

from deploy.local.population import Family, Plan, populate
from services.registry.division_list import divisions
from services.registry.domain.citizen_number import check_character
from services.registry.domain.division import AddDivision
from services.registry.imports.cell import Formula, Number, harmless
from services.registry.imports.household_file import HOUSEHOLD_FILE
from services.registry.imports.ledger import Ledger
from services.registry.imports.registration_form import REGISTRATION_FORM
from services.registry.imports.roster import ROSTER
from services.registry.imports.working_groups import WORKING_GROUPS
from shared.contracts.values import DivisionKind

TEMPLATE: Final = "guanhu/1"
COUNTY: Final = "520303"

Line = dict[str, str]
"""A row by column key; a cell that is a ``Number`` or a ``Formula`` is written as one."""

_CHOICES: Final = {
    "sex": ("男", "女"),
    "relation": ("爷爷", "奶奶", "外公", "外婆", "叔叔", "邻居", "父亲", "母亲"),
    "risk": ("高", "中", "低"),
    "both_away": ("是", "否"),
    "one_away": ("是", "否"),
    "guardianship": ("无人监护", "父或母无监护能力", "受委托监护人能力不足", "一般", "较好"),
    "level": ("省派", "市派", "县派", "乡镇派"),
}


class Spot(NamedTuple):
    """A village by the names above it."""

    code: str
    county: str
    township: str
    village: str


def write(folder: Path, children: int, today: date) -> list[Path]:
    """A workbook for each ledger, and one whose rows break its rules; all of one county of the shipped list."""
    folder.mkdir(parents=True, exist_ok=True)
    spots = spots_of(COUNTY)
    spot = next(iter(spots.values()))
    population = populate(Plan(children, children), list(spots), today)
    families = [family for family in population.families if not family.closed]
    groups = [_posting(spots[code], number) for number, code in enumerate(sorted(population.posted_villages)[:50], 1)]
    ledgers: tuple[tuple[Ledger, str, list[Line]], ...] = (
        (REGISTRATION_FORM, "E1-登记表.xlsx", list(numbered(_form(spots, one) for one in families))),
        (ROSTER, "E2-花名册.xlsx", list(numbered(roster_lines(spots, one, today) for one in families))),
        (HOUSEHOLD_FILE, "E3-一户一档.xlsx", [_household(spots[one.village], one, today) for one in families]),
        (WORKING_GROUPS, "E10-驻村工作组.xlsx", groups),
        (ROSTER, "broken.xlsx", broken(spots, today)),
        (REGISTRATION_FORM, "broken-E1.xlsx", broken_form(spot)),
        (HOUSEHOLD_FILE, "broken-E3.xlsx", broken_household(spot)),
        (WORKING_GROUPS, "broken-E10.xlsx", broken_posting(spot, today)),
    )
    return [save(folder / name, ledger, lines) for ledger, name, lines in ledgers]


def save(path: Path, ledger: Ledger, lines: Sequence[Line]) -> Path:
    columns = [column for column in ledger.columns if any(column.key in line for line in lines)]
    book = Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False})
    book.set_custom_property("guanhu-template", f"{TEMPLATE}/{ledger.kind}")
    text = book.add_format({"num_format": "@"})
    bold = book.add_format({"num_format": "@", "bold": True})
    sheet = book.add_worksheet(ledger.title)
    for index, column in enumerate(columns):
        sheet.write_string(0, index, column.names[0], bold)
        if choices := _CHOICES.get(column.key):
            rule = {"validate": "list", "source": list(choices), "error_type": "warning"}
            sheet.data_validation(1, index, max(len(lines), 1), index, rule)
    for number, line in enumerate(lines, 1):
        for index, column in enumerate(columns):
            _cell(sheet, number, index, line.get(column.key, ""), text)
        if extra := line.get(""):
            _cell(sheet, number, len(columns), extra, text)
    sheet.set_column(0, len(columns), 16, text)
    sheet.freeze_panes(1, 0)
    book.close()
    return path


def _cell(sheet: Any, row: int, column: int, cell: str, text: Any) -> None:
    match cell:
        case Number():
            sheet.write_number(row, column, float(cell))
        case Formula():
            sheet.write_formula(row, column, str(cell), None, "0")
        case _:
            sheet.write_string(row, column, harmless(cell), text)


def spots_of(division: str) -> dict[str, Spot]:
    """The villages of a county, or of a city, by their codes."""
    nodes: dict[str, AddDivision] = {node.code: node for node in divisions(division)}
    spots: dict[str, Spot] = {}
    for node in nodes.values():
        if node.kind is DivisionKind.VILLAGE:
            township = nodes[node.parent or ""]
            spots[node.code] = Spot(node.code, nodes[township.parent or ""].name, township.name, _short(node.name))
    return spots


def _short(name: str) -> str:
    """As a cadre writes it: 松杉村 for 松杉村村民委员会."""
    return name.removesuffix("村民委员会").removesuffix("居民委员会")


def numbered(families: Iterator[list[Line]]) -> Iterator[Line]:
    for number, line in enumerate((line for family in families for line in family), 1):
        yield {"number": str(number), **line}


def _place(spot: Spot) -> Line:
    return {"county": spot.county, "township": spot.township, "village": spot.village}


def _child(body: dict[str, Any]) -> Line:
    return {
        "name": body["name"],
        "sex": "男" if body["sex"] == "1" else "女",
        "citizen_number": body["citizen_number"],
        "birth_date": body["birth_date"],
    }


def _relation(body: dict[str, Any]) -> str:
    return {"grandparent": "爷爷", "parent": "母亲"}[body["care"]["kind"]]


def _grade(body: dict[str, Any], today: date) -> str:
    """As in September: who has become six by then is in the first year."""
    year = today.year - (today.month < 9) - int(body["birth_date"][:4]) - (body["birth_date"][5:7] >= "09") - 6
    return (
        ("一年级", "二年级", "三年级", "四年级", "五年级", "六年级", "初一", "初二", "初三")[min(year, 8)]
        if year >= 0
        else "幼儿园"
    )


def roster_lines(spots: dict[str, Spot], family: Family, today: date) -> list[Line]:
    spot = spots[family.village]
    return [
        {
            **_place(spot),
            **_child(body),
            "guardian": body["household_head"],
            "relation": _relation(body),
            "phone": body["household_phone"],
            "school": f"{spot.township}中心小学",
            "grade": _grade(body, today),
            "parents": "双方外出" if body["parents"]["mother"]["state"] == "away" else "父外出、母在家",
        }
        for body in family.children
    ]


def _form(spots: dict[str, Spot], family: Family) -> list[Line]:
    spot = spots[family.village]
    return [
        {
            **_child(body),
            "hukou": f"贵州省遵义市{spot.county}",
            "residence": f"贵州省遵义市{spot.county}{spot.township}{spot.village}三组",
            "both_away": "是" if body["parents"]["mother"]["state"] == "away" else "否",
            "ethnicity": ("汉族", "苗族", "仡佬族")[number % 3],
            "registered": "是",
            "health": "健康",
            "schooling": "小学",
            "boarding": "是" if number % 4 == 0 else "否",
            "father_works": body["parents"]["father"]["away_place"],
            "entrusted": "有" if number % 2 else "无",
            "income": "务工、种植",
            "aid": "低保" if number % 5 == 0 else "",
            "guardian": body["household_head"],
            "guardian_phone": body["household_phone"],
            "relation": _relation(body),
            "guardianship": "一般",
        }
        for number, body in enumerate(family.children, int(family.household[10:14], 16))
    ]


def _household(spot: Spot, family: Family, today: date) -> Line:
    return {
        "head": family.children[0]["household_head"],
        "persons": str(len(family.children) + 1),
        **_place(spot),
        "members": "、".join(
            f"{body['name']}（{'孙子' if body['sex'] == '1' else '孙女'}）" for body in family.children
        ),
        "address": f"{spot.county}{spot.township}{spot.village}三组",
        "income": "务工、种植",
        "allowance": "一般户",
        "children": str(len(family.children)),
        "day": today.isoformat(),
    }


def _posting(spot: Spot, number: int) -> Line:
    return {
        "unit": f"县直第{number}帮扶单位",
        "level": "县派",
        **_place(spot),
        "first_secretary": f"secretary-{spot.code}",
        "period": "2026.3.1—",
    }


def broken(spots: Mapping[str, Spot], today: date) -> list[Line]:
    """Rows of a roster, each with the fault that its name tells; the first is sound."""
    spot = next(iter(spots.values()))
    sound = {
        **_place(spot),
        "name": "测完好",
        "sex": "女",
        "citizen_number": "",
        "birth_date": "2016-03-09",
        "guardian": "测户主",
        "relation": "爷爷",
        "phone": "13900000000",
        "parents": "双方外出",
    }
    zeros = next(
        number
        for n in range(10_000)
        if (number := _right(f"5299012016{n % 12 + 1:02}{n % 28 + 1:02}{n % 1000:03}")).endswith("000")
    )
    later = (today + timedelta(days=40)).isoformat()
    faults: tuple[tuple[str, Line], ...] = (
        ("测完好", {}),
        ("测必填", {"guardian": ""}),
        ("测公式", {"guardian": Formula("=A1")}),
        ("测过长", {"group": "三" * 60}),
        ("测选项", {"relation": "不知道"}),
        ("测姓名", {"guardian": "13900000001"}),
        ("测日期", {"birth_date": "三年级时"}),
        ("测未来", {"birth_date": later}),
        ("测数字", {"citizen_number": Number("529901201603090019")}),
        ("测科学", {"citizen_number": "5.29901E+17"}),
        ("测零尾", {"citizen_number": "529901201603090000"}),
        ("测长短", {"citizen_number": "52990120160309"}),
        ("测旧号", {"citizen_number": "529901160309001"}),
        ("测假日", {"citizen_number": "529901201802290019"}),
        ("测校验", {"citizen_number": _wrong("52990120160309002")}),
        ("测电话", {"phone": "12345"}),
        ("测村名", {"village": "不存在村"}),
        ("测父母", {"parents": "见备注"}),
        ("测性别", {"sex": "男", "citizen_number": _right("52990120160309002")}),
        ("测生日", {"birth_date": "2016-03-10", "citizen_number": _right("52990120160309004")}),
        ("测表外", {"": "这一列没有表头"}),
        ("测省码", {"citizen_number": _right("99990120160309002")}),
        ("测整零", {"citizen_number": zeros, "birth_date": zeros[6:14], "sex": ""}),
        ("测同名", {**dict.fromkeys(("county", "township"), ""), "village": _twice(spots)}),
        ("测重号", {"citizen_number": _right("52990120160309002")}),
        ("测无日", {"birth_date": "", "citizen_number": _right("52990120160309006")}),
        ("测去向", {"parents": ""}),
        ("测学段", {"school": "泗渡学校"}),
        ("测风险", {"risk": "低"}),
        ("测长行", {"remark": "字" * 8_000}),
    )
    lines = [{**sound, "name": name, **fault} for name, fault in faults]
    header = {column.key: column.names[0] for column in ROSTER.columns if column.key in sound}
    return [*lines, header, dict(lines[0])]


def broken_form(spot: Spot) -> list[Line]:
    """The same of the official form: what only its columns can show."""
    sound = {
        "name": "测完好",
        "sex": "女",
        "birth_date": "2016-03-09",
        "hukou": f"贵州省遵义市{spot.county}",
        "residence": f"贵州省遵义市{spot.county}{spot.township}{spot.village}三组",
        "both_away": "是",
        "guardian": "测户主",
        "guardian_phone": "13900000000",
        "relation": "爷爷",
        "guardianship": "一般",
    }
    one_away = {"both_away": "否", "one_away": "是"}
    faults: tuple[tuple[str, Line], ...] = (
        ("测完好", {}),
        ("测无户籍", {"hukou": ""}),
        ("测外户籍", {"hukou": "某省某县"}),
        ("测矛盾", {"one_away": "是"}),
        ("测一方", one_away),
        ("测无人", {"guardianship": "无人监护"}),
        ("测父龄", {"father_born": "2016-03-09"}),
        ("测未委托", {"guardian_address": f"{spot.village}三组"}),
        ("测未登记", {"registered": "否", "citizen_number": _right("52990120160309002")}),
        ("测病因", {"health": "患病"}),
        ("测健康", {"health": "健康", "illness": "先天性心脏病"}),
    )
    return [{**sound, "name": name, **fault} for name, fault in faults]


def broken_household(spot: Spot) -> list[Line]:
    sound = {"head": "测户主", "persons": "2", "members": "测甲一（孙女）", "address": f"{spot.township}{spot.village}"}
    return [sound, {**sound, "persons": "5"}, {**sound, "members": "测甲一"}]


def broken_posting(spot: Spot, today: date) -> list[Line]:
    later = (today + timedelta(days=40)).isoformat()
    sound = _posting(spot, 1)
    return [
        sound,
        *(
            {**sound, "first_secretary": "", **fault}
            for fault in ({"leader": "测组长"}, {"period": f"2026.3.1—{later}"}, {"period": "2026.3—2025.3"})
        ),
    ]


def _twice(spots: Mapping[str, Spot]) -> str:
    """What two villages of the county are called when 村 or 社区 is left out."""
    names = Counter(spot.village.removesuffix("村").removesuffix("社区") for spot in spots.values())
    return next(name for name, count in names.items() if count > 1)


def _right(digits: str) -> str:
    return digits + check_character(digits)


def _wrong(digits: str) -> str:
    return digits + ("1" if check_character(digits) != "1" else "2")
