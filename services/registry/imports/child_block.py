"""What ledgers tell of a child beyond its family: school, health, aid, registration, who is entrusted with it.

Each function reads its cells, notes what it finds, and answers with the fields of a registration that it can fill in.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, Final

from services.registry.imports.entry import Entry
from services.registry.imports.ethnicity import ETHNICITIES
from services.registry.imports.family import RELATION_TO_CHILD
from services.registry.imports.wording import parts, tight
from shared.contracts.child_file import Disability, Entrustment, Health, Schooling, Welfare
from shared.contracts.households import HouseholdDetails
from shared.contracts.registry import CareSituation
from shared.contracts.sealed import Personal
from shared.contracts.values import CitizenNumberStatus, DisabilityKind, HealthState, IncomeSource, SchoolState

Fields = Mapping[str, Any]
"""Of RegisterChild, by name."""

KEPT: Final[Mapping[str, tuple[str, ...]]] = {
    "ethnicity": ("ethnicity",),
    "health": ("health", "disability", "illness"),
    "welfare": ("aid",),
    "entrustment": ("entrusted", "guardian_citizen_number", "guardian_address"),
}
"""What is recorded only by who may keep a file, and the columns it stands in."""

_SCHOOL_STATES: Final = (
    (SchoolState.DROPOUT, re.compile(r"辍学|失学")),
    (SchoolState.NOT_IN_SCHOOL, re.compile(r"不在学|未在学|已毕业")),
    (SchoolState.NOT_ENROLLED, re.compile(r"未入园|未入学|未上学|学龄前")),
    (SchoolState.VOCATIONAL, re.compile(r"中职|职高|中专|技校|职业")),
    (SchoolState.SENIOR, re.compile(r"高中|高[一二三123]|高级中学")),
    (SchoolState.JUNIOR, re.compile(r"初中|初[一二三123]|初级中学|[七八九789]年级?|^[七八九789]$")),
    (SchoolState.KINDERGARTEN, re.compile(r"幼儿|学前班|[小中大]班")),
    (SchoolState.PRIMARY, re.compile(r"小学|[一二三四五六1-6]年级?|^[一二三四五六1-6]$")),
)
_AFTER_PRIMARY: Final = (SchoolState.JUNIOR, SchoolState.SENIOR, SchoolState.VOCATIONAL)
_HEALTH_STATES: Final = {
    **dict.fromkeys(("健康", "良好", "健康或良好", "正常"), HealthState.HEALTHY),
    **dict.fromkeys(("残疾", "残疾人"), HealthState.DISABLED),
    **dict.fromkeys(("患病", "重病", "大病", "患重病"), HealthState.SERIOUSLY_ILL),
}
_DISABILITIES: Final = {
    "视力": DisabilityKind.VISUAL,
    "听力": DisabilityKind.HEARING,
    "言语": DisabilityKind.SPEECH,
    "肢体": DisabilityKind.PHYSICAL,
    "智力": DisabilityKind.INTELLECTUAL,
    "精神": DisabilityKind.MENTAL,
    "多重": DisabilityKind.MULTIPLE,
}
_GRADE: Final = re.compile(r"([一二三四1-4])级")
_GRADES: Final = {**{digit: n for n, digit in enumerate("一二三四", 1)}, **{str(n): n for n in range(1, 5)}}
_AID: Final = (
    ("minimum_allowance", re.compile(r"低保|最低生活保障")),
    ("temporary_aid", re.compile(r"临时")),
    ("medical_aid", re.compile(r"医疗")),
    ("housing_aid", re.compile(r"住房|危房")),
)
_INCOME: Final = (
    (IncomeSource.STATE_AID, re.compile(r"低保|补贴|补助|救助|政府|养老|五保|特困")),
    (IncomeSource.RELATIVES, re.compile(r"亲友|亲戚|亲属")),
    (IncomeSource.WAGES, re.compile(r"务工|打工|工资|薪")),
    (IncomeSource.FARMING, re.compile(r"种|养|务农|农业")),
)


def permitted(entry: Entry, village: str | None, fields: Fields) -> Fields:
    """Without what the sender may not record in the village; its columns are warned about."""
    if village is None or entry.keeps(village):
        return fields
    for key in (key for keys in KEPT.values() for key in keys if entry.cell(key)):
        entry.note("not_of_your_role", key)
    return {name: value for name, value in fields.items() if name not in KEPT}


def registered(entry: Entry, number: str | None) -> Fields:
    """是否登记户口: without registration there is no citizen number."""
    told = entry.yes("registered")
    if told is False and number:
        entry.note("registration_contradicts", "registered")
    if told is not False or number:
        return {}
    return {"citizen_number_status": Personal(CitizenNumberStatus.NONE)}


def ethnicity(entry: Entry) -> Fields:
    return _told("ethnicity", entry.choice("ethnicity", ETHNICITIES))


def schooling_of_form(entry: Entry) -> Fields:
    told, boarding = entry.cell("schooling"), entry.yes("boarding")
    if not told:
        _without_state(entry, ("boarding",))
        return {}
    state = school_state(told)
    if state is None:
        entry.note("code_unknown", "schooling")
        return {}
    return _told("schooling", Schooling(state=state, **({} if boarding is None else {"boarding": boarding})))


def schooling_of_roster(entry: Entry) -> Fields:
    """The state is read off the grade, else off the kind of the school; the first year of a 职高 is no primary one."""
    school, grade = entry.text("school", 100), entry.text("grade", 50)
    state, of_school = school_state(grade or ""), school_state(school or "")
    state = of_school if state is None or (state is SchoolState.PRIMARY and of_school in _AFTER_PRIMARY) else state
    if state is None:
        _without_state(entry, ("school", "grade"))
        return {}
    return _told("schooling", Schooling(state=state, **_filled(school=school, grade=grade)))


def school_state(text: str) -> SchoolState | None:
    spoken = tight(text)
    return next((state for state, words in _SCHOOL_STATES if words.search(spoken)), None)


def _without_state(entry: Entry, keys: Collection[str]) -> None:
    for key in keys:
        if entry.cell(key):
            entry.note("school_state_unknown", key)


def health(entry: Entry) -> Fields:
    state, disability, illness = entry.choice("health", _HEALTH_STATES), _disability(entry), entry.text("illness")
    if state is None and not entry.cell("health"):
        state = HealthState.DISABLED if disability else HealthState.SERIOUSLY_ILL if illness else None
    if state is HealthState.HEALTHY and (disability or illness):
        entry.note("health_contradicts", "health")
        return {}
    if (state is HealthState.DISABLED and not disability) or (state is HealthState.SERIOUSLY_ILL and not illness):
        entry.note("health_incomplete", "health")
        return {}
    return _told("health", state and Health(state=state, **_filled(disability=disability, illness=illness)))


def _disability(entry: Entry) -> Disability | None:
    told = tight(entry.cell("disability"))
    kinds = [kind for word, kind in _DISABILITIES.items() if word in told]
    if told and not kinds:
        entry.note("code_unknown", "disability")
    if not kinds:
        return None
    grade = _GRADE.search(told)
    return Disability(
        kind=kinds[0] if len(kinds) == 1 else DisabilityKind.MULTIPLE,
        **({"grade": _GRADES[grade[1]]} if grade else {}),
    )


def welfare(entry: Entry) -> Fields:
    """救助帮扶: what is none of the four kinds is kept as it was written."""
    told: dict[str, Any] = {}
    other: list[str] = []
    for part in parts(entry.text("aid", 500) or ""):
        kinds = [name for name, words in _AID if words.search(part)]
        told |= dict.fromkeys(kinds, True)
        other += [] if kinds else [part]
    if other:
        told["other"] = "、".join(other)
    return _told("welfare", Welfare(**told) if told else None)


def income(entry: Entry) -> tuple[IncomeSource, ...]:
    """Each source once, in the order of the code list."""
    found = {
        next((source for source, words in _INCOME if words.search(part)), IncomeSource.OTHER)
        for part in parts(entry.cell("income"))
    }
    return tuple(source for source in IncomeSource if source in found)


def income_of_household(entry: Entry) -> Fields:
    sources = income(entry)
    return _told("household_details", HouseholdDetails(income_sources=sources) if sources else None)


def entrustment(entry: Entry, care: CareSituation | None) -> Fields:
    """有无委托监护人: the form does not ask when it was signed."""
    number, address = entry.citizen_number("guardian_citizen_number"), entry.text("guardian_address")
    if not entry.yes("entrusted"):
        for key in ("guardian_citizen_number", "guardian_address"):
            if entry.cell(key):
                entry.note("without_entrustment", key)
        return {}
    entry.needed("guardian", "委托监护人姓名")
    entry.needed("relation", "与儿童关系")
    relation = entry.choice("relation", RELATION_TO_CHILD)
    if care is None or care.caregiver is None or relation is None:
        return {}
    phone = care.caregiver_phone
    return _told(
        "entrustment",
        Entrustment(
            caregiver=care.caregiver.reveal(),
            relation=relation,
            **_filled(phone=phone and phone.reveal(), address=address, citizen_number=number),
        ),
    )


def _told(name: str, value: Any) -> Fields:
    return {} if value is None else {name: Personal(value)}


def _filled(**fields: Any) -> dict[str, Any]:
    """Only what is there: a wish holds no empty field."""
    return {name: value for name, value in fields.items() if value is not None}
