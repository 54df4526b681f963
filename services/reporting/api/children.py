"""Children over HTTP: a list, a search by name, a card with its time line. Opening a card is an event."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any, ClassVar

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from services.reporting.api.field_classes import entry_without_detail, without_detail
from services.reporting.api.freshness import After, Freshness, caught_up
from services.reporting.api.opening import Opener, Purpose
from services.reporting.api.scope import Scope
from services.reporting.read_models.child_queries import ChildQueries
from services.reporting.retention import closed_before
from shared.commands.command import NotOnFile, business_day
from shared.contracts.refusal import Refusal
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


class DueReview(BaseModel):
    """A verified file that is to be looked at again, at the latest on ``due_on``; it was last on ``looked_at_on``."""

    child: str
    village: str
    name: str | None = None
    stage: str
    due_on: date
    overdue: bool
    looked_at_on: date
    guardian_confirmed_on: date | None = None


class DueReviews(BaseModel):
    """Those that are due on ``until`` or before; overdue is what was due before that day."""

    reviews: list[DueReview]
    until: date
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


class Parts(BaseModel):
    """One part for each source; a part that has not arrived is absent."""

    child: str
    village: str
    file: dict[str, Any] | None = None
    visits: dict[str, Any] | None = None
    pairs: dict[str, Any] | None = None
    time_line: list[Entry]


class Card(Parts):
    """``merged`` are the files that were merged into this one, with the visits and pairs they had; without those of
    villages outside the caller's scope."""

    merged: list[Parts] = []
    freshness: Freshness


class PageMalformed(Refusal):
    """``after`` is not what an earlier answer gave as ``next``."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Send ``next`` of the last answer unchanged, or leave it out to begin again."


def child_routes(queries: ChildQueries, live: LiveModels, scope: Scope, opener: Opener, caller: Any) -> APIRouter:
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
        found = await queries.listed(await scope.villages(division), _page(after), limit)
        return Lines(
            lines=[_line(card) for card in found],
            next=_next(found[-1]) if len(found) == limit else None,
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

    @router.get("/reviews", summary="Files whose half-yearly review is due")
    async def reviews(
        division: DivisionCode,
        until: date | None = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        position: After = None,
        who: Any = Depends(caller),  # noqa: B008
    ) -> DueReviews:
        """Open files whose review is due on a day (today, when none is named) or before, the longest due first."""
        await scope.permit(who.person, "list_children", division)
        freshness = await caught_up(live, "children", position)
        day = until or business_day(datetime.now(UTC))
        found = await queries.due(await scope.villages(division), day.isoformat(), limit)
        return DueReviews(reviews=[_review(card, day) for card in found], until=day, freshness=freshness)

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
        return Lines(lines=[_line(card) for card in found], freshness=freshness)

    @router.get("/{child}", summary="A child's file, opened for a purpose")
    async def card(
        child: ChildId,
        purpose: Purpose = None,
        position: After = None,
        who: Any = Depends(caller),  # noqa: B008
    ) -> Card:
        """A child's file. That it was opened, by whom and why, is on record before it is shown."""
        freshness = await caught_up(live, "children", position)
        village = await queries.village_of(child)
        if village is None:
            raise NotOnFile
        await opener.open(child, village, who.person, purpose)
        found = await queries.card(child)
        if found is None or found.get("erased"):
            raise NotOnFile
        merged = []
        for one in await queries.merged_into(child):
            if await scope.permits(who.person, "open_child_file", one["village"]):
                await opener.open(one["_id"], one["village"], who.person, purpose)
                merged.append(Parts(**await parts(one, who.person)))
        return Card(**await parts(found, who.person), merged=merged, freshness=freshness)

    async def parts(card: Document, person: str) -> dict[str, Any]:
        """What a card holds, for this person's eyes."""
        file, entries = card.get("file"), await queries.time_line(card["_id"])
        if not await scope.permits(person, "read_sensitive", card["village"]):
            file, entries = without_detail(file), [entry_without_detail(entry) for entry in entries]
        return {
            "child": card["_id"],
            "village": card["village"],
            "file": file,
            "visits": card.get("visits"),
            "pairs": card.get("pairs"),
            "time_line": [Entry(**entry) for entry in entries],
        }

    return router


def _line(card: Document) -> Line:
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


def _review(card: Document, until: date) -> DueReview:
    file, check = card["file"], card["file"]["check"]
    return DueReview(
        child=card["_id"],
        village=card["village"],
        name=file.get("name"),
        stage=check["stage"],
        due_on=check["due_on"],
        overdue=check["due_on"] < until.isoformat(),
        looked_at_on=max(check.get("verified_on", ""), check.get("confirmed_on", "")),
        guardian_confirmed_on=file.get("guardian", {}).get("confirmed_on"),
    )


def _next(card: Document) -> str:
    # The place of the last line without its name: the id finds it again.
    return f"{card['village']}/{card['_id']}"


def _page(after: str | None) -> tuple[str, str] | None:
    if after is None:
        return None
    village, _, child = after.partition("/")
    if not (village.isdecimal() and child.startswith("child-")):
        raise PageMalformed
    return village, child
