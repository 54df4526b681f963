"""The rules of a posting's members, first secretary and leader, of its rotation, and of duties."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from services.registry.domain import duty, posting
from services.registry.domain.duty import (
    DUTY,
    DutyAlreadyNamed,
    DutyAlreadyRelieved,
    DutyOfAnotherLevel,
    NameDutyHolder,
    RelievedBeforeNamed,
    RelieveDutyHolder,
    SchoolOfNoContact,
)
from services.registry.domain.posting import (
    FOLLOWED,
    POSTING,
    AlreadyInThePosting,
    AppointFirstSecretary,
    ChangeGroupLeader,
    EndsInTheFuture,
    FirstSecretaryInPlace,
    JoinPosting,
    LeadsAlready,
    LeavePosting,
    NoFirstSecretary,
    NotInThePosting,
    OutsideThePosting,
    PostingAlreadyBegun,
    PostingAlreadyWithdrawn,
    PostingStandsElsewhere,
    RelieveFirstSecretary,
    RotateWorkingGroup,
    WithdrawWorkingGroup,
)
from shared.commands.command import NotOnFile
from shared.contracts.registry import PostedPerson, WorkingGroupPosted, WorkingGroupWithdrawn
from shared.contracts.roster import (
    DutyHolderNamed,
    DutyHolderRelieved,
    FirstSecretaryAppointed,
    FirstSecretaryRelieved,
    GroupLeaderChanged,
    PostingMemberJoined,
    PostingMemberLeft,
)
from shared.contracts.values import Duty, PostingLevel, PostingOffice, ReliefReason, WithdrawalReason
from shared.eventlog.placement import new_id
from tests.support.builders import VILLAGE
from tests.support.specification import given

TOWNSHIP, COUNTY = "520303105", "520303"
STARTS, LATER, TODAY = date(2026, 3, 1), date(2026, 5, 1), date(2026, 8, 14)
TOLD = datetime(2026, 8, 14, 2, tzinfo=UTC)
TOMORROW = date(2026, 8, 15)

GROUP = new_id("posting")
POSTED = WorkingGroupPosted(
    posting=GROUP, village=VILLAGE, level=PostingLevel.COUNTY, unit="县直帮扶单位", starts=STARTS, leader="leader-1"
)
JOINED = PostingMemberJoined(posting=GROUP, village=VILLAGE, person="cadre-1", starts=LATER)
LEFT = PostingMemberLeft(posting=GROUP, village=VILLAGE, person="cadre-1", starts=LATER, ends=TODAY)
APPOINTED = FirstSecretaryAppointed(posting=GROUP, village=VILLAGE, person="secretary-1", starts=LATER)
RELIEVED = FirstSecretaryRelieved(posting=GROUP, village=VILLAGE, person="secretary-1", since=LATER, ends=TODAY)
LED = GroupLeaderChanged(
    posting=GROUP,
    village=VILLAGE,
    leader="leader-2",
    starts=TODAY,
    former=PostedPerson(person="leader-1", office=PostingOffice.GROUP_LEADER),
)
WITHDRAWN = WorkingGroupWithdrawn(
    posting=GROUP,
    village=VILLAGE,
    ends=TODAY,
    reason=WithdrawalReason.TASK_DONE,
    leaving=(
        PostedPerson(person="leader-1", office=PostingOffice.GROUP_LEADER),
        PostedPerson(person="cadre-1", office=PostingOffice.POSTED_CADRE, since=LATER),
        PostedPerson(person="secretary-1", office=PostingOffice.FIRST_SECRETARY, since=LATER),
    ),
)

JOIN = JoinPosting(posting=GROUP, person="cadre-1", starts=LATER)
LEAVE = LeavePosting(posting=GROUP, person="cadre-1", ends=TODAY)
APPOINT = AppointFirstSecretary(posting=GROUP, person="secretary-1", starts=LATER)
RELIEVE = RelieveFirstSecretary(occurred_at=TOLD, posting=GROUP, ends=TODAY)
LEAD = ChangeGroupLeader(occurred_at=TOLD, posting=GROUP, leader="leader-2", starts=TODAY)
WITHDRAW = WithdrawWorkingGroup(occurred_at=TOLD, posting=GROUP, ends=TODAY, reason=WithdrawalReason.TASK_DONE)
ROTATE = RotateWorkingGroup(
    occurred_at=TOLD,
    posting=new_id("posting", beside=GROUP),
    follows=GROUP,
    village=VILLAGE,
    level=PostingLevel.CITY,
    unit="市直帮扶单位",
    starts=TODAY,
    leader="leader-1",
    first_secretary="secretary-2",
)
FOLLOWING = WorkingGroupPosted(**ROTATE.model_dump(exclude={"occurred_at", "follows"}))

DIRECT = NameDutyHolder(
    duty=new_id("duty"), person="director-1", role=Duty.CHILD_DIRECTOR, division=VILLAGE, starts=STARTS
)
NAMED = DutyHolderNamed(**DIRECT.model_dump(exclude={"occurred_at"}))
DISMISS = RelieveDutyHolder(occurred_at=TOLD, duty=DIRECT.duty, ends=TODAY, reason=ReliefReason.TRANSFERRED)
DISMISSED = DutyHolderRelieved(
    duty=DIRECT.duty,
    person="director-1",
    role=Duty.CHILD_DIRECTOR,
    division=VILLAGE,
    ends=TODAY,
    reason=ReliefReason.TRANSFERRED,
)


def test_a_member_joins_a_posting_and_leaves_it():
    given(POSTING, POSTED).when(JOIN).then(JOINED)
    given(POSTING, POSTED, JOINED).when(LEAVE).then(LEFT)
    given(POSTING, POSTED, JOINED, LEFT).when(JOIN).then(JOINED)


@pytest.mark.parametrize("person", ["cadre-1", "leader-1"])
def test_who_is_in_a_posting_does_not_join_it_again(person):
    given(POSTING, POSTED, JOINED).when(JOIN.model_copy(update={"person": person})).then_refused(AlreadyInThePosting)


def test_nobody_joins_before_the_posting_begins_or_leaves_before_they_joined():
    before = date(2026, 2, 28)
    given(POSTING, POSTED).when(JOIN.model_copy(update={"starts": before})).then_refused(OutsideThePosting)
    given(POSTING, POSTED, JOINED).when(LEAVE.model_copy(update={"ends": STARTS})).then_refused(OutsideThePosting)
    given(POSTING, POSTED).when(APPOINT.model_copy(update={"starts": before})).then_refused(OutsideThePosting)
    given(POSTING, POSTED, APPOINTED).when(RELIEVE.model_copy(update={"ends": STARTS})).then_refused(OutsideThePosting)
    given(POSTING, POSTED).when(LEAD.model_copy(update={"starts": before})).then_refused(OutsideThePosting)


def test_only_a_member_leaves():
    given(POSTING, POSTED).when(LEAVE).then_refused(NotInThePosting)
    given(POSTING, POSTED).when(LEAVE.model_copy(update={"person": "leader-1"})).then_refused(NotInThePosting)


def test_a_member_may_be_known_to_leave_on_a_day_to_come():
    ahead = LEAVE.model_copy(update={"ends": TOMORROW})
    given(POSTING, POSTED, JOINED).when(ahead).then(LEFT.model_copy(update={"ends": TOMORROW}))


def test_a_first_secretary_is_appointed_and_relieved():
    given(POSTING, POSTED).when(APPOINT).then(APPOINTED)
    given(POSTING, POSTED, APPOINTED).when(APPOINT).then_refused(FirstSecretaryInPlace)
    given(POSTING, POSTED, APPOINTED).when(RELIEVE).then(RELIEVED)
    given(POSTING, POSTED).when(RELIEVE).then_refused(NoFirstSecretary)
    given(POSTING, POSTED, APPOINTED, RELIEVED).when(APPOINT).then(APPOINTED)


def test_a_first_secretary_who_came_with_the_posting_is_relieved_as_such():
    posted = POSTED.model_copy(update={"first_secretary": "secretary-1"})
    given(POSTING, posted).when(RELIEVE).then(RELIEVED.model_copy(update={"since": None}))


def test_another_leads_the_group_from_a_day_on():
    given(POSTING, POSTED).when(LEAD).then(LED)
    given(POSTING, POSTED, LED).when(LEAD).then_refused(LeadsAlready)
    leaderless = POSTED.model_copy(update={"leader": None})
    given(POSTING, leaderless).when(LEAD).then(LED.model_copy(update={"former": None}))


def test_all_who_are_in_a_posting_leave_with_it():
    given(POSTING, POSTED, JOINED, APPOINTED).when(WITHDRAW).then(WITHDRAWN)


def test_an_end_that_frees_a_place_is_told_once_it_has_come():
    given(POSTING, POSTED).when(WITHDRAW.model_copy(update={"ends": TOMORROW})).then_refused(EndsInTheFuture)
    given(POSTING, POSTED, APPOINTED).when(RELIEVE.model_copy(update={"ends": TOMORROW})).then_refused(EndsInTheFuture)
    given(POSTING, POSTED).when(LEAD.model_copy(update={"starts": TOMORROW})).then_refused(EndsInTheFuture)
    given(FOLLOWED, POSTED).when(ROTATE.model_copy(update={"starts": TOMORROW})).then_refused(EndsInTheFuture)
    given(DUTY, NAMED).when(DISMISS.model_copy(update={"ends": TOMORROW})).then_refused(EndsInTheFuture)


@pytest.mark.parametrize("command", [JOIN, LEAVE, APPOINT, RELIEVE, LEAD, WITHDRAW])
def test_nothing_happens_in_a_posting_that_is_over_or_unknown(command):
    given(POSTING, POSTED, WITHDRAWN).when(command).then_refused(PostingAlreadyWithdrawn)
    given(POSTING).when(command).then_refused(NotOnFile)


def test_a_group_is_rotated_in_one_step():
    ended = WITHDRAWN.model_copy(
        update={"reason": WithdrawalReason.ROTATED, "leaving": WITHDRAWN.leaving[:1], "ends": TODAY}
    )
    given(POSTING).when(ROTATE).then(FOLLOWING)
    given(FOLLOWED, POSTED).when(ROTATE).then(ended)


def test_a_rotation_is_refused_where_there_is_nothing_to_follow():
    given(POSTING, FOLLOWING).when(ROTATE).then_refused(PostingAlreadyBegun)
    given(FOLLOWED).when(ROTATE).then_refused(NotOnFile)
    given(FOLLOWED, POSTED, WITHDRAWN).when(ROTATE).then_refused(PostingAlreadyWithdrawn)
    elsewhere = ROTATE.model_copy(update={"village": "520303105202"})
    given(FOLLOWED, POSTED).when(elsewhere).then_refused(NotOnFile)
    apart = ROTATE.model_copy(update={"posting": f"{GROUP[:-4]}{(int(GROUP[-4:], 16) + 1) % 65536:04x}"})
    given(POSTING).when(apart).then_refused(PostingStandsElsewhere)


def test_one_person_leads_one_group_and_a_village_has_one_first_secretary():
    assert posting.claims([POSTED]).taken == {"group_leader/leader-1": GROUP}
    assert posting.claims([APPOINTED]).taken == {f"first_secretary/{VILLAGE}": GROUP}
    assert posting.claims([RELIEVED]).released == (f"first_secretary/{VILLAGE}",)
    assert posting.claims([LED]) == ({"group_leader/leader-2": GROUP}, ("group_leader/leader-1",))
    assert set(posting.claims([WITHDRAWN]).released) == {"group_leader/leader-1", f"first_secretary/{VILLAGE}"}
    assert posting.claims([JOINED, LEFT]) == ({}, ())


def test_a_duty_is_named_and_ended_once():
    given(DUTY).when(DIRECT).then(NAMED)
    given(DUTY, NAMED).when(DIRECT).then_refused(DutyAlreadyNamed)
    given(DUTY, NAMED).when(DISMISS).then(DISMISSED)
    given(DUTY, NAMED, DISMISSED).when(DISMISS).then_refused(DutyAlreadyRelieved)
    given(DUTY).when(DISMISS).then_refused(NotOnFile)
    given(DUTY, NAMED).when(DISMISS.model_copy(update={"ends": date(2026, 2, 28)})).then_refused(RelievedBeforeNamed)


@pytest.mark.parametrize(
    ("role", "division"),
    [
        (Duty.CHILD_DIRECTOR, TOWNSHIP),
        (Duty.CHILD_SUPERVISOR, VILLAGE),
        (Duty.CHILD_SUPERVISOR, COUNTY),
        (Duty.VILLAGE_CONTACT, TOWNSHIP),
        (Duty.SCHOOL_CONTACT, COUNTY),
    ],
)
def test_a_duty_belongs_to_its_own_level(role, division):
    named = DIRECT.model_copy(update={"role": role, "division": division})
    given(DUTY).when(named).then_refused(DutyOfAnotherLevel)


def test_a_school_contact_names_the_school_and_nobody_else_does():
    school = new_id("school")
    contact = DIRECT.model_copy(update={"role": Duty.SCHOOL_CONTACT, "school": school})
    given(DUTY).when(contact).then(NAMED.model_copy(update={"role": Duty.SCHOOL_CONTACT, "school": school}))
    given(DUTY).when(contact.model_copy(update={"school": None})).then_refused(SchoolOfNoContact)
    given(DUTY).when(DIRECT.model_copy(update={"school": school})).then_refused(SchoolOfNoContact)


def test_a_village_has_one_child_director_and_any_number_of_contacts():
    assert duty.claims([NAMED]).taken == {f"child_director/{VILLAGE}": DIRECT.duty}
    assert duty.claims([DISMISSED]).released == (f"child_director/{VILLAGE}",)
    contact = NAMED.model_copy(update={"role": Duty.VILLAGE_CONTACT})
    assert duty.claims([contact]) == ({}, ())
