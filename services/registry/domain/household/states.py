"""The states of a household's file, what of it was told, and why a command finds it in the wrong state (domain 3.1)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from shared.contracts.households import HouseholdDetails
from shared.contracts.refusal import Refusal
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import HouseholdPoverty


class HouseholdAlreadyOnFile(Refusal):
    """This household is on file already."""

    what_to_do: ClassVar[str] = "Give a new household an id of its own, or update the file that there is."


@dataclass(frozen=True)
class NotOnRecord:
    pass


@dataclass(frozen=True, repr=False)
class OnFile:
    """What a file holds. ``children`` are those who were registered in this household, whatever became of them.

    It prints nothing: who belongs to the household stands in it as it is.
    """

    village: str
    head: Personal[str]
    address: Personal[str] | None = None
    phone: Personal[str] | None = None
    group: str | None = None
    poverty: Counted[HouseholdPoverty] | None = None
    details: HouseholdDetails = field(default_factory=HouseholdDetails)
    children: frozenset[str] = frozenset()


@dataclass(frozen=True, repr=False)
class Open(OnFile):
    pass


Household = NotOnRecord | Open


def village_of(household: Household) -> str | None:
    """The village a command on this household takes effect in."""
    return None if isinstance(household, NotOnRecord) else household.village
