"""What a supervisor checks of visits: a sample to verify, a queue to look through, and what the rules ask about."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from services.reporting.api.freshness import After, Freshness, caught_up
from services.reporting.read_models.visit_checks import FLAGS, VISITS, VisitChecks
from services.reporting.sample import Candidate, draw, seed_of
from shared.contracts.oversight import PlausibilityRule
from shared.contracts.values import DivisionCode, VisitDoubt, VisitKind
from shared.identity.scope import Scope
from shared.projection.live import Collections, LiveModels
from shared.projection.read_model import Document

MOST: Final = 500
"""Lines in one answer, the oldest first."""

CHECKING: Final = "check_visit"

Month = Annotated[str, Query(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]

QUESTIONS: Final = {
    PlausibilityRule.TWO_VILLAGES: "Two visits in two villages are told for within ten minutes. Which times are right?",
    PlausibilityRule.MANY_IN_A_MINUTE: "Many visits are told for the same minute. When was each of them made?",
    PlausibilityRule.SAME_NOTE: "Several households have the same note. What was found at each of them?",
    PlausibilityRule.SAME_ANSWERS: "Many households in a row have the same answers. Does the form fit them?",
    PlausibilityRule.LAST_DAY_OF_QUARTER: "All visits of a quarter are told for its last day. When were they made?",
}
"""What to ask the visitor. There may be a good reason for everything a rule finds."""


class VisitLine(BaseModel):
    """``flags`` are those that are open on the visit; ``returned`` says why it was returned."""

    visit: str
    village: str
    on: date
    kind: VisitKind
    visitors: list[str]
    stage: str
    doubts: list[VisitDoubt]
    flags: list[str] = []
    returned: str | None = None


class Sample(BaseModel):
    """``visits`` are left to verify, drawn from ``of``; with ``seed`` the draw can be repeated."""

    division: str
    month: str
    seed: str
    of: int
    visits: list[VisitLine]
    freshness: Freshness


class Review(BaseModel):
    visits: list[VisitLine]
    freshness: Freshness


class Cleared(BaseModel):
    reason: str | None
    by: str
    on: date


class FlagLine(BaseModel):
    """Something to ask a visitor about; ``rule`` and ``question`` are None for what can not be opened any more."""

    flag: str
    rule: PlausibilityRule | None
    question: str | None
    visitor: str
    visits: list[str]
    villages: list[str]
    raised_on: date
    cleared: Cleared | None = None


class FlagList(BaseModel):
    flags: list[FlagLine]
    freshness: Freshness


def visit_check_routes(checks: Collections, live: LiveModels, scope: Scope, caller: Any) -> APIRouter:
    router = APIRouter(tags=["checks of visits"])

    @router.get("/visits/sample", summary="Visits of a month to verify")
    async def sample(
        division: DivisionCode,
        month: Month,
        share: Annotated[Decimal, Query(gt=0, le=1)] = Decimal("0.05"),
        position: After = None,
        who: Any = Depends(caller),  # noqa: B008
    ) -> Sample:
        """A draw from the visits of others: the same for everybody who draws from the same visits. Doubted and flagged
        ones come first; those that are verified already count towards the share and are left out."""
        villages, freshness = await _asked(division, position, who)
        months = {"$gte": f"{month}-01", "$lte": f"{month}-31"}
        query = {"village": {"$in": villages}, "on": months, "visitors": {"$ne": who.person}}
        visits = {one["_id"]: one async for one in (await checks(VISITS)).find(query)}
        flags = await _open_flags(villages)
        seed = seed_of(division, month)
        candidates = (
            Candidate(visit, bool(one["doubts"]) or visit in flags, one["stage"] == "verified")
            for visit, one in visits.items()
        )
        drawn = draw(candidates, Fraction(share), seed)[:MOST]
        return Sample(
            division=division,
            month=month,
            seed=seed,
            of=len(visits),
            visits=[_visit(visits[visit], flags) for visit in drawn],
            freshness=freshness,
        )

    @router.get("/visits/review", summary="Visits that wait for somebody's eye")
    async def review(
        division: DivisionCode,
        position: After = None,
        who: Any = Depends(caller),  # noqa: B008
    ) -> Review:
        """Those of others that are doubted, flagged or returned, and not verified since; at most 500, the oldest
        first."""
        villages, freshness = await _asked(division, position, who)
        flags = await _open_flags(villages)
        waiting = {"waits": True}
        flagged = {"_id": {"$in": sorted(flags)}, "stage": {"$ne": "verified"}}
        query = {"village": {"$in": villages}, "visitors": {"$ne": who.person}, "$or": [waiting, flagged]}
        found = (await checks(VISITS)).find(query).sort([("on", 1), ("_id", 1)]).limit(MOST)
        return Review(visits=[_visit(one, flags) async for one in found], freshness=freshness)

    @router.get("/plausibility", summary="What about visits is worth a question")
    async def plausibility(
        division: DivisionCode,
        state: Literal["open", "cleared"] = "open",
        position: After = None,
        who: Any = Depends(caller),  # noqa: B008
    ) -> FlagList:
        """Patterns in somebody's visits, for a supervisor to ask about and to clear. What is about the caller's own
        visits is for another to look at. At most 500, the oldest first."""
        villages, freshness = await _asked(division, position, who)
        query = {"villages": {"$in": villages}, "open": state == "open", "visitor": {"$ne": who.person}}
        found = (await checks(FLAGS)).find(query).sort([("raised_on", 1), ("_id", 1)]).limit(MOST)
        return FlagList(flags=[_flag(one) async for one in found], freshness=freshness)

    async def _asked(division: str, position: str | None, who: Any) -> tuple[list[str], Freshness]:
        await scope.permit(who.person, CHECKING, division)
        freshness = await caught_up(live, VisitChecks.name, position)
        return await scope.villages(division), freshness

    async def _open_flags(villages: Collection[str]) -> dict[str, list[str]]:
        """By visit."""
        found: dict[str, list[str]] = {}
        query = {"villages": {"$in": list(villages)}, "open": True}
        async for flag in (await checks(FLAGS)).find(query, {"visits": 1}).sort("_id", 1):
            for visit in flag["visits"]:
                found.setdefault(visit, []).append(flag["_id"])
        return found

    return router


def _visit(document: Document, flags: dict[str, list[str]]) -> VisitLine:
    shown = {name: document[name] for name in ("village", "on", "kind", "visitors", "stage", "doubts")}
    returned = document.get("returned") if document["stage"] == "returned" else None
    return VisitLine(visit=document["_id"], flags=flags.get(document["_id"], []), returned=returned, **shown)


def _flag(document: Document) -> FlagLine:
    rule = PlausibilityRule(document["rule"]) if document["rule"] else None
    return FlagLine(
        flag=document["_id"],
        rule=rule,
        question=QUESTIONS[rule] if rule else None,
        visitor=document["visitor"],
        visits=document["visits"],
        villages=document["villages"],
        raised_on=document["raised_on"],
        cleared=document.get("cleared"),
    )
