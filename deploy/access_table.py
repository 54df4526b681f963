"""``docs/access.md``: who may do what where, read off the rights; written by ``python -m deploy.describe``.

Each action has its field class (domain 6.1) and its way, so that a test can hold the rights to the table of domain 6.2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, Literal, NamedTuple

from shared.contracts.values import Access, Role
from shared.identity.access import RIGHTS, Office

FILE: Final = Path(__file__).parents[1] / "docs" / "access.md"

FieldClass = Literal["counts", "C1", "C2", "C3", "C4", "log"]
Way = Literal["read", "write", "approve", "ask"]


class Action(NamedTuple):
    """``log`` is what is told of access itself; to ``ask`` changes nothing until somebody approves or hears of it."""

    field_class: FieldClass
    way: Way
    what: str


DESCRIBED: Final[Mapping[str, Action]] = {
    "read_figures": Action("counts", "read", "figures and their tables"),
    "read_work_log": Action("C1", "read", "days and leave of cadres in the village"),
    "read_roster": Action("C1", "read", "who holds which office"),
    "read_schools": Action("C1", "read", "schools"),
    "read_school_contact": Action("C2", "read", "a school's contact, with phone"),
    "list_children": Action("C2", "read", "lists of children, search by name"),
    "open_child_file": Action("C2", "read", "a child's file, for a purpose that is logged"),
    "read_closed_file": Action("C2", "read", "files that are closed"),
    "read_mapping_sheet": Action("C2", "read", "a village's doors with their results"),
    "learn_of_elsewhere": Action("C2", "read", "that a citizen number exists elsewhere, not where"),
    "read_sensitive": Action("C3", "read", "class C3 in an opened file"),
    "export_child_file": Action("C3", "read", "a copy of all that is held of a person, at somebody's request"),
    "export_full_numbers": Action("C3", "read", "citizen numbers in full in such a copy"),
    "record_village_profile": Action("C1", "write", "village profiles"),
    "register_school": Action("C1", "write", "schools"),
    "add_division": Action("C1", "write", "divisions"),
    "add_village_group": Action("C1", "write", "village groups"),
    "change_division": Action("C1", "write", "changes of the map"),
    "adopt_counting_rule": Action("C1", "write", "counting rules"),
    "adopt_policy": Action("C1", "write", "risk sheets, own fields, periods of keeping"),
    "adopt_visit_policy": Action("C1", "write", "how often children are visited"),
    "open_mapping_campaign": Action("C1", "write", "mapping campaigns"),
    "post_working_group": Action("C1", "write", "postings, never of oneself"),
    "name_duty_holder": Action("C1", "write", "duties, never one's own"),
    "grant_role": Action("C1", "write", "offices, never one's own"),
    "register_child": Action("C2", "write", "new files"),
    "record_child": Action("C2", "write", "parents, care, school, programmes"),
    "propose_change": Action("C2", "write", "proposals from what was found"),
    "submit_child_file": Action("C2", "write", "submission and half-yearly confirmation"),
    "close_child_file": Action("C2", "write", "closing and reopening"),
    "request_erasure": Action("C2", "write", "requests of erasure; files whose time has ended"),
    "keep_household": Action("C2", "write", "households' files"),
    "fix_household_roster": Action("C2", "write", "the doors of a village group"),
    "map_village": Action("C2", "write", "what was found at each door"),
    "reopen_village_mapping": Action("C2", "write", "a mapping that was concluded"),
    "record_mapping_gap": Action("C2", "write", "children that the mapping missed"),
    "match_register": Action("C2", "read", "another register, held against the files"),
    "record_consent": Action("C2", "write", "notices and consents"),
    "progress_help_plan": Action("C2", "write", "steps of a help plan"),
    "adopt_holiday_plan": Action("C2", "write", "a village's plan for the holidays"),
    "record_work_log": Action("C1", "write", "one's own days and leave"),
    "plan_visit": Action("C2", "write", "appointments"),
    "raise_concern": Action("C2", "write", "concerns"),
    "work_on_concern": Action("C2", "write", "progress, resolution, a step upwards"),
    "import_ledger": Action("C2", "write", "imports of ledgers"),
    "log_visit": Action("C2", "write", "visits"),
    "form_pair": Action("C2", "write", "pairs"),
    "keep_child_file": Action("C3", "write", "identity, health, welfare, key groups"),
    "keep_attachment": Action("C3", "write", "photos and signed forms"),
    "record_own_fields": Action("C3", "write", "a county's own fields"),
    "assess_risk": Action("C3", "write", "risk sheets"),
    "raise_protection_report": Action("C4", "write", "protection reports, and that the police were told"),
    "handle_protection_report": Action("C4", "write", "all steps after that, and reading those of the division"),
    "check_visit": Action("C2", "approve", "visits of others"),
    "assign_concern": Action("C2", "approve", "whose a concern is"),
    "verify_concern": Action("C2", "approve", "that a concern is settled"),
    "refer_concern": Action("C2", "approve", "concerns passed on to other bodies, and their answers"),
    "settle_mapping_gap": Action("C2", "approve", "what became of a gap of the mapping"),
    "assign_visits": Action("C2", "approve", "who visits which child"),
    "adopt_help_plan": Action("C2", "approve", "help plans"),
    "review_help_plan": Action("C2", "approve", "their review and end"),
    "merge_households": Action("C2", "approve", "two files of one household"),
    "review_child_file": Action("C2", "approve", "the township's review"),
    "return_child_file": Action("C2", "approve", "returns with a reason"),
    "verify_child_file": Action("C2", "approve", "the county's verification"),
    "decide_change": Action("C2", "approve", "proposals of others"),
    "review_duplicate": Action("C2", "approve", "suspected duplicates"),
    "transfer_child": Action("C2", "approve", "transfers"),
    "override_risk": Action("C3", "approve", "risk levels by hand, at another's request"),
    "request_access": Action("log", "ask", "access for a time, for oneself or another"),
    "break_glass": Action("log", "ask", "a broken glass, anywhere in the county"),
    "end_access": Action("log", "ask", "an early end of such access"),
    "approve_access": Action("log", "approve", "access for a time that others ask for"),
    "approve_erasure": Action("log", "approve", "erasures that others ask for"),
    "receive_notices": Action("log", "read", "notices of broken glasses"),
    "read_access_log": Action("log", "read", "who could see and who did see a file"),
}

SCOPES: Final[Mapping[Office, str]] = {
    Role.CHILD_DIRECTOR: "village",
    Role.FIRST_SECRETARY: "village, while posted",
    Role.GROUP_LEADER: "village, while posted",
    Role.POSTED_CADRE: "village, while posted",
    Role.CHILD_SUPERVISOR: "township",
    Role.COUNTY_CIVIL_AFFAIRS: "county",
    Role.ORGANISATION_DEPARTMENT: "county, city",
    Role.WOMENS_FEDERATION: "county",
    Role.LEADER: "township and above",
    Role.STATISTICS_USER: "any",
    Role.DATA_OFFICE: "any",
    Role.DATA_PROTECTION_OFFICER: "any",
    Access.PERSONAL_DATA: "division or one file, at most 14 days",
    Access.SENSITIVE_DATA: "division or one file, at most 14 days",
    Access.BROKEN_GLASS: "village or one file, that day and the next",
}

DEPARTURES: Final[Mapping[tuple[Role, str], str]] = {
    (Role.FIRST_SECRETARY, "record_village_profile"): "domain 4.1 lets the group tell the profile",
    (Role.GROUP_LEADER, "record_village_profile"): "the same",
    (Role.POSTED_CADRE, "record_village_profile"): "the same",
    (Role.CHILD_DIRECTOR, "record_village_profile"): "the director knows the village when no group is posted",
    (Role.CHILD_SUPERVISOR, "assess_risk"): "domain 4.1: director and reviewer assess",
    (Role.COUNTY_CIVIL_AFFAIRS, "register_child"): "the county imports ledgers (domain 4.1)",
    (Role.COUNTY_CIVIL_AFFAIRS, "import_ledger"): "the same",
    (Role.COUNTY_CIVIL_AFFAIRS, "record_child"): "what an import of the county tells of a child on file",
    (Role.COUNTY_CIVIL_AFFAIRS, "close_child_file"): "domain 4.1: director, then county",
    (Role.COUNTY_CIVIL_AFFAIRS, "request_erasure"): "closed files are the county's (domain 6.4)",
    (Role.COUNTY_CIVIL_AFFAIRS, "keep_child_file"): "domain 4.1: identity, health and marks by director or county",
    (Role.COUNTY_CIVIL_AFFAIRS, "keep_household"): "households come with the county's ledgers too",
    (Role.COUNTY_CIVIL_AFFAIRS, "reopen_village_mapping"): "a gap found by the county reopens a village",
    (Role.COUNTY_CIVIL_AFFAIRS, "record_consent"): "domain 4.1: consents are recorded where they are told",
    (Role.COUNTY_CIVIL_AFFAIRS, "keep_attachment"): "the same",
    (Role.CHILD_SUPERVISOR, "keep_attachment"): "the same",
    (Role.CHILD_SUPERVISOR, "record_own_fields"): "a county asks whom it likes to fill in its own fields",
    (Role.COUNTY_CIVIL_AFFAIRS, "record_own_fields"): "the same",
    (Role.COUNTY_CIVIL_AFFAIRS, "record_mapping_gap"): "the county matches registers",
    (Role.FIRST_SECRETARY, "record_work_log"): "domain 4.2: a cadre's own days",
    (Role.GROUP_LEADER, "record_work_log"): "the same",
    (Role.POSTED_CADRE, "record_work_log"): "the same",
    (Role.COUNTY_CIVIL_AFFAIRS, "progress_help_plan"): "a plan's owner may sit in the county",
    (Role.COUNTY_CIVIL_AFFAIRS, "plan_visit"): "the county may make an appointment for its villages",
    (Role.GROUP_LEADER, "assign_visits"): "the leader shares out the work of the group",
    (Role.COUNTY_CIVIL_AFFAIRS, "raise_concern"): "domain 4.2: visitor or owner; grave ones are the county's",
    (Role.COUNTY_CIVIL_AFFAIRS, "work_on_concern"): "the same",
    (Role.CHILD_SUPERVISOR, "raise_protection_report"): "domain 4.2: anyone on duty reports",
    (Role.DATA_PROTECTION_OFFICER, "export_child_file"): "a person's right to a copy (domain 6.3)",
    (Role.WOMENS_FEDERATION, "form_pair"): "domain 6.2: it does pairs",
}
"""Rights beyond the cells of domain 6.2, each with its reason; the data office has no line there at all."""

WITHHELD: Final[Mapping[tuple[Role, str], str]] = {
    (Role.FIRST_SECRETARY, "read_sensitive"): "which detail a visit needs is not told apart yet, so none is shown",
    (Role.GROUP_LEADER, "read_sensitive"): "the same",
    (Role.POSTED_CADRE, "read_sensitive"): "the same",
    (Role.WOMENS_FEDERATION, "list_children"): "children to be paired are no list of their own yet; access for a time",
    (Role.WOMENS_FEDERATION, "open_child_file"): "the same",
    (Role.DATA_PROTECTION_OFFICER, "read_roster"): "the access log names who held which office",
}
"""Reading that domain 6.2 would allow and that is not given."""

_HEAD: Final = """# Who may do what where

Written by `python -m deploy.describe` from `shared/identity/access.py`; a test holds it to the code, and the code to
the roles and field classes of the domain. An office holds in its division and all below it, from its first day to
before its last. What follows from a posting or a duty ends with it.

"""
_RULES: Final = """
## Beside the offices

- **For a time.** `RequestAccess` names the person, what is opened (C2, or C3 too), a purpose from a list, a division or
  one child's file, and the days. `ApproveAccess` is for another person than who asks and who gets it. Such access reads
  and commands nothing. It ends on its day by itself, at once by `EndAccess`, and for one file when the child moves.
- **In an emergency.** `BreakTheGlass` opens the files of a village, or one of them, to anybody who works in the county,
  for that day and the next. Child supervisor and data protection officer find it at once under `GET /notices`.
- **Who could, who did.** `GET /children/{child}/access?on=` tells of a day who held what opens the file, by where the
  child lived, who opened it and what for, and which glasses stood broken. The question is on record too.
- **Never.** Nobody gives an office to themselves. Searches, lists and look-ups hold what the scope holds; of what
  exists elsewhere the county alone learns, and only that a citizen number does.
"""


def text() -> str:
    return "".join([_HEAD, *_offices(), _RULES, *_actions(), *_differences()])


def _offices() -> Iterable[str]:
    yield "| Office | Scope | Reads | Writes and asks | Decides |\n|---|---|---|---|---|\n"
    for office, rights in RIGHTS.items():
        if rights:
            cells = (_names(rights, "read"), _names(rights, "write", "ask"), _names(rights, "approve"))
            yield f"| `{office.value}` | {SCOPES[office]} | {' | '.join(cells)} |\n"


def _names(rights: Iterable[str], *ways: Way) -> str:
    return ", ".join(f"`{name}`" for name, action in DESCRIBED.items() if name in rights and action.way in ways)


def _actions() -> Iterable[str]:
    yield "\n## Actions\n\n| Action | Class | What |\n|---|---|---|\n"
    for name, action in DESCRIBED.items():
        yield f"| `{name}` | {action.field_class} | {action.what} |\n"


def _differences() -> Iterable[str]:
    yield "\n## Where this departs from the domain's table of roles\n\n| Office | Action | Why |\n|---|---|---|\n"
    for (role, name), why in DEPARTURES.items():
        yield f"| `{role.value}` | `{name}` | {why} |\n"
    for (role, name), why in WITHHELD.items():
        yield f"| `{role.value}` | not `{name}` | {why} |\n"
