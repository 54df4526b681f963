"""Children over HTTP: a list, a search by name, a card with its time line. Opening a card is an event."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any, ClassVar

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from services.reporting.api.field_classes import entry_without_detail, without_detail, without_photos
from services.reporting.api.freshness import After, Freshness, caught_up
from services.reporting.api.opening import Opener
from services.reporting.api.paging import next_of, page
from services.reporting.read_models.child_queries import ChildQueries
from services.reporting.read_models.household_queries import HouseholdQueries
from services.reporting.retention import Retention, closed_before
from shared.adoption.read_model import AdoptionsModel
from shared.commands.command import NotOnFile, business_day
from shared.contracts.refusal import Refusal
from shared.contracts.values import ChildId, DivisionCode
from shared.identity.scope import Scope
from shared.projection.live import LiveModels
from shared.projection.read_model import Document
from shared.web.purpose import Purpose


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
    """A file that has been kept for as long as the periods named by ``retention`` ask; no name is needed to ask for
    its erasure."""

    child: str
    village: str
    closed_on: date
    closed_for: str
    retention: str
    erasure_requested: bool


class ClosedFiles(BaseModel):
    """``closed_until`` is the last day of closing that the list looks at, wherever periods are shortest."""

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
    """One part for each source; a part that has not arrived is absent. ``household`` is the one whose file goes on."""

    child: str
    village: str
    household: str | None = None
    file: dict[str, Any] | None = None
    visits: dict[str, Any] | None = None
    pairs: dict[str, Any] | None = None
    consents: dict[str, Any] | None = None
    attachments: dict[str, Any] | None = None
    time_line: list[Entry]


class Card(Parts):
    """``merged`` are the files that were merged into this one, with the visits and pairs they had; without those of
    villages outside the caller's scope."""

    merged: list[Parts] = []
    freshness: Freshness


class ClosedToTheCountyAlone(Refusal):
    """The file is closed; from that day on the county alone reads it (domain 6.4)."""

    status: ClassVar[int] = 403
    what_to_do: ClassVar[str] = "Ask the civil affairs office of the county, or reopen the file if the child is back."


def child_routes(
    queries: ChildQueries,
    households: HouseholdQueries,
    retention: Retention,
    live: LiveModels,
    scope: Scope,
    opener: Opener,
    caller: Any,
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
        """The children of a division, village by village; those whose file is closed, for the county alone."""
        await scope.permit(who.person, "list_children", division)
        freshness = await caught_up(live, "children", position)
        hidden = await hidden_from(who.person, division)
        found = await queries.listed(await scope.villages(division), page(after, "child"), limit, hidden)
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
        """Closed files that have been kept long enough, the longest closed first, for the county to ask for their
        erasure: one ``RequestErasure`` for each, many at once by ``POST /commands``."""
        await scope.permit(who.person, "read_closed_file", division)
        await caught_up(live, AdoptionsModel.name, position)
        freshness = await caught_up(live, "children", position)
        kept = await retention.kept(await scope.villages(division), _today())
        found = await queries.closed([(one.villages, one.until.isoformat()) for one in kept], limit)
        versions = {village: one.version for one in kept for village in one.villages}
        return ClosedFiles(
            files=[_closed_file(card, versions[card["village"]]) for card in found],
            closed_until=max((one.until for one in kept), default=closed_before(_today())),
            freshness=freshness,
        )

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
        day = until or _today()
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
        hidden = await hidden_from(who.person, wanted.division)
        found = await queries.named(await scope.villages(wanted.division), wanted.name, 50, hidden)
        return Lines(lines=[line_of(card) for card in found], freshness=freshness)

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
        if village is None or not await scope.permits(who.person, "open_child_file", village, child):
            raise NotOnFile
        if (hidden := await hidden_from(who.person, village)) and await queries.closed_on_or_before(child, hidden):
            raise ClosedToTheCountyAlone
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
        attachments, registered_in = card.get("attachments"), (file or {}).get("household")
        if not await scope.permits(person, "read_sensitive", card["village"], card["_id"]):
            file, entries = without_detail(file), [entry_without_detail(entry) for entry in entries]
            attachments = without_photos(attachments)
        return {
            "child": card["_id"],
            "village": card["village"],
            "household": await households.goes_on_as(registered_in) if registered_in else None,
            "file": file,
            "visits": card.get("visits"),
            "pairs": card.get("pairs"),
            "consents": card.get("consents"),
            "attachments": attachments,
            "time_line": [Entry(**entry) for entry in entries],
        }

    async def hidden_from(person: str, division: str) -> str | None:
        """Files that were closed on this day (ISO) or before are hidden from the person; None where none is."""
        return None if await scope.permits(person, "read_closed_file", division) else _today().isoformat()

    return router


def _today() -> date:
    return business_day(datetime.now(UTC))


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


def _closed_file(card: Document, retention: str) -> ClosedFile:
    file = card["file"]
    return ClosedFile(
        child=card["_id"],
        village=card["village"],
        closed_on=file["closed_on"],
        closed_for=file["closed_for"],
        retention=retention,
        erasure_requested=file.get("erasure_requested", False),
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
