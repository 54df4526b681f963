"""registry's events on a household's file (一户一档, domain 3.1, 4.1) beyond its opening, and what the file holds.

What is told of its people, means and home is one sealed value, so that the clear part does not even tell which of its
fields were filled in.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import StringConstraints

from shared.contracts.child_file import Kilometres
from shared.contracts.event import Event, Fact
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import (
    Allowance,
    ChildId,
    HouseholdId,
    HouseholdPoverty,
    HouseholdRelation,
    IncomeSource,
    Name,
    NodeCode,
    Phone,
    Text,
)

HukouBookNumber = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z-]{1,20}$")]
"""户口簿号: numbered by each province in its own way."""


class HouseholdMember(Fact):
    """Somebody who belongs to the household, with the relation to its head."""

    name: Name
    relation: HouseholdRelation
    phone: Phone | None = None


class HouseholdDetails(Fact):
    """Whatever of it was told. ``without_members`` says why nobody is named; ``distance_to_school`` in kilometres."""

    members: tuple[HouseholdMember, ...] | None = None
    without_members: Text | None = None
    hukou_book_number: HukouBookNumber | None = None
    allowances: tuple[Allowance, ...] | None = None
    income_sources: tuple[IncomeSource, ...] | None = None
    housing: Text | None = None
    distance_to_school: Kilometres | None = None


class HouseholdFileUpdated(Event):
    """What was told takes the place of what the file held; a field that is missing stays as it was."""

    subject: ClassVar[str | None] = "household"

    household: HouseholdId
    head: Personal[Name] | None = None
    address: Personal[Text] | None = None
    phone: Personal[Phone] | None = None
    group: NodeCode | None = None
    poverty: Counted[HouseholdPoverty] | None = None
    details: Personal[HouseholdDetails] | None = None


class ChildJoinedHousehold(Event):
    """A further child of a household was registered."""

    household: HouseholdId
    child: ChildId
