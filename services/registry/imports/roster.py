"""E2 花名册: one child a row, with the village by name; rows of one guardian in one village are one household.

The roster has no place of household registration: the county of the village is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from services.registry.domain.child import RegisterChild
from services.registry.imports import child_block
from services.registry.imports.entry import Entry
from services.registry.imports.family import CARE_BY_RELATION, parents_of
from services.registry.imports.finding import Finding
from services.registry.imports.ledger import Column, Ledger, RowIds
from shared.commands.command import Command
from shared.contracts.registry import CareSituation, ParentSituation, ParentsSituation
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import LedgerKind, ParentState

COLUMNS: Final = (
    Column("number", ("序号", "编号")),
    Column("county", ("县", "县区", "县市区", "区县")),
    Column("township", ("乡镇", "镇乡", "乡镇街道", "乡")),
    Column("village", ("村", "村居", "村社区", "行政村", "所在村"), needed=True),
    Column("group", ("组", "村民组", "组别")),
    Column("name", ("姓名", "儿童姓名"), needed=True),
    Column("sex", ("性别",)),
    Column("citizen_number", ("身份证号", "身份证号码", "公民身份号码", "公民身份证号码")),
    Column("birth_date", ("出生日期", "出生年月日", "出生年月")),
    Column("guardian", ("监护人", "监护人姓名", "现监护人"), needed=True),
    Column("relation", ("关系", "与儿童关系", "与监护人关系", "监护人与儿童关系"), needed=True),
    Column("phone", ("联系电话", "电话", "监护人电话", "联系方式")),
    Column("school", ("学校", "就读学校")),
    Column("grade", ("年级", "就读年级")),
    Column("parents", ("父母去向", "父母情况", "父母外出情况")),
    Column("risk", ("风险等级", "等级"), taken=False),
    Column("helper", ("帮扶人", "结对帮扶人"), taken=False),
    Column("remark", ("备注",)),
)


def commands(entry: Entry, ids: RowIds) -> Sequence[Command]:
    village = entry.village("county", "township", "village")
    number = entry.citizen_number("citizen_number")
    sex = entry.sex("sex", number)
    entry.needed("name", "姓名")
    name = entry.name("name")
    born = entry.birth_date("birth_date", "出生日期", number)
    entry.needed("guardian", "监护人")
    guardian = entry.name("guardian")
    entry.needed("relation", "关系")
    relation = entry.choice("relation", CARE_BY_RELATION)
    phone, remark, group = entry.phone("phone"), entry.text("remark", 500), entry.text("group", 50)
    parents, schooling = _parents(entry), child_block.schooling_of_roster(entry)
    if entry.rejected or not (village and name and born and guardian and relation and parents):
        return ()
    household = ids.household(f"{village}/{guardian}/{phone or ''}")
    return [
        RegisterChild(
            child=ids.of("child", household),
            household=household,
            residence=village,
            hukou=entry.places.county(village) or village[:6],
            name=Personal(name),
            birth_date=Personal(born),
            citizen_number=number and Personal(number),
            sex=sex,
            parents=parents,
            care=CareSituation(
                kind=Counted(relation),
                living_alone=Counted(False),
                caregiver=Personal(guardian),
                caregiver_phone=phone and Personal(phone),
                note=remark and Personal(remark),
            ),
            household_head=Personal(guardian),
            household_phone=phone and Personal(phone),
            address=group and Personal(group),
            **schooling,
        )
    ]


def _parents(entry: Entry) -> ParentsSituation | None:
    told = entry.cell("parents")
    found = parents_of(told) if told else (ParentState.UNKNOWN, ParentState.UNKNOWN)
    if not told:
        entry.findings.append(Finding("parents_not_told", "父母去向"))
    if found is None:
        entry.note("parents_unreadable", "parents")
        return None
    father, mother = (ParentSituation(state=Counted(state)) for state in found)
    return ParentsSituation(father=father, mother=mother)


ROSTER: Final = Ledger(LedgerKind.ROSTER, "农村留守儿童花名册", "register_child", COLUMNS, commands)
