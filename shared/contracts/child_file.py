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
    CheckLevel,
    ChildId,
    Day,
    DisabilityKind,
    HealthState,
    Name,
    PersonId,
    SchoolState,
    Text,
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
    """The half-yearly look at a verified file: on this day it still held as it stands."""

    child: ChildId
    as_of: Day


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
