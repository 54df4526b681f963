"""A pair: a child and a helper, from a day to before another (domain 3.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, assert_never

from shared.commands.command import Aggregate, Claims, Command, NothingToRecord, NotOnFile
from shared.contracts.event import Event
from shared.contracts.pairing import PairEnded, PairFormed
from shared.contracts.refusal import Refusal
from shared.contracts.sealed import Personal
from shared.contracts.values import ChildId, Day, PairEndReason, PairId, PairKind, Text, ToldPersonId, VillageCode
from shared.eventlog.placement import placement_of
from shared.standing.standing import Standing, check_standing


class FormPair(Command):
    pair: PairId
    child: ChildId
    helper: ToldPersonId
    kind: PairKind
    village: VillageCode
    starts: Day


class JudgedPair(FormPair):
    """The wish, with the standing of the child on the pair's first day; None where the child is unknown everywhere."""

    standing: Standing | None


class EndPair(Command):
    """``ends`` is the first day without the pair."""

    pair: PairId
    ends: Day
    reason: PairEndReason
    note: Personal[Text] | None = None


class PairAlreadyFormed(Refusal):
    """This pair is on record already."""

    what_to_do: ClassVar[str] = "Give a new pair an id of its own."


class PairAlreadyEnded(NothingToRecord):
    """This pair has ended already."""

    what_to_do: ClassVar[str] = "Nothing: it has ended."


class PairEndsBeforeItBegan(Refusal):
    """A pair can not end before its first day."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Check the day."


class PairEndUnexplained(Refusal):
    """A pair that ended for another reason than those listed needs a note."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Say in the note why it ended, or choose one of the reasons."


class PairStandsElsewhere(Refusal):
    """The id of a pair must end in the same two bytes as the child's."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Make the pair's id beside the child's, so that both stand in one partition."


@dataclass(frozen=True)
class NotFormed:
    pass


@dataclass(frozen=True)
class Active:
    child: str
    kind: PairKind
    village: str
    starts: Day


@dataclass(frozen=True)
class Over:
    village: str


Pair = NotFormed | Active | Over


def decide(command: JudgedPair | EndPair, pair: Pair) -> list[PairFormed | PairEnded]:
    match command, pair:
        case JudgedPair(), NotFormed():
            if placement_of(command.pair) != placement_of(command.child):
                raise PairStandsElsewhere
            check_standing(command.standing, command.village)
            return [PairFormed(**command.model_dump(exclude={"occurred_at", "standing"}))]
        case JudgedPair(), _:
            raise PairAlreadyFormed
        case EndPair(), Active(child, kind, _, starts):
            if command.ends < starts:
                raise PairEndsBeforeItBegan
            if command.reason is PairEndReason.OTHER and command.note is None:
                raise PairEndUnexplained
            return [PairEnded(child=child, kind=kind, **command.model_dump(exclude={"occurred_at"}))]
        case EndPair(), Over():
            raise PairAlreadyEnded
        case EndPair(), NotFormed():
            raise NotOnFile
        case _:
            raise AssertionError(command)


def evolve(pair: Pair, event: PairFormed | PairEnded) -> Pair:
    match event:
        case PairFormed():
            return Active(event.child, event.kind, event.village, event.starts)
        case PairEnded():
            return Over(pair.village if isinstance(pair, Active) else "")
        case _:
            assert_never(event)


def claims(events: Sequence[Event]) -> Claims:
    """A child has one active pair of a kind at a time."""
    taken, released = {}, []
    for event in events:
        match event:
            case PairFormed():
                taken[f"{event.kind}/{event.child}"] = event.pair
            case PairEnded():
                released.append(f"{event.kind}/{event.child}")
            case _:
                pass
    return Claims(taken, tuple(released))


PAIR = Aggregate[Pair](NotFormed(), evolve, decide)
