"""The export of one person's file: what is in it, under which name, and what is not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from itertools import count
from typing import Any, get_args

import msgspec
import pytest

from services.reporting.domain import OPENING, MakeExport, export_stream
from services.reporting.export.document import Reader
from services.reporting.export.form import Printed, page_of
from services.reporting.export.sections import LEFT_OUT, SECTIONS, TITLES
from services.reporting.export.traces import TRACES, Traces, names_children
from services.reporting.export.wording import ETHNICITIES, FIELDS, HIDDEN, ROLES, WORDS, ethnicity
from shared.contracts.catalogue import CATALOGUE
from shared.contracts.child_file import CaregiverEntrusted, Entrustment, Schooling, SchoolingRecorded
from shared.contracts.clear import CLEAR
from shared.contracts.consent import Declarant
from shared.contracts.event import Event, Fact
from shared.contracts.pairing import PairFormed
from shared.contracts.registry import (
    HouseholdFileOpened,
    ParentDetails,
    ParentSituation,
    ParentSituationRecorded,
    ParentsSituation,
    SubjectKeyDestroyed,
)
from shared.contracts.reporting import ExportMade, ExportRequest, FileOpened
from shared.contracts.risk import RiskAnswers, RiskAssessed, RiskOutcome
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import (
    PairKind,
    ParentState,
    Relation,
    RiskLevel,
    Role,
    SchoolState,
    VisitKind,
    VisitPurpose,
)
from shared.contracts.visits import ChildFinding, VisitLogged
from shared.eventlog.placement import new_id
from shared.projection.read_model import Occurred
from tests.support.builders import TOLD, VILLAGE, a_registered_child, parents
from tests.support.child_cards import occurrences
from tests.support.child_files import NUMBER, a_complete_file
from tests.support.specification import given
from tests.support.workspace import MemoryWorkspace

FATHERS_NUMBER = "529901198503090016"
FILE = a_complete_file()
CHILD, SIBLING = FILE[0].child, new_id("child", beside=FILE[0].child)
FATHER = ParentSituation(
    state=Counted(ParentState.AWAY),
    name=Personal("测父"),
    away_place=Personal("浙江省宁波市"),
    details=Personal(ParentDetails(citizen_number=FATHERS_NUMBER)),
)
PARENTS = ParentSituationRecorded(child=CHILD, parents=ParentsSituation(father=FATHER, mother=parents().mother))
VISIT = VisitLogged(
    visit=new_id("visit", beside=CHILD),
    household=FILE[0].household,
    village=VILLAGE,
    kind=VisitKind.HOME,
    purposes=(VisitPurpose.LEFT_BEHIND, VisitPurpose.POVERTY),
    visited_on=date(2026, 8, 12),
    findings=(
        ChildFinding(child=CHILD, life=Personal("衣食无忧")),
        ChildFinding(child=SIBLING, life=Personal("只说弟弟")),
    ),
)
EMERGENCY = RiskAssessed(
    child=CHILD,
    instrument="SHEET-1",
    answers=Personal(RiskAnswers(emergencies=("violence_now",))),
    outcome=Personal(RiskOutcome(score=None)),
    level=Counted(RiskLevel.HIGH),
    assessed_by="supervisor-1",
    next_due=date(2026, 9, 30),
)
REQUEST = ExportRequest(relation=Declarant.MOTHER, name="测母", reason="查阅")
PRINTED = Printed(
    by="county-1",
    at=datetime(2026, 8, 14, 9, 30, tzinfo=UTC),
    relation="母亲",
    requester="测母",
    reason="查阅",
    full_numbers=False,
    complete_up_to=datetime(2026, 8, 14, 9, 29, tzinfo=UTC),
)
HOUSEHOLD = HouseholdFileOpened(
    household=FILE[0].household, village=VILLAGE, head=Personal("测户主"), address=Personal("测组1号")
)


def read(*events, full: bool = False) -> dict[str, list[dict[str, str]]]:
    """By section, of each entry the texts by label."""
    sections = Reader(CHILD, full, {VILLAGE: "测村"}).sections(occurrences(events))
    return {
        one.section: [{value.label: value.text for value in entry.values} for entry in one.entries] for one in sections
    }


def page(*events, printed: Printed = PRINTED) -> str:
    told = occurrences(events)
    sections = Reader(CHILD, printed.full_numbers, {}).sections(told)
    return page_of(CHILD, told, sections, {VILLAGE: "贵州省测村"}, printed)


# What is in it


def test_every_event_that_names_a_child_has_its_place_in_an_export_or_a_reason_to_have_none():
    unplaced = set(filter(names_children, CLEAR)) - TITLES.keys() - LEFT_OUT.keys()
    assert not unplaced, "place them in services/reporting/export/sections.py"
    assert not TITLES.keys() & LEFT_OUT.keys()
    assert TITLES.keys() <= CATALOGUE.keys()


@pytest.mark.parametrize("event", sorted(TITLES))
def test_every_field_and_code_of_an_export_has_its_chinese_word(event: str):
    for name, annotation in _fields(CATALOGUE[event]):
        assert name in FIELDS, f"{event}.{name}: name it in services/reporting/export/wording.py"
        for codes in _codes(annotation):
            assert WORDS[codes].keys() == set(codes)


def test_every_role_and_people_has_its_chinese_word():
    assert ROLES.keys() == set(Role)
    assert len(ETHNICITIES) == 56
    assert (ethnicity("01"), ethnicity("06"), ethnicity("56")) == ("汉族", "苗族", "基诺族")


def test_what_was_recorded_stands_in_order_with_its_words():
    told = read(*FILE, PARENTS, VISIT)
    assert told["identity"] == [
        {
            "现居住地": "测村",
            "户籍所在地": "520303",
            "姓名": "测甲一",
            "出生日期": "2016-03-09",
            "公民身份号码": "529901********0022",
            "性别": "女",
            "父亲·状况": "外出",
            "父亲·起始日期": "2026-02-20",
            "母亲·状况": "外出",
            "母亲·起始日期": "2026-02-20",
            "照护·类别": "祖父母或外祖父母",
            "照护·是否独居": "否",
        }
    ]
    assert told["family"][0]["父亲·务工地点"] == "浙江省宁波市"
    assert told["visits"] == [
        {
            "村（居）": "测村",
            "类别": "入户",
            "走访目的": "留守儿童、精准扶贫",
            "走访日期": "2026-08-12",
            "生活": "衣食无忧",
        }
    ]
    assert told["consents"] == []


def test_numbers_of_child_and_parents_are_masked_unless_asked_for_in_full():
    for full, hidden in ((False, True), (True, False)):
        shown = str(read(*FILE, PARENTS, full=full)) + page(*FILE, PARENTS, printed=PRINTED._replace(full_numbers=full))
        for number in (NUMBER, FATHERS_NUMBER):
            assert (number not in shown) is hidden


def test_what_a_visit_found_for_a_sibling_is_not_in_it():
    assert "只说弟弟" not in str(read(VISIT)) + page(*FILE, VISIT)


def test_an_event_about_another_child_is_no_entry():
    opened = FileOpened(child=SIBLING, person="p", purpose=Personal("visit"))
    assert read(opened)["openings"] == []


def test_which_sign_of_an_emergency_was_seen_is_not_in_it():
    assert read(EMERGENCY)["marks"][0]["等级"] == "红（高）"
    assert "violence_now" not in str(read(EMERGENCY)) + page(*FILE, EMERGENCY)


# The page


def test_the_page_is_the_official_form_with_seal_and_three_signatures():
    shown = page(*FILE, PARENTS, HOUSEHOLD, VISIT)
    for written in (
        "农村留守儿童基本情况登记表",
        "（盖章）",
        "单位负责人",
        "审核人",
        "填表人",
        "测甲一",
        "测父",
        "测组1号",
    ):
        assert written in shown
    assert "父母双方同时外出</th><td>是" in shown


def test_the_page_says_on_every_sheet_who_printed_it_and_when():
    assert page(*FILE).count("county-1 2026-08-14 17:30") == 10


def test_the_page_says_up_to_when_it_is_complete_where_that_is_known():
    assert "数据截至 2026-08-14 17:29" in page(*FILE)
    assert "数据截至" not in page(*FILE, printed=PRINTED._replace(complete_up_to=None))


def test_the_page_asks_nobody_for_anything():
    shown = page(*FILE)
    for foreign in ("http", "src=", "url(", "<script", "<link", "@import", "<img"):
        assert foreign not in shown


def test_what_somebody_wrote_is_no_markup():
    entrusted = CaregiverEntrusted(
        child=CHILD,
        entrustment=Personal(
            Entrustment(
                caregiver="<script>alert(1)</script>", relation=Relation.NON_RELATIVE, signed_on=date(2026, 8, 1)
            )
        ),
        starts=Counted(date(2026, 8, 1)),
    )
    shown = page(*FILE, entrusted, printed=PRINTED._replace(reason="<b>x</b>", by="<i>"))
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown
    assert "<b>x</b>" not in shown
    assert "<i>" not in shown


def test_the_form_holds_what_was_told_last_also_where_it_happened_before():
    moved, corrected = (
        SchoolingRecorded(
            child=CHILD,
            schooling=Personal(Schooling(state=state, school=school)),
            state=Counted(state),
            since=Counted(date(2026, 8, 1)),
        )
        for state, school in ((SchoolState.JUNIOR, "测误中学"), (SchoolState.PRIMARY, "测实小学"))
    )
    told = occurrences([*FILE, moved, corrected])
    [late] = [one for one in told if one.event is corrected]
    record = msgspec.structs.replace(
        late.record,
        occurred_at=late.record.occurred_at - timedelta(days=9),
        recorded_at=late.record.recorded_at + timedelta(days=1),
    )
    in_order = [Occurred(record, corrected), *(one for one in told if one is not late)]
    shown = page_of(CHILD, in_order, [], {}, PRINTED)
    assert "测实小学" in shown
    assert "测误中学" not in shown


def test_a_file_of_which_little_is_known_is_printed_with_empty_cells():
    assert "测甲一" in page(a_registered_child(child=CHILD))


# That it was made


def test_an_export_is_an_event_with_who_asked_for_it_and_why():
    command = MakeExport(
        export=export_stream("c", CHILD),
        child=CHILD,
        village=VILLAGE,
        person="county-1",
        full_numbers=True,
        request=Personal(REQUEST),
        occurred_at=TOLD,
    )
    made = ExportMade(child=CHILD, person="county-1", full_numbers=True, request=Personal(REQUEST))
    given(OPENING).when(command).then(made)
    assert read(made)["openings"] == [
        {"经办人": "county-1", "是否显示完整号码": "是", "与儿童关系": "母亲", "姓名": "测母", "原因": "查阅"}
    ]


# Where it looks


async def traces_of(*batches: list[Event]) -> set[tuple[str, str]]:
    """Child and stream of each trace; every event is the first of a stream of its own."""
    store: dict[str, dict[Any, Any]] = {TRACES: {}}
    number = count()
    for batch in batches:
        work, told = MemoryWorkspace(store), [_in_a_stream(one, next(number)) for one in occurrences(batch)]
        await Traces().prepare(told, work)
        for occurred in told:
            Traces().fold(occurred, work)
        work.commit()
    return {(trace["child"], trace["stream"]) for trace in store[TRACES].values() if "child" in trace}


def _in_a_stream(occurred: Occurred, number: int) -> Occurred:
    data = msgspec.Raw(occurred.event.model_dump_json().encode())
    return Occurred(msgspec.structs.replace(occurred.record, stream=f"stream-{number}", data=data), occurred.event)


async def test_a_stream_is_traced_for_each_child_it_names():
    pair = PairFormed(
        pair=new_id("pair"), child=CHILD, helper="h", kind=PairKind.DUTY, village=VILLAGE, starts=date(2026, 8, 1)
    )
    opened = FileOpened(child=CHILD, person="p", purpose=Personal("visit"))
    assert await traces_of([VISIT, pair, opened]) == {
        (CHILD, "stream-0"),
        (SIBLING, "stream-0"),
        (CHILD, "stream-1"),
        (CHILD, "stream-2"),
    }


async def test_an_erasure_leaves_no_trace_and_a_late_event_brings_none_back():
    gone = SubjectKeyDestroyed(child=CHILD, approved_by="officer-1")
    late = FileOpened(child=CHILD, person="p", purpose=Personal("visit"))
    for batches in ([[VISIT, gone, late]], [[VISIT], [gone], [late]], [[gone], [VISIT, late]]):
        assert {child for child, _ in await traces_of(*batches)} == {SIBLING}


def test_no_field_that_is_hidden_has_a_name():
    assert not HIDDEN & FIELDS.keys()


def _fields(fact: type[Fact]) -> Iterator[tuple[str, Any]]:
    for name, field in fact.model_fields.items():
        if name in HIDDEN:
            continue
        yield name, field.annotation
        for shape in _shapes(field.annotation):
            if isinstance(shape, type) and issubclass(shape, Fact):
                yield from _fields(shape)


def _codes(annotation: Any) -> Iterator[type[StrEnum]]:
    return (shape for shape in _shapes(annotation) if isinstance(shape, type) and issubclass(shape, StrEnum))


def _shapes(annotation: Any) -> Iterator[Any]:
    yield annotation
    for argument in get_args(annotation):
        yield from _shapes(argument)


def test_the_sections_are_named_once():
    assert len(TITLES) == sum(len(section.events) for section in SECTIONS.values())
