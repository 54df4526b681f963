"""What the daily work beside visits shows: on a child's card and time line, as duties, as plans and work logs."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import msgspec

from services.reporting.duties.read_model import CHILDREN, Duties, facts_of
from services.reporting.read_models.field_work import ERASED, HELP_PLANS, HOLIDAY_PLANS, LEAVES, WORK_LOGS, FieldWork
from services.visits.domain.attendance import log_stream
from shared.contracts.concerns import ConcernClosureVerified, ConcernRaised
from shared.contracts.event import Event
from shared.contracts.field_work import (
    HelpPlanAdopted,
    HelpPlanClosed,
    HelpPlanProgressed,
    HelpPlanResult,
    HelpPlanReviewed,
    HelpStep,
    HolidayPlanAdopted,
    HolidayRisk,
    LeaveKind,
    LeaveTaken,
    MajorChangeKind,
    MajorChangeReported,
    SchoolVisitLogged,
    TeachersWord,
    WorkItem,
    WorkKind,
    WorkLogRecorded,
)
from shared.contracts.registry import SubjectKeyDestroyed
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import AmendReason, Body, ConcernKind, VisitKind
from shared.contracts.visits import ChildFinding, VisitAmended, VisitAttempted, VisitLogged
from shared.eventlog.placement import new_id
from shared.projection.checkpoint import Checkpoint, ModelVersion
from shared.projection.memory import MemoryProjectionStore
from shared.projection.read_model import Document, Occurred, ReadModel
from shared.projection.workspace import Work
from tests.support.builders import VILLAGE, a_registered_child
from tests.support.child_cards import card_and_entries, occurrences
from tests.support.figure_histories import told

DAY = date(2026, 8, 14)
FILE = a_registered_child()
CHILD, HOUSEHOLD = FILE.child, FILE.household
PLAN = new_id("helpplan", beside=CHILD)
CONCERN = new_id("concern", beside=CHILD)
TEXT = Personal("每周通一次电话")

VISIT = VisitLogged(
    visit=new_id("visit", beside=HOUSEHOLD),
    household=HOUSEHOLD,
    village=VILLAGE,
    kind=VisitKind.HOME,
    purposes=(),
    visited_on=DAY,
    findings=(ChildFinding(child=CHILD, life=TEXT),),
)
AT_SCHOOL = SchoolVisitLogged(
    visit=new_id("schoolvisit"),
    school=new_id("school"),
    village=VILLAGE,
    visited_on=DAY + timedelta(1),
    words=(TeachersWord(child=CHILD, word=TEXT),),
    visitors=("alice",),
)
ADOPTED = HelpPlanAdopted(
    plan=PLAN,
    child=CHILD,
    village=VILLAGE,
    owner="director",
    goals=TEXT,
    steps=(HelpStep(text=TEXT, owner="cadre", due=DAY), HelpStep(text=TEXT, owner="director", due=DAY)),
    review_on=DAY + timedelta(30),
    adopted_on=DAY,
    adopted_by="supervisor",
    reason=TEXT,
)
PROGRESSED = HelpPlanProgressed(plan=PLAN, child=CHILD, done=2, note=TEXT, told_by="director")
REVIEWED = HelpPlanReviewed(
    plan=PLAN, child=CHILD, text=TEXT, review_on=DAY + timedelta(60), reviewed_on=DAY, reviewed_by="supervisor"
)
CLOSED = HelpPlanClosed(
    plan=PLAN, child=CHILD, result=Counted(HelpPlanResult.GOALS_REACHED), closed_on=DAY, closed_by="supervisor"
)
ERASURE = SubjectKeyDestroyed(child=CHILD, approved_by="officer")


def raised(about: str) -> ConcernRaised:
    return ConcernRaised(
        concern=CONCERN,
        about=about,
        village=VILLAGE,
        kind=Counted(ConcernKind.LIVELIHOOD),
        severity=Counted(2),
        text=TEXT,
        raised_by="alice",
        raised_on=DAY,
        owner=Body.TOWNSHIP,
        due=DAY,
    )


SETTLED = ConcernClosureVerified(concern=CONCERN, verified_by="bo")


async def shown(*events: Event) -> list[tuple[str, Any]]:
    _, entries = await card_and_entries([FILE, *events])
    return [(entry["type"], entry.get("facts")) for entry in entries[1:]]


async def test_a_card_counts_school_visits_apart():
    card, _ = await card_and_entries([FILE, AT_SCHOOL])
    assert card["visits"] == {"school": {"count": 1, "last_on": "2026-08-15"}}
    card, _ = await card_and_entries([FILE, AT_SCHOOL, VISIT, VISIT])
    assert card["visits"] == {
        "count": 2,
        "last_on": "2026-08-14",
        "last_kind": "home",
        "school": {"count": 1, "last_on": "2026-08-15"},
    }


async def test_the_time_line_tells_of_attempts_amendments_and_changes():
    attempted = VisitAttempted(
        visit=VISIT.visit, household=HOUSEHOLD, village=VILLAGE, children=(CHILD,), attempted_on=DAY
    )
    finding = ChildFinding(child=CHILD, psychology=TEXT)
    amended = VisitAmended(visit=VISIT.visit, number=1, finding=finding, reason=AmendReason.SLIP, amended_by="alice")
    change = MajorChangeReported(
        change=new_id("change", beside=CHILD),
        child=CHILD,
        village=VILLAGE,
        kind=Counted(MajorChangeKind.ARREST),
        happened_on=DAY,
        reported_by="alice",
    )
    assert await shown(attempted, amended, change, AT_SCHOOL) == [
        ("VisitAttempted", {"on": "2026-08-14"}),
        ("VisitAmended", {"number": 1, "reason": "slip", "psychology": TEXT.reveal()}),
        ("MajorChangeReported", {"kind": "arrest", "on": "2026-08-14"}),
        ("SchoolVisitLogged", {"on": "2026-08-15", "word": TEXT.reveal()}),
    ]


async def test_the_time_line_says_that_there_is_a_plan_or_a_concern_and_not_what_they_say():
    assert await shown(ADOPTED, PROGRESSED, REVIEWED, CLOSED, raised(CHILD), SETTLED) == [
        ("HelpPlanAdopted", {"review_on": "2026-09-13"}),
        ("HelpPlanProgressed", None),
        ("HelpPlanReviewed", {"review_on": "2026-10-13"}),
        ("HelpPlanClosed", {"result": "goals_reached"}),
        ("ConcernRaised", {"kind": "livelihood"}),
        ("ConcernClosureVerified", None),
    ]


async def test_a_concern_that_is_about_no_child_stands_on_no_time_line():
    assert await shown(raised(HOUSEHOLD), SETTLED) == []


async def test_of_an_erased_child_no_late_event_brings_anything_back():
    card, entries = await card_and_entries([FILE, raised(CHILD), ADOPTED, ERASURE, SETTLED, AT_SCHOOL, PROGRESSED])
    assert card == {"_id": CHILD, "erased": True}
    assert entries == []


async def folded(model: ReadModel, *batches: list[Occurred]) -> dict[str, list[Document]]:
    """The documents of each collection of the model."""
    store, of, at = MemoryProjectionStore(), ModelVersion(model.name, 1), Checkpoint()
    for revision, batch in enumerate(batches, start=1):
        work = Work(store, of)
        await model.prepare(batch, work)
        for occurred in batch:
            model.fold(occurred, work)
        after = Checkpoint(revision=revision)
        assert await store.commit(of, work.changes, at, after)
        at = after
    held: dict[str, dict[Any, Document]] = store.collections
    return {name: list(held.get(of.collection(name), {}).values()) for name in model.collections}


async def test_a_school_visit_is_a_contact_of_each_child():
    held = await folded(Duties(), [told(FILE, DAY, DAY), told(AT_SCHOOL, DAY, DAY)])
    [document] = held[CHILDREN]
    assert facts_of(document).kinds_seen == {DAY + timedelta(1): {VisitKind.SCHOOL}}


def of_the_plan(*events: Event) -> list[Occurred]:
    """Records of one stream, which is the plan's own."""
    return [one._replace(record=msgspec.structs.replace(one.record, stream=PLAN)) for one in occurrences(events)]


async def test_a_help_plan_is_shown_with_its_steps_until_it_is_closed():
    held = await folded(FieldWork(), of_the_plan(ADOPTED), of_the_plan(PROGRESSED, REVIEWED))
    [plan] = held[HELP_PLANS]
    assert (plan["active"], plan["review_on"]) == (True, "2026-10-13")
    assert [step["done"] for step in plan["steps"]] == [False, True]
    assert [one["type"] for one in plan["told"]] == ["HelpPlanAdopted", "HelpPlanProgressed", "HelpPlanReviewed"]
    assert plan["told"][1]["done"] == 2
    [closed] = (await folded(FieldWork(), of_the_plan(ADOPTED, CLOSED)))[HELP_PLANS]
    assert (closed["active"], closed["result"]) == (False, "goals_reached")


async def test_no_help_plan_of_an_erased_child_is_kept():
    held = await folded(FieldWork(), of_the_plan(ADOPTED), occurrences([ERASURE]), of_the_plan(PROGRESSED))
    assert (held[HELP_PLANS], held[ERASED]) == ([], [{"_id": CHILD}])
    assert (await folded(FieldWork(), occurrences([ERASURE]), of_the_plan(ADOPTED)))[HELP_PLANS] == []


def holidays(starts: int, ends: int) -> HolidayPlanAdopted:
    return HolidayPlanAdopted(
        plan=new_id("holidayplan"),
        village=VILLAGE,
        starts=DAY + timedelta(starts),
        ends=DAY + timedelta(ends),
        risks=(HolidayRisk.DROWNING,),
        watch=Personal((CHILD,)),
        on_duty=("alice",),
        adopted_on=DAY,
        adopted_by="alice",
    )


async def test_a_later_holiday_plan_stands_in_the_place_of_those_whose_days_it_shares():
    before = occurrences([holidays(1, 9), holidays(20, 30)])
    held = await folded(FieldWork(), before, occurrences([holidays(5, 12)]))
    assert sorted((plan["starts"], plan["ends"]) for plan in held[HOLIDAY_PLANS]) == [
        ("2026-08-19", "2026-08-26"),
        ("2026-09-03", "2026-09-13"),
    ]


async def test_a_day_that_is_told_anew_is_shown_as_it_was_told_last():
    def day(hours: int) -> WorkLogRecorded:
        return WorkLogRecorded(
            log=log_stream("alice", DAY),
            person="alice",
            village=VILLAGE,
            day=DAY,
            hours=Counted(hours),
            items=(WorkItem(kind=WorkKind.HOME_VISITS, text=TEXT), WorkItem(kind=WorkKind.MEETING)),
            collated=True,
        )

    leave = LeaveTaken(
        leave=new_id("leave"),
        person="alice",
        village=VILLAGE,
        starts=DAY,
        ends=DAY,
        kind=Counted(LeaveKind.SICK),
    )
    held = await folded(FieldWork(), occurrences([day(8), leave]), occurrences([day(6)]))
    assert [(one["hours"], one["items"]) for one in held[WORK_LOGS]] == [
        (6, [{"kind": "home_visits", "text": TEXT.reveal()}, {"kind": "meeting"}])
    ]
    assert [(one["starts"], one["kind"]) for one in held[LEAVES]] == [("2026-08-14", "sick")]
