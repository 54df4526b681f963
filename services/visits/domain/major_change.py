"""A major change in a child's life (重大变故; domain 3.2): told once, by anyone; a visit within a day follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from shared.commands.command import Aggregate, Command
from shared.contracts.field_work import MajorChangeKind, MajorChangeReported
from shared.contracts.refusal import Refusal
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import ChildId, MajorChangeId, PersonId, Text, VillageCode
from shared.eventlog.placement import placement_of
from shared.standing.standing import Standing, check_standing


class ReportMajorChange(Command):
    """``occurred_at`` is when it happened."""

    change: MajorChangeId
    child: ChildId
    village: VillageCode
    kind: Counted[MajorChangeKind]
    text: Personal[Text] | None = None


class JudgedChange(ReportMajorChange):
    person: PersonId
    standing: Standing | None


class ChangeAlreadyReported(Refusal):
    """This change is on record already."""

    what_to_do: ClassVar[str] = "Give a new change an id of its own."


class ChangeStandsElsewhere(Refusal):
    """The id of a change must end in the same two bytes as the child's."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Make the change's id beside the child's, so that both stand in one partition."


@dataclass(frozen=True)
class NotReported:
    pass


@dataclass(frozen=True)
class Reported:
    pass


Change = NotReported | Reported


def decide(command: JudgedChange, change: Change) -> list[MajorChangeReported]:
    if isinstance(change, Reported):
        raise ChangeAlreadyReported
    if placement_of(command.change) != placement_of(command.child):
        raise ChangeStandsElsewhere
    check_standing(command.standing, command.village)
    return [
        MajorChangeReported(
            change=command.change,
            child=command.child,
            village=command.village,
            kind=command.kind,
            text=command.text,
            happened_on=command.occurred_on,
            reported_by=command.person,
        )
    ]


def evolve(change: Change, event: MajorChangeReported) -> Change:
    return Reported()


CHANGE = Aggregate[Change](NotReported(), evolve, decide)
