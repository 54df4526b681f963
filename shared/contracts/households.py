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
    Day,
    HouseholdCloseReason,
    HouseholdId,
    HouseholdPoverty,
    HouseholdRelation,
    IncomeSource,
    Name,
    NodeCode,
    PersonId,
    Phone,
    Text,
    VillageCode,
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


class HouseholdMoveOffered(Event):
    """The household moves to another village, whose township has not taken it over yet."""

    subject: ClassVar[str | None] = "household"

    household: HouseholdId
    to_village: VillageCode
    reason: Personal[Text]


class HouseholdMoved(Event):
    """``moved_on`` is the first day at the new place, within the village or in another one.

    ``children`` are those the household knows when it leaves its village: they follow, each in a step of its own.
    """

    subject: ClassVar[str | None] = "household"

    household: HouseholdId
    from_village: VillageCode
    to_village: VillageCode
    moved_on: Day
    moved_by: PersonId
    group: NodeCode | None = None
    address: Personal[Text] | None = None
    children: tuple[ChildId, ...] = ()


class HouseholdFileClosed(Event):
    """The file's first day closed is ``closed_on``."""

    household: HouseholdId
    reason: HouseholdCloseReason
    closed_on: Day


class HouseholdFileReopened(Event):
    subject: ClassVar[str | None] = "household"

    household: HouseholdId
    reason: Personal[Text]
    reopened_on: Day


class HouseholdsMerged(Event):
    """Two files were one household's: this one ends, and work goes on under ``into``. Its children are named."""

    subject: ClassVar[str | None] = "household"

    household: HouseholdId
    into: HouseholdId
    children: tuple[ChildId, ...]
    merged_by: PersonId
    reason: Personal[Text]


class HouseholdMergeUndone(Event):
    """They were two households after all: this one goes on by itself, as it was before."""

    subject: ClassVar[str | None] = "household"

    household: HouseholdId
    into: HouseholdId
    undone_by: PersonId
    reason: Personal[Text]


class HouseholdTakenIn(Event):
    """The household that goes on after a merge has heard of it, and of the other one's children."""

    household: HouseholdId
    merged: HouseholdId
    children: tuple[ChildId, ...]


class HouseholdGivenBack(Event):
    """The household that went on has heard that the merge was undone."""

    household: HouseholdId
    merged: HouseholdId


class HouseholdErasureRequested(Event):
    subject: ClassVar[str | None] = "household"

    household: HouseholdId
    basis: Personal[Text]
    requested_by: PersonId


class HouseholdKeyDestroyed(Event):
    """Erasure took effect: the personal key of the household is gone for ever."""

    household: HouseholdId
    approved_by: PersonId
