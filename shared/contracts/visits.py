"""visits' events on who was seen (domain 3.2, 4.2): visits, attempts, amendments, and their check."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints, field_validator

from shared.contracts.child_file import Schooling
from shared.contracts.event import Event, Fact
from shared.contracts.registry import CareSituation, ParentsSituation
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import (
    AmendReason,
    ChildId,
    Danger,
    Day,
    HouseholdId,
    PersonId,
    Present,
    ReturnReason,
    Text,
    VerifyMethod,
    VillageCode,
    VisitDoubt,
    VisitId,
    VisitKind,
    VisitPurpose,
)

Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
FormName = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2,16}-[0-9]{1,4}$")]
"""A form and its version, such as ``HOME-1``."""
Answer = bool | int | Annotated[str, Field(max_length=200)] | tuple[Code, ...]
"""To a question of yes or no, of a number, of one choice, of several ticks."""


class ParentsContact(Fact):
    """When a parent was last heard of, and how: 亲情电话 and the like."""

    last_on: Day
    channel: Text | None = None


class Location(Fact):
    """Where a visit was entered, to three decimals (about 100 m), with the system the phone gave (domain 3.0)."""

    longitude: float = Field(ge=73, le=136)
    latitude: float = Field(ge=3, le=54)
    system: Annotated[str, StringConstraints(pattern=r"^(GCJ-02|WGS-84|CGCS2000)$")] = "GCJ-02"

    @field_validator("longitude", "latitude")
    @classmethod
    def coarse(cls, degrees: float) -> float:
        return round(degrees, 3)


class ChildFinding(Fact):
    """What was found for one child: the three blocks (S24) as free lines, the answers to the visit's form, and what was
    found to be otherwise than the file says."""

    subject: ClassVar[str | None] = "child"

    child: ChildId
    life: Personal[Text] | None = None
    learning: Personal[Text] | None = None
    psychology: Personal[Text] | None = None
    care_found: CareSituation | None = None
    answers: Personal[Mapping[Code, Answer]] | None = None
    met: Personal[tuple[Present, ...]] | None = None
    dangers: Counted[tuple[Danger, ...]] | None = None
    parents_contact: Personal[ParentsContact] | None = None
    actions: Personal[Text] | None = None
    wishes: Personal[Text] | None = None
    parents_found: ParentsSituation | None = None
    schooling_found: Personal[Schooling] | None = None
    location: Personal[Location] | None = None


class VisitLogged(Event):
    """One visit, with an answer for each child (domain 3.2). How late it was told follows from ``recorded_at``.

    ``visitors`` are all who were there. ``doubts`` say why it waits for review: a device told of it when something had
    changed meanwhile.
    """

    schema_version: ClassVar[int] = 2

    visit: VisitId
    household: HouseholdId
    village: VillageCode
    kind: VisitKind
    purposes: tuple[VisitPurpose, ...]
    visited_on: Day
    findings: tuple[ChildFinding, ...]
    on_stale_standing: bool = False
    form: FormName | None = None
    next_on: Day | None = None
    visitors: tuple[PersonId, ...] = ()
    doubts: tuple[VisitDoubt, ...] = ()


class VisitAttempted(Event):
    """Somebody went, and nobody was at home: what is due stays due."""

    visit: VisitId
    household: HouseholdId
    village: VillageCode
    children: tuple[ChildId, ...]
    attempted_on: Day
    next_on: Day | None = None


class VisitAmended(Event):
    """What was found for one child, told anew; ``number`` counts a visit's amendments from 1."""

    visit: VisitId
    number: int
    finding: ChildFinding
    reason: AmendReason
    amended_by: PersonId


class VisitVerified(Event):
    """A supervisor who was not there has asked, by telephone or at the door: the visit took place."""

    visit: VisitId
    verified_by: PersonId
    method: VerifyMethod


class VisitReturned(Event):
    """Back to the visitor: something in it is to be put right."""

    visit: VisitId
    village: VillageCode
    visitors: tuple[PersonId, ...]
    returned_by: PersonId
    reason: ReturnReason
