"""What the directory knows after registry's events, in whichever order and in whichever batches they come."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.contracts.access import AccessEnded, AccessGranted, GlassBroken
from shared.contracts.divisions import (
    DivisionRecoded,
    DivisionRenamed,
    DivisionsMerged,
    DivisionSplit,
    DivisionWithdrawn,
    SplitPart,
    VillageGroupAdded,
)
from shared.contracts.event import Event
from shared.contracts.registry import (
    DivisionAdded,
    PostedPerson,
    RoleEnded,
    RoleGranted,
    WorkingGroupPosted,
    WorkingGroupWithdrawn,
)
from shared.contracts.roster import (
    DutyHolderNamed,
    DutyHolderRelieved,
    FirstSecretaryAppointed,
    FirstSecretaryRelieved,
    GroupLeaderChanged,
    PostingMemberJoined,
    PostingMemberLeft,
)
from shared.contracts.values import (
    Access,
    AccessPurpose,
    DivisionKind,
    Duty,
    GlassReason,
    PostingLevel,
    PostingOffice,
    ReliefReason,
    Role,
    WithdrawalReason,
)
from shared.eventlog.placement import new_id
from shared.identity.access import file_in
from shared.identity.directory import DIVISIONS, GRANTS, DirectoryModel
from tests.support.workspace import Store, fold_all

COUNTY, TOWNSHIP, VILLAGE = "529901", "529901001", "529901001001"
KINDS = {2: DivisionKind.PROVINCE, 4: DivisionKind.CITY, 6: DivisionKind.COUNTY, 9: DivisionKind.TOWNSHIP}


def a_division(code: str, parent: str | None) -> DivisionAdded:
    kind = KINDS.get(len(code), DivisionKind.VILLAGE)
    return DivisionAdded(
        division=new_id("division"), code=code, name="测", kind=kind, parent=parent, valid_from=date(2023, 1, 1)
    )


TREE = [
    a_division("52", None),
    a_division("5299", "52"),
    a_division(COUNTY, "5299"),
    a_division(TOWNSHIP, COUNTY),
    a_division(VILLAGE, TOWNSHIP),
    a_division("529901001002", TOWNSHIP),
    a_division("529902", "5299"),
]


def a_posting(posting: str, leader: str | None = "person-0001", secretary: str | None = "person-0002") -> Event:
    return WorkingGroupPosted(
        posting=posting,
        village=VILLAGE,
        level=PostingLevel.CITY,
        unit="测单位",
        starts=date(2026, 3, 1),
        leader=leader,
        first_secretary=secretary,
    )


def a_withdrawal(posting: str) -> Event:
    return WorkingGroupWithdrawn(
        posting=posting, village=VILLAGE, ends=date(2026, 9, 1), reason=WithdrawalReason.ROTATED
    )


def a_role(role_id: str, ends: date | None = None) -> Event:
    return RoleGranted(
        role_id=role_id,
        person="person-0003",
        role=Role.CHILD_SUPERVISOR,
        division=TOWNSHIP,
        starts=date(2026, 1, 1),
        ends=ends,
    )


def an_end(role_id: str, ends: date) -> Event:
    return RoleEnded(role_id=role_id, person="person-0003", ends=ends)


P1, P2, R1, R2 = new_id("posting"), new_id("posting"), new_id("role"), new_id("role")
P3, D1, D2 = new_id("posting"), new_id("duty"), new_id("duty")
JOINED, ENDED = date(2026, 4, 1), date(2026, 7, 1)
ROSTER: list[Event] = [
    a_posting(P3, secretary=None),
    PostingMemberJoined(posting=P3, village=VILLAGE, person="cadre", starts=JOINED),
    PostingMemberLeft(posting=P3, village=VILLAGE, person="cadre", starts=JOINED, ends=ENDED),
    FirstSecretaryAppointed(posting=P3, village=VILLAGE, person="first", starts=JOINED),
    FirstSecretaryRelieved(posting=P3, village=VILLAGE, person="first", since=JOINED, ends=ENDED),
    FirstSecretaryAppointed(posting=P3, village=VILLAGE, person="second", starts=ENDED),
    GroupLeaderChanged(
        posting=P3,
        village=VILLAGE,
        leader="new leader",
        starts=JOINED,
        former=PostedPerson(person="person-0001", office=PostingOffice.GROUP_LEADER),
    ),
]
T2, T3, T4, V2, NOW_ON = "529901002", "529901003", "529901004", "529901001002", date(2026, 8, 1)
MAP: list[Event] = [
    a_division(T2, COUNTY),
    a_division(T4, COUNTY),
    VillageGroupAdded(
        division=new_id("division"), code=f"{VILLAGE}-1", village=VILLAGE, number="1", name="一组", valid_from=NOW_ON
    ),
    DivisionRenamed(division=new_id("division"), code=T2, name="新", valid_from=NOW_ON),
    DivisionRecoded(
        division=new_id("division"),
        code=T3,
        former=(T2,),
        name="新",
        kind=DivisionKind.TOWNSHIP,
        parent=COUNTY,
        valid_from=NOW_ON,
    ),
    DivisionSplit(
        division=new_id("division"),
        code=TOWNSHIP,
        parts=(SplitPart(code=T3, children=(VILLAGE, V2)), SplitPart(code=T4)),
        valid_from=NOW_ON,
    ),
    DivisionsMerged(division=new_id("division"), code=VILLAGE, merged=(V2,), valid_from=NOW_ON),
    DivisionWithdrawn(division=new_id("division"), code="529902", successors=(COUNTY,), valid_to=NOW_ON),
]
WHOLE_GROUP_ENDS = WorkingGroupWithdrawn(
    posting=P3,
    village=VILLAGE,
    ends=date(2026, 9, 1),
    reason=WithdrawalReason.TERM_ENDED,
    leaving=(
        PostedPerson(person="second", office=PostingOffice.FIRST_SECRETARY, since=ENDED),
        PostedPerson(person="new leader", office=PostingOffice.GROUP_LEADER, since=JOINED),
    ),
)


def a_duty(duty: str, role: Duty = Duty.CHILD_DIRECTOR, division: str = VILLAGE) -> DutyHolderNamed:
    return DutyHolderNamed(duty=duty, person="person-0004", role=role, division=division, starts=JOINED)


def a_relief(duty: str, role: Duty = Duty.CHILD_DIRECTOR, division: str = VILLAGE) -> DutyHolderRelieved:
    return DutyHolderRelieved(
        duty=duty, person="person-0004", role=role, division=division, ends=ENDED, reason=ReliefReason.RESIGNED
    )


HISTORY: list[Event] = [
    *TREE,
    a_posting(P1),
    a_withdrawal(P1),
    a_posting(P2, leader=None),
    a_withdrawal(P2),
    a_role(R1, ends=date(2026, 12, 1)),
    an_end(R1, date(2026, 6, 1)),
    a_role(R2),
    *ROSTER,
    *MAP,
    WHOLE_GROUP_ENDS,
    a_duty(D1),
    a_relief(D1),
    a_duty(D2, Duty.CHILD_SUPERVISOR, TOWNSHIP),
]


def _folded(*batches: Sequence[Event]) -> Store:
    return asyncio.run(fold_all(DirectoryModel(), batches))


@settings(max_examples=150, deadline=None)
@given(order=st.permutations(HISTORY), seed=st.integers(0, 10_000))
def test_the_directory_is_the_same_in_whichever_order_the_events_come(order: list[Event], seed: int) -> None:
    chance = random.Random(seed)
    cuts = sorted(chance.sample(range(len(order) + 1), chance.randint(0, 5)))
    batches = [order[a:b] for a, b in zip([0, *cuts], [*cuts, len(order)], strict=True)]
    assert _folded(*batches) == _folded(HISTORY)


def test_a_village_has_no_path_until_its_ancestors_have_arrived() -> None:
    lower, upper = TREE[3:5], TREE[:3]
    assert _folded(lower)[DIVISIONS][VILLAGE]["path"] is None
    assert _folded(lower, upper)[DIVISIONS][VILLAGE]["path"] == ["52", "5299", COUNTY, TOWNSHIP, VILLAGE]


def test_a_map_that_changed_holds_each_code_where_it_stands_now() -> None:
    nodes = _folded(TREE, MAP)[DIVISIONS]
    assert nodes[VILLAGE]["path"] == ["52", "5299", COUNTY, T2, T3, VILLAGE]
    assert nodes[V2]["path"] == ["52", "5299", COUNTY, T2, T3, VILLAGE, V2]
    assert nodes[f"{VILLAGE}-1"]["path"] == [*nodes[VILLAGE]["path"], f"{VILLAGE}-1"]
    assert nodes[T2]["path"] == nodes[T3]["path"]
    assert (nodes[T2]["name"], nodes[T3]["name"]) == ("新", "新")
    assert nodes["529902"]["ends"] == ["2026-08-01", "withdrawn", [COUNTY]]


def test_a_posting_gives_the_leader_and_the_first_secretary_their_roles_until_it_ends() -> None:
    grants = _folded([a_posting(P1)], [a_withdrawal(P1)])[GRANTS]
    found = {(g["person"], g["role"], g["division"], g["starts"], g["ends"], g["source"]) for g in grants.values()}
    assert found == {
        ("person-0001", "group_leader", VILLAGE, "2026-03-01", "2026-09-01", P1),
        ("person-0002", "first_secretary", VILLAGE, "2026-03-01", "2026-09-01", P1),
    }


def test_a_posting_without_a_leader_gives_nobody_that_role() -> None:
    grants = _folded([a_posting(P1, leader=None)])[GRANTS]
    assert [g["role"] for g in grants.values() if g["person"]] == ["first_secretary"]


@pytest.mark.parametrize(
    ("granted_until", "ended_on", "ends"),
    [
        (None, date(2026, 6, 1), "2026-06-01"),
        (date(2026, 12, 1), date(2026, 6, 1), "2026-06-01"),
        (date(2026, 6, 1), date(2026, 12, 1), "2026-06-01"),
    ],
)
def test_a_role_ends_on_the_earliest_day_that_was_told(granted_until: date | None, ended_on: date, ends: str) -> None:
    [grant] = _folded([an_end(R1, ended_on)], [a_role(R1, granted_until)])[GRANTS].values()
    assert (grant["person"], grant["ends"]) == ("person-0003", ends)


def test_who_joins_a_posting_has_rights_from_their_day_to_before_their_last() -> None:
    grants = _folded(ROSTER, [WHOLE_GROUP_ENDS])[GRANTS]
    held = {(g["person"], g["role"], g["starts"], g["ends"]) for g in grants.values() if g["person"]}
    assert held == {
        ("person-0001", "group_leader", "2026-03-01", "2026-04-01"),
        ("new leader", "group_leader", "2026-04-01", "2026-09-01"),
        ("cadre", "posted_cadre", "2026-04-01", "2026-07-01"),
        ("first", "first_secretary", "2026-04-01", "2026-07-01"),
        ("second", "first_secretary", "2026-07-01", "2026-09-01"),
    }
    assert {g["division"] for g in grants.values()} == {VILLAGE}


def test_a_duty_gives_its_role_until_it_ends() -> None:
    grants = _folded([a_duty(D1), a_duty(D2, Duty.CHILD_SUPERVISOR, TOWNSHIP)], [a_relief(D1)])[GRANTS]
    held = {(g["role"], g["division"], g["starts"], g["ends"], g["source"]) for g in grants.values()}
    assert held == {
        ("child_director", VILLAGE, "2026-04-01", "2026-07-01", D1),
        ("child_supervisor", TOWNSHIP, "2026-04-01", None, D2),
    }


def test_a_contact_is_on_the_roster() -> None:
    role = Duty.SCHOOL_CONTACT
    [holding] = _folded([a_duty(D1, role)], [a_relief(D1, role)])[GRANTS].values()
    assert (holding["role"], holding["person"], holding["ends"]) == ("school_contact", "person-0004", "2026-07-01")


A1, G1, CHILD = new_id("access"), new_id("glass"), new_id("child")
TOLD = date(2026, 8, 14)
"""The day on which every event of these histories is recorded."""


def an_access(starts: date, ends: date, child: str | None = None) -> AccessGranted:
    return AccessGranted(
        access=A1,
        person="inspector",
        opens=Access.SENSITIVE_DATA,
        purpose=AccessPurpose.INSPECTION,
        division=VILLAGE,
        child=child,
        starts=starts,
        ends=ends,
        requested_by="leader",
        approved_by="county",
    )


@pytest.mark.parametrize("child", [None, CHILD], ids=["division", "file"])
def test_access_for_a_time_is_a_grant_of_a_division_or_of_one_file(child: str | None) -> None:
    ended = AccessEnded(access=A1, person="inspector", ends=date(2026, 8, 16))
    granted = an_access(TOLD, date(2026, 8, 20), child)
    for batches in ([granted], [ended]), ([ended], [granted]):
        [grant] = _folded(*batches)[GRANTS].values()
        assert (grant["person"], grant["role"]) == ("inspector", "access_c3")
        assert grant["division"] == (file_in(VILLAGE, CHILD) if child else VILLAGE)
        assert (grant["starts"], grant["ends"]) == ("2026-08-14", "2026-08-16")


def test_a_broken_glass_is_a_grant_of_who_broke_it() -> None:
    broken = GlassBroken(
        glass=G1,
        person="neighbour",
        village=VILLAGE,
        reason=GlassReason.MISSING,
        starts=TOLD,
        ends=date(2026, 8, 16),
    )
    [grant] = _folded([broken])[GRANTS].values()
    assert (grant["person"], grant["role"], grant["division"]) == ("neighbour", "broken_glass", VILLAGE)
    assert (grant["source"], grant["opened"], grant["shut"]) == (G1, "2026-08-14", "2026-08-16")


@pytest.mark.parametrize(
    ("starts", "ends", "opened", "shut"),
    [
        (date(2026, 9, 1), date(2026, 10, 1), "2026-09-01", "2026-10-01"),
        (date(2026, 8, 1), date(2026, 8, 14), "2026-08-14", "2026-08-15"),
        (date(2026, 8, 1), date(2026, 8, 3), "2026-08-14", "2026-08-15"),
    ],
    ids=["told ahead", "ended today", "told late"],
)
def test_what_is_told_late_does_not_change_on_which_days_a_grant_let_in(
    starts: date, ends: date, opened: str, shut: str
) -> None:
    begun, ended = a_role(R1), an_end(R1, ends)
    for batches in ([begun.model_copy(update={"starts": starts})], [ended]), ([ended], [begun]):
        [grant] = _folded(*batches)[GRANTS].values()
        assert grant["shut"] == shut
    [grant] = _folded([begun.model_copy(update={"starts": starts})])[GRANTS].values()
    assert (grant["opened"], grant["shut"]) == (opened, None)
