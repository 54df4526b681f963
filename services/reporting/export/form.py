"""The export as a page to print: the official form of one child (E1, 2016), and behind it all that was recorded.

It asks nobody for anything: no script, no font, no picture comes with it or is fetched. Every page carries who printed
it and when (domain 6.2, rule 5).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.reporting.export.document import Section
from services.reporting.export.wording import ethnicity, word, yes_or_no
from services.reporting.read_models.children import card_of
from services.reporting.read_models.shown import masked
from shared.commands.command import CHINA
from shared.contracts.child_file import ChildIdentityCorrected, ChildIdentityRecorded
from shared.contracts.registry import ChildRegistered, HouseholdFileOpened, ParentSituationRecorded, ParentsSituation
from shared.contracts.values import (
    CareKind,
    CareQuality,
    CitizenNumberStatus,
    DisabilityKind,
    HealthState,
    IncapableReason,
    ParentState,
    Relation,
    SchoolState,
    Sex,
)
from shared.projection.read_model import Document, Occurred

_TEMPLATES: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


class Printed(NamedTuple):
    """What a page says of itself: who made it when, of which state, for whom and why, in Chinese."""

    by: str
    at: datetime
    relation: str
    requester: str
    reason: str
    full_numbers: bool
    complete_up_to: datetime | None


class ParentRow(NamedTuple):
    title: str
    name: str
    birth_date: str
    number: str
    works: str
    phone: str
    state: str


def page_of(
    child: str, told: Iterable[Occurred], sections: list[Section], places: Mapping[str, str], printed: Printed
) -> str:
    """``places`` are the names of divisions by code."""
    # What was told last holds, as on the card: a late entry about an earlier day is the newer knowledge.
    occurred = sorted(told, key=lambda one: (one.record.recorded_at, one.record.seq))
    numbers = _numbers(occurred)
    if not printed.full_numbers:
        numbers = {whose: masked(number) for whose, number in numbers.items()}
    card = card_of(child, occurred)
    return _TEMPLATES.get_template("form.html").render(
        form=_form(card.get("file", {}), numbers, places, card.get("village", "")),
        address=_address(occurred),
        parents=[_parent(who, card, numbers) for who in ("father", "mother")],
        sections=sections,
        child=child,
        printed=printed,
        moment=_moment,
    )


def _moment(at: datetime) -> str:
    return at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M")


def _numbers(told: Iterable[Occurred]) -> dict[str, str | None]:
    """Citizen numbers as they stand now, of the child and of both parents."""
    numbers: dict[str, str | None] = {}
    for _, event in told:
        match event:
            case ChildRegistered():
                number = event.citizen_number
                numbers |= {"child": number.get() if number else None} | _of_parents(event.parents)
            case ParentSituationRecorded():
                numbers |= _of_parents(event.parents)
            case ChildIdentityRecorded():
                identity = event.identity.get()
                numbers["child"] = identity.citizen_number if identity else None
            case ChildIdentityCorrected():
                correction = event.correction.get()
                if correction and correction.citizen_number:
                    numbers["child"] = correction.citizen_number
            case _:
                pass
    return numbers


def _of_parents(parents: ParentsSituation) -> dict[str, str | None]:
    told = {"father": parents.father.details, "mother": parents.mother.details}
    details = {who: one.get() if one else None for who, one in told.items()}
    return {who: one.citizen_number if one else None for who, one in details.items()}


def _form(file: Document, numbers: Mapping[str, str | None], places: Mapping[str, str], village: str) -> dict[str, str]:
    """The cells of the form by their Chinese names; empty where nothing is on record."""
    schooling, health, care = file.get("schooling", {}), file.get("health", {}), file.get("care", {})
    entrusted = {} if "ends" in file.get("entrustment", {}) else file.get("entrustment", {})
    disability = health.get("disability", {})
    return {
        "姓名": file.get("name", ""),
        "性别": _word(Sex, file.get("sex")),
        "民族": ethnicity(file["ethnicity"]) if file.get("ethnicity") else "",
        "出生日期": file.get("birth_date") or "",
        "公民身份号码": numbers.get("child") or "",
        "是否登记户口": _registered(file.get("citizen_number_status")),
        "户籍所在地": places.get(file.get("hukou", ""), file.get("hukou", "")),
        "现居住地": places.get(village, village),
        "身体情况": _word(HealthState, health.get("state")),
        "残疾类别及等级": _joined(_word(DisabilityKind, disability.get("kind")), _grade(disability.get("grade"))),
        "患病类型": health.get("illness", ""),
        "是否学校寄宿": _yes(schooling.get("boarding")),
        "就学情况": _joined(
            _word(SchoolState, schooling.get("state")),
            *(schooling.get(name, "") for name in ("school", "grade", "class_name")),
        ),
        **_away(file.get("parents", {})),
        "有无委托监护人": "有" if entrusted else "无",
        "委托监护人姓名": entrusted.get("caregiver", ""),
        "委托监护人电话": entrusted.get("phone", ""),
        "与儿童关系": _word(Relation, entrusted.get("relation")),
        "委托监护人居住地址": entrusted.get("address", ""),
        "照护情况": _joined(
            _word(CareKind, care.get("kind")),
            *(care.get(name, "") for name in ("caregiver", "caregiver_phone")),
            "独居" if care.get("living_alone") else "",
        ),
        "监护类型": "无人监护" if care.get("kind") == CareKind.NOBODY else _word(CareQuality, care.get("quality")),
        "救助帮扶": "、".join(_aids(file.get("welfare", {}))),
    }


def _parent(who: str, card: Document, numbers: Mapping[str, str | None]) -> ParentRow:
    told = card.get("file", {}).get("parents", {}).get(who, {})
    state = _joined(_word(ParentState, told.get("state")), _word(IncapableReason, told.get("incapable_reason")))
    return ParentRow(
        title={"father": "父亲", "mother": "母亲"}[who],
        name=told.get("name", ""),
        birth_date=told.get("birth_date", ""),
        number=numbers.get(who) or "",
        works=told.get("away_place", ""),
        phone=told.get("phone", ""),
        state=_joined(state, f"自{told['since']}起" if "since" in told else ""),
    )


def _away(parents: Document) -> dict[str, str]:
    state = {who: parents.get(who, {}).get("state") for who in ("father", "mother")}
    away, unable = (
        {who for who, one in state.items() if one == wanted} for wanted in (ParentState.AWAY, ParentState.INCAPABLE)
    )
    titles = {"father": "父", "mother": "母"}
    return {
        "父母双方同时外出": yes_or_no(len(away) == 2),
        "一方外出另一方无监护能力": yes_or_no(len(away) == 1 and len(unable) == 1),
        "无监护能力": "、".join(titles[who] for who in titles if who in unable),
    }


_AIDS: Final = {
    "minimum_allowance": "低保",
    "temporary_aid": "临时救助",
    "medical_aid": "医疗救助",
    "housing_aid": "住房救助",
}


def _aids(welfare: Document) -> list[str]:
    told = [title for name, title in _AIDS.items() if welfare.get(name)]
    return [*told, welfare["other"]] if welfare.get("other") else told


def _address(told: Iterable[Occurred]) -> str:
    households = [event for _, event in told if isinstance(event, HouseholdFileOpened)]
    address = households[-1].address if households else None
    return (address.get() or "") if address else ""


def _registered(status: str | None) -> str:
    answers = {
        CitizenNumberStatus.PRESENT: "是",
        CitizenNumberStatus.NONE: "否",
        CitizenNumberStatus.APPLIED_FOR: "办理中",
    }
    return answers.get(CitizenNumberStatus(status), "") if status else ""


def _word(codes: type[StrEnum], code: str | None) -> str:
    return word(codes(code)) if code else ""


def _grade(grade: Any) -> str:
    return f"{grade}级" if grade else ""


def _yes(value: bool | None) -> str:
    return "" if value is None else yes_or_no(value)


def _joined(*parts: str) -> str:
    return " ".join(filter(None, parts))
