"""Mapping campaigns over HTTP: village by village how far they are, and the sheet of one village, door by door."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any, ClassVar, Final

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel

from services.reporting.api.figures import FigureAnswer
from services.reporting.api.freshness import After, Freshness, caught_up
from services.reporting.figures.indicators import share
from services.reporting.read_models.mapping_queries import MappingQueries
from services.reporting.read_models.mappings import Mappings
from shared.commands.command import NotOnFile, business_day
from shared.contracts.refusal import Refusal
from shared.contracts.values import CampaignId, DivisionCode, VillageCode
from shared.identity.scope import Scope, StandingVillage
from shared.projection.live import LiveModels
from shared.projection.read_model import Document

MOST_VILLAGES: Final = 6_000
"""A city with all its villages; a province is asked for city by city."""


class Counts(BaseModel):
    """``groups`` are those with a roster; ``added`` of the doors had been on none; ``results`` counts doors by result;
    ``children`` are those found in their households."""

    groups: int = 0
    doors: int = 0
    added: int = 0
    done: int = 0
    results: dict[str, int] = {}
    children: int = 0


class VillageLine(Counts):
    """``state`` is planned, started, concluded or reopened. ``mapped_as`` are the codes under which its mapping, and
    those of the villages merged into it, began: commands name them."""

    village: str
    name: str
    state: str
    concluded_on: date | None = None
    mapped_as: list[str]


class Total(Counts):
    """``I2``: villages concluded of those in the campaign; ``I2b``: doors with a result of those on the rosters."""

    villages: int
    concluded: int
    I2: FigureAnswer
    I2b: FigureAnswer


class CampaignProgress(BaseModel):
    """``scope`` is the division of the campaign; the lines are of the villages in both, as they stand today."""

    campaign: str
    scope: str
    starts: date
    ends: date
    closed_on: date | None
    rule: str
    as_of: date
    division: str
    total: Total
    villages: list[VillageLine]
    freshness: Freshness


class Door(BaseModel):
    """``result`` is None while the door is open. No name: who lives there is told by the household's own files."""

    household: str
    number: str
    added: bool
    result: str | None
    mapped_on: date | None = None
    tries: int | None = None
    children: list[str] = []


class Group(BaseModel):
    """``roster`` says whether its roster has been fixed."""

    group: str
    name: str | None
    roster: bool
    doors: int
    done: int
    households: list[Door]


class Sheet(BaseModel):
    """``absent`` are the households where nobody was met: they are worth another walk."""

    campaign: str
    village: str
    state: str
    team: list[str]
    concluded_on: date | None
    groups: list[Group]
    absent: list[str]
    freshness: Freshness


class TooManyVillages(Refusal):
    """The progress of so many villages is not told at once."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Ask for a city, or for what lies below it."


Campaign = Annotated[CampaignId, Path()]


def mapping_routes(queries: MappingQueries, live: LiveModels, scope: Scope, caller: Any) -> APIRouter:
    router = APIRouter(prefix="/mapping", tags=["mapping"])

    @router.get("/{campaign}", summary="How far a mapping campaign is")
    async def progress(
        campaign: Campaign,
        division: DivisionCode,
        after: After = None,
        who: Any = Depends(caller),  # noqa: B008
    ) -> CampaignProgress:
        """The villages of a division that belong to the campaign, with their total; villages are today's."""
        await scope.permit(who.person, "read_figures", division)
        freshness = await caught_up(live, Mappings.name, after)
        found = await queries.campaign(campaign)
        if found is None:
            raise NotOnFile
        standing = await scope.standing_villages([division, found["division"]], business_day(datetime.now(UTC)))
        if len(standing) > MOST_VILLAGES:
            raise TooManyVillages
        mapped = await queries.villages(campaign, [code for village in standing for code in village.codes])
        lines = [_line(village, mapped) for village in standing]
        return CampaignProgress(
            campaign=found.pop("_id"),
            scope=found.pop("division"),
            **found,
            division=division,
            total=_total(lines),
            villages=lines,
            freshness=freshness,
        )

    @router.get("/{campaign}/villages/{village}", summary="The mapping sheet of a village")
    async def sheet(
        campaign: Campaign,
        village: VillageCode,
        after: After = None,
        who: Any = Depends(caller),  # noqa: B008
    ) -> Sheet:
        """Its groups with their doors. The village is named by the code under which its mapping began."""
        await scope.permit(who.person, "read_mapping_sheet", village)
        freshness = await caught_up(live, Mappings.name, after)
        found = (await queries.villages(campaign, [village])).get(village)
        if found is None:
            raise NotOnFile
        doors = await queries.doors(found["_id"])
        names = await scope.group_names(village)
        return Sheet(
            campaign=campaign,
            village=village,
            state=found["state"],
            team=found["team"],
            concluded_on=found["concluded_on"],
            groups=[_group(code, names.get(code), found, doors) for code in sorted({*names, *found["groups"]})],
            absent=[door["household"] for door in doors if door["result"] == "absent"],
            freshness=freshness,
        )

    return router


def _line(village: StandingVillage, mapped: Mapping[str, Document]) -> VillageLine:
    begun = [mapped[code] for code in village.codes if code in mapped]
    state = _state([one["state"] for one in begun], own=any(code in mapped for code in village.own))
    return VillageLine(
        village=village.code,
        name=village.name,
        state=state,
        concluded_on=max(one["concluded_on"] for one in begun) if state == "concluded" else None,
        mapped_as=[one["village"] for one in begun],
        groups=sum(len(one["groups"]) for one in begun),
        results=_summed(one["results"] for one in begun),
        **{name: sum(one[name] for one in begun) for name in ("doors", "added", "done", "children")},
    )


def _state(states: list[str], own: bool) -> str:
    """A village is concluded with all that were merged into it, and not by those alone."""
    if own and set(states) == {"concluded"}:
        return "concluded"
    if "reopened" in states:
        return "reopened"
    return "started" if {"started", "concluded"} & set(states) else "planned"


def _total(lines: list[VillageLine]) -> Total:
    concluded = sum(line.state == "concluded" for line in lines)
    sums = {name: sum(getattr(line, name) for line in lines) for name in ("groups", "doors", "added", "done")}
    return Total(
        villages=len(lines),
        concluded=concluded,
        I2=_rate(concluded, len(lines)),
        I2b=_rate(sums["done"], sums["doors"]),
        results=_summed(line.results for line in lines),
        children=sum(line.children for line in lines),
        **sums,
    )


def _rate(numerator: int, denominator: int) -> FigureAnswer:
    return FigureAnswer(numerator=numerator, denominator=denominator, rate=share(numerator, denominator))


def _summed(results: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for one in results:
        total.update(one)
    return dict(sorted(total.items()))


def _group(code: str, name: str | None, village: Document, doors: list[Document]) -> Group:
    own = [door for door in doors if door["group"] == code]
    return Group(
        group=code,
        name=name,
        roster=code in village["groups"],
        doors=len(own),
        done=sum(door["result"] is not None for door in own),
        households=[Door(**{field: door[field] for field in Door.model_fields if field in door}) for door in own],
    )
