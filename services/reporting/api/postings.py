"""Working groups over HTTP: how many there are in a division, and how many units have sent them."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from services.reporting.api.freshness import After, Freshness, caught_up
from services.reporting.read_models.postings import PostingQueries, Postings
from shared.commands.command import business_day
from shared.contracts.values import DivisionCode
from shared.identity.scope import Scope
from shared.projection.live import LiveModels
from shared.projection.read_model import Document


class SendingUnit(BaseModel):
    unit: str
    groups: int
    villages: int


class WorkingGroups(BaseModel):
    """``groups`` are postings on the day; a unit counts once, however many groups it has sent."""

    division: str
    on: date
    groups: int
    units: int
    by_unit: list[SendingUnit]
    freshness: Freshness


def posting_routes(queries: PostingQueries, live: LiveModels, scope: Scope, caller: Any) -> APIRouter:
    router = APIRouter(tags=["postings"])

    @router.get("/working-groups", summary="Working groups and the units that sent them")
    async def working_groups(
        division: DivisionCode,
        on: date | None = None,
        after: After = None,
        who: Any = Depends(caller),  # noqa: B008
    ) -> WorkingGroups:
        """The groups posted in a division on a day (today without one), by the units that sent them."""
        await scope.permit(who.person, "read_roster", division)
        freshness = await caught_up(live, Postings.name, after)
        day = on or business_day(datetime.now(UTC))
        units = sending_units(await queries.active(await scope.villages(division), day))
        return WorkingGroups(
            division=division,
            on=day,
            groups=sum(unit.groups for unit in units),
            units=len(units),
            by_unit=units,
            freshness=freshness,
        )

    return router


def sending_units(postings: Iterable[Document]) -> list[SendingUnit]:
    """Those with most groups first. Spaces and the width of characters make no other unit."""
    villages: defaultdict[str, list[str]] = defaultdict(list)
    for posting in postings:
        villages[unicodedata.normalize("NFKC", posting["unit"]).replace(" ", "")].append(posting["village"])
    found = [SendingUnit(unit=unit, groups=len(sent), villages=len({*sent})) for unit, sent in villages.items()]
    return sorted(found, key=lambda unit: (-unit.groups, unit.unit))
