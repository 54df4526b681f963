"""E3 一户一档: one household a row is opened, with its people, its income and its aid."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from services.registry.domain.household import OpenHouseholdFile
from services.registry.imports import wording
from services.registry.imports.child_block import income
from services.registry.imports.entry import Entry
from services.registry.imports.ledger import Column, Ledger, RowIds
from shared.commands.command import Command
from shared.contracts.households import HouseholdDetails, HouseholdMember
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import Allowance, HouseholdPoverty, HouseholdRelation, LedgerKind

COLUMNS: Final = (
    Column("number", ("序号", "编号")),
    Column("county", ("县", "县区", "县市区")),
    Column("township", ("乡镇", "镇乡")),
    Column("village", ("村", "村居", "行政村")),
    Column("head", ("户主", "户主姓名"), needed=True),
    Column("persons", ("人口", "家庭人口", "人口数")),
    Column("members", ("成员", "家庭成员")),
    Column("address", ("住址", "家庭住址"), needed=True),
    Column("income", ("收入来源", "家庭收入来源")),
    Column("allowance", ("低保/建档立卡", "低保", "建档立卡")),
    Column("children", ("留守儿童数", "留守儿童人数"), taken=False),
    Column("visitor", ("走访人",), taken=False),
    Column("day", ("日期", "走访日期"), taken=False),
)

_RELATIONS: Final = {
    HouseholdRelation.HEAD: ("户主", "本人"),
    HouseholdRelation.SPOUSE: ("妻", "妻子", "夫", "丈夫", "配偶", "爱人"),
    HouseholdRelation.SON: ("子", "儿子", "长子", "次子", "三子"),
    HouseholdRelation.DAUGHTER: ("女", "女儿", "长女", "次女", "三女"),
    HouseholdRelation.GRANDCHILD: ("孙", "孙子", "孙女", "外孙", "外孙子", "外孙女"),
    HouseholdRelation.PARENT: ("父", "父亲", "母", "母亲", "岳父", "岳母", "公公", "婆婆"),
    HouseholdRelation.GRANDPARENT: ("祖父", "祖母", "爷爷", "奶奶", "外祖父", "外祖母", "外公", "外婆"),
    HouseholdRelation.SIBLING: ("兄", "弟", "姐", "妹", "哥哥", "弟弟", "姐姐", "妹妹"),
    HouseholdRelation.OTHER_RELATIVE: ("儿媳", "女婿", "侄子", "侄女", "外甥", "外甥女", "亲戚", "其他亲属"),
    HouseholdRelation.NON_RELATIVE: ("非亲属", "其他"),
}
_RELATION_TO_HEAD: Final = {word: relation for relation, words in _RELATIONS.items() for word in words}
_MEMBER: Final = re.compile(r"(?P<name>[^()]+)(?:\((?P<relation>[^()]+)\))?")
_ALLOWANCES: Final = {
    **dict.fromkeys(("低保", "低保户", "最低生活保障"), Allowance.MINIMUM_ALLOWANCE),
    **dict.fromkeys(("临时救助",), Allowance.TEMPORARY_AID),
    **dict.fromkeys(("医疗救助",), Allowance.MEDICAL_AID),
    **dict.fromkeys(("住房救助", "危房改造"), Allowance.HOUSING_AID),
}
_POVERTY: Final = {
    **dict.fromkeys(("建档立卡", "建档立卡户", "贫困户", "建档立卡贫困户"), HouseholdPoverty.REGISTERED_POOR),
    **dict.fromkeys(("脱贫户", "已脱贫"), HouseholdPoverty.LIFTED),
    **dict.fromkeys(("监测户", "防返贫监测户", "边缘户"), HouseholdPoverty.MONITORED),
    **dict.fromkeys(("否", "一般户", "非贫困户"), HouseholdPoverty.NONE),
}


def commands(entry: Entry, ids: RowIds) -> Sequence[Command]:
    by_columns = bool(entry.cell("village"))
    village = entry.village("county", "township", "village") if by_columns else None
    entry.needed("address", "住址")
    if not by_columns:
        village = entry.village_of_address("address", "住址")
    address = entry.text("address")
    entry.needed("head", "户主")
    head = entry.name("head")
    members, means = _members(entry, head), _means(entry)
    if entry.rejected or not (village and head and address):
        return ()
    details = HouseholdDetails(members=members, **means["details"])
    return [
        OpenHouseholdFile(
            household=ids.of("household", None),
            village=village,
            head=Personal(head),
            address=Personal(address),
            details=Personal(details),
            **means["poverty"],
        )
    ]


def _members(entry: Entry, head: str | None) -> tuple[HouseholdMember, ...]:
    """The head first, whether the cell names the head or not."""
    found = [HouseholdMember(name=head, relation=HouseholdRelation.HEAD)] if head else []
    for part in wording.parts(entry.cell("members")):
        member = _member(entry, part, head)
        if member is not None and member.relation is not HouseholdRelation.HEAD:
            found.append(member)
    persons = wording.tight(entry.cell("persons")).removesuffix("人").removesuffix("口")
    if persons and persons != str(len(found)):
        entry.note("persons_differ", "persons")
    return tuple(found)


def _member(entry: Entry, told: str, head: str | None) -> HouseholdMember | None:
    """``测甲一(孙子)``; the head may stand there without a word."""
    whole = _MEMBER.fullmatch(wording.tight(told))
    name = wording.name(whole["name"]) if whole else None
    if whole is None or name is None:
        entry.note("name_unreadable", "members")
        return None
    relation = _RELATION_TO_HEAD.get(whole["relation"] or ("户主" if name == head else ""))
    if relation is None:
        entry.note("relation_assumed", "members")
    return HouseholdMember(name=name, relation=relation or HouseholdRelation.OTHER_RELATIVE)


def _means(entry: Entry) -> dict[str, dict[str, Any]]:
    """What the household lives on, and its aid; only what is told."""
    told = [wording.tight(part) for part in wording.parts(entry.cell("allowance"))]
    if any(word not in _ALLOWANCES and word not in _POVERTY for word in told):
        entry.note("code_unknown", "allowance")
    allowances = tuple(dict.fromkeys(_ALLOWANCES[word] for word in told if word in _ALLOWANCES))
    poverty = next((_POVERTY[word] for word in told if word in _POVERTY), None)
    sources = income(entry)
    return {
        "details": {
            **({"income_sources": sources} if sources else {}),
            **({"allowances": allowances} if allowances else {}),
        },
        "poverty": {} if poverty is None else {"poverty": Counted(poverty)},
    }


HOUSEHOLD_FILE: Final = Ledger(LedgerKind.HOUSEHOLD_FILE, "一户一档", "keep_household", COLUMNS, commands)
