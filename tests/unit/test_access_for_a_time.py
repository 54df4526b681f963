"""Access for a time: asked for, granted by another, ended; and the glass that is broken in an emergency."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from services.registry.domain.access import (
    ACCESS,
    AT_HOME,
    GLASS,
    AccessAlreadyGranted,
    AccessAlreadyRequested,
    AccessApprovalBy,
    AccessEndsBeforeItBegins,
    AccessIsOver,
    AccessRequestBy,
    AccessTooLong,
    ApproveAccess,
    ApproverIsConcerned,
    BreakBy,
    BreakTheGlass,
    EndAccess,
    GlassAlreadyBroken,
    RequestAccess,
    Terms,
    terms_on,
)
from shared.commands.command import NotOnFile
from shared.contracts.access import AccessEnded, AccessGranted, AccessRequested, GlassBroken
from shared.contracts.child_file import ChildTransferred
from shared.contracts.values import Access, AccessPurpose, GlassReason, Role
from shared.eventlog.placement import new_id
from shared.identity.access import NotPermitted
from tests.support.builders import COUNTY, VILLAGE, a_registered_child, a_registration
from tests.support.offices import Offices
from tests.support.specification import given

TODAY = date(2026, 8, 14)
NOON = datetime(2026, 8, 14, 4, tzinfo=UTC)
NEXT_VILLAGE = "520303105202"
CHILD = a_registered_child()


def a_request(**changes) -> AccessRequestBy:
    fields = {
        "occurred_at": NOON,
        "access": new_id("access"),
        "person": "inspector-1",
        "opens": Access.PERSONAL_DATA,
        "purpose": AccessPurpose.INSPECTION,
        "division": VILLAGE,
        "starts": TODAY,
        "ends": TODAY + timedelta(days=14),
        "requested_by": "leader-1",
    }
    return AccessRequestBy(**fields | changes)


REQUEST = a_request()
REQUESTED = AccessRequested(**REQUEST.model_dump(exclude={"occurred_at"}))
APPROVE = AccessApprovalBy(occurred_at=NOON, access=REQUEST.access, approved_by="county-1")
GRANTED = AccessGranted(**REQUESTED.model_dump(), approved_by="county-1")
END = EndAccess(occurred_at=NOON + timedelta(days=3), access=REQUEST.access)
ENDED = AccessEnded(access=REQUEST.access, person="inspector-1", ends=TODAY + timedelta(days=3))
LATE = NOON + timedelta(days=14)

BREAK = BreakBy(
    occurred_at=NOON, glass=new_id("glass"), village=VILLAGE, reason=GlassReason.MISSING, person="neighbour-1"
)
BROKEN = GlassBroken(
    glass=BREAK.glass,
    person="neighbour-1",
    village=VILLAGE,
    reason=GlassReason.MISSING,
    starts=TODAY,
    ends=TODAY + timedelta(days=2),
)


def test_access_is_asked_for_once():
    given(ACCESS).when(REQUEST).then(REQUESTED)
    given(ACCESS, REQUESTED).when(REQUEST).then_refused(AccessAlreadyRequested)
    given(ACCESS, REQUESTED, GRANTED, ENDED).when(REQUEST).then_refused(AccessAlreadyRequested)


def test_access_ends_after_it_begins_and_before_long():
    given(ACCESS).when(a_request(ends=TODAY)).then_refused(AccessEndsBeforeItBegins)
    given(ACCESS).when(a_request(ends=TODAY + timedelta(days=15))).then_refused(AccessTooLong, "at most 14 days")
    past = a_request(starts=TODAY - timedelta(days=3), ends=TODAY)
    given(ACCESS).when(past).then_refused(AccessIsOver)


def test_access_is_granted_by_another_person_than_who_asks_and_who_gets_it():
    given(ACCESS, REQUESTED).when(APPROVE).then(GRANTED)
    for concerned in ("leader-1", "inspector-1"):
        own = APPROVE.model_copy(update={"approved_by": concerned})
        given(ACCESS, REQUESTED).when(own).then_refused(ApproverIsConcerned)


def test_access_is_granted_once_and_while_there_are_days_left():
    given(ACCESS).when(APPROVE).then_refused(NotOnFile)
    given(ACCESS, REQUESTED, GRANTED).when(APPROVE).then_refused(AccessAlreadyGranted)
    given(ACCESS, REQUESTED, ENDED).when(APPROVE).then_refused(AccessIsOver)
    given(ACCESS, REQUESTED).when(APPROVE.model_copy(update={"occurred_at": LATE})).then_refused(AccessIsOver)


def test_access_that_is_granted_late_begins_on_the_day_it_is_granted():
    later = APPROVE.model_copy(update={"occurred_at": NOON + timedelta(days=5)})
    begins = GRANTED.model_copy(update={"starts": TODAY + timedelta(days=5)})
    given(ACCESS, REQUESTED).when(later).then(begins)


def test_access_ends_before_its_time_on_the_day_that_is_told():
    given(ACCESS, REQUESTED, GRANTED).when(END).then(ENDED)
    given(ACCESS, REQUESTED).when(END).then(ENDED)
    given(ACCESS, REQUESTED, GRANTED, ENDED).when(END).then_refused(AccessIsOver)
    given(ACCESS, REQUESTED, GRANTED).when(END.model_copy(update={"occurred_at": LATE})).then_refused(AccessIsOver)
    given(ACCESS).when(END).then_refused(NotOnFile)


def test_a_glass_is_broken_once_and_stays_open_for_that_day_and_the_next():
    given(GLASS).when(BREAK).then(BROKEN)
    given(GLASS, BROKEN).when(BREAK).then_refused(GlassAlreadyBroken)


@pytest.mark.parametrize("command", [a_request(child=CHILD.child), BREAK.model_copy(update={"child": CHILD.child})])
def test_one_file_is_opened_in_the_village_where_the_child_lives(command):
    moved = ChildTransferred(
        child=CHILD.child, from_village=VILLAGE, to_village=NEXT_VILLAGE, moved_on=TODAY, taken_over_by="supervisor-2"
    )
    given(AT_HOME, CHILD).when(command).then()
    given(AT_HOME, CHILD, moved).when(command).then_refused(NotOnFile)
    given(AT_HOME).when(command).then_refused(NotOnFile)


def test_the_terms_of_a_day_are_the_last_that_have_begun():
    policy = (Terms(date.min, 14, 2), Terms(TODAY, 7, 1))
    assert terms_on(TODAY - timedelta(days=1), policy).longest == 14
    assert terms_on(TODAY, policy).longest == 7


class InTheCounty(Offices):
    """With a leader and an officer of the county, and cadres of this village, of another one and of another county."""

    def __init__(self) -> None:
        super().__init__()
        for code, parent in ((NEXT_VILLAGE, "520303105"), ("520304", "5203")):
            self.directory.add_division(code, parent)
        for person, role, division in (
            ("leader-1", Role.LEADER, COUNTY),
            ("officer-1", Role.DATA_PROTECTION_OFFICER, "52"),
            ("cadre-1", Role.POSTED_CADRE, VILLAGE),
            ("neighbour-1", Role.POSTED_CADRE, NEXT_VILLAGE),
            ("city-1", Role.LEADER, "5203"),
            ("stranger-1", Role.LEADER, "520304"),
            ("statistics-1", Role.STATISTICS_USER, COUNTY),
        ):
            self.directory.add_grant(person, role, division, date(2026, 1, 1))


def asked(request: AccessRequestBy = REQUEST) -> RequestAccess:
    return RequestAccess(**request.model_dump(exclude={"occurred_at", "requested_by"}))


@pytest.mark.parametrize("approver", ["county-1", "officer-1"])
async def test_who_asks_and_who_approves_are_on_record(approver):
    registry = InTheCounty()
    await registry.tell(asked(), "leader-1")
    await registry.tell(ApproveAccess(access=REQUEST.access), approver)
    request, grant = await registry.events(REQUEST.access)
    assert (request.requested_by, grant.requested_by, grant.approved_by) == ("leader-1", "leader-1", approver)


async def test_who_holds_no_office_that_approves_learns_nothing_of_a_request():
    registry = InTheCounty()
    await registry.tell(asked(), "leader-1")
    for person in ("leader-1", "stranger-1", "cadre-1"):
        with pytest.raises(NotOnFile):
            await registry.tell(ApproveAccess(access=REQUEST.access), person)


@pytest.mark.parametrize("person", ["stranger-1", "statistics-1", "inspector-1"])
async def test_access_is_asked_for_by_an_office_of_the_division(person):
    with pytest.raises(NotPermitted):
        await InTheCounty().tell(asked(), person)


async def test_a_file_that_is_not_in_the_village_is_not_asked_for():
    registry = InTheCounty()
    child = a_registration()
    await registry.tell(child, "director-1")
    await registry.tell(asked(a_request(child=child.child)), "leader-1")
    elsewhere = a_request(child=child.child, division=NEXT_VILLAGE)
    with pytest.raises(NotOnFile):
        await registry.tell(asked(elsewhere), "leader-1")


@pytest.mark.parametrize("person", ["cadre-1", "neighbour-1", "supervisor-1", "leader-1", "city-1"])
async def test_whoever_works_in_the_county_breaks_the_glass_of_a_village(person):
    registry = InTheCounty()
    glass = BreakTheGlass(glass=new_id("glass"), village=VILLAGE, reason=GlassReason.VIOLENCE)
    await registry.tell(glass, person)
    [broken] = await registry.events(glass.glass)
    assert (broken.person, broken.reason) == (person, GlassReason.VIOLENCE)


@pytest.mark.parametrize("person", ["stranger-1", "statistics-1", "officer-1", "office-1", "nobody-1"])
async def test_for_others_and_for_those_without_an_office_no_glass_breaks(person):
    glass = BreakTheGlass(glass=new_id("glass"), village=VILLAGE, reason=GlassReason.VIOLENCE)
    with pytest.raises(NotPermitted):
        await InTheCounty().tell(glass, person)
