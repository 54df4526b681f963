"""Rights, scope and days (domain 6.2)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

import services.pairing.service as pairing
import services.registry.duplicates.service as duplicates
import services.registry.service as registry
import services.reporting.domain as reporting
import services.visits.service as visits
from services.registry.held_places import PlaceLearning
from shared.contracts.values import Role
from shared.identity.access import ACTIONS, RIGHTS, Grant, Grants, NoRole, OutOfScope, permitting
from shared.web.problems import problem_of

COUNTY, TOWNSHIP, VILLAGE, OTHER = "529901", "529901001", "529901001001", "529902001001"
PATH = ("52", "5299", COUNTY, TOWNSHIP, VILLAGE)
STARTS, ENDS = date(2026, 3, 1), date(2026, 9, 1)


def a_grant(role: Role = Role.FIRST_SECRETARY, division: str = VILLAGE, ends: date | None = ENDS) -> Grant:
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
    assert set(RIGHTS) == set(Role)
    assert not RIGHTS[Role.SYSTEM]


@pytest.mark.parametrize(
    "role", [Role.LEADER, Role.STATISTICS_USER, Role.ORGANISATION_DEPARTMENT, Role.DATA_OFFICE, Role.WOMENS_FEDERATION]
)
def test_who_gets_counts_only_opens_no_file(role: Role) -> None:
    assert not RIGHTS[role] & {"list_children", "open_child_file"}


def test_nobody_who_asks_for_an_erasure_approves_one() -> None:
    assert not [role for role, rights in RIGHTS.items() if {"request_erasure", "approve_erasure"} <= rights]


def test_somebody_may_give_every_command_of_every_service() -> None:
    any_port: Any = None  # bound to no log: only the table is read
    tables = [
        duplicates.handlings(any_port, any_port),
        registry.handlings(any_port, any_port, any_port, any_port, PlaceLearning(any_port, any_port)),
        visits.handlings(any_port, any_port),
        pairing.handlings(any_port),
        reporting.handlings(),
    ]
    assert {handling.action for table in tables for handling in table} <= ACTIONS
