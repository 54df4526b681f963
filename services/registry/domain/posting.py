"""Postings: a working group or a first secretary at a village, from a day to before another (domain 3.1, Posting)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, ClassVar, assert_never

from pydantic import StringConstraints

from shared.commands.command import Aggregate, Claims, Command, NothingToRecord, NotOnFile
from shared.contracts.event import Event
from shared.contracts.refusal import Refusal
from shared.contracts.registry import PostedPerson, WorkingGroupPosted, WorkingGroupWithdrawn
from shared.contracts.roster import (
    FirstSecretaryAppointed,
    FirstSecretaryRelieved,
    GroupLeaderChanged,
    PostingMemberJoined,
    PostingMemberLeft,
)
from shared.contracts.values import (
    Day,
    PostingId,
    PostingLevel,
    PostingOffice,
    ToldPersonId,
    VillageCode,
    WithdrawalReason,
)
from shared.eventlog.placement import placement_of

UnitName = Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]
"""The body that sends a group: it stands in the clear, so it names an office and nobody."""


class PostWorkingGroup(Command):
    posting: PostingId
    village: VillageCode
    level: PostingLevel
    unit: UnitName
    starts: Day
    leader: ToldPersonId | None = None
    first_secretary: ToldPersonId | None = None


class RotateWorkingGroup(PostWorkingGroup):
    """Another posting takes over from ``follows``, which ends on the day this one begins: one step, no gap between."""

    follows: PostingId


class WithdrawWorkingGroup(Command):
    """``ends`` is the first day without the posting, and has come when it is told."""

    posting: PostingId
    ends: Day
    reason: WithdrawalReason


class JoinPosting(Command):
    posting: PostingId
    person: ToldPersonId
    starts: Day


class LeavePosting(Command):
    """``ends`` is the first day without the member; it may be told before it comes."""

    posting: PostingId
    person: ToldPersonId
    ends: Day


class AppointFirstSecretary(Command):
    posting: PostingId
    person: ToldPersonId
    starts: Day


class RelieveFirstSecretary(Command):
    """``ends`` is the first day without the first secretary, and has come when it is told."""

    posting: PostingId
    ends: Day


class ChangeGroupLeader(Command):
    """``starts`` is the first day of the new leader, and has come when somebody led before."""

    posting: PostingId
    leader: ToldPersonId
    starts: Day


class PostingAlreadyBegun(Refusal):
    """This posting is on file already."""

    what_to_do: ClassVar[str] = "Give a new posting an id of its own."


class PostingAlreadyWithdrawn(Refusal):
    """This posting has ended already."""

    what_to_do: ClassVar[str] = "Nothing: it has ended."


class WithdrawnBeforeItBegan(Refusal):
    """A posting can not end before its first day."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Check the day; the posting must have begun on or before it."


class EndsInTheFuture(Refusal):
    """The end of a posting, of a first secretary, of a leader or of a child director is told once it has come.

    Until then the place is held: it can be given to one person at a time.
    """

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Send it on the day it takes effect, or name a day that has come."


class OutsideThePosting(Refusal):
    """Nobody is in a posting before it begins, or leaves it before they came."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Check the day against the first day of the posting and of the person in it."


class AlreadyInThePosting(Refusal):
    """This person is in the posting already."""

    what_to_do: ClassVar[str] = "Nothing: they are in it."


class NotInThePosting(Refusal):
    """This person is no member of the posting."""

    status: ClassVar[int] = 404
    what_to_do: ClassVar[str] = "Check the person; leader and first secretary are changed by commands of their own."


class FirstSecretaryInPlace(Refusal):
    """The posting has a first secretary."""

    what_to_do: ClassVar[str] = "Relieve the first secretary, then appoint another."


class NoFirstSecretary(Refusal):
    """The posting has no first secretary."""

    what_to_do: ClassVar[str] = "Nothing: there is none to relieve."


class LeadsAlready(NothingToRecord):
    """This person leads the group."""


class PostingStandsElsewhere(Refusal):
    """The id of a posting that follows another must end in the same two bytes as that."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Make the new posting's id beside the old one's, so that both stand in one partition."


@dataclass(frozen=True)
class Seat:
    """Who is what in a posting since when; ``from_the_start`` for who came with it."""

    person: str
    office: PostingOffice
    since: date
    from_the_start: bool = False

    def told(self) -> PostedPerson:
        return PostedPerson(person=self.person, office=self.office, since=None if self.from_the_start else self.since)


@dataclass(frozen=True)
class NotPosted:
    pass


@dataclass(frozen=True)
class Posted:
    village: str
    starts: date
    seats: tuple[Seat, ...] = ()

    def seat(self, office: PostingOffice) -> Seat | None:
        """Of an office that one person holds at a time."""
        return next((seat for seat in self.seats if seat.office is office), None)

    def member(self, person: str) -> Seat | None:
        cadres = (seat for seat in self.seats if seat.office is PostingOffice.POSTED_CADRE)
        return next((seat for seat in cadres if seat.person == person), None)

    def given_up(self, seat: Seat) -> Posted:
        return replace(self, seats=tuple(one for one in self.seats if one != seat))

    def taken(self, seat: Seat) -> Posted:
        return replace(self, seats=(*self.seats, seat))


@dataclass(frozen=True)
class Withdrawn:
    village: str


Posting = NotPosted | Posted | Withdrawn
PostingCommand = (
    PostWorkingGroup
    | WithdrawWorkingGroup
    | JoinPosting
    | LeavePosting
    | AppointFirstSecretary
    | RelieveFirstSecretary
    | ChangeGroupLeader
)
PostingEvent = (
    WorkingGroupPosted
    | WorkingGroupWithdrawn
    | PostingMemberJoined
    | PostingMemberLeft
    | FirstSecretaryAppointed
    | FirstSecretaryRelieved
    | GroupLeaderChanged
)


def decide(command: PostingCommand, posting: Posting) -> list[PostingEvent]:
    match command, posting:
        case PostWorkingGroup(), NotPosted():
            return [_posted(command)]
        case PostWorkingGroup(), _:
            raise PostingAlreadyBegun
        case _, NotPosted():
            raise NotOnFile
        case _, Withdrawn():
            raise PostingAlreadyWithdrawn
        case WithdrawWorkingGroup(), Posted():
            return [_withdrawn(command, posting)]
        case JoinPosting(), Posted():
            return [_joined(command, posting)]
        case LeavePosting(), Posted():
            return [_left(command, posting)]
        case AppointFirstSecretary(), Posted():
            return [_appointed(command, posting)]
        case RelieveFirstSecretary(), Posted():
            return [_relieved(command, posting)]
        case ChangeGroupLeader(), Posted():
            return [_led_by(command, posting)]
        case _:
            raise AssertionError(command)


def decide_followed(command: RotateWorkingGroup, posting: Posting) -> list[PostingEvent]:
    """What becomes of the posting that another one follows."""
    match posting:
        case Posted(village) if village == command.village:
            ending = WithdrawWorkingGroup(
                occurred_at=command.occurred_at,
                posting=command.follows,
                ends=command.starts,
                reason=WithdrawalReason.ROTATED,
            )
            return [_withdrawn(ending, posting)]
        case Withdrawn(village) if village == command.village:
            raise PostingAlreadyWithdrawn
        case _:
            raise NotOnFile


def _posted(command: PostWorkingGroup) -> WorkingGroupPosted:
    if isinstance(command, RotateWorkingGroup) and placement_of(command.posting) != placement_of(command.follows):
        raise PostingStandsElsewhere
    return WorkingGroupPosted(**command.model_dump(exclude={"occurred_at", "follows"}))


def _withdrawn(command: WithdrawWorkingGroup, posting: Posted) -> WorkingGroupWithdrawn:
    if command.ends < posting.starts:
        raise WithdrawnBeforeItBegan
    _check_has_come(command, command.ends)
    return WorkingGroupWithdrawn(
        posting=command.posting,
        village=posting.village,
        ends=command.ends,
        reason=command.reason,
        leaving=tuple(seat.told() for seat in posting.seats),
    )


def _joined(command: JoinPosting, posting: Posted) -> PostingMemberJoined:
    if any(seat.person == command.person for seat in posting.seats):
        raise AlreadyInThePosting
    _check_order(posting.starts, command.starts)
    return PostingMemberJoined(
        posting=command.posting, village=posting.village, person=command.person, starts=command.starts
    )


def _left(command: LeavePosting, posting: Posted) -> PostingMemberLeft:
    seat = posting.member(command.person)
    if seat is None:
        raise NotInThePosting
    _check_order(seat.since, command.ends)
    return PostingMemberLeft(
        posting=command.posting, village=posting.village, person=seat.person, starts=seat.since, ends=command.ends
    )


def _appointed(command: AppointFirstSecretary, posting: Posted) -> FirstSecretaryAppointed:
    if posting.seat(PostingOffice.FIRST_SECRETARY):
        raise FirstSecretaryInPlace
    _check_order(posting.starts, command.starts)
    return FirstSecretaryAppointed(
        posting=command.posting, village=posting.village, person=command.person, starts=command.starts
    )


def _relieved(command: RelieveFirstSecretary, posting: Posted) -> FirstSecretaryRelieved:
    seat = posting.seat(PostingOffice.FIRST_SECRETARY)
    if seat is None:
        raise NoFirstSecretary
    _check_order(seat.since, command.ends)
    _check_has_come(command, command.ends)
    return FirstSecretaryRelieved(
        posting=command.posting,
        village=posting.village,
        person=seat.person,
        since=seat.told().since,
        ends=command.ends,
    )


def _led_by(command: ChangeGroupLeader, posting: Posted) -> GroupLeaderChanged:
    former = posting.seat(PostingOffice.GROUP_LEADER)
    if former and former.person == command.leader:
        raise LeadsAlready
    _check_order(former.since if former else posting.starts, command.starts)
    if former:
        _check_has_come(command, command.starts)
    return GroupLeaderChanged(
        posting=command.posting,
        village=posting.village,
        leader=command.leader,
        starts=command.starts,
        former=former and former.told(),
    )


def _check_order(earlier: date, day: date) -> None:
    if day < earlier:
        raise OutsideThePosting


def _check_has_come(command: Command, day: date) -> None:
    if day > command.occurred_on:
        raise EndsInTheFuture


def evolve(posting: Posting, event: PostingEvent) -> Posting:
    match event, posting:
        case WorkingGroupPosted(), _:
            return Posted(event.village, event.starts, tuple(_seats(event)))
        case WorkingGroupWithdrawn(), _:
            return Withdrawn(event.village)
        case PostingMemberJoined(), Posted():
            return posting.taken(Seat(event.person, PostingOffice.POSTED_CADRE, event.starts))
        case PostingMemberLeft(), Posted():
            return posting.given_up(Seat(event.person, PostingOffice.POSTED_CADRE, event.starts))
        case FirstSecretaryAppointed(), Posted():
            return posting.taken(Seat(event.person, PostingOffice.FIRST_SECRETARY, event.starts))
        case FirstSecretaryRelieved(), Posted():
            return _without(posting, PostingOffice.FIRST_SECRETARY)
        case GroupLeaderChanged(), Posted():
            led = Seat(event.leader, PostingOffice.GROUP_LEADER, event.starts)
            return _without(posting, PostingOffice.GROUP_LEADER).taken(led)
        case _:
            return posting


def _seats(event: WorkingGroupPosted) -> list[Seat]:
    named = (
        (PostingOffice.GROUP_LEADER, event.leader),
        (PostingOffice.FIRST_SECRETARY, event.first_secretary),
    )
    return [Seat(person, office, event.starts, from_the_start=True) for office, person in named if person]


def _without(posting: Posted, office: PostingOffice) -> Posted:
    seat = posting.seat(office)
    return posting.given_up(seat) if seat else posting


def claims(events: Sequence[Event]) -> Claims:
    """One first secretary per village at a time, and one person leads one group; who ends gives the place up.

    Ends that hang on a claim are told once they have come, so a place is never free before its day.
    """
    taken: dict[str, str] = {}
    released: list[str] = []
    for event in events:
        match event:
            case WorkingGroupPosted():
                taken |= {_place(seat, event.village): event.posting for seat in _seats(event)}
            case FirstSecretaryAppointed():
                taken[f"first_secretary/{event.village}"] = event.posting
            case FirstSecretaryRelieved():
                released.append(f"first_secretary/{event.village}")
            case GroupLeaderChanged():
                released += [_place(event.former, event.village)] if event.former else []
                taken[f"group_leader/{event.leader}"] = event.posting
            case WorkingGroupWithdrawn():
                released += [place for one in event.leaving if (place := _place(one, event.village))]
            case _:
                pass
    return Claims(taken, tuple(released))


def _place(seat: Seat | PostedPerson, village: str) -> str:
    """What one person alone may hold; empty for a member, of whom there may be many."""
    match seat.office:
        case PostingOffice.FIRST_SECRETARY:
            return f"first_secretary/{village}"
        case PostingOffice.GROUP_LEADER:
            return f"group_leader/{seat.person}"
        case PostingOffice.POSTED_CADRE:
            return ""
        case _:
            assert_never(seat.office)


POSTING = Aggregate[Posting](NotPosted(), evolve, decide)
FOLLOWED = Aggregate[Posting](NotPosted(), evolve, decide_followed)
