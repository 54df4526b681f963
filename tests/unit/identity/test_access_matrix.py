"""Every office times every action, held to the table of domain 6.2 and to ``docs/access.md``."""

from __future__ import annotations

from typing import Final

import pytest

from deploy import access_table
from deploy.access_table import DEPARTURES, DESCRIBED, SCOPES, WITHHELD
from shared.contracts.values import Access, Role
from shared.identity.access import ACTIONS, RIGHTS

DOMAIN: Final = {
    Role.CHILD_DIRECTOR: {"counts": "r", "C1": "r", "C2": "rw", "C3": "rw", "C4": "w"},
    Role.FIRST_SECRETARY: {"counts": "r", "C1": "r", "C2": "rw", "C3": "r", "C4": "w"},
    Role.GROUP_LEADER: {"counts": "r", "C1": "r", "C2": "rw", "C3": "r", "C4": "w"},
    Role.POSTED_CADRE: {"counts": "r", "C1": "r", "C2": "rw", "C3": "r", "C4": "w"},
    Role.CHILD_SUPERVISOR: {"counts": "r", "C1": "rw", "C2": "rwa", "C3": "r"},
    Role.COUNTY_CIVIL_AFFAIRS: {"counts": "r", "C1": "rw", "C2": "ra", "C3": "ra", "C4": "rw"},
    Role.ORGANISATION_DEPARTMENT: {"counts": "r", "C1": "rw"},
    Role.WOMENS_FEDERATION: {"counts": "r", "C1": "r", "C2": "r"},
    Role.LEADER: {"counts": "r", "C1": "r"},
    Role.STATISTICS_USER: {"counts": "r", "C1": "r"},
    Role.DATA_PROTECTION_OFFICER: {"C1": "r"},
}
"""The table of domain 6.2: by field class what an office may read, write and approve; n is counts alone."""

LOG: Final = {
    "request_access": {
        Role.CHILD_SUPERVISOR,
        Role.COUNTY_CIVIL_AFFAIRS,
        Role.ORGANISATION_DEPARTMENT,
        Role.WOMENS_FEDERATION,
        Role.LEADER,
    },
    "break_glass": {*DOMAIN} - {Role.STATISTICS_USER, Role.DATA_PROTECTION_OFFICER},
    "end_access": {
        Role.CHILD_SUPERVISOR,
        Role.COUNTY_CIVIL_AFFAIRS,
        Role.ORGANISATION_DEPARTMENT,
        Role.WOMENS_FEDERATION,
        Role.LEADER,
        Role.DATA_PROTECTION_OFFICER,
    },
    "approve_access": {Role.COUNTY_CIVIL_AFFAIRS, Role.DATA_PROTECTION_OFFICER},
    "approve_erasure": {Role.DATA_PROTECTION_OFFICER},
    "receive_notices": {Role.CHILD_SUPERVISOR, Role.DATA_PROTECTION_OFFICER},
    "read_access_log": {Role.COUNTY_CIVIL_AFFAIRS, Role.DATA_PROTECTION_OFFICER},
}
"""What the rules of domain 6.2 say of access itself, office by office."""

OF_THE_MAP: Final = {"counts", "C1"}
READS_OF: Final = {"C1": {"read_roster"}, "C2": {"list_children", "open_child_file"}, "C3": {"read_sensitive"}}


def allowed(role: Role, name: str) -> bool:
    action = DESCRIBED[name]
    if action.field_class == "log":
        return role in LOG[name]
    return action.way[0] in DOMAIN[role].get(action.field_class, "")


def test_every_action_and_every_office_is_described() -> None:
    assert set(DESCRIBED) == ACTIONS, "describe the action in deploy/access_table.py"
    assert set(SCOPES) == set(RIGHTS) - {Role.SYSTEM}, "say in deploy/access_table.py where the office holds"
    assert set(DOMAIN) == set(Role) - {Role.SYSTEM, Role.DATA_OFFICE}, "put the line of domain 6.2 in here"


@pytest.mark.parametrize("action", sorted(DESCRIBED))
@pytest.mark.parametrize("role", sorted(DOMAIN))
def test_an_office_may_do_what_the_domain_allows_and_what_is_listed_beyond_it(role: Role, action: str) -> None:
    if action in RIGHTS[role]:
        assert allowed(role, action) == ((role, action) not in DEPARTURES)
    else:
        assert (role, action) not in DEPARTURES


@pytest.mark.parametrize("role", sorted(DOMAIN))
def test_what_an_office_may_read_is_given_or_listed_as_withheld(role: Role) -> None:
    expected = {name for of, names in READS_OF.items() if "r" in DOMAIN[role].get(of, "") for name in names}
    assert expected - RIGHTS[role] == {name for held_by, name in WITHHELD if held_by is role}


@pytest.mark.parametrize("name", sorted(LOG))
def test_who_asks_approves_and_reads_about_access_is_told_office_by_office(name: str) -> None:
    assert {role for role, rights in RIGHTS.items() if name in rights} == LOG[name]


def test_the_data_office_keeps_map_and_offices_and_sees_no_child() -> None:
    assert {DESCRIBED[action].field_class for action in RIGHTS[Role.DATA_OFFICE]} == OF_THE_MAP


@pytest.mark.parametrize("access", list(Access))
def test_access_for_a_time_is_for_reading_its_field_class(access: Access) -> None:
    classes = {"C2"} if access is Access.PERSONAL_DATA else {"C2", "C3"}
    assert {DESCRIBED[action].field_class for action in RIGHTS[access]} == classes
    assert {DESCRIBED[action].way for action in RIGHTS[access]} == {"read"}


def test_the_committed_table_is_what_the_code_says() -> None:
    assert access_table.FILE.read_text("utf-8") == access_table.text(), "write it again: python -m deploy.describe"
