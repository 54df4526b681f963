"""Schools: where children are on weekdays, and whom to call there (domain 4.1, SchoolRegistered)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, ClassVar, assert_never

from pydantic import StringConstraints

from shared.commands.command import Aggregate, Command, NothingToRecord, NotOnFile
from shared.contracts.places import SchoolChanged, SchoolContact, SchoolRegistered
from shared.contracts.refusal import Refusal
from shared.contracts.values import Day, DivisionCode, SchoolId, SchoolKind

SchoolName = Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]


class RegisterSchool(Command):
    school: SchoolId
    name: SchoolName
    kind: SchoolKind
    division: DivisionCode
    contact: SchoolContact | None = None


class ChangeSchool(Command):
    """Only what is given changes, from ``since`` on. A contact who is another person has another id."""

    school: SchoolId
    since: Day
    name: SchoolName | None = None
    kind: SchoolKind | None = None
    contact: SchoolContact | None = None
    closed: bool = False


class SchoolAlreadyRegistered(Refusal):
    """This school is on file already."""

    what_to_do: ClassVar[str] = "Give a new school an id of its own."


class SchoolIsClosed(Refusal):
    """The school was closed for good."""

    what_to_do: ClassVar[str] = "Register the school that follows it under an id of its own."


class ChangesOutOfOrder(Refusal):
    """Changes of a school are told in the order of their days, and once those have come."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Check the day."


@dataclass(frozen=True)
class NotRegistered:
    pass


@dataclass(frozen=True)
class Registered:
    name: str
    kind: SchoolKind
    division: str
    contact: SchoolContact | None
    since: date = date.min
    closed: bool = False


School = NotRegistered | Registered


def decide(command: RegisterSchool | ChangeSchool, school: School) -> list[SchoolRegistered | SchoolChanged]:
    match command, school:
        case RegisterSchool(), NotRegistered():
            return [
                SchoolRegistered(
                    school=command.school,
                    name=command.name,
                    kind=command.kind,
                    division=command.division,
                    contact=command.contact,
                )
            ]
        case RegisterSchool(), _:
            raise SchoolAlreadyRegistered
        case ChangeSchool(), NotRegistered():
            raise NotOnFile
        case ChangeSchool(), Registered():
            return [_changed(command, school)]
        case _:
            raise AssertionError(command)


def _changed(command: ChangeSchool, school: Registered) -> SchoolChanged:
    if school.closed:
        raise SchoolIsClosed
    if not school.since <= command.since <= command.occurred_on:
        raise ChangesOutOfOrder
    name, kind = command.name or school.name, command.kind or school.kind
    contact = command.contact if command.contact != school.contact else None
    if (name, kind, contact, command.closed) == (school.name, school.kind, None, False):
        raise NothingToRecord
    return SchoolChanged(
        school=command.school,
        name=name,
        kind=kind,
        division=school.division,
        since=command.since,
        contact=contact,
        closed=command.closed,
    )


def evolve(school: School, event: SchoolRegistered | SchoolChanged) -> School:
    match event, school:
        case SchoolRegistered(), _:
            return Registered(event.name, event.kind, event.division, event.contact)
        case SchoolChanged(), Registered():
            return replace(
                school,
                name=event.name,
                kind=event.kind,
                contact=event.contact or school.contact,
                since=event.since,
                closed=event.closed,
            )
        case SchoolChanged(), NotRegistered():
            return school
        case _:
            assert_never(event)


def division_of(school: School) -> str | None:
    return school.division if isinstance(school, Registered) else None


SCHOOL = Aggregate[School](NotRegistered(), evolve, decide)
