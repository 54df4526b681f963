"""Households over HTTP: a list, and a card with its people and its children. Opening a card is an event."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from services.reporting.api.children import Entry, Line, line_of
from services.reporting.api.field_classes import entry_without_detail, household_without_detail
from services.reporting.api.freshness import After, Freshness, caught_up
from services.reporting.api.paging import next_of, page
from services.reporting.api.purpose import Purpose, stated
from services.reporting.api.scope import Scope
from services.reporting.domain import OpenHousehold, opening_stream
from services.reporting.read_models.child_queries import ChildQueries
from services.reporting.read_models.household_queries import HouseholdQueries
from shared.commands.command import NotOnFile, Told
from shared.commands.handler import Handler
from shared.contracts.sealed import Personal
from shared.contracts.values import DivisionCode, HouseholdId
from shared.projection.live import LiveModels
from shared.projection.read_model import Document


class HouseholdLine(BaseModel):
    """A household in a list: what is needed to choose it, and no more. ``state`` is open, closed or merged.

    ``children`` counts those who were registered in it, without those of files that were merged into it.
    """

    household: str
    village: str
    state: str
    merged_into: str | None = None
    head: str | None = None
    group: str | None = None
    poverty: str | None = None
    members: int = 0
    children: int = 0


class HouseholdLines(BaseModel):
    """``next`` is to be sent as ``after`` for the lines that follow; None at the end."""

    lines: list[HouseholdLine]
    next: str | None = None
    freshness: Freshness


class HouseholdCard(BaseModel):
    """``merged_into`` is the household that this one goes on as, ``merged`` are those that go on as this one.

    ``children`` are those of all of them, as far as they live where the reader may list children.
    """

    household: str
    village: str
    state: str
    opened_on: date
    moved_on: date | None = None
    offered_to: str | None = None
    closed_on: date | None = None
    closed_for: str | None = None
    merged_into: str | None = None
    merged: list[str] = []
    file: dict[str, Any]
    children: list[Line]
    time_line: list[Entry]
    freshness: Freshness


def household_routes(
    queries: HouseholdQueries, children: ChildQueries, live: LiveModels, scope: Scope, handler: Handler, caller: Any
) -> APIRouter:
    router = APIRouter(prefix="/households", tags=["households"])

    @router.get("", summary="Households of a division")
    async def listed(
        division: DivisionCode,
        after: str | None = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        position: After = None,
        who: Any = Depends(caller),  # noqa: B008
    ) -> HouseholdLines:
        """The households of a division, village by village."""
        await scope.permit(who.person, "list_children", division)
        freshness = await caught_up(live, "households", position)
        found = await queries.listed(await scope.villages(division), page(after, "household"), limit)
        return HouseholdLines(
            lines=[_line(card) for card in found],
            next=next_of(found[-1]) if len(found) == limit else None,
            freshness=freshness,
        )

    @router.get("/{household}", summary="A household's file, opened for a purpose")
    async def card(
        household: HouseholdId,
        purpose: Purpose = None,
        position: After = None,
        who: Any = Depends(caller),  # noqa: B008
    ) -> HouseholdCard:
        """A household's file. That it was opened, by whom and why, is on record before it is shown."""
        purpose = stated(purpose)
        freshness = await caught_up(live, "households", position)
        village = (await queries.card(household) or {}).get("village")
        if village is None:
            raise NotOnFile
        command_id = str(uuid.uuid4())
        opening = OpenHousehold(
            opening=opening_stream(command_id, household),
            household=household,
            village=village,
            person=who.person,
            purpose=Personal(purpose),
        )
        await handler.handle(Told(opening, command_id, who.person))
        found = await queries.card(household)
        if found is None:  # erased meanwhile
            raise NotOnFile
        lines = await children.lines(await queries.children(found))
        entries = await queries.time_line(household)
        if not await scope.permits(who.person, "read_sensitive", village):
            found["file"] = household_without_detail(found["file"])
            entries = [entry_without_detail(entry) for entry in entries]
        return HouseholdCard(
            household=household,
            **{name: value for name, value in found.items() if name not in ("_id", "children")},
            children=[line_of(one) for one in await _in_scope(scope, who.person, lines)],
            time_line=[Entry(**entry) for entry in entries],
            freshness=freshness,
        )

    return router


async def _in_scope(scope: Scope, person: str, lines: list[Document]) -> list[Document]:
    """A child that was taken over by another village is shown to those who work there."""
    villages = {line["village"] for line in lines}
    own = {village for village in villages if await scope.permits(person, "list_children", village)}
    return [line for line in lines if line["village"] in own]


def _line(card: Document) -> HouseholdLine:
    file = card.get("file", {})
    return HouseholdLine(
        household=card["_id"],
        village=card["village"],
        state=card["state"],
        merged_into=card.get("merged_into"),
        head=file.get("head"),
        group=file.get("group"),
        poverty=file.get("poverty"),
        members=len(file.get("members", ())),
        children=len(card.get("children", ())),
    )
