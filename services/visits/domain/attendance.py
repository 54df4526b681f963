"""A posted cadre's days (domain 3.2, S62): what was done in the village, and when he was away. Each tells his own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from pydantic import Field

from shared.commands.command import Aggregate, Command, NothingToRecord
from shared.contracts.field_work import Hours, LeaveKind, LeaveTaken, Words, WorkItem, WorkLogRecorded
from shared.contracts.refusal import Refusal
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import Day, PersonId, ToldPersonId, VillageCode
from shared.eventlog.placement import derived_id


class RecordWorkLog(Command):
    """``person`` is whoever tells it. ``hours`` are those in the village; ``collated``, whether the day's entries were
    put in order in the evening."""

    person: ToldPersonId
    village: VillageCode
    day: Day
    hours: Counted[Hours]
    items: tuple[WorkItem, ...] = Field(min_length=1, max_length=30)
    collated: bool = False


class TakeLeave(Command):
    """``person`` is whoever tells it; ``starts`` and ``ends`` are the first and the last day away."""

    person: ToldPersonId
    village: VillageCode
    starts: Day
    ends: Day
    kind: Counted[LeaveKind]
    note: Personal[Words] | None = None


class WorkLogBy(RecordWorkLog):
    teller: PersonId


class LeaveBy(TakeLeave):
    teller: PersonId


class NotYourOwn(Refusal):
    """person: nobody tells the days of another."""

    status: ClassVar[int] = 403
    what_to_do: ClassVar[str] = "Name yourself; the other tells it himself."


class DayLiesAhead(Refusal):
    """day: it has not come yet."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Tell of a day that has come."


class LogUnchanged(NothingToRecord):
    """The day is on record as it was told."""


class LeaveEndsBeforeItBegins(Refusal):
    """ends: leave ends on the day it begins or later."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Check both days."


class LeaveOverlaps(Refusal):
    """starts, ends: some of these days are leave already."""

    what_to_do: ClassVar[str] = "Name days that are not leave yet."


def log_stream(person: str, day: Day) -> str:
    """One stream for each person and day."""
    return derived_id(f"{person}/{day.isoformat()}", "worklog")


def leave_stream(person: str) -> str:
    """One stream for each person."""
    return derived_id(person, "leave")


@dataclass(frozen=True)
class Told:
    """The day as it was told last; None before."""

    log: WorkLogRecorded | None = None


@dataclass(frozen=True)
class Away:
    """First and last days."""

    days: tuple[tuple[Day, Day], ...] = ()


def decide_log(command: WorkLogBy, told: Told) -> Sequence[WorkLogRecorded]:
    if command.teller != command.person:
        raise NotYourOwn
    if command.day > command.occurred_on:
        raise DayLiesAhead
    log = WorkLogRecorded(
        log=log_stream(command.person, command.day),
        person=command.person,
        village=command.village,
        day=command.day,
        hours=command.hours,
        items=command.items,
        collated=command.collated,
    )
    if log == told.log:
        raise LogUnchanged
    return [log]


def decide_leave(command: LeaveBy, away: Away) -> Sequence[LeaveTaken]:
    if command.teller != command.person:
        raise NotYourOwn
    if command.ends < command.starts:
        raise LeaveEndsBeforeItBegins
    if any(command.starts <= last and first <= command.ends for first, last in away.days):
        raise LeaveOverlaps
    return [
        LeaveTaken(
            leave=leave_stream(command.person),
            person=command.person,
            village=command.village,
            starts=command.starts,
            ends=command.ends,
            kind=command.kind,
            note=command.note,
        )
    ]


def evolve_log(told: Told, event: WorkLogRecorded) -> Told:
    return Told(event)


def evolve_leave(away: Away, event: LeaveTaken) -> Away:
    return Away((*away.days, (event.starts, event.ends)))


WORK_LOG = Aggregate[Told](Told(), evolve_log, decide_log)
LEAVE = Aggregate[Away](Away(), evolve_leave, decide_leave)
