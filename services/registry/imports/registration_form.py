"""E1 农村留守儿童基本情况登记表: the fields of the official form of 2016, one child a row, headers in one line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from services.registry.domain.child import RegisterChild
from services.registry.imports import child_block, wording
from services.registry.imports.entry import Entry
from services.registry.imports.family import CARE_BY_RELATION, Parents
from services.registry.imports.finding import Finding
from services.registry.imports.ledger import Column, Ledger, RowIds
from shared.commands.command import Command
from shared.contracts.registry import CareSituation, ParentDetails, ParentSituation, ParentsSituation
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import CareKind, CareQuality, LedgerKind, ParentState

GRANDPARENTS: Final = ("祖父", "祖母", "外祖父", "外祖母")
PARENTS: Final = (("father", "父亲"), ("mother", "母亲"))
NOBODY: Final = "无人监护"
GUARDIANSHIP: Final[Mapping[str, CareQuality | None]] = {
    NOBODY: None,
    **dict.fromkeys(("父或母无监护能力", "受委托监护人能力不足", "委托监护人能力不足"), CareQuality.POOR),
    **dict.fromkeys(("一般", "监护情况一般"), CareQuality.FAIR),
    **dict.fromkeys(("较好", "监护情况较好"), CareQuality.GOOD),
}
_ONE_OF_BOTH: Final = {
    **dict.fromkeys(("父", "父亲"), "father"),
    **dict.fromkeys(("母", "母亲"), "mother"),
    "": None,
}

COLUMNS: Final = (
    Column("number", ("序号", "编号")),
    Column("name", ("姓名", "儿童姓名"), needed=True),
    Column("sex", ("性别",)),
    Column("ethnicity", ("民族",)),
    Column("birth_date", ("出生日期", "出生年月日", "出生年月")),
    Column("citizen_number", ("公民身份证号码", "身份证号", "身份证号码", "公民身份号码")),
    Column("registered", ("是否登记户口",)),
    Column("hukou", ("户籍所在地", "户籍地", "户籍地址"), needed=True),
    Column("residence", ("现居住地", "现住址", "现居住地址"), needed=True),
    Column("health", ("身体情况", "健康状况")),
    Column("disability", ("残疾类别及等级", "残疾类别等级")),
    Column("illness", ("患病类型",)),
    Column("boarding", ("是否学校寄宿", "是否寄宿")),
    Column("schooling", ("就学情况",)),
    *(Column(f"{who}_name", (f"{who}姓名",), taken=False) for who in GRANDPARENTS),
    *(Column(f"{who}_born", (f"{who}出生日期",), taken=False) for who in GRANDPARENTS),
    *(Column(f"{key}_name", (f"{who}姓名",)) for key, who in PARENTS),
    *(Column(f"{key}_born", (f"{who}出生日期",)) for key, who in PARENTS),
    *(Column(f"{key}_citizen_number", (f"{who}身份证号", f"{who}身份证号码")) for key, who in PARENTS),
    *(Column(f"{key}_works", (f"{who}务工地点",)) for key, who in PARENTS),
    *(Column(f"{key}_phone", (f"{who}电话", f"{who}联系电话")) for key, who in PARENTS),
    Column("both_away", ("父母双方同时外出", "父母双方外出")),
    Column("one_away", ("一方外出另一方无监护能力", "一方外出,另一方无监护能力", "一方外出、另一方无监护能力")),
    Column("incapable", ("无监护能力", "无监护能力方", "无监护能力(父/母)")),
    Column("entrusted", ("有无委托监护人",)),
    Column("guardian", ("委托监护人姓名", "委托监护人")),
    Column("guardian_phone", ("委托监护人电话", "委托监护人联系电话")),
    Column("guardian_citizen_number", ("委托监护人身份证号", "委托监护人身份证号码")),
    Column("relation", ("与儿童关系", "委托监护人与儿童关系")),
    Column("guardian_address", ("委托监护人居住地址", "委托监护人地址")),
    Column("guardianship", ("监护类型", "监护情况"), needed=True),
    Column("income", ("家庭经济来源", "家庭主要经济来源")),
    Column("aid", ("救助帮扶", "救助帮扶情况")),
)


def commands(entry: Entry, ids: RowIds) -> Sequence[Command]:
    residence = entry.village_of_address("residence", "现居住地")
    number = entry.citizen_number("citizen_number")
    sex = entry.sex("sex", number)
    entry.needed("name", "姓名")
    name = entry.name("name")
    born = entry.birth_date("birth_date", "出生日期", number)
    hukou = _hukou(entry, residence)
    parents = _parents(entry, born)
    care = _care(entry)
    told = child_block.permitted(entry, residence, _blocks(entry, number, care))
    head = _head(entry)
    address = entry.text("residence")
    if entry.rejected or not (residence and name and born and hukou and parents and care and head):
        return ()
    phone = care.caregiver_phone
    household = ids.household(f"{residence}/{head}/{phone.reveal() if phone else ''}")
    return [
        RegisterChild(
            child=ids.of("child", household),
            household=household,
            residence=residence,
            hukou=hukou,
            name=Personal(name),
            birth_date=Personal(born),
            citizen_number=number and Personal(number),
            sex=sex,
            parents=parents,
            care=care,
            household_head=Personal(head),
            household_phone=phone,
            address=address and Personal(address),
            **told,
        )
    ]


def _blocks(entry: Entry, number: str | None, care: CareSituation | None) -> child_block.Fields:
    quality = GUARDIANSHIP.get(wording.tight(entry.cell("guardianship")))
    return {
        **({} if quality is None else {"care_quality": Personal(quality)}),
        **child_block.registered(entry, number),
        **child_block.ethnicity(entry),
        **child_block.schooling_of_form(entry),
        **child_block.health(entry),
        **child_block.welfare(entry),
        **child_block.income_of_household(entry),
        **child_block.entrustment(entry, care),
    }


def _hukou(entry: Entry, residence: str | None) -> str | None:
    told = entry.cell("hukou")
    if not told:
        if residence:
            entry.note("hukou_assumed", "hukou")
        return residence and entry.places.county(residence)
    found = entry.places.hukou(told)
    if found is None:
        entry.note("hukou_unknown", "hukou")
    return found


def _head(entry: Entry) -> str | None:
    """Who stands for the household: the guardian it was entrusted to, else a parent who is named."""
    named = [entry.name(key) for key in ("guardian", "father_name", "mother_name")]
    head = next((one for one in named if one), None)
    if head is None:
        entry.needed("guardian", "委托监护人姓名")
    return head


def _parents(entry: Entry, child_born: date | None) -> ParentsSituation | None:
    states = _states(entry)
    details = [_details(entry, key, child_born) for key, _ in PARENTS]
    situations = [
        _situation(entry, key, state, told)
        for (key, _), state, told in zip(PARENTS, states or (), details, strict=False)
    ]
    return ParentsSituation(father=situations[0], mother=situations[1]) if situations else None


def _details(entry: Entry, key: str, child_born: date | None) -> ParentDetails | None:
    number, told = entry.citizen_number(f"{key}_citizen_number"), entry.day(f"{key}_born")
    by_number = number and wording.day(number[6:14])
    if told and by_number and told != by_number:
        entry.note("birth_date_differs", f"{key}_born")
    born = told or by_number
    if born and child_born and born >= child_born:
        entry.note("parent_younger_than_child", f"{key}_born" if told else f"{key}_citizen_number")
    filled: dict[str, Any] = {
        name: value for name, value in (("birth_date", told), ("citizen_number", number)) if value
    }
    return ParentDetails(**filled) if filled else None


def _situation(entry: Entry, key: str, state: ParentState, details: ParentDetails | None) -> ParentSituation:
    name, phone, works = entry.name(f"{key}_name"), entry.phone(f"{key}_phone"), entry.text(f"{key}_works", 100)
    return ParentSituation(
        state=Counted(state),
        name=name and Personal(name),
        phone=phone and Personal(phone),
        away_place=works and Personal(works),
        details=details and Personal(details),
    )


def _states(entry: Entry) -> Parents | None:
    both, one = entry.yes("both_away"), entry.yes("one_away")
    if both and one:
        entry.note("situations_contradict", "one_away")
        return None
    if both:
        return Parents(ParentState.AWAY, ParentState.AWAY)
    if one:
        return _with_incapable(entry)
    if both is None and not any(entry.cell(f"{key}_works") for key, _ in PARENTS):
        entry.findings.append(Finding("parents_not_told", "父母双方同时外出"))
        return Parents(ParentState.UNKNOWN, ParentState.UNKNOWN)
    works = [ParentState.AWAY if entry.cell(f"{key}_works") else ParentState.HOME for key, _ in PARENTS]
    return Parents(*works)


def _with_incapable(entry: Entry) -> Parents | None:
    match entry.choice("incapable", _ONE_OF_BOTH):
        case "father":
            return Parents(ParentState.INCAPABLE, ParentState.AWAY)
        case "mother":
            return Parents(ParentState.AWAY, ParentState.INCAPABLE)
        case _:
            if not entry.cell("incapable"):
                entry.findings.append(Finding("incapable_parent_missing", "无监护能力(父/母)"))
            return None


def _care(entry: Entry) -> CareSituation | None:
    entry.needed("guardianship", "监护类型")
    told = entry.choice("guardianship", {word: word for word in GUARDIANSHIP})
    relation = entry.choice("relation", CARE_BY_RELATION)
    guardian, phone = entry.name("guardian"), entry.phone("guardian_phone")
    if told is None:
        return None
    kind = relation
    if told == NOBODY:
        entry.note("unattended", "guardianship")
        kind = CareKind.NOBODY
    elif kind is None and not guardian:
        kind = CareKind.PARENT
    if kind is None:
        entry.needed("relation", "与儿童关系")
        return None
    return CareSituation(
        kind=Counted(kind),
        living_alone=Counted(False),
        caregiver=guardian and Personal(guardian),
        caregiver_phone=phone and Personal(phone),
    )


REGISTRATION_FORM: Final = Ledger(
    LedgerKind.REGISTRATION_FORM, "农村留守儿童基本情况登记表", "register_child", COLUMNS, commands
)
