"""The rules of postings, roles and divisions."""

from datetime import UTC, date, datetime

import pytest
from pydantic import ValidationError

from services.registry.domain.division import DIVISION, DivisionAlreadyAdded, KnownAddition, division_stream
from services.registry.domain.posting import (
    POSTING,
    PostingAlreadyBegun,
    PostingAlreadyWithdrawn,
    PostWorkingGroup,
    WithdrawnBeforeItBegan,
    WithdrawWorkingGroup,
    claims,
)
from services.registry.domain.role import (
    OF_A_DUTY,
    OF_A_POSTING,
    ROLE,
    EndRole,
    GrantRole,
    RoleAlreadyEnded,
    RoleAlreadyGranted,
    RoleComesWithTheRoster,
    RoleIsNotGivenByHand,
)
from shared.commands.command import NotOnFile
from shared.contracts.registry import (
    DivisionAdded,
    PostedPerson,
    RoleEnded,
    RoleGranted,
    WorkingGroupPosted,
    WorkingGroupWithdrawn,
)
from shared.contracts.values import DivisionKind, PostingLevel, PostingOffice, Role, WithdrawalReason
from shared.eventlog.placement import new_id
from tests.support.builders import VILLAGE
from tests.support.specification import given

POST = PostWorkingGroup(
    posting=new_id("posting"),
    village=VILLAGE,
    level=PostingLevel.COUNTY,
    unit="县农业农村局",
    starts=date(2026, 3, 1),
    first_secretary="secretary-1",
)
POSTED = WorkingGroupPosted(**POST.model_dump(exclude={"occurred_at"}))
WITHDRAWN = WorkingGroupWithdrawn(
    posting=POST.posting,
    village=VILLAGE,
    ends=date(2026, 9, 1),
    reason=WithdrawalReason.TERM_ENDED,
    leaving=(PostedPerson(person="secretary-1", office=PostingOffice.FIRST_SECRETARY),),
)
WITHDRAW = WithdrawWorkingGroup(
    occurred_at=datetime(2026, 9, 1, 2, tzinfo=UTC),
    posting=POST.posting,
    ends=date(2026, 9, 1),
    reason=WithdrawalReason.TERM_ENDED,
)
GRANT = GrantRole(
    role_id=new_id("role"), person="clerk-1", role=Role.DATA_OFFICE, division="5203", starts=date(2026, 1, 1)
)
GRANTED = RoleGranted(**GRANT.model_dump(exclude={"occurred_at"}))


def test_a_posting_begins_and_ends_once():
    given(POSTING).when(POST).then(POSTED)
    given(POSTING, POSTED).when(POST).then_refused(PostingAlreadyBegun)
    given(POSTING, POSTED).when(WITHDRAW).then(WITHDRAWN)
    given(POSTING, POSTED, WITHDRAWN).when(WITHDRAW).then_refused(PostingAlreadyWithdrawn)
    given(POSTING).when(WITHDRAW).then_refused(NotOnFile)


def test_a_posting_does_not_end_before_it_began():
    early = WITHDRAW.model_copy(update={"ends": date(2026, 2, 28)})
    given(POSTING, POSTED).when(early).then_refused(WithdrawnBeforeItBegan)


def test_a_village_has_one_first_secretary_at_a_time():
    assert claims([POSTED]).taken == {f"first_secretary/{VILLAGE}": POST.posting}
    assert claims([WITHDRAWN]).released == (f"first_secretary/{VILLAGE}",)


def test_a_group_without_first_secretary_claims_nothing_and_gives_nothing_up():
    group = POSTED.model_copy(update={"first_secretary": None})
    gone = WITHDRAWN.model_copy(update={"leaving": ()})
    assert claims([group]).taken == {}
    assert claims([gone]).released == ()


def test_a_role_is_granted_and_ended_once():
    ended = RoleEnded(role_id=GRANT.role_id, person="clerk-1", ends=date(2026, 9, 1))
    end = EndRole(role_id=GRANT.role_id, ends=date(2026, 9, 1))
    given(ROLE).when(GRANT).then(GRANTED)
    given(ROLE, GRANTED).when(GRANT).then_refused(RoleAlreadyGranted)
    given(ROLE, GRANTED).when(end).then(ended)
    given(ROLE, GRANTED, ended).when(end).then_refused(RoleAlreadyEnded)
    given(ROLE).when(end).then_refused(NotOnFile)


def test_nobody_is_given_the_role_of_the_system():
    given(ROLE).when(GRANT.model_copy(update={"role": Role.SYSTEM})).then_refused(RoleIsNotGivenByHand)


@pytest.mark.parametrize("role", sorted(OF_A_POSTING | OF_A_DUTY))
def test_what_a_posting_or_a_duty_gives_is_not_granted_by_hand(role):
    given(ROLE).when(GRANT.model_copy(update={"role": role})).then_refused(RoleComesWithTheRoster)


def test_a_division_is_added_once_and_always_under_the_same_id():
    told = {"code": "5203", "name": "遵义市", "kind": DivisionKind.CITY, "parent": "52"}
    begins = date(2023, 6, 30)
    add = KnownAddition(**told, valid_from=begins, parent_kind="province", parent_since=begins)
    added = DivisionAdded(division=division_stream("5203"), **told, valid_from=begins)
    given(DIVISION).when(add).then(added)
    given(DIVISION, added).when(add).then_refused(DivisionAlreadyAdded)


@pytest.mark.parametrize(("command", "field"), [(GRANT, "person"), (POST, "leader"), (POST, "first_secretary")])
def test_a_person_is_told_by_id_and_not_by_name(command, field):
    with pytest.raises(ValidationError, match=field):
        type(command)(**command.model_dump() | {field: "李明"})
