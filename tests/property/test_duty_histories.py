"""Duties derived from what was folded equal those of somebody who goes through the calendar day by day."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from services.reporting.duties.derivation import duties
from services.reporting.duties.policies import Policies
from services.reporting.duties.read_model import CHILDREN, POLICIES, Duties, adopted_of, all_merged_into, facts_of
from shared.contracts.child_file import ChildTransferred
from shared.contracts.event import Event
from shared.contracts.field_work import MajorChangeKind, MajorChangeReported
from shared.contracts.file_keeping import ChildFilesMerged, ChildMergeUndone
from shared.contracts.registry import ChildFileClosed, ChildFileReopened, SubjectKeyDestroyed
from shared.contracts.risk import RiskAnswers, RiskAssessed, RiskLevelOverridden, RiskOutcome
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import CloseReason, RiskLevel, VisitKind, VisitPurpose
from shared.contracts.visit_policy import SHIPPED, Holiday, LevelRule, VisitPolicy, VisitPolicyAdopted
from shared.contracts.visits import ChildFinding, VisitLogged
from shared.eventlog.placement import new_id
from shared.projection.read_model import Occurred
from tests.support.builders import a_registered_child
from tests.support.workspace import MemoryWorkspace, Store, a_record

HOUSEHOLD = new_id("household")
CHILD = new_id("child", beside=HOUSEHOLD)
HERE, THERE = "520303105201", "520303105202"
PATHS = {HERE: ("52", "520303", HERE), THERE: ("52", "520303", THERE)}
FIRST = date(2026, 1, 5)
DAYS = 150
TEXT = Personal("x")


class On(NamedTuple):
    """An event and the day it speaks of."""

    day: date
    event: Event


def visit(day: date, kind: VisitKind) -> VisitLogged:
    return VisitLogged(
        visit=new_id("visit", beside=HOUSEHOLD),
        household=HOUSEHOLD,
        village=HERE,
        kind=kind,
        purposes=(VisitPurpose.LEFT_BEHIND,),
        visited_on=day,
        findings=(ChildFinding(child=CHILD, life=TEXT),),
    )


def assessment(level: RiskLevel) -> RiskAssessed:
    return RiskAssessed(
        child=CHILD,
        instrument="SHEET-1",
        answers=Personal(RiskAnswers()),
        outcome=Personal(RiskOutcome(score=None)),
        level=Counted(level),
        assessed_by="alice",
        next_due=FIRST,
    )


def override(level: RiskLevel, until: date) -> RiskLevelOverridden:
    return RiskLevelOverridden(
        child=CHILD,
        assessed=Counted(RiskLevel.LOW),
        level=Counted(level),
        reason=TEXT,
        asked_by="alice",
        reviewed_by="bo",
        until=until,
    )


def policy(division: str, day: date, high: int, contact: int | None, free: bool, holiday: int | None) -> Any:
    content = SHIPPED.model_copy(
        update={
            "high": LevelRule(home_days=high, contact_days=contact, grace_days=2),
            "low": LevelRule(home_days=high * 3, grace_days=5),
            "holidays": ()
            if holiday is None
            else (Holiday(name="寒假", starts=FIRST + timedelta(days=holiday), within_days=10),),
        }
    )
    return VisitPolicyAdopted(
        policy=new_id("policy"), division=division, starts=day, content=content, may_be_overridden=free
    )


DAY = st.integers(0, DAYS).map(lambda n: FIRST + timedelta(days=n))
LEVEL = st.sampled_from(RiskLevel)
CHANGE = st.one_of(
    st.builds(lambda day, kind: On(day, visit(day, kind)), DAY, st.sampled_from(VisitKind)),
    st.builds(lambda day, level: On(day, assessment(level)), DAY, LEVEL),
    st.builds(lambda day, level, n: On(day, override(level, day + timedelta(days=n))), DAY, LEVEL, st.integers(1, 40)),
    st.builds(
        lambda day, *terms: On(day, policy(terms[0], day, *terms[1:])),
        DAY,
        st.sampled_from(["52", "520303", HERE, THERE]),
        st.integers(3, 30),
        st.none() | st.integers(2, 15),
        st.booleans(),
        st.none() | st.integers(0, DAYS),
    ),
    st.builds(
        lambda day: On(
            day,
            MajorChangeReported(
                change=new_id("change", beside=CHILD),
                child=CHILD,
                village=HERE,
                kind=Counted(MajorChangeKind.ARREST),
                happened_on=day,
                reported_by="alice",
            ),
        ),
        DAY,
    ),
    st.builds(lambda day: On(day, ChildFileClosed(child=CHILD, reason=CloseReason.MOVED_OUT, closed_on=day)), DAY),
    st.builds(lambda day: On(day, ChildFileReopened(child=CHILD, reason=TEXT, reopened_on=day)), DAY),
    st.builds(
        lambda day, village: On(
            day,
            ChildTransferred(child=CHILD, from_village=HERE, to_village=village, taken_over_by="bo", moved_on=day),
        ),
        DAY,
        st.sampled_from([HERE, THERE]),
    ),
)
HISTORY = st.lists(CHANGE, max_size=14)


async def folded(told: Sequence[On]) -> Store:
    """In the order they are told, each with the version of its place in it."""
    store: Store = {CHILDREN: {}, POLICIES: {}, "returned": {}, "plans": {}}
    model = Duties()
    for version, (day, event) in enumerate(told, 1):
        work = MemoryWorkspace(store)
        moment = datetime.combine(day, time(4), UTC)
        record = a_record(event)
        one = Occurred(record.__class__(**{**_fields(record), "version": version, "occurred_at": moment}), event)
        await model.prepare([one], work)
        model.fold(one, work)
        work.commit()
    return store


def _fields(record: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__struct_fields__}


class NaiveDuty(NamedTuple):
    reason: str
    due: date
    done: date | None
    cancelled: date | None


class Naive:
    """Goes through the days, and on each through all events there are."""

    def __init__(self, told: Sequence[On], today: date) -> None:
        self.told = told
        self.today = today

    def last(self, *types: type[Event], day: date) -> Any:
        """Of these events the one of the latest day, of one day the last told; None before any."""
        found = [
            (on.day, n, on.event) for n, on in enumerate(self.told) if isinstance(on.event, types) and on.day <= day
        ]
        return max(found, key=lambda one: one[:2])[2] if found else None

    def opened(self, day: date) -> bool:
        if day < FIRST:
            return False
        turn = self.last(ChildFileClosed, ChildFileReopened, day=day)
        return not isinstance(turn, ChildFileClosed)

    def level(self, day: date) -> RiskLevel:
        found = [
            (on.day, n, on.event)
            for n, on in enumerate(self.told)
            if isinstance(on.event, RiskAssessed | RiskLevelOverridden) and on.day <= day
        ]
        assessed = max(
            (one for one in found if isinstance(one[2], RiskAssessed)), default=None, key=lambda one: one[:2]
        )
        by_hand = max(
            (one for one in found if isinstance(one[2], RiskLevelOverridden)), default=None, key=lambda one: one[:2]
        )
        if by_hand and by_hand[2].until > day and not (assessed and assessed[0] > by_hand[0]):
            return by_hand[2].level.reveal()  # type: ignore[no-any-return]
        return assessed[2].level.reveal() if assessed else RiskLevel.LOW

    def policy(self, day: date) -> VisitPolicy:
        moved = self.last(ChildTransferred, day=day)
        village = moved.to_village if moved else HERE
        holds = SHIPPED
        for division in ("52", "520303", village):
            begun = [
                (on.day, n, on.event)
                for n, on in enumerate(self.told)
                if isinstance(on.event, VisitPolicyAdopted) and on.event.division == division and on.day <= day
            ]
            if begun:
                adopted = max(begun, key=lambda one: one[:2])[2]
                holds = adopted.content
                if not adopted.may_be_overridden:
                    return holds
        return holds

    def kinds(self, day: date) -> set[VisitKind]:
        return {on.event.kind for on in self.told if isinstance(on.event, VisitLogged) and on.day == day}

    def recurring(self, reason: str) -> list[NaiveDuty]:
        found = []
        since: date | None = None
        due: date | None = None
        interval: int | None = None
        day = FIRST
        while day <= self.today:
            if not self.opened(day):
                if due:
                    found.append(NaiveDuty(reason, due, None, day))
                since = due = None
            else:
                holds = self.policy(day)
                rule = holds.rule(self.level(day))
                every = rule.home_days if reason == "regular" else rule.contact_days
                counting = set(holds.satisfy) | (set() if reason == "regular" else set(holds.contact))
                if since is None:
                    since, due = day, every and day + timedelta(days=every)  # type: ignore[assignment]
                elif every != interval and (due is None or due > day):
                    due = every and max(day, since + timedelta(days=every))  # type: ignore[assignment]
                interval = every
                if self.kinds(day) & counting:
                    if due:
                        found.append(NaiveDuty(reason, due, day, None))
                    since, due = day, every and day + timedelta(days=every)  # type: ignore[assignment]
            day += timedelta(days=1)
        return [*found, NaiveDuty(reason, due, None, None)] if due else found

    def once(self, reason: str, since: date, due: date, counting: set[VisitKind]) -> NaiveDuty:
        day = since
        while day <= self.today:
            if day > since and any(isinstance(on.event, ChildFileClosed) and on.day == day for on in self.told):
                return NaiveDuty(reason, due, None, day)
            if self.kinds(day) & counting:
                return NaiveDuty(reason, due, day, None)
            day += timedelta(days=1)
        return NaiveDuty(reason, due, None, None)

    def all(self) -> list[NaiveDuty]:
        found = [*self.recurring("regular"), *self.recurring("contact")]
        for on in self.told:
            if isinstance(on.event, MajorChangeReported) and self.opened(on.day) and on.day <= self.today:
                holds = self.policy(on.day)
                due = on.day + timedelta(days=holds.change_days)
                found.append(self.once("major_change", on.day, due, set(holds.satisfy)))
        for holiday in self.policy(self.today).holidays:
            if FIRST <= holiday.starts <= self.today and self.opened(holiday.starts):
                holds = self.policy(holiday.starts)
                due = holiday.starts + timedelta(days=holiday.within_days)
                found.append(self.once("holiday", holiday.starts, due, set(holds.satisfy)))
        return sorted(found, key=lambda duty: (duty.due, duty.reason, str(duty)))


@settings(max_examples=300, deadline=None)
@given(HISTORY, st.integers(0, DAYS + 40))
def test_duties_are_what_the_calendar_says(history: list[On], length: int) -> None:
    registered = a_registered_child(child=CHILD, household=HOUSEHOLD, residence=HERE)
    told = [On(FIRST, registered), *history]
    today = FIRST + timedelta(days=length)
    store = asyncio.run(folded(told))
    adopted = {division: adopted_of(document) for division, document in store[POLICIES].items()}
    policies = Policies(PATHS, adopted)
    facts = facts_of(store[CHILDREN][CHILD])
    derived = [
        NaiveDuty(duty.reason, duty.due, duty.done, duty.cancelled)
        for duty in duties(facts, policies.on, policies.days, today)
    ]
    naive = Naive(told, today).all()
    assert sorted(derived, key=lambda duty: (duty.due, duty.reason, str(duty))) == naive


OTHER, LAST = new_id("child", beside=HOUSEHOLD), new_id("child", beside=HOUSEHOLD)


def of_another(child: str) -> st.SearchStrategy[On]:
    """What is told of a file that may be merged into another, and those mergers and their undoing."""

    def merged(into: str) -> ChildFilesMerged:
        return ChildFilesMerged(child=child, into=into, village=HERE, merged_on=FIRST, reason=TEXT, merged_by="chen")

    def told(day: date, kind: VisitKind) -> On:
        event = visit(day, kind)
        return On(day, event.model_copy(update={"findings": (ChildFinding(child=child, life=TEXT),)}))

    undone = ChildMergeUndone(child=child, into=CHILD, reason=TEXT, undone_by="chen")
    return st.one_of(
        st.builds(told, DAY, st.sampled_from(VisitKind)),
        st.builds(lambda day, level: On(day, assessment(level).model_copy(update={"child": child})), DAY, LEVEL),
        st.sampled_from([one for one in (CHILD, OTHER) if one != child]).map(lambda into: On(FIRST, merged(into))),
        st.just(On(FIRST, undone)),
    )


def goes_on_as(child: str, told: Sequence[On]) -> str:
    """The file that a child's goes on as after all that was told."""
    into = None
    for on in told:
        match on.event:
            case ChildFilesMerged(child=merged) if merged == child:
                into = on.event.into
            case ChildMergeUndone(child=merged) if merged == child:
                into = None
    return child if into is None else goes_on_as(into, told)


@settings(max_examples=200, deadline=None)
@given(HISTORY, st.lists(of_another(OTHER), max_size=8), st.lists(of_another(LAST), max_size=8), st.integers(0, DAYS))
def test_visits_to_files_that_were_merged_count_for_the_file_that_goes_on_until_that_is_undone(
    history: list[On], other: list[On], last: list[On], length: int
) -> None:
    registered = a_registered_child(child=CHILD, household=HOUSEHOLD, residence=HERE)
    told = [On(FIRST, registered), *history, *other, *last]
    today = FIRST + timedelta(days=length)
    store = asyncio.run(folded(told))
    documents = store[CHILDREN].values()
    into = {
        file: [one for one in documents if one.get("merged_into") == file]
        for file in {one.get("merged_into") for one in documents}
    }
    policies = Policies(PATHS, {division: adopted_of(document) for division, document in store[POLICIES].items()})
    facts = facts_of(store[CHILDREN][CHILD], all_merged_into(CHILD, into))
    derived = [NaiveDuty(*duty[:2], *duty[3:]) for duty in duties(facts, policies.on, policies.days, today)]
    visited = [
        on
        for child, its in ((OTHER, other), (LAST, last))
        for on in its
        if isinstance(on.event, VisitLogged) and goes_on_as(child, told) == CHILD
    ]
    naive = Naive([On(FIRST, registered), *history, *visited], today).all()
    assert sorted(derived, key=lambda duty: (duty.due, duty.reason, str(duty))) == naive


def test_files_merged_in_a_ring_are_each_counted_once() -> None:
    merged = {CHILD: [{"_id": OTHER}], OTHER: [{"_id": CHILD}, {"_id": LAST}]}
    assert [one["_id"] for one in all_merged_into(CHILD, merged)] == [OTHER, LAST]


def test_an_erased_child_leaves_no_duties() -> None:
    registered = a_registered_child(child=CHILD, household=HOUSEHOLD, residence=HERE)
    told = [On(FIRST, registered), On(FIRST, SubjectKeyDestroyed(child=CHILD, approved_by="officer"))]
    late = On(FIRST, visit(FIRST, VisitKind.HOME))
    assert asyncio.run(folded([*told, late]))[CHILDREN][CHILD] == {"_id": CHILD, "erased": True}
