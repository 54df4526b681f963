"""Whose the children of a village are to visit (domain 3.2): one stream for each village, so that many are moved at
once when a working group leaves."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar, Final

from pydantic import Field

from shared.commands.command import Aggregate, Command, NothingToRecord
from shared.contracts.oversight import VisitsAssigned
from shared.contracts.refusal import Refusal
from shared.contracts.values import ChildId, Day, PersonId, ToldPersonId, VillageCode
from shared.standing.standing import Standing, check_standing

_NAMESPACE: Final = uuid.UUID("0b6f4a0e-6a4e-5f55-9d0a-3f1c2c6f7a31")


def assignment_stream(village: str) -> str:
    """One stream for each village."""
    return f"assignment-{uuid.uuid5(_NAMESPACE, village)}"


class AssignVisits(Command):
    """From ``starts`` on the children are the visitor's, whosever they were."""

    village: VillageCode
    children: tuple[ChildId, ...] = Field(min_length=1, max_length=1000)
    visitor: ToldPersonId
    starts: Day


class JudgedAssignment(AssignVisits):
    """With how the children stand on the first day, and whether the visitor then holds an office in the village."""

    person: PersonId
    standings: dict[ChildId, Standing | None]
    visitor_in_office: bool


class VisitorHoldsNoOffice(Refusal):
    """The visitor holds no office on that day by which this village is visited."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Choose somebody who works in the village on that day, or a later day."


class AlreadyAssigned(NothingToRecord):
    """From that day on the children are the visitor's already."""


@dataclass(frozen=True)
class Assigned:
    """To whom, by child and first day."""

    visitors: Mapping[tuple[str, date], str] = field(default_factory=dict)


def decide(command: JudgedAssignment, assigned: Assigned) -> list[VisitsAssigned]:
    for child in command.children:
        check_standing(command.standings.get(child), command.village)
    if not command.visitor_in_office:
        raise VisitorHoldsNoOffice
    children = tuple(
        child
        for child in dict.fromkeys(command.children)
        if assigned.visitors.get((child, command.starts)) != command.visitor
    )
    if not children:
        raise AlreadyAssigned
    return [
        VisitsAssigned(
            assignment=assignment_stream(command.village),
            village=command.village,
            children=children,
            visitor=command.visitor,
            starts=command.starts,
            assigned_by=command.person,
        )
    ]


def evolve(assigned: Assigned, event: VisitsAssigned) -> Assigned:
    told = {(child, event.starts): event.visitor for child in event.children}
    return Assigned({**assigned.visitors, **told})


ASSIGNMENT = Aggregate[Assigned](Assigned(), evolve, decide)
