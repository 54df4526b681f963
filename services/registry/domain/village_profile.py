"""A village's profile: figures of a day that no file of a child holds (domain 3.1, VillageProfile).

``rural_minors_under_16`` is the denominator that was asked for in 2016 [Z7]. A later look does not undo an earlier one:
each holds for its day.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Annotated, ClassVar, Final

from pydantic import Field

from shared.commands.command import Aggregate, Command, NothingToRecord
from shared.contracts.places import VillageProfileRecorded
from shared.contracts.refusal import Refusal
from shared.contracts.values import Day, PovertyStatus, RoadKind, SchoolId, VillageCode

_NAMESPACE = uuid.UUID("0b6e8f4a-6d0c-5c43-8a0e-2f6d4be1c7a9")

MOST_PEOPLE: Final = 100_000
MOST_METRES: Final = 300_000

People = Annotated[int, Field(ge=0, le=MOST_PEOPLE)]


def profile_stream(village: str) -> str:
    """One stream for each village, derived from its code."""
    return f"profile-{uuid.uuid5(_NAMESPACE, village)}"


class RecordVillageProfile(Command):
    """Whatever of it was found out; distances in metres."""

    village: VillageCode
    as_of: Day
    households: People | None = None
    population: People | None = None
    rural_minors_under_16: People | None = None
    migrant_workers: People | None = None
    metres_to_township: Annotated[int, Field(ge=0, le=MOST_METRES)] | None = None
    road: RoadKind | None = None
    poverty: PovertyStatus | None = None
    has_childrens_home: bool | None = None
    schools: tuple[SchoolId, ...] = Field((), max_length=20)


class FiguresDoNotFit(Refusal):
    """A village has no more households, children or migrant workers than people."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Check the figures against the population; give only those that were counted."


class ProfileOfTheFuture(Refusal):
    """as_of: a profile holds for a day that has come."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Check the day."


class NothingFound(Refusal):
    """A profile says at least one thing of its village."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Give at least one of the figures."


@dataclass(frozen=True)
class Profile:
    """What is on record of a village, by day; of two looks on one day the later told one holds."""

    on: Mapping[date, VillageProfileRecorded] = field(default_factory=dict)

    def at(self, day: date) -> VillageProfileRecorded | None:
        """The latest look up to that day."""
        days = [told for told in self.on if told <= day]
        return self.on[max(days)] if days else None


def decide(command: RecordVillageProfile, profile: Profile) -> list[VillageProfileRecorded]:
    told = command.model_dump(exclude={"occurred_at"})
    if all(value in (None, ()) for name, value in told.items() if name not in ("village", "as_of")):
        raise NothingFound
    if command.as_of > command.occurred_on:
        raise ProfileOfTheFuture
    _check_people(command)
    recorded = VillageProfileRecorded(**told)
    if profile.on.get(command.as_of) == recorded:
        raise NothingToRecord
    return [recorded]


def _check_people(command: RecordVillageProfile) -> None:
    parts = (command.households, command.rural_minors_under_16, command.migrant_workers)
    if command.population is not None and any(part is not None and part > command.population for part in parts):
        raise FiguresDoNotFit


def evolve(profile: Profile, event: VillageProfileRecorded) -> Profile:
    return replace(profile, on={**profile.on, event.as_of: event})


PROFILE = Aggregate[Profile](Profile(), evolve, decide)
