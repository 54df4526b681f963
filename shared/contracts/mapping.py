"""registry's events of mapping campaigns (走访摸排): every door of every group of every village (domain 3.1, 4.1).

What was found at a door is sealed under the household; which doors there are, and which are done, stands in the clear.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from shared.contracts.adoption import OfficeCode
from shared.contracts.counting import RuleName
from shared.contracts.event import Event, Fact
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import (
    CampaignId,
    ChildId,
    ConfirmationMeans,
    Count,
    Day,
    Guardian,
    HouseholdId,
    MappingId,
    Name,
    PersonId,
    VillageCode,
)

GroupCode = Annotated[str, StringConstraints(pattern=r"^\d{12}-\d{1,3}$")]
"""A village group (村民组): the code of its village and the local number."""

DoorNumber = Annotated[str, StringConstraints(pattern=r"^\d{1,4}$")]
"""The village's own number of a household within its group."""

Tries = Annotated[int, Field(ge=1, le=50)]


class MappingResult(StrEnum):
    """What was found at a door; each of them is final."""

    NO_MINOR = "no_minor"
    MINORS_NOT_LEFT_BEHIND = "minors_not_left_behind"
    LEFT_BEHIND = "left_behind"
    ABSENT = "absent"
    REFUSED = "refused"
    VACANT = "vacant"


class Informant(StrEnum):
    """Whose word was taken about a household where nobody was met."""

    NEIGHBOUR = "neighbour"
    SCHOOL = "school"


class ReopeningReason(StrEnum):
    CHILD_FOUND = "child_found"
    HOUSEHOLD_FOUND = "household_found"
    RESULT_IN_ERROR = "result_in_error"
    OTHER = "other"


class MappingCampaignOpened(Event):
    """``division`` is its scope; ``rule`` says who is left behind, at ``as_of``."""

    campaign: CampaignId
    division: OfficeCode
    starts: Day
    ends: Day
    rule: RuleName
    as_of: Day


class MappingCampaignClosed(Event):
    """``closed_on`` is the last day on which a door could be mapped."""

    campaign: CampaignId
    closed_on: Day


class RosterHousehold(Fact):
    """A door. ``household`` is that of the file, or the id under which its file will be opened should there be one."""

    subject: ClassVar[str | None] = "household"

    household: HouseholdId
    number: DoorNumber
    head: Personal[Name] | None = None


class HouseholdRosterFixed(Event):
    """The doors of one village group, before they are mapped."""

    mapping: MappingId
    campaign: CampaignId
    village: VillageCode
    group: GroupCode
    households: tuple[RosterHousehold, ...]


class HouseholdAddedToRoster(Event):
    """A household turned up at the door that was on no roster."""

    mapping: MappingId
    group: GroupCode
    household: RosterHousehold


class VillageMappingStarted(Event):
    mapping: MappingId
    campaign: CampaignId
    village: VillageCode
    team: tuple[PersonId, ...]


class Confirmation(Fact):
    """Who has confirmed the form of a household, on which day and how."""

    by: Guardian
    on: Day
    means: ConfirmationMeans


class HouseholdMapped(Event):
    """What was found at one door on one day; ``children`` are the files of the minors that live there."""

    subject: ClassVar[str | None] = "household"

    mapping: MappingId
    household: HouseholdId
    mapped_on: Day
    result: Counted[MappingResult]
    tries: Counted[Tries]
    children: Counted[tuple[ChildId, ...]]
    word: Personal[Informant] | None = None
    confirmation: Personal[Confirmation] | None = None


class VillageMappingConcluded(Event):
    """Every door has a result. ``added`` of the households had been on no roster."""

    mapping: MappingId
    concluded_on: Day
    groups: Count
    households: Count
    added: Count


class VillageMappingReopened(Event):
    mapping: MappingId
    reopened_on: Day
    reason: ReopeningReason
