"""visits' events on whose work a visit is, and on what a supervisor looks at (domain 3.2, 4.2)."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from shared.contracts.event import Event
from shared.contracts.sealed import Counted
from shared.contracts.values import (
    AppointmentId,
    AssignmentId,
    ChildId,
    Day,
    FlagId,
    PersonId,
    VillageCode,
    VisitId,
    VisitKind,
)


class VisitsAssigned(Event):
    """From ``starts`` on these children of a village are the visitor's to visit."""

    assignment: AssignmentId
    village: VillageCode
    children: tuple[ChildId, ...]
    visitor: PersonId
    starts: Day
    assigned_by: PersonId


class PlanChange(StrEnum):
    """Why an appointment is put off or cancelled. It says nothing of the child."""

    VISITOR_UNAVAILABLE = "visitor_unavailable"
    WEATHER_OR_ROAD = "weather_or_road"
    FAMILY_ASKED = "family_asked"
    PLANNED_TWICE = "planned_twice"
    FILE_MOVED_OR_CLOSED = "file_moved_or_closed"
    OTHER = "other"


class VisitPlanned(Event):
    """An appointment with a child: on which day, by which kind of visit, and who goes."""

    appointment: AppointmentId
    child: ChildId
    village: VillageCode
    kind: VisitKind
    planned_for: Day
    assignee: PersonId
    planned_by: PersonId


class VisitRescheduled(Event):
    appointment: AppointmentId
    planned_for: Day
    assignee: PersonId
    reason: PlanChange
    rescheduled_by: PersonId


class VisitCancelled(Event):
    appointment: AppointmentId
    reason: PlanChange
    cancelled_by: PersonId


class PlausibilityRule(StrEnum):
    """What about somebody's visits asks for a look."""

    TWO_VILLAGES = "two_villages"
    MANY_IN_A_MINUTE = "many_in_a_minute"
    SAME_NOTE = "same_note"
    SAME_ANSWERS = "same_answers"
    LAST_DAY_OF_QUARTER = "last_day_of_quarter"


class ClearReason(StrEnum):
    """What a supervisor's look gave."""

    ASKED_AND_CONFIRMED = "asked_and_confirmed"
    TIMES_ENTERED_LATER = "times_entered_later"
    SHARED_DEVICE = "shared_device"
    VISIT_CORRECTED = "visit_corrected"
    TALKED_OVER = "talked_over"


class PlausibilityFlagged(Event):
    """A pattern in somebody's visits, for a supervisor to look at. Sealed under the flag's own key: it says nothing
    certain of anybody, and is nobody else's business."""

    subject: ClassVar[str | None] = "flag"

    flag: FlagId
    rule: Counted[PlausibilityRule]
    visitor: PersonId
    visits: tuple[VisitId, ...]
    villages: tuple[VillageCode, ...]


class PlausibilityCleared(Event):
    """A supervisor has looked, and nothing is open about it any more."""

    subject: ClassVar[str | None] = "flag"

    flag: FlagId
    reason: Counted[ClearReason]
    cleared_by: PersonId
