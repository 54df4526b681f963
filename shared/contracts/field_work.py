"""visits' events on the daily work beside visits (domain 3.2, 4.2)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from shared.contracts.event import Event, Fact
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import (
    ChildId,
    Day,
    HelpPlanId,
    HolidayPlanId,
    LeaveId,
    MajorChangeId,
    PersonId,
    ReportId,
    SchoolId,
    SchoolVisitId,
    Text,
    VillageCode,
    VisitDoubt,
    WorkLogId,
)

Words = Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True)]
"""A text that says something."""


class MajorChangeKind(StrEnum):
    """What asks for a visit within a day (domain 5.3)."""

    DEATH_IN_FAMILY = "death_in_family"
    SERIOUS_ILLNESS = "serious_illness"
    ARREST = "arrest"
    PARENT_GONE = "parent_gone"
    CAREGIVER_GONE = "caregiver_gone"
    DISASTER = "disaster"
    OTHER = "other"


class MajorChangeReported(Event):
    """A major change in a child's life (重大变故): whoever is nearest visits within the time the policy sets."""

    subject: ClassVar[str | None] = "child"

    change: MajorChangeId
    child: ChildId
    village: VillageCode
    kind: Counted[MajorChangeKind]
    text: Personal[Text] | None = None
    happened_on: Day
    reported_by: PersonId


class TeachersWord(Fact):
    """What a teacher says of one child."""

    subject: ClassVar[str | None] = "child"

    child: ChildId
    word: Personal[Words]


class SchoolVisitLogged(Event):
    """Somebody went to a school and asked for the children of a village (S43), whatever households they are of.

    ``visitors`` and ``doubts`` are those of ``VisitLogged``.
    """

    visit: SchoolVisitId
    school: SchoolId
    village: VillageCode
    visited_on: Day
    words: tuple[TeachersWord, ...]
    visitors: tuple[PersonId, ...]
    on_stale_standing: bool = False
    doubts: tuple[VisitDoubt, ...] = ()


class HelpStep(Fact):
    """What is to be done, by whom, until when; steps are counted from 1."""

    text: Personal[Words]
    owner: PersonId
    due: Day


class HelpPlanAdopted(Event):
    """How a child is helped (domain 3.2). ``owner`` answers for the plan as a whole; ``review_on`` is the day by which
    somebody else looks at it. ``reason`` is told where neither the child's risk nor a report asks for a plan."""

    subject: ClassVar[str | None] = "child"

    plan: HelpPlanId
    child: ChildId
    village: VillageCode
    owner: PersonId
    goals: Personal[Words]
    steps: tuple[HelpStep, ...]
    review_on: Day
    adopted_on: Day
    adopted_by: PersonId
    reason: Personal[Words] | None = None
    report: ReportId | None = None


class HelpPlanProgressed(Event):
    """``done`` is the number of the step that is done; without it, only a note."""

    subject: ClassVar[str | None] = "child"

    plan: HelpPlanId
    child: ChildId
    done: int | None
    note: Personal[Words] | None = None
    told_by: PersonId


class HelpPlanReviewed(Event):
    """The plan goes on, and is looked at again by ``review_on``."""

    subject: ClassVar[str | None] = "child"

    plan: HelpPlanId
    child: ChildId
    text: Personal[Words]
    review_on: Day
    reviewed_on: Day
    reviewed_by: PersonId


class HelpPlanResult(StrEnum):
    GOALS_REACHED = "goals_reached"
    NOT_NEEDED = "not_needed"
    HANDED_OVER = "handed_over"
    OTHER = "other"


class HelpPlanClosed(Event):
    subject: ClassVar[str | None] = "child"

    plan: HelpPlanId
    child: ChildId
    result: Counted[HelpPlanResult]
    text: Personal[Words] | None = None
    closed_on: Day
    closed_by: PersonId


class HolidayRisk(StrEnum):
    """Of what a village warns before holidays (S47)."""

    DROWNING = "drowning"
    FIRE = "fire"
    TRAFFIC = "traffic"
    LEFT_ALONE = "left_alone"
    ELECTRICITY_AND_GAS = "electricity_and_gas"
    FOOD = "food"
    WEATHER = "weather"
    FRAUD_AND_INTERNET = "fraud_and_internet"


class HolidayPlanAdopted(Event):
    """What a village does in school holidays. It replaces a plan whose days it shares.

    ``watch`` is sealed as a whole: who stands on it is watched for a reason.
    """

    subject: ClassVar[str | None] = "plan"

    plan: HolidayPlanId
    village: VillageCode
    starts: Day
    ends: Day
    risks: tuple[HolidayRisk, ...]
    watch: Personal[tuple[ChildId, ...]]
    on_duty: tuple[PersonId, ...]
    adopted_on: Day
    adopted_by: PersonId


class WorkKind(StrEnum):
    """What a day in a village is spent with."""

    HOME_VISITS = "home_visits"
    SCHOOL_VISIT = "school_visit"
    MAPPING = "mapping"
    PAIR_CONTACT = "pair_contact"
    ACTIVITY = "activity"
    ASSISTANCE = "assistance"
    TRAINING = "training"
    MEETING = "meeting"
    COLLATION = "collation"
    OTHER = "other"


class WorkItem(Fact):
    kind: WorkKind
    text: Personal[Words] | None = None


Hours = Annotated[int, Field(ge=0, le=24)]


class WorkLogRecorded(Event):
    """A posted cadre's day in a village (S62), told by himself; told again, it replaces what was told before.

    ``collated``: in the evening the day's entries were put in order.
    """

    subject: ClassVar[str | None] = "log"

    log: WorkLogId
    person: PersonId
    village: VillageCode
    day: Day
    hours: Counted[Hours]
    items: tuple[WorkItem, ...]
    collated: bool


class LeaveKind(StrEnum):
    PERSONAL = "personal"
    SICK = "sick"
    FAMILY = "family"
    HOLIDAY = "holiday"
    OFFICIAL = "official"


class LeaveTaken(Event):
    """A posted cadre is away from ``starts`` to ``ends``, both included."""

    subject: ClassVar[str | None] = "leave"

    leave: LeaveId
    person: PersonId
    village: VillageCode
    starts: Day
    ends: Day
    kind: Counted[LeaveKind]
    note: Personal[Words] | None = None
