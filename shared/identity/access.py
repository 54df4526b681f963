"""Who may do what where (domain 6.2): rights are data, grants come from registry's events, and each has its days.

A grant is for a division and all below it. It is active from its first day to before its last, in China's days; so
access ends on the day a posting ends, and nobody edits a table.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import ClassVar, Final, NamedTuple, Protocol

from shared.contracts.refusal import Refusal
from shared.contracts.values import Role

_FIGURES: Final = frozenset({"read_figures"})
_CHILDREN: Final = _FIGURES | {"list_children", "open_child_file"}
_VILLAGE_WORK: Final = _CHILDREN | {"register_child", "record_child", "propose_change", "log_visit", "form_pair"}

RIGHTS: Final[Mapping[Role, frozenset[str]]] = {
    Role.CHILD_DIRECTOR: _VILLAGE_WORK
    | {"close_child_file", "request_erasure", "submit_child_file", "keep_child_file", "assess_risk"}
    | {"read_sensitive"},
    Role.FIRST_SECRETARY: _VILLAGE_WORK,
    Role.GROUP_LEADER: _VILLAGE_WORK,
    Role.POSTED_CADRE: _VILLAGE_WORK,
    Role.CHILD_SUPERVISOR: _CHILDREN
    | {"register_child", "record_child", "propose_change", "close_child_file", "log_visit", "request_erasure"}
    | {"review_child_file", "return_child_file", "decide_change", "transfer_child", "assess_risk"}
    | {"read_sensitive"},
    Role.COUNTY_CIVIL_AFFAIRS: _CHILDREN
    | {"register_child", "record_child", "close_child_file", "request_erasure", "post_working_group"}
    | {"verify_child_file", "return_child_file", "keep_child_file", "decide_change", "transfer_child"}
    | {"adopt_counting_rule", "override_risk", "read_sensitive"},
    Role.ORGANISATION_DEPARTMENT: _FIGURES | {"post_working_group"},
    Role.WOMENS_FEDERATION: _FIGURES | {"form_pair"},
    Role.LEADER: _FIGURES,
    Role.STATISTICS_USER: _FIGURES,
    Role.DATA_OFFICE: _FIGURES | {"add_division", "post_working_group", "grant_role", "adopt_counting_rule"},
    Role.DATA_PROTECTION_OFFICER: frozenset({"approve_erasure"}),
    # A service's own policies do not ask; no person holds this role.
    Role.SYSTEM: frozenset(),
}
"""What each role may do in its scope: the ``action`` of a command's handling, or of a query."""

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
    """A person holds a role for a division and all below it; ``source`` is the posting or grant it comes from."""

    person: str
    role: Role
    division: str
    starts: date
    ends: date | None
    source: str

    def active(self, today: date) -> bool:
        """``ends`` is the first day without it."""
        return self.starts <= today and (self.ends is None or today < self.ends)


class Directory(Protocol):
    """What is known of divisions and grants. Adapters: ``directory.MongoDirectory``, ``directory.MemoryDirectory``."""

    async def grants(self, person: str) -> list[Grant]:
        """All of them: past, present and to come."""

    async def path(self, division: str) -> tuple[str, ...] | None:
        """The codes from the root down to the division itself; None when it is not (yet) known up to its root."""

    async def paths(self, divisions: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        """The paths of those divisions that have one, by division."""

    async def authorise(self, person: str, action: str, division: str, today: date) -> Grant:
        """The grant by which the person may do it; ``today`` is the day in China. Raises NotPermitted."""


def permitting(grants: Iterable[Grant], action: str, path: tuple[str, ...] | None, today: date) -> Grant:
    """Of the grants that allow it, the one nearest to the division. Raises NoRole or OutOfScope.

    An unknown division is out of scope like any other: who asks learns nothing of what exists elsewhere.
    """
    able = [grant for grant in grants if action in RIGHTS[grant.role] and grant.active(today)]
    if not able:
        raise NoRole
    depth = {code: number for number, code in enumerate(path or ())}
    near = [grant for grant in able if grant.division in depth]
    if not near:
        raise OutOfScope
    return max(near, key=lambda grant: (depth[grant.division], grant.source))
