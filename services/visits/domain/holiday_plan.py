"""A village's plan for school holidays (domain 4.2, 5.3): adopted before they begin, amended until they end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from pydantic import Field

from shared.commands.command import Aggregate, Command
from shared.contracts.field_work import HolidayPlanAdopted, HolidayRisk
from shared.contracts.refusal import Refusal
from shared.contracts.sealed import Personal
from shared.contracts.values import ChildId, Day, PersonId, ToldPersonId, VillageCode
from shared.eventlog.placement import derived_id
from shared.standing.standing import Standing, check_standing


class AdoptHolidayPlan(Command):
    """``starts`` and ``ends`` are the first and the last day of the holidays. A plan whose days it shares is amended:
    this one stands in its place."""

    village: VillageCode
    starts: Day
    ends: Day
    risks: tuple[HolidayRisk, ...] = Field(min_length=1, max_length=20)
    watch: Personal[tuple[ChildId, ...]] = Field(default_factory=lambda: Personal(()))
    on_duty: tuple[ToldPersonId, ...] = Field(min_length=1, max_length=50)


class JudgedHolidayPlan(AdoptHolidayPlan):
    """With the standing, on that day, of the children who are watched."""

    person: PersonId
    standings: dict[ChildId, Standing | None]


class HolidaysEndBeforeTheyBegin(Refusal):
    """ends: holidays end on the day they begin or later."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Check both days."


class HolidaysHaveBegun(Refusal):
    """starts: a plan is adopted before the holidays begin."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Plan the next holidays; only a plan that was adopted in time is amended in them."


class HolidaysAreOver(Refusal):
    """ends: these holidays are over."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Plan the next holidays."


class TooManyWatched(Refusal):
    """watch: more than 500 children."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Name those who are to be watched over above all others."


class Days(NamedTuple):
    starts: Day
    ends: Day

    def share(self, other: Days) -> bool:
        return self.starts <= other.ends and other.starts <= self.ends


@dataclass(frozen=True)
class Plans:
    """The days of the plans that stand; no two of them share one."""

    days: tuple[Days, ...] = ()


def plan_stream(village: str) -> str:
    """One stream for each village."""
    return derived_id(village, "holidayplan")


def decide(command: JudgedHolidayPlan, plans: Plans) -> Sequence[HolidayPlanAdopted]:
    days = Days(command.starts, command.ends)
    if days.ends < days.starts:
        raise HolidaysEndBeforeTheyBegin
    if days.ends < command.occurred_on:
        raise HolidaysAreOver
    if days.starts <= command.occurred_on and not any(days.share(one) for one in plans.days):
        raise HolidaysHaveBegun
    watch = tuple(dict.fromkeys(command.watch.reveal()))
    if len(watch) > 500:
        raise TooManyWatched
    for child in watch:
        check_standing(command.standings.get(child), command.village)
    return [
        HolidayPlanAdopted(
            plan=plan_stream(command.village),
            village=command.village,
            starts=command.starts,
            ends=command.ends,
            risks=tuple(dict.fromkeys(command.risks)),
            watch=Personal(watch),
            on_duty=tuple(dict.fromkeys(command.on_duty)),
            adopted_on=command.occurred_on,
            adopted_by=command.person,
        )
    ]


def evolve(plans: Plans, event: HolidayPlanAdopted) -> Plans:
    days = Days(event.starts, event.ends)
    return Plans((*(one for one in plans.days if not one.share(days)), days))


HOLIDAY_PLAN = Aggregate[Plans](Plans(), evolve, decide)
