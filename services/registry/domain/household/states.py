"""The states of a household's file, what of it was told, and why a command finds it in the wrong state (domain 3.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar

from shared.contracts.households import HouseholdDetails
from shared.contracts.refusal import Refusal
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import HouseholdPoverty


class HouseholdAlreadyOnFile(Refusal):
    """This household is on file already."""

    what_to_do: ClassVar[str] = "Give a new household an id of its own, or update the file that there is."


class HouseholdFileIsOpen(Refusal):
    """The household's file is open."""

    what_to_do: ClassVar[str] = "Nothing: it is open."


class HouseholdFileIsClosed(Refusal):
    """The household's file is closed."""

    what_to_do: ClassVar[str] = "Reopen the household's file first."


class HouseholdIsMerged(Refusal):
    """The household's file was merged into another one."""

    what_to_do: ClassVar[str] = "Send the command for the household that goes on, or have the merge undone."

    def __init__(self, into: str = "") -> None:
        super().__init__(f"the household goes on as {into}" if into else "")


class HouseholdIsErased(Refusal):
    """The household's file has been erased."""

    status: ClassVar[int] = 410
    what_to_do: ClassVar[str] = "Nothing can be recorded any more; open a new file if the household is to be on file."


@dataclass(frozen=True)
class NotOnRecord:
    pass


@dataclass(frozen=True, repr=False)
class OnFile:
    """What a file holds. ``children`` are those who were registered in this household, whatever became of them; a file
    that was opened by an event of version 1 does not know all of them.

    ``taken_in`` are the children of the files that were merged into this one, by file. ``since`` is the day it was
    opened or closed last. It prints nothing: who belongs to the household stands in it as it is.
    """

    village: str
    head: Personal[str]
    address: Personal[str] | None = None
    phone: Personal[str] | None = None
    group: str | None = None
    poverty: Counted[HouseholdPoverty] | None = None
    details: HouseholdDetails = field(default_factory=HouseholdDetails)
    children: frozenset[str] = frozenset()
    knows_children: bool = True
    taken_in: Mapping[str, frozenset[str]] = field(default_factory=dict)
    since: date = date.min
    offered_to: str | None = None
    erasure_requested_by: str | None = None

    @property
    def all_children(self) -> frozenset[str]:
        """Its own, and those of the files that were merged into it."""
        return self.children.union(*self.taken_in.values())


@dataclass(frozen=True, repr=False)
class Open(OnFile):
    pass


@dataclass(frozen=True, repr=False)
class Closed(OnFile):
    pass


@dataclass(frozen=True, repr=False)
class Merged(OnFile):
    into: str = ""


@dataclass(frozen=True)
class Erased:
    village: str


Household = NotOnRecord | Open | Closed | Merged | Erased


def village_of(household: Household) -> str | None:
    """The village a command on this household takes effect in."""
    return None if isinstance(household, NotOnRecord) else household.village


def offered_to(household: Household) -> str | None:
    """The village that a household was offered to."""
    return household.offered_to if isinstance(household, Open) else None


def children_of(household: Household) -> frozenset[str]:
    """The children whose files hang on this one."""
    return household.all_children if isinstance(household, OnFile) else frozenset()
