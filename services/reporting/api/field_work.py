"""Help plans, holiday plans and work logs over HTTP."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, ClassVar, Final

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from services.reporting.api.freshness import After, Freshness, caught_up
from services.reporting.api.opening import Opener
from services.reporting.read_models.field_work import ERASED, HELP_PLANS, HOLIDAY_PLANS, LEAVES, WORK_LOGS
from shared.commands.command import NotOnFile, business_day
from shared.contracts.refusal import Refusal
from shared.contracts.values import DivisionCode, HelpPlanId, ToldPersonId
from shared.identity.scope import Scope
from shared.projection.live import Collections, LiveModels
from shared.projection.read_model import Document
from shared.web.purpose import Purpose

MOST: Final = 500
"""Lines in one answer."""
LONGEST: Final = timedelta(days=400)


class PlanLine(BaseModel):
    """``next_due`` is that of the step that is due first; ``overdue`` says that it, or the review, is late."""

    plan: str
    village: str
    child: str
    owner: str
    active: bool
    review_on: date
    steps: int
    done: int
    next_due: date | None = None
    overdue: bool


class PlanList(BaseModel):
    plans: list[PlanLine]
    freshness: Freshness


class PlanStep(BaseModel):
    text: str | None
    owner: str
    due: date
    done: bool


class ToldOfPlan(BaseModel):
    """``done`` is the number of the step that was done."""

    type: str
    at: datetime
    by: str
    text: str | None = None
    done: int | None = None


class PlanCard(PlanLine):
    goals: str | None
    to_do: list[PlanStep]
    result: str | None = None
    told: list[ToldOfPlan]
    freshness: Freshness


class HolidayPlan(BaseModel):
    """``watch`` are the children who are watched over above all others."""

    village: str
    starts: date
    ends: date
    risks: list[str]
    watch: list[str]
    on_duty: list[str]


class HolidayPlans(BaseModel):
    plans: list[HolidayPlan]
    freshness: Freshness


class WorkItem(BaseModel):
    kind: str
    text: str | None = None


class WorkDay(BaseModel):
    day: date
    village: str
    hours: int | None
    items: list[WorkItem]
    collated: bool


class Leave(BaseModel):
    starts: date
    ends: date
    village: str
    kind: str | None = None
    note: str | None = None


class WorkLog(BaseModel):
    days: list[WorkDay]
    leave: list[Leave]
    freshness: Freshness


class PeriodTooLong(Refusal):
    """from, to: more than 400 days, or none."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Ask for a year at most."


def help_plan_routes(works: Collections, live: LiveModels, scope: Scope, opener: Opener, caller: Any) -> APIRouter:
    router = APIRouter(tags=["help plans"])

    @router.get("/help-plans", summary="Help plans of a division")
    async def listed(
        division: DivisionCode,
        active: bool = True,
        position: After = None,
        who: Any = Depends(caller),  # noqa: B008
    ) -> PlanList:
        """By the day of their review; at most 500. What they say is for those who open one."""
        await scope.permit(who.person, "list_children", division)
        freshness = await caught_up(live, "field_work", position)
        query = {"village": {"$in": await scope.villages(division)}, "active": active}
        found = (await works(HELP_PLANS)).find(query, {"goals": 0, "told": 0}).sort([("review_on", 1), ("_id", 1)])
        today = business_day(datetime.now(UTC))
        return PlanList(plans=[_line(plan, today) async for plan in found.limit(MOST)], freshness=freshness)

    @router.get("/help-plans/{plan}", summary="A help plan, opened for a purpose")
    async def card(
        plan: HelpPlanId,
        purpose: Purpose = None,
        position: After = None,
        who: Any = Depends(caller),  # noqa: B008
    ) -> PlanCard:
        """With all that was told of it; it is an opening of the child's file."""
        freshness = await caught_up(live, "field_work", position)
        found = await (await works(HELP_PLANS)).find_one({"_id": plan})
        if found is None or not await scope.permits(who.person, "open_child_file", found["village"]):
            raise NotOnFile
        await opener.open(found["child"], found["village"], who.person, purpose)
        return PlanCard(
            **_line(found, business_day(datetime.now(UTC))).model_dump(),
            goals=found["goals"],
            to_do=[PlanStep(**step) for step in found["steps"]],
            result=found.get("result"),
            told=[ToldOfPlan(**one) for one in found["told"]],
            freshness=freshness,
        )

    @router.get("/holiday-plans", summary="Holiday plans of a division")
    async def holidays(
        division: DivisionCode,
        position: After = None,
        who: Any = Depends(caller),  # noqa: B008
    ) -> HolidayPlans:
        """Those whose last day has not passed, the next first; at most 500."""
        await scope.permit(who.person, "list_children", division)
        freshness = await caught_up(live, "field_work", position)
        today = business_day(datetime.now(UTC)).isoformat()
        query = {"village": {"$in": await scope.villages(division)}, "ends": {"$gte": today}}
        found = await (await works(HOLIDAY_PLANS)).find(query).sort([("starts", 1), ("_id", 1)]).to_list(MOST)
        erased = await _erased({child for plan in found for child in plan["watch"]})
        return HolidayPlans(plans=[_holiday_plan(plan, erased) for plan in found], freshness=freshness)

    async def _erased(children: set[str]) -> set[str]:
        return {one["_id"] async for one in (await works(ERASED)).find({"_id": {"$in": list(children)}})}

    return router


def work_log_routes(works: Collections, live: LiveModels, scope: Scope, caller: Any) -> APIRouter:
    router = APIRouter(tags=["work log"])

    @router.get("/work-log", summary="A cadre's days in the village and his leave")
    async def work_log(
        since: Annotated[date, Query(alias="from")],
        until: Annotated[date, Query(alias="to")],
        person: ToldPersonId | None = None,
        position: After = None,
        who: Any = Depends(caller),  # noqa: B008
    ) -> WorkLog:
        """One's own; of another person, what was told of the villages that the caller supervises. Both days included,
        at most 400."""
        if not timedelta() <= until - since <= LONGEST:
            raise PeriodTooLong
        freshness = await caught_up(live, "field_work", position)
        of, first, last = person or who.person, since.isoformat(), until.isoformat()
        days = (await works(WORK_LOGS)).find({"person": of, "day": {"$gte": first, "$lte": last}}).sort("day", 1)
        away = {"person": of, "starts": {"$lte": last}, "ends": {"$gte": first}}
        leave = (await works(LEAVES)).find(away).sort("starts", 1)
        seen = _Seen(scope, who.person, of)
        return WorkLog(
            days=[WorkDay(**_shown(day)) for day in await seen.of(await days.to_list(MOST))],
            leave=[Leave(**_shown(one)) for one in await seen.of(await leave.to_list(MOST))],
            freshness=freshness,
        )

    return router


class _Seen:
    """What of somebody's days the caller may see."""

    def __init__(self, scope: Scope, caller: str, person: str) -> None:
        self._scope = scope
        self._caller = caller
        self._own = caller == person

    async def of(self, documents: list[Document]) -> list[Document]:
        villages = {
            village
            for village in {document["village"] for document in documents}
            if self._own or await self._scope.permits(self._caller, "read_work_log", village)
        }
        return [document for document in documents if document["village"] in villages]


def _line(plan: Document, today: date) -> PlanLine:
    open_steps = [date.fromisoformat(step["due"]) for step in plan["steps"] if not step["done"]]
    review_on = date.fromisoformat(plan["review_on"])
    first = min(open_steps, default=None)
    return PlanLine(
        plan=plan["_id"],
        village=plan["village"],
        child=plan["child"],
        owner=plan["owner"],
        active=plan["active"],
        review_on=review_on,
        steps=len(plan["steps"]),
        done=len(plan["steps"]) - len(open_steps),
        next_due=first,
        overdue=plan["active"] and today > min(review_on, first or review_on),
    )


def _holiday_plan(plan: Document, erased: set[str]) -> HolidayPlan:
    watch = [child for child in plan["watch"] if child not in erased]
    return HolidayPlan(**{name: one for name, one in plan.items() if name != "_id"} | {"watch": watch})


def _shown(document: Document) -> Document:
    return {name: one for name, one in document.items() if name not in ("_id", "person")}
