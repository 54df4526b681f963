"""A roster as it comes from an office, and what the desk makes of it, without a server."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import Any, Final

from services.registry.division_list import divisions
from services.registry.domain.child import RegisterChild
from services.registry.domain.citizen_number import check_character
from services.registry.domain.household import OpenHouseholdFile
from services.registry.domain.posting import JoinPosting, PostWorkingGroup, WithdrawWorkingGroup
from services.registry.imports.checked_row import CheckedRow, Terms
from services.registry.imports.checking import checked
from services.registry.imports.ledger import Ledger
from services.registry.imports.place import Node
from shared.commands.command import Command
from tests.support.sheets import xlsx

TODAY: Final = date(2026, 8, 14)
COUNTY: Final = "520303"

ROSTER_ROW: Final = {
    "county": "汇川区",
    "township": "泗渡镇",
    "village": "松杉村",
    "name": "测甲一",
    "sex": "女",
    "citizen_number": "",
    "birth_date": "2016-03-09",
    "guardian": "测户主",
    "relation": "爷爷",
    "phone": "13900000000",
    "parents": "双方外出",
}
FORM_ROW: Final = {
    "name": "测甲一",
    "sex": "女",
    "birth_date": "2016-03-09",
    "citizen_number": "",
    "hukou": "遵义市汇川区",
    "residence": "贵州省遵义市汇川区泗渡镇松杉村三组",
    "father_name": "测父亲",
    "father_works": "广东省东莞市",
    "mother_works": "",
    "both_away": "是",
    "one_away": "否",
    "incapable": "",
    "guardian": "测户主",
    "guardian_phone": "13900000000",
    "relation": "爷爷",
    "guardianship": "一般",
}
GROUP_ROW: Final = {
    "unit": "县直帮扶单位",
    "level": "县派",
    "township": "泗渡镇",
    "village": "松杉村",
    "leader": "",
    "first_secretary": "secretary-1",
    "period": "2025.3.1—",
}

ACTIONS: Final = ("register_child", "keep_child_file", "keep_household", "post_working_group")
COMMANDS: Final[dict[str, type[Command]]] = {
    command.__name__: command
    for command in (RegisterChild, OpenHouseholdFile, PostWorkingGroup, JoinPosting, WithdrawWorkingGroup)
}


@cache
def nodes() -> tuple[Node, ...]:
    return tuple(Node(one.code, one.name, one.kind.value, one.parent) for one in divisions("5203"))


def terms(root: str = COUNTY) -> Terms:
    return Terms(list(nodes()), {action: [root] for action in ACTIONS}, TODAY)


def table(ledger: Ledger, *rows: dict[str, str]) -> list[list[str]]:
    """The header and the rows of a ledger, with the columns that the rows name."""
    columns = [column for column in ledger.columns if any(column.key in row for row in rows)]
    return [[column.names[0] for column in columns], *([row.get(c.key, "") for c in columns] for row in rows)]


def judged(ledger: Ledger, *rows: dict[str, str], root: str = COUNTY) -> list[CheckedRow]:
    return rows_in(xlsx(table(ledger, *rows)), root)


def rows_in(content: bytes, root: str = COUNTY) -> list[CheckedRow]:
    return [row for piece in checked(content, terms(root)) for row in piece]


def codes(row: CheckedRow) -> list[str]:
    return [code for code, _ in row.findings]


def commands(row: CheckedRow) -> list[Any]:
    return [COMMANDS[wish.command].model_validate_json(wish.body) for wish in row.wishes]


def citizen_number(digits: str) -> str:
    """Digits of a generated person, with their check character."""
    return digits + check_character(digits)


def as_file(rows: Sequence[Sequence[str]]) -> bytes:
    return xlsx(rows)
