"""registry's events on a child's file beyond its first shape: its check in two steps, and its blocks (domain 3.1, 4.1).

What a block says about a person is one sealed value, so that the clear part does not even tell which of its fields
were filled in.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from shared.contracts.event import Event, Fact
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import (
    BirthMonth,
    CareProgramme,
    CheckLevel,
    ChildId,
    CitizenNumberStatus,
    Day,
    DisabilityKind,
    DivisionCode,
    Ethnicity,
    FileBlock,
    HealthState,
    HukouKind,
    IdentityDoubt,
    KeyGroup,
    Name,
    PersonId,
    Phone,
    ProposalId,
    Relation,
    SchoolState,
    Sex,
    SpecialCategory,
    Text,
    VillageCode,
)

Kilometres = Annotated[float, Field(ge=0, le=500)]
DisabilityGrade = Annotated[int, Field(ge=1, le=4)]
"""1 is the gravest (GB/T 26341)."""


class ChildFileSubmitted(Event):
    """The village gives the file to the township for its check."""

    child: ChildId
    submitted_by: PersonId


class ChildFileReviewed(Event):
    """The township found the file right; the county's check is next."""

    child: ChildId
    reviewed_by: PersonId


class ChildFileReturned(Event):
    """A check found something to put right: back to the village."""

    subject: ClassVar[str | None] = "child"

    child: ChildId
    level: CheckLevel
    returned_by: PersonId
    reason: Personal[Text]


class ChildFileVerified(Event):
    """The county found the file right."""

    child: ChildId
    verified_by: PersonId


class ChildFileReviewOpened(Event):
    """What was checked has changed, so it waits for both checks again."""

    child: ChildId


class ChildFileReviewConfirmed(Event):
    """The half-yearly look at a verified file: on this day it held as it stands.

    ``changed`` are the blocks that were told anew since it was last verified or confirmed; none, when nothing has
    changed. ``guardian_on`` is the day since then on which a guardian confirmed it last.
    """

    schema_version: ClassVar[int] = 2

    child: ChildId
    as_of: Day
    changed: tuple[FileBlock, ...] = ()
    guardian_on: Day | None = None


class ChildTransferOffered(Event):
    """The child moves to another village, whose township has not taken it over yet."""

    subject: ClassVar[str | None] = "child"

    child: ChildId
    to_village: VillageCode
    reason: Personal[Text]


class ChildTransferred(Event):
    """The township of the new village has taken the child over; ``moved_on`` is the first day there."""

    child: ChildId
    from_village: VillageCode
    to_village: VillageCode
    taken_over_by: PersonId
    moved_on: Day


class ChangeAccepted(Event):
    """A reviewer takes over what a visit found; the new situation is recorded in the same step."""

    child: ChildId
    proposal: ProposalId
    accepted_by: PersonId
    found_by: PersonId | None = None


class ChangeRefused(Event):
    """A reviewer leaves the file as it is."""

    subject: ClassVar[str | None] = "child"

    child: ChildId
    proposal: ProposalId
    refused_by: PersonId
    reason: Personal[Text]


class Schooling(Fact):
    """``distance`` is the way to school in kilometres; a homeroom teacher is 班主任."""

    state: SchoolState
    school: Text | None = None
    grade: Text | None = None
    class_name: Text | None = None
    boarding: bool | None = None
    homeroom_teacher: Name | None = None
    distance: Kilometres | None = None


class SchoolingRecorded(Event):
    """``state`` is the code of the schooling once more, for the figures; ``since`` is the first day it holds."""

    subject: ClassVar[str | None] = "child"

    child: ChildId
    schooling: Personal[Schooling]
    state: Counted[SchoolState]
    since: Counted[Day]


class Disability(Fact):
    kind: DisabilityKind
    grade: DisabilityGrade | None = None
    certificate: Text | None = None


class Health(Fact):
    """Class C3. A disability or an illness stands here where the state says that there is one."""

    state: HealthState
    disability: Disability | None = None
    illness: Text | None = None
    psychology: Text | None = None


class HealthRecorded(Event):
    subject: ClassVar[str | None] = "child"

    child: ChildId
    health: Personal[Health]


class CategoryDecision(Fact):
    category: SpecialCategory
    decided_on: Day


class Welfare(Fact):
    """Class C3: what the household or the child receives, and what was decided about it."""

    minimum_allowance: bool | None = None
    temporary_aid: bool | None = None
    medical_aid: bool | None = None
    housing_aid: bool | None = None
    other: Text | None = None
    categories: tuple[CategoryDecision, ...] = ()


class WelfareRecorded(Event):
    subject: ClassVar[str | None] = "child"

    child: ChildId
    welfare: Personal[Welfare]


class Identity(Fact):
    """What a registration does not ask for: the number and its status, former names, ethnicity."""

    citizen_number_status: CitizenNumberStatus
    citizen_number: str | None = None
    former_names: tuple[Name, ...] = ()
    ethnicity: Ethnicity | None = None


class ChildIdentityRecorded(Event):
    subject: ClassVar[str | None] = "child"

    child: ChildId
    identity: Personal[Identity]


class IdentityCorrection(Fact):
    """Only what was wrong is given."""

    reason: Text
    name: Name | None = None
    birth_date: Day | None = None
    sex: Sex | None = None
    citizen_number: str | None = None
    ethnicity: Ethnicity | None = None


class ChildIdentityCorrected(Event):
    """``birth_month`` and ``sex`` are those that hold now, for the figures."""

    subject: ClassVar[str | None] = "child"

    child: ChildId
    correction: Personal[IdentityCorrection]
    birth_month: Counted[BirthMonth]
    sex: Counted[Sex]


class IdentityDoubted(Event):
    """What does not fit in the identity as it stands now; nothing, once it was put right."""

    subject: ClassVar[str | None] = "child"

    child: ChildId
    doubts: Personal[tuple[IdentityDoubt, ...]]


class RegistrationStatusRecorded(Event):
    """Where the child is registered (户籍地), and as what."""

    subject: ClassVar[str | None] = "child"

    child: ChildId
    hukou: DivisionCode
    kind: Counted[HukouKind]


class Entrustment(Fact):
    """委托照护: the adult whom the parents have entrusted, by a paper signed at the village."""

    caregiver: Name
    relation: Relation
    phone: Phone | None = None
    address: Text | None = None
    signed_on: Day
    document: Text | None = None


class CaregiverEntrusted(Event):
    """``starts`` is the first day of the entrustment."""

    subject: ClassVar[str | None] = "child"

    child: ChildId
    entrustment: Personal[Entrustment]
    starts: Counted[Day]


class EntrustmentEnded(Event):
    """``ends`` is the first day without it."""

    subject: ClassVar[str | None] = "child"

    child: ChildId
    reason: Personal[Text]
    ends: Counted[Day]


class KeyGroupMarked(Event):
    subject: ClassVar[str | None] = "child"

    child: ChildId
    group: Counted[KeyGroup]
    reason: Personal[Text]


class KeyGroupCleared(Event):
    subject: ClassVar[str | None] = "child"

    child: ChildId
    group: Counted[KeyGroup]
    reason: Personal[Text]


class CareProgrammeJoined(Event):
    subject: ClassVar[str | None] = "child"

    child: ChildId
    programme: Counted[CareProgramme]


class CareProgrammeLeft(Event):
    subject: ClassVar[str | None] = "child"

    child: ChildId
    programme: Counted[CareProgramme]
