"""Concerns and protection reports over HTTP. What they say of a child is shown for a purpose, which is on record."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel

from services.reporting.api.freshness import After, Freshness, caught_up
from services.reporting.api.opening import Opener
from services.reporting.read_models.concerns import CONCERNS, MERGED
from services.reporting.read_models.protection import ALARMS, REPORTS
from shared.commands.command import NotOnFile, business_day
from shared.contracts.values import Body, ConcernId, DivisionCode, ReportId
from shared.identity.scope import Scope
from shared.projection.live import Collections, LiveModels
from shared.projection.read_model import Document
from shared.web.purpose import Purpose

MOST: Final = 500
"""Lines in one answer, the most urgent first."""


class ConcernLine(BaseModel):
    """``referred`` are the bodies whose answer is awaited, with the day they were given."""

    concern: str
    village: str
    about: str
    kind: str | None
    severity: int | None
    stage: str
    owner: str
    assignee: str | None = None
    raised_on: date
    due: date
    overdue: bool
    found: int
    referred: dict[str, date]


class ConcernList(BaseModel):
    concerns: list[ConcernLine]
    freshness: Freshness


class Step(BaseModel):
    """One thing that was told: when, by whom, and what."""

    type: str
    at: datetime
    by: str
    facts: dict[str, Any]


class ConcernCard(ConcernLine):
    steps: list[Step]
    freshness: Freshness


class ReportLine(BaseModel):
    """``hours_to_filing`` is None while the police have not been told."""

    report: str
    village: str
    state: str
    discovered_at: datetime
    filed_at: datetime | None = None
    hours_to_filing: float | None = None


class ReportList(BaseModel):
    reports: list[ReportLine]
    freshness: Freshness


class Alarm(BaseModel):
    """A report that was demanded at ``since`` and was not open a minute later. ``state`` is its state by now; None
    while nobody has raised it."""

    report: str
    child: str
    village: str
    since: datetime
    state: str | None


class AlarmList(BaseModel):
    alarms: list[Alarm]
    freshness: Freshness


class ReportCard(ReportLine):
    child: str
    situation: str | None
    reporter: str
    readers: list[str]
    result: str | None = None
    steps: list[Step]
    freshness: Freshness


def concern_routes(concerns: Collections, live: LiveModels, scope: Scope, opener: Opener, caller: Any) -> APIRouter:
    router = APIRouter(prefix="/concerns", tags=["concerns"])

    @router.get("", summary="Concerns of a division")
    async def listed(
        division: DivisionCode,
        state: Literal["open", "resolved", "closed"] = "open",
        owner: Body | None = None,
        about: Annotated[str | None, Query(pattern=r"^(child|household|concern)-[0-9a-f-]{36}$")] = None,
        position: After = None,
        who: Any = Depends(caller),  # noqa: B008
    ) -> ConcernList:
        """By the day they are due; at most 500. What they say is for those who open one. ``about`` a child, those about
        files that were merged into its own are among them."""
        await scope.permit(who.person, "list_children", division)
        freshness = await caught_up(live, "concerns", position)
        query: Document = {"village": {"$in": await scope.villages(division)}}
        query["stage"] = {"$nin": ["resolved", "closed"]} if state == "open" else state
        query |= {"owner": owner.value} if owner else {}
        query |= {"about": {"$in": await _one_child(about)}} if about else {}
        found = (await concerns(CONCERNS)).find(query, {"steps": 0}).sort([("due", 1), ("_id", 1)]).limit(MOST)
        today = business_day(datetime.now(UTC))
        return ConcernList(concerns=[_concern(one, today) async for one in found], freshness=freshness)

    async def _one_child(about: str) -> list[str]:
        files, into = [about], [about]
        while into:
            # No file twice: nothing would end if files were ever merged in a ring.
            found = (await concerns(MERGED)).find({"into": {"$in": into}, "_id": {"$nin": files}})
            into = [one["_id"] async for one in found]
            files += into
        return files

    @router.get("/{concern}", summary="A concern, opened for a purpose")
    async def card(
        concern: ConcernId,
        purpose: Purpose = None,
        position: After = None,
        who: Any = Depends(caller),  # noqa: B008
    ) -> ConcernCard:
        """With all that was told of it. About a child, it is an opening of the child's file."""
        freshness = await caught_up(live, "concerns", position)
        found = await (await concerns(CONCERNS)).find_one({"_id": concern})
        if found is None or not await scope.permits(who.person, "open_child_file", found["village"]):
            raise NotOnFile
        if found["about"].startswith("child-"):
            await opener.open(found["about"], found["village"], who.person, purpose)
        line = _concern(found, business_day(datetime.now(UTC)))
        return ConcernCard(**line.model_dump(), steps=list(map(_step, found["steps"])), freshness=freshness)

    return router


def protection_routes(reports: Collections, live: LiveModels, scope: Scope, opener: Opener, caller: Any) -> APIRouter:
    router = APIRouter(prefix="/protection-reports", tags=["protection"])

    @router.get("", summary="Protection reports that the caller may read")
    async def listed(
        division: DivisionCode | None = None,
        position: After = None,
        who: Any = Depends(caller),  # noqa: B008
    ) -> ReportList:
        """Without a division those that name the caller as a reader; with one all of it, for who handles them there."""
        query: Document = {"readers": who.person}
        if division is not None:
            await scope.permit(who.person, "handle_protection_report", division)
            query = {"village": {"$in": await scope.villages(division)}}
        freshness = await caught_up(live, "protection", position)
        found = (await reports(REPORTS)).find(query, {"steps": 0}).sort([("discovered_at", -1)]).limit(MOST)
        return ReportList(reports=[_report(one) async for one in found], freshness=freshness)

    @router.get("/alarms", summary="Protection reports that were demanded and missing")
    async def alarms(
        division: DivisionCode,
        position: After = None,
        who: Any = Depends(caller),  # noqa: B008
    ) -> AlarmList:
        """For who handles reports there; the latest first, at most 500."""
        await scope.permit(who.person, "handle_protection_report", division)
        freshness = await caught_up(live, "protection", position)
        of_there = (await reports(ALARMS)).find({"village": {"$in": await scope.villages(division)}})
        found = await of_there.sort([("since", -1), ("_id", 1)]).limit(MOST).to_list(None)
        raised = (await reports(REPORTS)).find({"_id": {"$in": [one["report"] for one in found]}}, {"state": 1})
        states = {one["_id"]: one["state"] async for one in raised}
        lines = [Alarm(**one, state=states.get(one["report"])) for one in found]
        return AlarmList(alarms=lines, freshness=freshness)

    @router.get("/{report}", summary="A protection report, opened for a purpose")
    async def card(
        report: Annotated[ReportId, Path()],
        purpose: Purpose = None,
        position: After = None,
        who: Any = Depends(caller),  # noqa: B008
    ) -> ReportCard:
        """For its named readers, and for civil affairs of the county."""
        freshness = await caught_up(live, "protection", position)
        found = await (await reports(REPORTS)).find_one({"_id": report})
        if found is None or not await _may_read(found, who.person):
            raise NotOnFile
        await opener.open(found["child"], found["village"], who.person, purpose, named=True)
        return ReportCard(
            **_report(found).model_dump(),
            child=found["child"],
            situation=found["situation"],
            reporter=found["reporter"],
            readers=found["readers"],
            result=found.get("result"),
            steps=list(map(_step, found["steps"])),
            freshness=freshness,
        )

    async def _may_read(found: Document, person: str) -> bool:
        return person in found["readers"] or await scope.permits(person, "handle_protection_report", found["village"])

    return router


def _concern(document: Document, today: date) -> ConcernLine:
    due = date.fromisoformat(document["due"])
    open_still = document["stage"] not in ("resolved", "closed")
    shown = {name: document.get(name) for name in ConcernLine.model_fields if name in document}
    return ConcernLine(concern=document["_id"], overdue=open_still and today > due, **shown)


def _report(document: Document) -> ReportLine:
    discovered, filed = document["discovered_at"], document.get("filed_at")
    hours = round((filed - discovered).total_seconds() / 3600, 1) if filed else None
    return ReportLine(
        report=document["_id"],
        village=document["village"],
        state=document["state"],
        discovered_at=discovered,
        filed_at=filed,
        hours_to_filing=hours,
    )


def _step(step: Document) -> Step:
    facts = {name: one for name, one in step.items() if name not in ("type", "at", "by")}
    return Step(type=step["type"], at=step["at"], by=step["by"], facts=facts)
