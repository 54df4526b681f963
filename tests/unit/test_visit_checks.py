"""What supervisors check of visits, and whose a child is to visit, as reporting has folded it."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest

from services.reporting.duties.appointments import Assigned, Owner, Planned, assigned_in, owner_of, plan_of
from services.reporting.duties.read_model import CHILDREN, PLANS, Duties, facts_of
from services.reporting.read_models.visit_checks import FLAGS, VISITS, VisitChecks
from shared.contracts.event import Event
from shared.contracts.oversight import (
    ClearReason,
    PlanChange,
    PlausibilityCleared,
    PlausibilityFlagged,
    PlausibilityRule,
    VisitCancelled,
    VisitPlanned,
    VisitRescheduled,
    VisitsAssigned,
)
from shared.contracts.registry import (
    PostedPerson,
    SubjectKeyDestroyed,
    WorkingGroupPosted,
    WorkingGroupWithdrawn,
)
from shared.contracts.roster import (
    DutyHolderNamed,
    DutyHolderRelieved,
    FirstSecretaryRelieved,
    PostingMemberJoined,
    PostingMemberLeft,
)
from shared.contracts.sealed import ERASED, Counted, Personal
from shared.contracts.values import (
    AmendReason,
    Duty,
    PostingLevel,
    PostingOffice,
    ReliefReason,
    ReturnReason,
    Role,
    VerifyMethod,
    VisitDoubt,
    VisitKind,
    VisitPurpose,
    WithdrawalReason,
)
from shared.contracts.visits import (
    ChildFinding,
    VisitAmended,
    VisitAttempted,
    VisitLogged,
    VisitReturned,
    VisitVerified,
)
from shared.eventlog.placement import new_id
from shared.eventlog.record import Record
from shared.identity.access import Grant, Grants
from shared.identity.directory import GRANTS, DirectoryModel
from shared.projection.read_model import Occurred, ReadModel
from tests.support.builders import VILLAGE
from tests.support.workspace import MemoryWorkspace, Store, a_record, fold_all

DAY = date(2026, 8, 14)
CHILD = new_id("child")
VISIT = new_id("visit", beside=CHILD)
FLAG = new_id("flag")
APPOINTED = new_id("appointment", beside=CHILD)
STREAMS = ("flag", "appointment", "visit", "assignment", "child")


@dataclass
class Told:
    """An event, and when it was told."""

    event: Event
    at: datetime = datetime(2026, 8, 14, 8, tzinfo=UTC)


async def folded(model: ReadModel, *told: Told | Event) -> Store:
    """Each in a batch of its own, in this order."""
    store: Store = defaultdict(dict)
    for one in told:
        told_one = one if isinstance(one, Told) else Told(one)
        record = a_record(told_one.event)
        fields = {name: getattr(record, name) for name in record.__struct_fields__}
        stream = next(found for name in STREAMS if (found := getattr(told_one.event, name, None)))
        moments = {"occurred_at": told_one.at, "recorded_at": told_one.at}
        occurred = Occurred(Record(**fields | moments | {"stream": stream}), told_one.event)
        work = MemoryWorkspace(store)
        await model.prepare([occurred], work)
        model.fold(occurred, work)
        work.commit()
    return store


def logged(*doubts: VisitDoubt) -> VisitLogged:
    return VisitLogged(
        visit=VISIT,
        household=new_id("household", beside=CHILD),
        village=VILLAGE,
        kind=VisitKind.HOME,
        purposes=(VisitPurpose.LEFT_BEHIND,),
        visited_on=DAY,
        findings=(ChildFinding(child=CHILD, life=Personal("衣食无忧")),),
        visitors=("bo",),
        doubts=doubts,
    )


RETURNED = VisitReturned(
    visit=VISIT, village=VILLAGE, visitors=("bo",), returned_by="supervisor", reason=ReturnReason.INCOMPLETE
)
AMENDED = VisitAmended(
    visit=VISIT, number=1, finding=ChildFinding(child=CHILD), reason=AmendReason.ASKED_FOR, amended_by="bo"
)
VERIFIED = VisitVerified(visit=VISIT, verified_by="supervisor", method=VerifyMethod.PHONE)
FLAGGED = PlausibilityFlagged(
    flag=FLAG, rule=Counted(PlausibilityRule.SAME_NOTE), visitor="bo", visits=(VISIT,), villages=(VILLAGE,)
)
CLEARED = PlausibilityCleared(flag=FLAG, reason=Counted(ClearReason.TALKED_OVER), cleared_by="supervisor")


async def visit_after(*told: Event) -> tuple[str, bool]:
    visit = (await folded(VisitChecks(), *told))[VISITS][VISIT]
    return visit["stage"], visit["waits"]


async def test_a_visit_waits_while_it_is_doubted_or_returned():
    doubted = logged(VisitDoubt.CLOCK_CORRECTED)
    assert await visit_after(logged()) == ("recorded", False)
    assert await visit_after(doubted) == ("recorded", True)
    assert await visit_after(doubted, VERIFIED) == ("verified", False)
    assert await visit_after(logged(), RETURNED) == ("returned", True)
    assert await visit_after(logged(), RETURNED, AMENDED) == ("recorded", False)
    assert await visit_after(doubted, RETURNED, AMENDED) == ("recorded", True)


async def test_what_is_checked_holds_ids_codes_and_days_alone():
    store = await folded(VisitChecks(), logged(VisitDoubt.OFFICE_ENDED), FLAGGED)
    assert "衣食无忧" not in repr(store)
    assert CHILD not in repr(store)


async def test_a_flag_is_open_until_it_is_cleared_and_comes_before_its_visits_or_after():
    store = await folded(VisitChecks(), FLAGGED)
    assert (store[FLAGS][FLAG]["rule"], store[FLAGS][FLAG]["open"]) == ("same_note", True)
    store = await folded(VisitChecks(), FLAGGED, logged(), CLEARED)
    assert store[FLAGS][FLAG]["open"] is False
    assert store[FLAGS][FLAG]["cleared"] == {"reason": "talked_over", "by": "supervisor", "on": "2026-08-14"}


async def test_a_flag_whose_key_is_gone_is_folded_without_its_rule():
    erased = FLAGGED.model_copy(update={"rule": Counted(ERASED)})
    assert (await folded(VisitChecks(), erased))[FLAGS][FLAG]["rule"] is None


def assigned(visitor: str, starts: date) -> VisitsAssigned:
    return VisitsAssigned(
        assignment=new_id("assignment"),
        village=VILLAGE,
        children=(CHILD,),
        visitor=visitor,
        starts=starts,
        assigned_by="supervisor",
    )


PLANNED = VisitPlanned(
    appointment=APPOINTED,
    child=CHILD,
    village=VILLAGE,
    kind=VisitKind.HOME,
    planned_for=DAY + timedelta(1),
    assignee="bo",
    planned_by="supervisor",
)
PUT_OFF = VisitRescheduled(
    appointment=APPOINTED,
    planned_for=DAY + timedelta(3),
    assignee="eve",
    reason=PlanChange.WEATHER_OR_ROAD,
    rescheduled_by="bo",
)
CANCELLED = VisitCancelled(appointment=APPOINTED, reason=PlanChange.PLANNED_TWICE, cancelled_by="bo")
ERASURE = SubjectKeyDestroyed(child=CHILD, approved_by="officer")


async def test_of_two_assignments_of_one_day_the_later_told_one_stands_last_in_whatever_order_they_are_read():
    noon = datetime(2026, 8, 14, 4, tzinfo=UTC)
    first, second = Told(assigned("bo", DAY), noon), Told(assigned("eve", DAY), noon + timedelta(seconds=1))
    earlier = Told(assigned("ann", DAY - timedelta(9)), noon + timedelta(hours=1))
    for order in ([first, second, earlier], [earlier, second, first]):
        document = (await folded(Duties(), *order))[CHILDREN][CHILD]
        assert assigned_in(document) == [
            *(Assigned(DAY - timedelta(9), "ann"), Assigned(DAY, "bo"), Assigned(DAY, "eve"))
        ]


async def test_an_appointment_is_there_until_it_is_cancelled():
    planned = Planned(APPOINTED, CHILD, VisitKind.HOME, DAY + timedelta(1), "bo", DAY)
    assert plan_of((await folded(Duties(), PLANNED))[PLANS][APPOINTED]) == planned
    moved = planned._replace(on=DAY + timedelta(3), assignee="eve")
    assert plan_of((await folded(Duties(), PLANNED, PUT_OFF))[PLANS][APPOINTED]) == moved
    assert not (await folded(Duties(), PLANNED, CANCELLED))[PLANS]


async def test_an_attempt_leaves_an_appointment_open():
    attempt = VisitAttempted(
        visit=VISIT, household=new_id("household"), village=VILLAGE, children=(CHILD,), attempted_on=DAY
    )
    store = await folded(Duties(), PLANNED, attempt)
    assert store[PLANS].keys() == {APPOINTED}
    assert facts_of(store[CHILDREN][CHILD]).seen == []


POSTING = new_id("posting")
POSTED = WorkingGroupPosted(
    posting=POSTING,
    village=VILLAGE,
    level=PostingLevel.COUNTY,
    unit="测试局",
    starts=DAY - timedelta(90),
    leader="leader",
    first_secretary="secretary",
)
JOINED = PostingMemberJoined(posting=POSTING, village=VILLAGE, person="member", starts=DAY - timedelta(60))
NAMED = DutyHolderNamed(
    duty=new_id("duty"), person="director", role=Duty.CHILD_DIRECTOR, division=VILLAGE, starts=DAY - timedelta(60)
)
LEAVING = [
    (
        "member",
        PostingMemberLeft(posting=POSTING, village=VILLAGE, person="member", starts=JOINED.starts, ends=DAY),
    ),
    (
        "secretary",
        FirstSecretaryRelieved(posting=POSTING, village=VILLAGE, person="secretary", since=None, ends=DAY),
    ),
    (
        "director",
        DutyHolderRelieved(
            duty=NAMED.duty,
            division=VILLAGE,
            person="director",
            role=Duty.CHILD_DIRECTOR,
            ends=DAY,
            reason=ReliefReason.TERM_ENDED,
        ),
    ),
    (
        "member",
        WorkingGroupWithdrawn(
            posting=POSTING,
            village=VILLAGE,
            ends=DAY,
            reason=WithdrawalReason.ROTATED,
            leaving=(PostedPerson(person="member", office=PostingOffice.POSTED_CADRE, since=JOINED.starts),),
        ),
    ),
    (
        "leader",
        WorkingGroupWithdrawn(posting=POSTING, village=VILLAGE, ends=DAY, reason=WithdrawalReason.ROTATED),
    ),
]


async def grants_after(person: str, *events: Event) -> Grants:
    held = (await fold_all(DirectoryModel(), [events]))[GRANTS].values()
    return Grants(
        Grant(
            person,
            Role(one["role"]),
            one["division"],
            date.fromisoformat(one["starts"]),
            date.fromisoformat(one["ends"]) if one["ends"] else None,
            one["source"],
        )
        for one in held
        if one["person"] == person
    )


@pytest.mark.parametrize(("person", "left"), LEAVING, ids=[type(left).__name__ for _, left in LEAVING])
async def test_in_whichever_way_somebody_leaves_the_children_are_without_owner_from_that_day(person, left):
    to, path = [Assigned(DAY - timedelta(20), person)], ("52", VILLAGE)
    before = await grants_after(person, POSTED, JOINED, NAMED)
    assert owner_of(to, before, path, DAY) == Owner(person)
    after = await grants_after(person, POSTED, JOINED, NAMED, left)
    assert owner_of(to, after, path, DAY - timedelta(1)) == Owner(person)
    assert owner_of(to, after, path, DAY) == owner_of(to, after, path, DAY + timedelta(9)) == Owner(None, person, DAY)


async def test_nothing_of_an_erased_child_is_planned_or_assigned():
    store = await folded(Duties(), PLANNED, assigned("bo", DAY), ERASURE)
    assert (store[CHILDREN], store[PLANS]) == ({CHILD: {"_id": CHILD, "erased": True}}, {})
    store = await folded(Duties(), ERASURE, PLANNED, PUT_OFF, assigned("bo", DAY))
    assert (store[CHILDREN], store[PLANS]) == ({CHILD: {"_id": CHILD, "erased": True}}, {})
