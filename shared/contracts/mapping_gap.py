"""registry's events of children whom the mapping missed (domain 3.1 MappingCampaign, 4.1), and of lists taken away."""

from __future__ import annotations

from typing import ClassVar

from shared.contracts.event import Event
from shared.contracts.sealed import Personal
from shared.contracts.values import (
    BirthMonth,
    ChildId,
    Count,
    Day,
    DivisionCode,
    GapOutcome,
    GapSource,
    ListExportId,
    MappingGapId,
    MatchingId,
    Name,
    PersonId,
    RegisterKind,
    VillageCode,
)


class MappingGapFound(Event):
    """A child was found that the mapping of its village had missed.

    ``child`` is its file where it has one by now; without one ``name``, and the month of birth where it is known, tell
    who it is. The gap is a subject of its own: what was told of the child is forgotten once the gap is settled.
    """

    subject: ClassVar[str | None] = "gap"

    gap: MappingGapId
    village: VillageCode
    source: GapSource
    found_on: Day
    found_by: PersonId
    child: ChildId | None = None
    name: Personal[Name] | None = None
    birth_month: Personal[BirthMonth] | None = None


class MappingGapSettled(Event):
    """What became of it; ``child`` is the file it was registered as."""

    gap: MappingGapId
    village: VillageCode
    outcome: GapOutcome
    settled_by: PersonId
    child: ChildId | None = None


class ListExported(Event):
    """Somebody took away the list of children whom another register does not hold (domain 6.2, rule 5)."""

    export: ListExportId
    matching: MatchingId
    register_kind: RegisterKind
    division: DivisionCode
    children: Count
    person: PersonId
