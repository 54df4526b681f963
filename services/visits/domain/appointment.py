"""A planned visit (domain 3.2: planned, rescheduled, cancelled). An attempt leaves it open; that a visit has fulfilled
it is derived by whoever shows it, and no event."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import ClassVar, Final, NamedTuple

from services.visits.domain.assignment import VisitorHoldsNoOffice
from shared.commands.command import Aggregate, Command, NothingToRecord, NotOnFile
from shared.contracts.oversight import PlanChange, VisitCancelled, VisitPlanned, VisitRescheduled
from shared.contracts.refusal import Refusal
from shared.contracts.values import AppointmentId, ChildId, Day, PersonId, ToldPersonId, VillageCode, VisitKind
from shared.eventlog.placement import placement_of
from shared.standing.standing import Standing, check_standing


class Accepted(NamedTuple):
    """From its first day on, the reasons for which a planned visit may be cancelled."""

    starts: date
    reasons: frozenset[PlanChange]


CANCELLATIONS: Final = (Accepted(date.min, frozenset(PlanChange) - {PlanChange.OTHER}),)
"""In order of their first days; the last that has begun holds (prop: every reason that says something)."""


class PlanVisit(Command):
    appointment: AppointmentId
    child: ChildId
    village: VillageCode
    kind: VisitKind
    planned_for: Day
    assignee: ToldPersonId


class RescheduleVisit(Command):
    """Another day, or another visitor; who goes is told anew with it."""

    appointment: AppointmentId
    village: VillageCode
    planned_for: Day
    assignee: ToldPersonId
    reason: PlanChange


class CancelVisit(Command):
    appointment: AppointmentId
    reason: PlanChange


class JudgedPlan(PlanVisit):
    """With how the child stands on the day of the visit, and whether the assignee holds an office there then."""

    person: PersonId
    standing: Standing | None
    assignee_in_office: bool


class JudgedRescheduling(RescheduleVisit):
    person: PersonId
    assignee_in_office: bool


class CancellationBy(CancelVisit):
    person: PersonId


class AppointmentAlreadyMade(Refusal):
    """This appointment is on record already."""

    what_to_do: ClassVar[str] = "Give a new appointment an id of its own; put off this one by rescheduling it."


class AppointmentStandsElsewhere(Refusal):
    """The id of an appointment must end in the same two bytes as the child's."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Make the appointment's id beside the child's, so that both stand in one partition."


class PlannedForThePast(Refusal):
    """planned_for: a visit is planned for the day it is planned or a later one."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Name today or a later day; a visit that was made is logged."


class AppointmentCancelled(Refusal):
    """The appointment was cancelled."""

    what_to_do: ClassVar[str] = "Plan a new visit."


class ReasonNotAccepted(Refusal):
    """reason: a visit is not cancelled for this reason."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Name what stands in the way, or reschedule the visit."


class AlreadyCancelled(NothingToRecord):
    """The appointment was cancelled before."""


class AsPlanned(NothingToRecord):
    """The visit is planned for this day and this visitor already."""


@dataclass(frozen=True)
class NotPlanned:
    pass


@dataclass(frozen=True)
class Planned:
    village: str
    planned_for: date
    assignee: str
    cancelled: bool = False


Appointment = NotPlanned | Planned
AppointmentCommand = JudgedPlan | JudgedRescheduling | CancellationBy
AppointmentEvent = VisitPlanned | VisitRescheduled | VisitCancelled


def village_of(appointment: Appointment) -> str | None:
    """Where a command on this appointment takes effect."""
    return appointment.village if isinstance(appointment, Planned) else None


def decide(command: AppointmentCommand, appointment: Appointment) -> list[AppointmentEvent]:
    match command, appointment:
        case JudgedPlan(), NotPlanned():
            return [_planned(command)]
        case JudgedPlan(), _:
            raise AppointmentAlreadyMade
        case JudgedRescheduling(), Planned():
            return [_rescheduled(command, appointment)]
        case CancellationBy(), Planned():
            return [_cancelled(command, appointment)]
        case _:
            raise NotOnFile


def _planned(command: JudgedPlan) -> VisitPlanned:
    if placement_of(command.appointment) != placement_of(command.child):
        raise AppointmentStandsElsewhere
    _check_day(command.planned_for, command)
    check_standing(command.standing, command.village)
    if not command.assignee_in_office:
        raise VisitorHoldsNoOffice
    return VisitPlanned(
        appointment=command.appointment,
        child=command.child,
        village=command.village,
        kind=command.kind,
        planned_for=command.planned_for,
        assignee=command.assignee,
        planned_by=command.person,
    )


def _rescheduled(command: JudgedRescheduling, planned: Planned) -> VisitRescheduled:
    if command.village != planned.village:
        raise NotOnFile
    if planned.cancelled:
        raise AppointmentCancelled
    if (command.planned_for, command.assignee) == (planned.planned_for, planned.assignee):
        raise AsPlanned
    _check_day(command.planned_for, command)
    if not command.assignee_in_office:
        raise VisitorHoldsNoOffice
    return VisitRescheduled(
        appointment=command.appointment,
        planned_for=command.planned_for,
        assignee=command.assignee,
        reason=command.reason,
        rescheduled_by=command.person,
    )


def _cancelled(command: CancellationBy, planned: Planned) -> VisitCancelled:
    if planned.cancelled:
        raise AlreadyCancelled
    accepted = [policy.reasons for policy in CANCELLATIONS if policy.starts <= command.occurred_on][-1]
    if command.reason not in accepted:
        raise ReasonNotAccepted
    return VisitCancelled(appointment=command.appointment, reason=command.reason, cancelled_by=command.person)


def _check_day(day: date, command: Command) -> None:
    if day < command.occurred_on:
        raise PlannedForThePast


def evolve(appointment: Appointment, event: AppointmentEvent) -> Appointment:
    match event, appointment:
        case VisitPlanned(), _:
            return Planned(event.village, event.planned_for, event.assignee)
        case VisitRescheduled(), Planned():
            return replace(appointment, planned_for=event.planned_for, assignee=event.assignee)
        case VisitCancelled(), Planned():
            return replace(appointment, cancelled=True)
        case _:
            raise AssertionError(event)


APPOINTMENT = Aggregate[Appointment](NotPlanned(), evolve, decide)
