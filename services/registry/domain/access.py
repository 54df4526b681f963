"""Access for a time: asked for by one person, granted by another, and a glass broken in an emergency (domain 6.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, ClassVar, Final, NamedTuple, assert_never

from services.registry.domain.child import CHILD, residence
from shared.commands.command import Aggregate, Command, NotOnFile
from shared.contracts.access import AccessEnded, AccessGranted, AccessRequested, GlassBroken, Opened
from shared.contracts.event import Event
from shared.contracts.refusal import Refusal
from shared.contracts.values import (
    AccessId,
    AccessPurpose,
    ChildId,
    Day,
    DivisionCode,
    GlassId,
    GlassReason,
    PersonId,
    ToldPersonId,
    VillageCode,
)


class Terms(NamedTuple):
    """From its first day on: how many days a grant lasts at most, and how many a broken glass stays open."""

    starts: date
    longest: int
    glass: int


POLICY: Final = (Terms(date.min, longest=14, glass=2),)
"""In order of their first days; the last that has begun holds. Proposed, for the authority to decide. Two days in
China's calendar are the day of the break and the next: 24 hours at least."""


def terms_on(day: date, policy: tuple[Terms, ...] = POLICY) -> Terms:
    return [terms for terms in policy if terms.starts <= day][-1]


class RequestAccess(Command):
    """For ``person``, who may be the one who asks. For one file alone, ``division`` is the village where ``child``
    lives; ``ends`` is the first day without access."""

    access: AccessId
    person: ToldPersonId
    opens: Opened
    purpose: AccessPurpose
    division: DivisionCode
    child: ChildId | None = None
    starts: Day
    ends: Day


class ApproveAccess(Command):
    access: AccessId


class EndAccess(Command):
    """Takes a request back, or ends what was granted, today."""

    access: AccessId


class BreakTheGlass(Command):
    """In an emergency: opens the files of a village, or the one of ``child``, who lives there, to who breaks it."""

    glass: GlassId
    village: VillageCode
    child: ChildId | None = None
    reason: GlassReason


class AccessRequestBy(RequestAccess):
    requested_by: PersonId


class AccessApprovalBy(ApproveAccess):
    approved_by: PersonId


class BreakBy(BreakTheGlass):
    person: PersonId


class AccessAlreadyRequested(Refusal):
    """This access was asked for already."""

    what_to_do: ClassVar[str] = "Give a new request an id of its own."


class AccessEndsBeforeItBegins(Refusal):
    """ends: the first day without access lies after the day on which it starts."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Check both days."


class AccessTooLong(Refusal):
    """ends: access is granted for a short time."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Ask for fewer days, and again when they are over; who works there needs a role."

    def __init__(self, longest: int) -> None:
        super().__init__(f"ends: at most {longest} days after starts")


class AccessIsOver(Refusal):
    """The last day of this access has passed, or it was ended."""

    what_to_do: ClassVar[str] = "Ask for access anew, for days to come."


class AccessAlreadyGranted(Refusal):
    """This access was granted already."""

    what_to_do: ClassVar[str] = "Nothing: it is granted."


class ApproverIsConcerned(Refusal):
    """Access is granted by another person than the one who asks for it and the one who gets it."""

    status: ClassVar[int] = 403
    what_to_do: ClassVar[str] = "Let another person who may approve access there decide."


class GlassAlreadyBroken(Refusal):
    """This glass was broken already."""

    what_to_do: ClassVar[str] = "Give each emergency an id of its own."


@dataclass(frozen=True)
class NotRequested:
    pass


@dataclass(frozen=True)
class Requested:
    asked: AccessRequested


@dataclass(frozen=True)
class Granted:
    granted: AccessGranted


@dataclass(frozen=True)
class Over:
    division: str


AccessState = NotRequested | Requested | Granted | Over
AccessCommand = AccessRequestBy | AccessApprovalBy | EndAccess


def decide(command: AccessCommand, access: AccessState) -> list[Event]:
    match command, access:
        case AccessRequestBy(), NotRequested():
            return [_requested(command)]
        case AccessRequestBy(), _:
            raise AccessAlreadyRequested
        case _, NotRequested():
            raise NotOnFile
        case _, Over():
            raise AccessIsOver
        case AccessApprovalBy(), Requested(asked):
            return [_granted(command, asked)]
        case AccessApprovalBy(), _:
            raise AccessAlreadyGranted
        case EndAccess(), Requested(told) | Granted(told):
            return [AccessEnded(access=told.access, person=told.person, ends=_before_its_end(command, told))]
        case _:
            raise AssertionError(command)


def _requested(command: AccessRequestBy) -> AccessRequested:
    if command.ends <= command.starts:
        raise AccessEndsBeforeItBegins
    longest = terms_on(command.starts).longest
    if command.ends - command.starts > timedelta(days=longest):
        raise AccessTooLong(longest)
    _before_its_end(command, command)
    return AccessRequested(**command.model_dump(exclude={"occurred_at"}))


def _granted(command: AccessApprovalBy, asked: AccessRequested) -> AccessGranted:
    if command.approved_by in (asked.requested_by, asked.person):
        raise ApproverIsConcerned
    today = _before_its_end(command, asked)
    told = asked.model_dump() | {"starts": max(asked.starts, today), "approved_by": command.approved_by}
    return AccessGranted(**told)


def _before_its_end(command: Command, access: AccessRequested | RequestAccess) -> date:
    """The day it is told. Raises AccessIsOver."""
    if command.occurred_on >= access.ends:
        raise AccessIsOver
    return command.occurred_on


def evolve(access: AccessState, event: AccessRequested | AccessEnded) -> AccessState:
    match event:
        case AccessGranted():
            return Granted(event)
        case AccessRequested():
            return Requested(event)
        case AccessEnded():
            return Over(division_of(access) or "")
        case _:
            assert_never(event)


def division_of(access: AccessState) -> str | None:
    match access:
        case Requested(told) | Granted(told):
            return told.division
        case Over(division):
            return division
        case _:
            return None


@dataclass(frozen=True)
class Glass:
    broken: bool = False


def decide_break(command: BreakBy, glass: Glass) -> list[GlassBroken]:
    if glass.broken:
        raise GlassAlreadyBroken
    today = command.occurred_on
    ends = today + timedelta(days=terms_on(today).glass)
    return [GlassBroken(**command.model_dump(exclude={"occurred_at"}), starts=today, ends=ends)]


def evolve_glass(glass: Glass, event: GlassBroken) -> Glass:
    return Glass(broken=True)


def decide_at_home(command: RequestAccess | BreakTheGlass, child: Any) -> list[Event]:
    """A file is opened in the village where the child lives. Raises NotOnFile where it does not."""
    where = command.division if isinstance(command, RequestAccess) else command.village
    if residence(child) != where:
        raise NotOnFile
    return []


ACCESS = Aggregate[AccessState](NotRequested(), evolve, decide)
GLASS = Aggregate[Glass](Glass(), evolve_glass, decide_break)
AT_HOME = Aggregate[Any](CHILD.initial, CHILD.evolve, decide_at_home)
"""The child whose file is to be opened: looked at, and left as it is."""
