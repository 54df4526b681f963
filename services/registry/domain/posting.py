"""Postings: a working group or a first secretary at a village, from a day to before another (domain 3.1, Posting)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, assert_never

from shared.commands.command import Aggregate, Claims, Command, NotOnFile
from shared.contracts.event import Event
from shared.contracts.refusal import Refusal
from shared.contracts.registry import WorkingGroupPosted, WorkingGroupWithdrawn
from shared.contracts.values import Day, PostingId, PostingLevel, ToldPersonId, VillageCode


class PostWorkingGroup(Command):
    posting: PostingId
    village: VillageCode
    level: PostingLevel
    unit: str
    starts: Day
    leader: ToldPersonId | None = None
    first_secretary: ToldPersonId | None = None


class WithdrawWorkingGroup(Command):
    """``ends`` is the first day without the posting."""

    posting: PostingId
    ends: Day
    reason: str


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


@dataclass(frozen=True)
class NotPosted:
    pass


@dataclass(frozen=True)
class Posted:
    village: str
    starts: Day
    first_secretary: str | None


@dataclass(frozen=True)
class Withdrawn:
    village: str


Posting = NotPosted | Posted | Withdrawn
PostingCommand = PostWorkingGroup | WithdrawWorkingGroup
PostingEvent = WorkingGroupPosted | WorkingGroupWithdrawn


def decide(command: PostingCommand, posting: Posting) -> list[PostingEvent]:
    match command, posting:
        case PostWorkingGroup(), NotPosted():
            return [WorkingGroupPosted(**command.model_dump(exclude={"occurred_at"}))]
        case PostWorkingGroup(), _:
            raise PostingAlreadyBegun
        case WithdrawWorkingGroup(), Posted(village, starts, first_secretary):
            if command.ends < starts:
                raise WithdrawnBeforeItBegan
            return [
                WorkingGroupWithdrawn(
                    posting=command.posting,
                    village=village,
                    ends=command.ends,
                    reason=command.reason,
                    first_secretary=first_secretary,
                )
            ]
        case WithdrawWorkingGroup(), Withdrawn():
            raise PostingAlreadyWithdrawn
        case WithdrawWorkingGroup(), NotPosted():
            raise NotOnFile
        case _:
            raise AssertionError(command)


def evolve(posting: Posting, event: PostingEvent) -> Posting:
    match event:
        case WorkingGroupPosted():
            return Posted(event.village, event.starts, event.first_secretary)
        case WorkingGroupWithdrawn():
            return Withdrawn(event.village)
        case _:
            assert_never(event)


def claims(events: Sequence[Event]) -> Claims:
    """One first secretary per village at a time; a withdrawn posting gives the place up."""
    taken, released = {}, []
    for event in events:
        match event:
            case WorkingGroupPosted(first_secretary=str()):
                taken[f"first_secretary/{event.village}"] = event.posting
            case WorkingGroupWithdrawn(first_secretary=str()):
                released.append(f"first_secretary/{event.village}")
            case _:
                pass
    return Claims(taken, tuple(released))


POSTING = Aggregate[Posting](NotPosted(), evolve, decide)
