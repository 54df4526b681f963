"""A visit (domain 3.2): who was seen, when, what was found for each child.

It is judged by the child's standing at the moment it happened: a visit made before a file was closed is accepted late.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pydantic import Field

from shared.commands.command import Aggregate, Command
from shared.contracts.refusal import Refusal
from shared.contracts.values import ChildId, HouseholdId, VillageCode, VisitId, VisitKind, VisitPurpose
from shared.contracts.visits import ChildFinding, VisitLogged
from shared.eventlog.placement import placement_of
from shared.standing.standing import Standing, check_standing


class LogVisit(Command):
    """One visit to one household, with a finding for each child that was seen."""

    visit: VisitId
    household: HouseholdId
    village: VillageCode
    kind: VisitKind
    purposes: tuple[VisitPurpose, ...] = Field(min_length=1)
    findings: tuple[ChildFinding, ...] = Field(min_length=1, max_length=20)


class JudgedVisit(LogVisit):
    """The visit, with the standing of its children on that day; None where the child is unknown everywhere."""

    standings: dict[ChildId, Standing | None]


class VisitAlreadyLogged(Refusal):
    """This visit is on record already."""

    what_to_do: ClassVar[str] = "Give a new visit an id of its own; correct a visit by amending it."


class VisitStandsElsewhere(Refusal):
    """The id of a visit, and of its children, must end in the same two bytes as the household's."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Make the visit's id beside the household's, so that both stand in one partition."


class ChildNamedTwice(Refusal):
    """A visit has one finding for each child."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Put what was found for a child into one finding."


@dataclass(frozen=True)
class NotLogged:
    pass


@dataclass(frozen=True)
class Logged:
    pass


Visit = NotLogged | Logged


def decide(command: JudgedVisit, visit: Visit) -> list[VisitLogged]:
    if isinstance(visit, Logged):
        raise VisitAlreadyLogged
    _check_placement(command)
    if len({finding.child for finding in command.findings}) < len(command.findings):
        raise ChildNamedTwice
    for finding in command.findings:
        check_standing(command.standings.get(finding.child), command.village)
    return [
        VisitLogged(
            visit=command.visit,
            household=command.household,
            village=command.village,
            kind=command.kind,
            purposes=tuple(dict.fromkeys(command.purposes)),
            visited_on=command.occurred_on,
            findings=command.findings,
            on_stale_standing=not all(standing and standing.fresh for standing in command.standings.values()),
        )
    ]


def _check_placement(command: JudgedVisit) -> None:
    place = placement_of(command.household)
    if any(placement_of(thing) != place for thing in (command.visit, *(f.child for f in command.findings))):
        raise VisitStandsElsewhere


def evolve(visit: Visit, event: VisitLogged) -> Visit:
    return Logged()


VISIT = Aggregate[Visit](NotLogged(), evolve, decide)
