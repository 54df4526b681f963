"""registry's events: divisions, postings, roles, households, children (domain section 4.1)."""

from __future__ import annotations

from typing import ClassVar

from shared.contracts.event import Event, Fact
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import (
    BirthMonth,
    CareKind,
    CareQuality,
    ChildId,
    CitizenNumberStatus,
    CloseReason,
    Day,
    DivisionCode,
    DivisionId,
    DivisionKind,
    HouseholdId,
    HukouKind,
    IncapableReason,
    Name,
    ParentState,
    PersonId,
    Phone,
    PostingId,
    PostingLevel,
    ProposalId,
    Role,
    RoleId,
    Sex,
    Text,
    VillageCode,
    VisitId,
)


class DivisionAdded(Event):
    """A node of the division tree begins. ``parent`` is None only for the root of what was imported."""

    division: DivisionId
    code: DivisionCode
    name: str
    kind: DivisionKind
    parent: DivisionCode | None
    valid_from: Day


class WorkingGroupPosted(Event):
    """A working group or first secretary begins at a village; one posting is one stream."""

    posting: PostingId
    village: VillageCode
    level: PostingLevel
    unit: str
    starts: Day
    leader: PersonId | None = None
    first_secretary: PersonId | None = None


class WorkingGroupWithdrawn(Event):
    """``ends`` is the first day without the posting; ``first_secretary`` is who leaves with it."""

    posting: PostingId
    village: VillageCode
    ends: Day
    reason: str
    first_secretary: PersonId | None = None


class RoleGranted(Event):
    """An office that is neither posting nor duty, from its first day to before its last."""

    role_id: RoleId
    person: PersonId
    role: Role
    division: DivisionCode
    starts: Day
    ends: Day | None = None


class RoleEnded(Event):
    role_id: RoleId
    person: PersonId
    ends: Day


class HouseholdFileOpened(Event):
    subject: ClassVar[str | None] = "household"

    household: HouseholdId
    village: VillageCode
    head: Personal[Name]
    address: Personal[Text] | None = None
    phone: Personal[Phone] | None = None


class ParentDetails(Fact):
    """What is told of a parent beyond the state; ``lost_contact_since`` and ``last_contact`` are days."""

    birth_date: Day | None = None
    citizen_number: str | None = None
    incapable_reason: IncapableReason | None = None
    lost_contact_since: Day | None = None
    last_contact: Day | None = None
    work: Text | None = None
    wechat: bool | None = None


class ParentSituation(Fact):
    """One parent, since the day it holds from. ``away_place`` goes down to the city; ``across_county`` says whether
    that lies outside the home county."""

    state: Counted[ParentState]
    since: Counted[Day] | None = None
    name: Personal[Name] | None = None
    phone: Personal[Phone] | None = None
    away_place: Personal[Text] | None = None
    across_county: Counted[bool] | None = None
    details: Personal[ParentDetails] | None = None


class ParentsSituation(Fact):
    father: ParentSituation
    mother: ParentSituation


class CareSituation(Fact):
    kind: Counted[CareKind]
    living_alone: Counted[bool]
    caregiver: Personal[Name] | None = None
    caregiver_phone: Personal[Phone] | None = None
    note: Personal[Text] | None = None


class ChildRegistered(Event):
    """A child's file begins, with the situation found at the door."""

    schema_version: ClassVar[int] = 2
    subject: ClassVar[str | None] = "child"

    child: ChildId
    household: HouseholdId
    residence: VillageCode
    hukou: DivisionCode
    name: Personal[Name]
    birth_date: Personal[Day]
    citizen_number: Personal[str] | None = None
    birth_month: Counted[BirthMonth]
    sex: Counted[Sex]
    parents: ParentsSituation
    care: CareSituation
    citizen_number_status: Personal[CitizenNumberStatus] | None = None
    hukou_kind: Counted[HukouKind] | None = None


class ParentSituationRecorded(Event):
    schema_version: ClassVar[int] = 2
    subject: ClassVar[str | None] = "child"

    child: ChildId
    parents: ParentsSituation


class CareSituationRecorded(Event):
    """``since`` is the first day it holds; without it the day it was seen."""

    schema_version: ClassVar[int] = 2
    subject: ClassVar[str | None] = "child"

    child: ChildId
    care: CareSituation
    quality: Personal[CareQuality] | None = None
    since: Counted[Day] | None = None


class ChangeProposed(Event):
    """A visit found another care situation than the file holds; it waits for review. Who found it, and on which day."""

    schema_version: ClassVar[int] = 2
    subject: ClassVar[str | None] = "child"

    proposal: ProposalId
    child: ChildId
    visit: VisitId
    care: CareSituation
    found_by: PersonId | None = None
    found_on: Day | None = None


class ChildFileClosed(Event):
    """The file's first day closed is ``closed_on``."""

    child: ChildId
    reason: CloseReason
    closed_on: Day


class ChildFileReopened(Event):
    subject: ClassVar[str | None] = "child"

    child: ChildId
    reason: Personal[Text]
    reopened_on: Day


class ErasureRequested(Event):
    subject: ClassVar[str | None] = "child"

    child: ChildId
    basis: Personal[Text]
    requested_by: PersonId


class SubjectKeyDestroyed(Event):
    """Erasure took effect: the personal key of the subject is gone for ever."""

    child: ChildId
    approved_by: PersonId
