"""Children over HTTP: a list, a search by name, a card with its time line. Opening a card is an event."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from services.reporting.api.field_classes import entry_without_detail, without_detail
from services.reporting.api.freshness import After, Freshness, caught_up
from services.reporting.api.paging import next_of, page
from services.reporting.api.purpose import Purpose, stated
from services.reporting.api.scope import Scope
from services.reporting.domain import OpenFile, opening_stream
from services.reporting.read_models.child_queries import ChildQueries
from services.reporting.read_models.household_queries import HouseholdQueries
from services.reporting.retention import closed_before
from shared.commands.command import NotOnFile, Told, business_day
from shared.commands.handler import Handler
from shared.contracts.sealed import Personal
from shared.contracts.values import ChildId, DivisionCode
from shared.projection.live import LiveModels
from shared.projection.read_model import Document


class Line(BaseModel):
    """A child in a list: what is needed to choose it, and no more."""

    child: str
    village: str
    name: str | None = None
    sex: str | None = None
    birth_date: date | None = None
    open: bool | None = None
    stage: str | None = None
    care: str | None = None
    living_alone: bool | None = None
    visits: int = 0
    last_visit: date | None = None


class Lines(BaseModel):
    """``next`` is to be sent as ``after`` for the lines that follow; None at the end."""

    lines: list[Line]
    next: str | None = None
    freshness: Freshness


class ClosedFile(BaseModel):
    """A file that has been kept for as long as the policy asks; no name is needed to ask for its erasure."""

    child: str
    village: str
    closed_on: date
    closed_for: str


class ClosedFiles(BaseModel):
    """``closed_until`` is the last day of closing that the list looks at."""

    files: list[ClosedFile]
    closed_until: date
    freshness: Freshness


class Search(BaseModel):
    """The name, its pinyin or its initials, from the beginning."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    division: DivisionCode
    name: str = Field(min_length=1, max_length=50, pattern=r"^[^\x00-\x1f]+$")


class Entry(BaseModel):
    """One event of a child's time line: when it happened, when it was told, by which role."""

    type: str
    at: datetime
    told: datetime
    by: str
    facts: dict[str, Any] | None = None


class Card(BaseModel):
    """One part for each source; a part that has not arrived is absent. ``household`` is the one whose file goes on."""

    child: str
    village: str
    household: str | None = None
    file: dict[str, Any] | None = None
    visits: dict[str, Any] | None = None
    pairs: dict[str, Any] | None = None
    time_line: list[Entry]
    freshness: Freshness


def child_routes(
    queries: ChildQueries, households: HouseholdQueries, live: LiveModels, scope: Scope, handler: Handler, caller: Any
) -> APIRouter:
    router = APIRouter(prefix="/children", tags=["children"])

    @router.get("", summary="Children of a division")
    async def listed(
        division: DivisionCode,
        after: str | None = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        position: After = None,
        who: Any = Depends(caller),  # noqa: B008
    ) -> Lines:
        """The children of a division, village by village."""
        await scope.permit(who.person, "list_children", division)
        freshness = await caught_up(live, "children", position)
        found = await queries.listed(await scope.villages(division), page(after, "child"), limit)
        return Lines(
            lines=[line_of(card) for card in found],
            next=next_of(found[-1]) if len(found) == limit else None,
            freshness=freshness,
        )

    @router.get("/closed", summary="Files whose time has ended")
    async def closed(
        division: DivisionCode,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        position: After = None,
        who: Any = Depends(caller),  # noqa: B008
    ) -> ClosedFiles:
        """Closed files that have been kept long enough, for those who may ask for their erasure."""
        await scope.permit(who.person, "request_erasure", division)
        freshness = await caught_up(live, "children", position)
        until = closed_before(business_day(datetime.now(UTC)))
        found = await queries.closed(await scope.villages(division), until.isoformat(), limit)
        return ClosedFiles(files=[_closed_file(card) for card in found], closed_until=until, freshness=freshness)

    @router.post("/search", summary="Children by name")
    async def search(
        wanted: Search,
        position: After = None,
        who: Any = Depends(caller),  # noqa: B008
    ) -> Lines:
        """At most 50 children of the division whose name begins so. The name travels in the body, not in an address."""
        await scope.permit(who.person, "list_children", wanted.division)
        freshness = await caught_up(live, "children", position)
        found = await queries.named(await scope.villages(wanted.division), wanted.name, limit=50)
        return Lines(lines=[line_of(card) for card in found], freshness=freshness)

    @router.get("/{child}", summary="A child's file, opened for a purpose")
    async def card(
        child: ChildId,
        purpose: Purpose = None,
        position: After = None,
        who: Any = Depends(caller),  # noqa: B008
    ) -> Card:
        """A child's file. That it was opened, by whom and why, is on record before it is shown."""
        purpose = stated(purpose)
        freshness = await caught_up(live, "children", position)
        village = await queries.village_of(child)
        if village is None:
            raise NotOnFile
        command_id = str(uuid.uuid4())
        opening = OpenFile(
            opening=opening_stream(command_id, child),
            child=child,
            village=village,
            person=who.person,
            purpose=Personal(purpose),
        )
        await handler.handle(Told(opening, command_id, who.person))
        found = await queries.card(child)
        if found is None or found.get("erased"):
            raise NotOnFile
        file, entries = found.get("file"), await queries.time_line(child)
        registered_in = (file or {}).get("household")
        if not await scope.permits(who.person, "read_sensitive", village):
            file, entries = without_detail(file), [entry_without_detail(entry) for entry in entries]
        return Card(
            child=child,
            village=village,
            household=await households.goes_on_as(registered_in) if registered_in else None,
            file=file,
            visits=found.get("visits"),
            pairs=found.get("pairs"),
            time_line=[Entry(**entry) for entry in entries],
            freshness=freshness,
        )

    return router


def line_of(card: Document) -> Line:
    file, visits = card.get("file", {}), card.get("visits", {})
    return Line(
        child=card["_id"],
        village=card["village"],
        name=file.get("name"),
        sex=file.get("sex"),
        birth_date=file.get("birth_date"),
        open=file.get("open"),
        stage=file.get("check", {}).get("stage"),
        care=file.get("care", {}).get("kind"),
        living_alone=file.get("care", {}).get("living_alone"),
        visits=visits.get("count", 0),
        last_visit=visits.get("last_on"),
    )


def _closed_file(card: Document) -> ClosedFile:
    file = card["file"]
    return ClosedFile(
        child=card["_id"], village=card["village"], closed_on=file["closed_on"], closed_for=file["closed_for"]
    )
