"""registry's events of what stands in a division: a village's profile, and schools (domain sections 3.1 and 4.1)."""

from __future__ import annotations

from typing import ClassVar

from shared.contracts.event import Event, Fact
from shared.contracts.sealed import Personal
from shared.contracts.values import (
    ContactId,
    Count,
    Day,
    DivisionCode,
    Name,
    Phone,
    PovertyStatus,
    RoadKind,
    SchoolId,
    SchoolKind,
    VillageCode,
)


class VillageProfileRecorded(Event):
    """What was found of a village on ``as_of``; a figure that was not asked for is None. Distances are in metres."""

    village: VillageCode
    as_of: Day
    households: Count | None = None
    population: Count | None = None
    rural_minors_under_16: Count | None = None
    migrant_workers: Count | None = None
    metres_to_township: Count | None = None
    road: RoadKind | None = None
    poverty: PovertyStatus | None = None
    has_childrens_home: bool | None = None
    schools: tuple[SchoolId, ...] = ()


class SchoolContact(Fact):
    """Whom to call at a school: a subject of their own, so that their data can go while the school stays."""

    subject: ClassVar[str | None] = "contact"

    contact: ContactId
    name: Personal[Name]
    phone: Personal[Phone] | None = None


class SchoolRegistered(Event):
    school: SchoolId
    name: str
    kind: SchoolKind
    division: DivisionCode
    contact: SchoolContact | None = None


class SchoolChanged(Event):
    """The school as it is from ``since`` on; ``contact`` is given where it is another one, and ``closed`` for good."""

    school: SchoolId
    name: str
    kind: SchoolKind
    division: DivisionCode
    since: Day
    contact: SchoolContact | None = None
    closed: bool = False
