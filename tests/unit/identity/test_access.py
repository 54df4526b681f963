"""Rights, scope and days (domain 6.2)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import services.pairing.service as pairing
import services.registry.duplicates.service as duplicates
import services.registry.service as registry
import services.reporting.domain as reporting
import services.visits.service as visits
from services.registry.held_places import PlaceLearning
from services.registry.household_learning import HouseholdLearning
from services.registry.policies_in_force import PolicyLearning
from shared.commands.command import Handling
from shared.contracts.values import Access, Role
from shared.eventlog.placement import new_id
from shared.identity.access import (
    ACTIONS,
    RIGHTS,
    Grant,
    Grants,
    NoRole,
    NotPermitted,
    Office,
    OutOfScope,
    Place,
    anywhere_in_the_county,
    file_in,
    path_of,
    permitting,
)
from shared.identity.directory import MemoryDirectory
from shared.web.problems import problem_of

COUNTY, TOWNSHIP, VILLAGE, OTHER = "529901", "529901001", "529901001001", "529902001001"
PATH = ("52", "5299", COUNTY, TOWNSHIP, VILLAGE)
STARTS, ENDS = date(2026, 3, 1), date(2026, 9, 1)


def a_grant(role: Office = Role.FIRST_SECRETARY, division: str = VILLAGE, ends: date | None = ENDS) -> Grant:
    return Grant("person-0001", role, division, STARTS, ends, "posting")


def test_a_posted_cadre_may_log_visits_in_the_village_and_nowhere_else() -> None:
    grant = a_grant()
    assert permitting(Grants([grant]), "log_visit", PATH, date(2026, 5, 1)) == grant
    with pytest.raises(OutOfScope):
        permitting(Grants([grant]), "log_visit", ("52", "5299", "529902", OTHER), date(2026, 5, 1))


@pytest.mark.parametrize(
    ("today", "allowed"),
    [(date(2026, 2, 28), False), (STARTS, True), (date(2026, 8, 31), True), (ENDS, False)],
)
def test_access_begins_on_the_first_day_and_ends_on_the_day_the_posting_ends(today: date, allowed: bool) -> None:
    if allowed:
        assert permitting(Grants([a_grant()]), "log_visit", PATH, today)
    else:
        with pytest.raises(NoRole):
            permitting(Grants([a_grant()]), "log_visit", PATH, today)


def test_a_grant_reaches_all_below_its_division() -> None:
    assert permitting(Grants([a_grant(Role.COUNTY_CIVIL_AFFAIRS, COUNTY)]), "record_child", PATH, STARTS)
    with pytest.raises(OutOfScope):
        permitting(Grants([a_grant(Role.CHILD_DIRECTOR, VILLAGE)]), "record_child", PATH[:-1], STARTS)


def test_the_grant_nearest_to_the_division_is_the_one_acted_under() -> None:
    near, far = a_grant(Role.CHILD_DIRECTOR), a_grant(Role.CHILD_SUPERVISOR, TOWNSHIP)
    assert permitting(Grants([far, near]), "log_visit", PATH, STARTS) == near


def test_an_unknown_division_is_refused_like_any_other_outside() -> None:
    with pytest.raises(OutOfScope) as unknown:
        permitting(Grants([a_grant()]), "log_visit", None, STARTS)
    with pytest.raises(OutOfScope) as elsewhere:
        permitting(Grants([a_grant()]), "log_visit", ("52", OTHER), STARTS)
    assert problem_of(unknown.value) == problem_of(elsewhere.value)
    assert problem_of(unknown.value)["code"] == "out_of_scope"
    assert OTHER not in str(problem_of(elsewhere.value))


def test_without_a_fitting_role_it_does_not_matter_where() -> None:
    with pytest.raises(NoRole) as refused:
        permitting(Grants([a_grant(Role.LEADER, COUNTY)]), "open_child_file", PATH, STARTS)
    assert (problem_of(refused.value)["status"], problem_of(refused.value)["code"]) == (403, "no_role")


def test_every_role_has_its_rights_and_system_none() -> None:
    assert set(RIGHTS) == {*Role, *Access}
    assert not RIGHTS[Role.SYSTEM]


@pytest.mark.parametrize(
    "role", [Role.LEADER, Role.STATISTICS_USER, Role.ORGANISATION_DEPARTMENT, Role.DATA_OFFICE, Role.WOMENS_FEDERATION]
)
def test_who_gets_counts_only_opens_no_file(role: Role) -> None:
    assert not RIGHTS[role] & {"list_children", "open_child_file"}


def test_nobody_who_asks_for_an_erasure_approves_one() -> None:
    assert not [role for role, rights in RIGHTS.items() if {"request_erasure", "approve_erasure"} <= rights]


CHILD = new_id("child")
DIVISIONS = ("52", "5299", COUNTY, TOWNSHIP, VILLAGE, OTHER, file_in(VILLAGE, CHILD), file_in(OTHER, CHILD))
DAYS = st.dates(date(2026, 2, 1), date(2026, 10, 1))


@given(access=st.sampled_from(list(Access)), division=st.sampled_from(DIVISIONS), starts=DAYS, ends=DAYS, today=DAYS)
def test_a_grant_opens_a_file_exactly_on_its_days_and_in_its_division(
    access: Access, division: str, starts: date, ends: date, today: date
) -> None:
    grants = Grants([Grant("person-0001", access, division, starts, ends, "access")])
    path = path_of(Place(PATH), VILLAGE, CHILD)
    expected = starts <= today < ends and division in (*PATH, file_in(VILLAGE, CHILD))
    try:
        assert permitting(grants, "open_child_file", path, today) == grants[0]
    except NotPermitted:
        assert not expected
    else:
        assert expected


def test_a_grant_for_one_file_opens_no_other_and_lists_nobody() -> None:
    grants = Grants([a_grant(Access.SENSITIVE_DATA, file_in(VILLAGE, CHILD))])
    with pytest.raises(OutOfScope):
        permitting(grants, "open_child_file", path_of(Place(PATH), VILLAGE, new_id("child")), STARTS)
    with pytest.raises(OutOfScope):
        permitting(grants, "list_children", PATH, STARTS)


def test_access_for_a_time_reads_and_gives_no_command() -> None:
    reads = {"list_children", "open_child_file", "read_sensitive"}
    assert all(RIGHTS[access] <= reads for access in Access)
    assert {h.action for h in every_handling() if h.action in reads} == {"open_child_file"}
    opened = [h.command for h in every_handling() if h.action == "open_child_file"]
    assert opened == [reporting.OpenFile, reporting.OpenHousehold]


def test_sensitive_data_is_opened_by_name_only() -> None:
    assert "read_sensitive" not in RIGHTS[Access.PERSONAL_DATA]
    assert "read_sensitive" in RIGHTS[Access.SENSITIVE_DATA] & RIGHTS[Access.BROKEN_GLASS]


@pytest.mark.parametrize(
    ("division", "allowed"),
    [(VILLAGE, True), ("529901002", True), ("5299", True), (OTHER, False), ("529903", False)],
)
async def test_an_emergency_is_for_who_works_in_the_county_or_above_it(division: str, allowed: bool) -> None:
    directory = MemoryDirectory()
    for code, parent in [*zip(PATH, (None, *PATH), strict=False), ("529901002", COUNTY), ("529902", "5299")]:
        directory.add_division(code, parent)
    directory.add_division(OTHER, "529902")
    directory.add_grant("person-0001", Role.POSTED_CADRE, division, STARTS, ENDS)
    try:
        grant = await anywhere_in_the_county(directory, "person-0001", "break_glass", VILLAGE, STARTS)
    except OutOfScope:
        assert not allowed
    else:
        assert allowed
        assert grant.division == division
    with pytest.raises(NoRole):
        await anywhere_in_the_county(directory, "person-0001", "break_glass", VILLAGE, ENDS)
    with pytest.raises(OutOfScope):
        await anywhere_in_the_county(directory, "person-0001", "break_glass", "539901001001", STARTS)


def every_handling() -> list[Handling[Any]]:
    any_port: Any = None  # bound to no log: only the table is read
    places, policies = PlaceLearning(any_port, any_port), PolicyLearning(any_port, any_port, any_port, any_port)
    households = HouseholdLearning(*[any_port] * 4)
    return [
        *duplicates.handlings(any_port, any_port),
        *registry.handlings(any_port, any_port, any_port, any_port, places, households, policies),
        *visits.handlings(any_port, any_port),
        *pairing.handlings(any_port),
        *reporting.handlings(),
    ]


def test_somebody_may_give_every_command_of_every_service() -> None:
    assert {handling.action for handling in every_handling()} <= ACTIONS
