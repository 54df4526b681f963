"""What about somebody's visits asks for a look: the rules, what they are told, and who clears it."""

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta

from services.visits.domain.plausibility import (
    FLAG,
    AlreadyCleared,
    AlreadyFlagged,
    ClearanceBy,
    FlagPlausibility,
    VisitorClears,
    flag_of,
    village_of,
)
from services.visits.plausibility.look_up import VISITS, NoteKeys, VisitsMade, made_by
from services.visits.plausibility.policy import flagging
from services.visits.plausibility.rules import Made, findings
from shared.commands.command import CHINA, NotOnFile
from shared.contracts.oversight import ClearReason, PlausibilityCleared, PlausibilityFlagged, PlausibilityRule
from shared.contracts.registry import SubjectKeyDestroyed
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import AmendReason, VisitKind, VisitPurpose
from shared.contracts.visits import ChildFinding, VisitAmended, VisitLogged
from shared.eventlog.placement import new_id
from shared.eventlog.record import Record
from shared.projection.read_model import Occurred
from tests.support.builders import TOLD, VILLAGE
from tests.support.specification import given
from tests.support.workspace import MemoryWorkspace, a_record

NEXT = "520303105202"
MORNING = datetime(2026, 5, 13, 9, 0, 7, tzinfo=CHINA)
KNOWN_ON = date(2026, 5, 20)
FIRST, SECOND = new_id("visit"), new_id("visit")


def wish(*visits: str) -> FlagPlausibility:
    return FlagPlausibility(
        occurred_at=TOLD,
        rule=PlausibilityRule.TWO_VILLAGES,
        visitor="bo",
        visits=visits or (FIRST, SECOND),
        villages=(VILLAGE, NEXT),
    )


FLAGGED = PlausibilityFlagged(
    flag=flag_of(wish()),
    rule=Counted(PlausibilityRule.TWO_VILLAGES),
    visitor="bo",
    visits=(FIRST, SECOND),
    villages=(VILLAGE, NEXT),
)
CLEARED = PlausibilityCleared(
    flag=flag_of(wish()), reason=Counted(ClearReason.TIMES_ENTERED_LATER), cleared_by="supervisor"
)


def clearing(person: str = "supervisor") -> ClearanceBy:
    return ClearanceBy(occurred_at=TOLD, flag=flag_of(wish()), reason=ClearReason.TIMES_ENTERED_LATER, person=person)


def test_a_set_of_visits_is_flagged_once_by_a_rule():
    given(FLAG).when(wish()).then(FLAGGED)
    given(FLAG, FLAGGED).when(wish()).then_refused(AlreadyFlagged)
    given(FLAG, FLAGGED, CLEARED).when(wish()).then_refused(AlreadyFlagged)
    assert flag_of(wish(SECOND, FIRST)) == flag_of(wish())
    assert flag_of(wish(FIRST)) != flag_of(wish())


def test_a_flag_has_no_village_before_the_policy_raised_it():
    assert village_of(FLAG.initial) is None
    assert village_of(FLAG.evolve(FLAG.initial, FLAGGED)) == NEXT


def test_a_supervisor_who_has_looked_clears_a_flag_once():
    given(FLAG, FLAGGED).when(clearing()).then(CLEARED)
    given(FLAG, FLAGGED, CLEARED).when(clearing()).then_refused(AlreadyCleared)
    given(FLAG).when(clearing()).then_refused(NotOnFile)


def test_nobody_clears_what_is_about_their_own_visits():
    given(FLAG, FLAGGED).when(clearing("bo")).then_refused(VisitorClears)


def made(number: int, at: datetime = MORNING, **changes) -> Made:
    fields = {"visit": f"visit-{number:03}", "village": VILLAGE, "household": f"household-{number:03}", "at": at}
    return Made(**fields | changes)


def rules_of(*visits: Made, known_on: date = KNOWN_ON) -> list[tuple[str, int]]:
    return [(one.rule, len(one.visits)) for one in findings(visits, known_on)]


def test_two_villages_within_ten_minutes_are_asked_about():
    soon, later = MORNING + timedelta(minutes=10), MORNING + timedelta(minutes=10, seconds=1)
    assert rules_of(made(1), made(2, soon, village=NEXT)) == [("two_villages", 2)]
    assert rules_of(made(1), made(2, later, village=NEXT)) == []
    assert rules_of(made(1), made(2, soon)) == []


def test_a_telephone_reaches_two_villages_and_a_day_without_a_time_tells_nothing():
    assert rules_of(made(1), made(2, village=NEXT, at_place=False)) == []
    midnight = MORNING.replace(hour=0, second=0)
    assert rules_of(made(1, midnight), made(2, midnight, village=NEXT)) == []
    assert rules_of(*(made(n, midnight) for n in range(20))) == []


def test_ten_visits_in_a_minute_are_asked_about_and_again_when_they_have_doubled():
    def within(many: int) -> list[Made]:
        return [made(n, MORNING + timedelta(seconds=n)) for n in range(many)]

    assert rules_of(*within(9)) == []
    assert rules_of(*within(10)) == rules_of(*within(19)) == [("many_in_a_minute", 10)]
    assert rules_of(*within(20)) == [("many_in_a_minute", 20)]
    assert rules_of(*(made(n, MORNING + timedelta(seconds=7 * n)) for n in range(30))) == []


def test_one_note_of_three_households_is_asked_about_and_of_one_household_is_not():
    days = [MORNING + timedelta(days=n) for n in range(4)]
    copied = [made(n, day, notes=frozenset({7, n + 100})) for n, day in enumerate(days)]
    assert rules_of(*copied[:2]) == []
    assert rules_of(*copied[:3]) == rules_of(*copied) == [("same_note", 3)]
    assert rules_of(*(one._replace(household="one") for one in copied)) == []
    assert rules_of(*(one._replace(told=False) for one in copied)) == []


def test_the_same_answers_at_ten_households_in_a_row_are_asked_about():
    days = [MORNING + timedelta(days=n) for n in range(10)]
    alike = [made(n, day, answers=frozenset({7})) for n, day in enumerate(days)]
    assert rules_of(*alike) == [("same_answers", 10)]
    assert rules_of(*alike[:9]) == []
    assert rules_of(*alike[:5], made(99, days[4] + timedelta(hours=1), answers=frozenset({7, 8})), *alike[5:]) == []
    assert rules_of(*alike[:5], made(99, days[4] + timedelta(hours=1)), *alike[5:]) == [("same_answers", 10)]


def test_a_quarter_is_judged_when_no_device_can_tell_more_of_it():
    last = [made(n, datetime(2026, 6, 30, 9 + n, 1, tzinfo=CHINA)) for n in range(5)]
    assert rules_of(*last, known_on=date(2026, 7, 30)) == []
    assert rules_of(*last, known_on=date(2026, 7, 31)) == [("last_day_of_quarter", 5)]
    assert rules_of(*last[:4], known_on=date(2026, 7, 31)) == []
    before = made(9, datetime(2026, 4, 1, 9, 1, tzinfo=CHINA))
    assert rules_of(before, *last, known_on=date(2026, 7, 31)) == []


NOTE = "奶奶身体好，孩子按时上学，作业都做完了，家里粮食够吃"
HOUSEHOLD = new_id("household")
CHILD = new_id("child", beside=HOUSEHOLD)
KEYS = NoteKeys(b"k" * 32)


def logged(note: str | None = NOTE, child: str = CHILD, **changes) -> VisitLogged:
    fields = {
        "visit": new_id("visit", beside=HOUSEHOLD),
        "household": new_id("household", beside=HOUSEHOLD),
        "village": VILLAGE,
        "kind": VisitKind.HOME,
        "purposes": (VisitPurpose.LEFT_BEHIND,),
        "visited_on": date(2026, 5, 13),
        "findings": (
            ChildFinding(
                child=child, life=Personal(note) if note else None, answers=Personal({"mood": "calm", "meals": True})
            ),
        ),
        "form": "HOME-1",
        "visitors": ("bo", "eve"),
    }
    return VisitLogged(**fields | changes)


def told(event, at: datetime = MORNING, recorded: datetime | None = None) -> Occurred:
    record = a_record(event)
    fields = {name: getattr(record, name) for name in record.__struct_fields__}
    stream = getattr(event, "visit", record.stream)
    moments = {"occurred_at": at, "recorded_at": recorded or at}
    return Occurred(Record(**fields | moments | {"service": "visits", "stream": stream}), event)


async def folded(*occurred: Occurred):
    store = defaultdict(dict)
    model = VisitsMade(KEYS)
    for one in occurred:
        work = MemoryWorkspace(store)
        await model.prepare([one], work)
        model.fold(one, work)
        work.commit()
    return store[VISITS]


async def test_the_look_up_holds_no_word_of_a_note_and_knows_the_same_again():
    same, spaced, short = logged(), logged(f" {NOTE[:9]} {NOTE[9:]}\n"), logged("衣食无忧")
    visits = await folded(*map(told, (same, spaced, short)))
    assert "奶奶" not in repr(visits)
    notes = {event.visit: made_by("bo", visits[event.visit]).notes for event in (same, spaced, short)}
    assert notes[same.visit] == notes[spaced.visit] != frozenset()
    assert notes[short.visit] == frozenset()
    assert NoteKeys(b"l" * 32).notes(same.findings[0], 20) != KEYS.notes(same.findings[0], 20)


async def test_who_came_along_was_there_and_told_nothing():
    event = logged()
    visits = await folded(told(event))
    assert made_by("bo", visits[event.visit]).told
    assert not made_by("eve", visits[event.visit]).told
    old = logged(visitors=())
    assert (await folded(told(old)))[old.visit]["visitors"] == ["person"]


async def test_an_amendment_takes_the_place_of_what_was_found_and_an_erasure_leaves_nothing_of_it():
    event = logged()
    finding = ChildFinding(child=CHILD, life=Personal("书包破了"))
    amended = VisitAmended(visit=event.visit, number=1, finding=finding, reason=AmendReason.SLIP, amended_by="bo")
    visits = await folded(told(event), told(amended))
    assert visits[event.visit]["found"] == {CHILD: {"notes": [], "answers": None}}
    erased = await folded(told(event), told(SubjectKeyDestroyed(child=CHILD, approved_by="officer")))
    assert erased[event.visit]["found"] == {}


async def wanted(*occurred: Occurred):
    """What the policy wants of the last of them."""
    visits = await folded(*occurred)

    async def visits_of(persons, since, until):
        within = [one for one in visits.values() if since <= one["at"] <= until]
        return {person: [made_by(person, one) for one in within if person in one["visitors"]] for person in persons}

    async def caught_up(positions):
        return True

    last = occurred[-1]
    [found] = await flagging(visits_of, caught_up).react([(last.record, last.event)])
    return [one.command for one in found]


async def test_the_policy_flags_the_visits_of_each_who_was_there():
    here, there = logged("一"), logged("二", village=NEXT)
    flags = await wanted(told(here), told(there, MORNING + timedelta(minutes=3)))
    assert [(one.rule, one.visitor, one.visits, one.villages) for one in flags] == [
        (PlausibilityRule.TWO_VILLAGES, person, (here.visit, there.visit), (VILLAGE, NEXT)) for person in ("bo", "eve")
    ]
    assert len({flag_of(one) for one in flags}) == 2


async def test_what_was_told_together_long_after_is_not_asked_about():
    evening = datetime(2026, 5, 20, 20, 0, 1, tzinfo=UTC)
    day = [told(logged(str(n)), MORNING + timedelta(minutes=25 * n), evening) for n in range(15)]
    assert await wanted(*day) == []


async def test_a_copied_note_is_flagged_by_the_visit_that_completes_it():
    visits = [told(logged(), MORNING + timedelta(days=n)) for n in range(4)]
    assert await wanted(*visits[:2]) == []
    assert [one.rule for one in await wanted(*visits[:3])] == [PlausibilityRule.SAME_NOTE]
    assert await wanted(*visits) == []
