"""Who may do what where (domain 6.2): rights are data, grants come from registry's events, and each has its days.

A grant is for a division and all below it. It is active from its first day to before its last, in China's days; so
access ends on the day a posting ends, and nobody edits a table.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from functools import cached_property
from typing import ClassVar, Final, NamedTuple, Protocol

from shared.contracts.refusal import Refusal
from shared.contracts.values import Access, Role

_IN_EMERGENCIES: Final = frozenset({"break_glass"})
_ASKS: Final = frozenset({"request_access", "end_access"})
_APPROVES: Final = frozenset({"approve_access", "end_access"})
_FIGURES: Final = frozenset({"read_figures", "read_roster", "read_schools"})
_CHILDREN: Final = _FIGURES | {"list_children", "open_child_file", "read_school_contact"}
_MAPPING: Final = frozenset({"map_village", "reopen_village_mapping", "read_mapping_sheet"})
_VILLAGE_WORK: Final = (
    _CHILDREN
    | {"register_child", "record_child", "propose_change", "log_visit", "form_pair"}
    | {"record_village_profile"}
    | {"raise_concern", "work_on_concern", "raise_protection_report"}
    | {"keep_household"}
    | _MAPPING
    | _IN_EMERGENCIES
    | {"record_mapping_gap"}
    | {"progress_help_plan", "adopt_holiday_plan"}
    | {"plan_visit"}
)
_HELP: Final = frozenset({"adopt_help_plan", "progress_help_plan", "review_help_plan"})
_CONCERNS: Final = frozenset({"raise_concern", "work_on_concern", "assign_concern", "verify_concern", "refer_concern"})

_READ_C2: Final = frozenset({"list_children", "open_child_file"})
_READ_C3: Final = _READ_C2 | {"read_sensitive"}

Office = Role | Access
"""What a grant is of: a role, or access for a time."""

RIGHTS: Final[Mapping[Office, frozenset[str]]] = {
    Role.CHILD_DIRECTOR: _VILLAGE_WORK
    | {"close_child_file", "request_erasure", "submit_child_file", "keep_child_file", "assess_risk"}
    | {"read_sensitive"}
    | {"record_consent", "keep_attachment"}
    | {"record_own_fields"},
    Role.FIRST_SECRETARY: _VILLAGE_WORK | {"record_work_log"},
    Role.GROUP_LEADER: _VILLAGE_WORK | {"record_work_log", "assign_visits"},
    Role.POSTED_CADRE: _VILLAGE_WORK | {"record_work_log"},
    Role.CHILD_SUPERVISOR: _CHILDREN
    | {"keep_household", "merge_households"}
    | {"register_child", "record_child", "propose_change", "close_child_file", "log_visit", "request_erasure"}
    | {"review_duplicate", "import_ledger"}
    | {"record_mapping_gap", "settle_mapping_gap", "match_register"}
    | {"review_child_file", "return_child_file", "decide_change", "transfer_child", "assess_risk"}
    | {"read_sensitive"}
    | {"record_consent", "keep_attachment", "record_own_fields"}
    | _CONCERNS
    | {"check_visit", "raise_protection_report"}
    | {"fix_household_roster", "reopen_village_mapping", "read_mapping_sheet"}
    | _IN_EMERGENCIES
    | _ASKS
    | {"receive_notices"}
    | _HELP
    | {"adopt_holiday_plan", "read_work_log", "assign_visits", "plan_visit"},
    Role.COUNTY_CIVIL_AFFAIRS: _CHILDREN
    | {"keep_household", "merge_households"}
    | {"verify_child_file", "return_child_file", "keep_child_file", "decide_change", "transfer_child"}
    | {"adopt_counting_rule", "override_risk", "read_sensitive"}
    | {"review_duplicate", "learn_of_elsewhere", "import_ledger"}
    | {"record_consent", "keep_attachment", "export_child_file", "export_full_numbers"}
    | _CONCERNS
    | {"check_visit", "raise_protection_report", "handle_protection_report", "adopt_visit_policy"}
    | {"open_mapping_campaign", "reopen_village_mapping", "read_mapping_sheet"}
    | {"adopt_policy", "record_own_fields", "read_closed_file"}
    | {"record_mapping_gap", "settle_mapping_gap", "match_register"}
    | _HELP
    | {"read_work_log", "assign_visits", "plan_visit"}
    | {
        "register_child",
        "record_child",
        "close_child_file",
        "request_erasure",
        "post_working_group",
        "name_duty_holder",
        "register_school",
        "record_village_profile",
    }
    | _IN_EMERGENCIES
    | _ASKS
    | _APPROVES
    | {"read_access_log"},
    Role.ORGANISATION_DEPARTMENT: _FIGURES | {"post_working_group", "read_work_log"} | _IN_EMERGENCIES | _ASKS,
    Role.WOMENS_FEDERATION: _FIGURES | {"form_pair"} | _IN_EMERGENCIES | _ASKS,
    Role.LEADER: _FIGURES | _IN_EMERGENCIES | _ASKS,
    Role.STATISTICS_USER: _FIGURES,
    Role.DATA_OFFICE: _FIGURES
    | {"add_division", "add_village_group", "change_division", "post_working_group", "name_duty_holder", "grant_role"}
    | {"register_school", "adopt_counting_rule"}
    | {"adopt_policy"},
    Role.DATA_PROTECTION_OFFICER: frozenset({"approve_erasure", "export_child_file"})
    | _APPROVES
    | {"read_access_log", "receive_notices"},
    # A service's own policies do not ask; no person holds this role.
    Role.SYSTEM: frozenset(),
    # Access for a time reads, by field class (domain 6.1), and commands nothing.
    Access.PERSONAL_DATA: _READ_C2,
    Access.SENSITIVE_DATA: _READ_C3,
    Access.BROKEN_GLASS: _READ_C3,
}
"""What each office may do in its scope: the ``action`` of a command's handling, or of a query."""

COUNTY_DIGITS: Final = 6

VISITING: Final = "log_visit"
"""Who may do this in a village holds an office by which its children are visited, and may be given them."""

ACTIONS: Final = frozenset().union(*RIGHTS.values())


class NotPermitted(Refusal):
    """You may not do this."""

    status: ClassVar[int] = 403
    what_to_do: ClassVar[str] = "Ask the data office of your county which posting or role you hold."


class NoRole(NotPermitted):
    """You hold no role today that may do this."""


class OutOfScope(NotPermitted):
    """This lies outside the divisions that you hold a role for today."""

    what_to_do: ClassVar[str] = "Choose a division of your own, or ask those who work there."


class Grant(NamedTuple):
    """A person holds a role for a division and all below it; ``source`` is the posting or grant it comes from.

    One file alone is a division too: see ``file_in``.
    """

    person: str
    role: Office
    division: str
    starts: date
    ends: date | None
    source: str

    def active(self, today: date) -> bool:
        """``ends`` is the first day without it."""
        return self.starts <= today and (self.ends is None or today < self.ends)


class Grants(tuple[Grant, ...]):
    """All grants of one person. Somebody may hold an office in every village of a city: they are found by division."""

    @cached_property
    def by_division(self) -> Mapping[str, list[Grant]]:
        found: dict[str, list[Grant]] = {}
        for grant in self:
            found.setdefault(grant.division, []).append(grant)
        return found


class Ending(NamedTuple):
    """A division ended: ``on`` is the first day without it. Taken over: all that is told of it belongs to the one
    successor, under whose code work goes on."""

    on: date
    successors: tuple[str, ...]
    taken_over: bool


class Place(NamedTuple):
    """Where a division stands: the codes from the root down to it. A recoded one stands there under all its codes."""

    path: tuple[str, ...]
    ending: Ending | None = None


class Directory(Protocol):
    """What is known of divisions and grants. Adapters: ``directory.MongoDirectory``, ``directory.MemoryDirectory``."""

    async def grants(self, person: str) -> Grants:
        """All of them: past, present and to come."""

    async def places(self, divisions: Collection[str]) -> Mapping[str, Place]:
        """By division, those that are known up to their root; a division of which that is not (yet) so is left out."""

    async def authorise(self, person: str, action: str, division: str, today: date, child: str | None = None) -> Grant:
        """The grant by which the person may do it; ``today`` is the day in China. Raises NotPermitted.

        With ``child``, who lives in the division, it is about that one file, and a grant for it counts too.
        """


def file_in(division: str, child: str) -> str:
    """What a grant for one file names in place of a division. It ends when the child moves to another village."""
    return f"{division}/{child}"


def path_of(place: Place | None, division: str, child: str | None) -> tuple[str, ...] | None:
    """From the root down to the division, and to the child's file in it."""
    if place is None or child is None:
        return place and place.path
    return (*place.path, file_in(division, child))


async def anywhere_in_the_county(directory: Directory, person: str, action: str, division: str, today: date) -> Grant:
    """As ``authorise``, and a grant for any other division of the same county does too. Raises NotPermitted."""
    able = allowing(await directory.grants(person), action, today)
    places = await directory.places({division, *(grant.division for grant in able)})
    path = places[division].path if division in places else ()
    county = {code for code in path if len(code) == COUNTY_DIGITS}
    for grant in able:
        own = places.get(grant.division)
        if grant.division in path or (own is not None and county.intersection(own.path)):
            return grant
    raise OutOfScope if able else NoRole


async def permitted(
    directory: Directory, person: str, action: str, division: str, day: date, child: str | None = None
) -> bool:
    """Whether the person holds an office on that day by which it may be done there, or with that child's file."""
    try:
        await directory.authorise(person, action, division, day, child)
    except NotPermitted:
        return False
    return True


async def went_on_as(directory: Directory, division: str, day: date) -> str:
    """The code under which a division goes on at a day: its own, or that of what took it over until then."""
    while (place := (await directory.places([division])).get(division)) is not None:
        ending = place.ending
        if ending is None or not ending.taken_over or ending.on > day:
            break
        division = ending.successors[0]
    return division


def permitting(grants: Grants, action: str, path: tuple[str, ...] | None, today: date) -> Grant:
    """Of the grants that allow it, the one nearest to the division. Raises NoRole or OutOfScope.

    An unknown division is out of scope like any other: who asks learns nothing of what exists elsewhere.
    """
    for division in reversed(path or ()):
        if able := allowing(grants.by_division.get(division, ()), action, today):
            return max(able, key=lambda grant: grant.source)
    raise OutOfScope if allowing(grants, action, today) else NoRole


def allowing(grants: Iterable[Grant], action: str, today: date) -> list[Grant]:
    """Those by which it may be done on that day, wherever."""
    return [grant for grant in grants if action in RIGHTS[grant.role] and grant.active(today)]
