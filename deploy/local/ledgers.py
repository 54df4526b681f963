"""``guanhu demo ledgers``: sample ledgers of generated families, and one in which each row breaks another rule.

All cells are text, code lists are drop-downs, and the version of the template is a property of the workbook.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
    """A workbook for each ledger, and ``broken.xlsx``; all of one county of the shipped list."""
    folder.mkdir(parents=True, exist_ok=True)
    spots = _spots(COUNTY)
    population = populate(Plan(children, children), list(spots), today)
    families = [family for family in population.families if not family.closed]
    groups = [_posting(spots[code], number) for number, code in enumerate(sorted(population.posted_villages)[:50], 1)]
    ledgers: tuple[tuple[Ledger, str, list[Line]], ...] = (
        (REGISTRATION_FORM, "E1-登记表.xlsx", list(_numbered(_form(spots, one) for one in families))),
        (ROSTER, "E2-花名册.xlsx", list(_numbered(_roster(spots, one) for one in families))),
        (HOUSEHOLD_FILE, "E3-一户一档.xlsx", [_household(spots[one.village], one, today) for one in families]),
        (WORKING_GROUPS, "E10-驻村工作组.xlsx", groups),
        (ROSTER, "broken.xlsx", broken(next(iter(spots.values())), today)),
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


def _spots(county: str) -> dict[str, Spot]:
    nodes: dict[str, AddDivision] = {node.code: node for node in divisions(county)}
    return {
        node.code: Spot(node.code, nodes[county].name, nodes[node.parent or ""].name, _short(node.name))
        for node in nodes.values()
        if node.kind is DivisionKind.VILLAGE
    }


def _short(name: str) -> str:
    """As a cadre writes it: 松杉村 for 松杉村村民委员会."""
    return name.removesuffix("村民委员会").removesuffix("居民委员会")


def _numbered(families: Iterator[list[Line]]) -> Iterator[Line]:
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


def _roster(spots: dict[str, Spot], family: Family) -> list[Line]:
    spot = spots[family.village]
    return [
        {
            **_place(spot),
            **_child(body),
            "guardian": body["household_head"],
            "relation": _relation(body),
            "phone": body["household_phone"],
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
            "father_works": body["parents"]["father"]["away_place"],
            "guardian": body["household_head"],
            "guardian_phone": body["household_phone"],
            "relation": _relation(body),
            "guardianship": "一般",
        }
        for body in family.children
    ]


def _household(spot: Spot, family: Family, today: date) -> Line:
    return {
        "head": family.children[0]["household_head"],
        "persons": str(len(family.children) + 2),
        "members": "、".join(body["name"] for body in family.children),
        "address": f"{spot.county}{spot.township}{spot.village}",
        "income": "务工、种植",
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


def broken(spot: Spot, today: date) -> list[Line]:
    """Rows of a roster, each with the fault that its name tells; the first is sound."""
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
    )
    lines = [{**sound, "name": name, **fault} for name, fault in faults]
    header = {column.key: column.names[0] for column in ROSTER.columns if column.key in sound}
    return [*lines, header, dict(lines[0])]


def _right(digits: str) -> str:
    return digits + check_character(digits)


def _wrong(digits: str) -> str:
    return digits + ("1" if check_character(digits) != "1" else "2")
