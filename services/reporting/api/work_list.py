"""A device's work list and the files of its village in one request, with a token that tells of changes."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Header, Response
from pydantic import BaseModel

from services.reporting.api.freshness import After, Freshness, caught_up
from services.reporting.duties.appointments import Owner
from services.reporting.duties.derivation import Duty, Reason
from services.reporting.duties.queries import OfChild, Unowned, WorkLists
from shared.commands.command import business_day
from shared.contracts.values import DivisionCode, RiskLevel, VillageCode, VisitKind
from shared.identity.scope import Scope
from shared.projection.live import LiveModels
from shared.projection.read_model import Document

MOST: Final = 500
"""Children in one answer."""

COLOURS = {
    RiskLevel.HIGH: "red",
    RiskLevel.MEDIUM_HIGH: "yellow",
    RiskLevel.MEDIUM: "blue",
    RiskLevel.LOW: "green",
}


class DueVisit(BaseModel):
    """``late_days`` counts from the due day; a visit that is overdue has passed its grace."""

    reason: Reason
    due: date
    overdue: bool
    late_days: int


class PlannedVisit(BaseModel):
    """An appointment that no visit has fulfilled yet."""

    appointment: str
    planned_for: date
    kind: VisitKind
    assignee: str


class ChildOfList(BaseModel):
    """One child with what is due, the soonest first, and what its visitor needs at the door. ``visitor`` is whose it is
    to visit; None while that is nobody who works in the village today."""

    child: str
    household: str | None = None
    name: str | None = None
    sex: str | None = None
    birth_date: date | None = None
    level: RiskLevel
    colour: str
    key_groups: list[str] = []
    caregiver: str | None = None
    caregiver_phone: str | None = None
    school: str | None = None
    grade: str | None = None
    stage: str | None = None
    last_visit: date | None = None
    tried_on: date | None = None
    visitor: str | None = None
    planned: list[PlannedVisit] = []
    due: list[DueVisit]


class ReturnedVisit(BaseModel):
    """A visit of the caller's that is to be put right."""

    visit: str
    reason: str
    on: date


class WorkList(BaseModel):
    """``today`` is the day the list is for. Children whose visit is overdue or due stand first."""

    village: str
    today: date
    children: list[ChildOfList]
    returned: list[ReturnedVisit]
    overdue: int
    due: int
    freshness: Freshness


class WithoutOwner(BaseModel):
    """``former`` visited the child and has held no office in the village since that day; None for a child that was
    given to nobody."""

    child: str
    former: str | None
    since: date | None


class UnownedOfVillage(BaseModel):
    village: str
    children: list[WithoutOwner]


class Unassigned(BaseModel):
    """At most 500 children; ``total`` counts all."""

    villages: list[UnownedOfVillage]
    total: int
    freshness: Freshness


def work_list_routes(lists: WorkLists, live: LiveModels, scope: Scope, caller: Any) -> APIRouter:
    router = APIRouter(tags=["work list"])

    @router.get(
        "/work-list", summary="What is to be done in a village", responses={304: {"description": "Nothing new"}}
    )
    async def work_list(
        village: VillageCode,
        response: Response,
        mine: bool = False,
        if_none_match: Annotated[str | None, Header()] = None,
        position: After = None,
        who: Any = Depends(caller),  # noqa: B008
    ) -> Any:
        """Overdue, due and coming visits of a village, and the files a device keeps. ``ETag`` is the change token: sent
        back as ``If-None-Match``, it is answered with 304 while nothing has changed. ``mine`` asks for the children
        that are the caller's to visit, and those with whom the caller has an appointment."""
        await scope.permit(who.person, "list_children", village)
        freshness = await caught_up(live, "duties", position)
        await caught_up(live, "children", position)
        today = business_day(datetime.now(UTC))
        files = await lists.files(village)
        standing = await lists.open_duties(village, today)
        owners = await lists.owners(village, standing, today)
        children = [_child(one, files.get(one.child, {}), owners[one.child], today) for one in standing]
        if mine:
            children = [child for child in children if _is_of(who.person, child)]
        children.sort(key=lambda child: (min((due.due for due in child.due), default=date.max), child.child))
        found = WorkList(
            village=village,
            today=today,
            children=children,
            returned=[_returned(visit) for visit in await lists.returned(village, who.person)],
            overdue=sum(any(due.overdue for due in child.due) for child in children),
            due=sum(any(due.due <= today for due in child.due) for child in children),
            freshness=freshness,
        )
        token = f'"{hashlib.sha256(found.model_dump_json(exclude={"freshness"}).encode()).hexdigest()[:32]}"'
        headers = {"etag": token, "cache-control": "no-store"}
        if if_none_match == token:
            return Response(status_code=304, headers=headers)
        response.headers.update(headers)
        return found

    @router.get("/work-list/unassigned", summary="Children whom nobody visits")
    async def unassigned(
        division: DivisionCode,
        position: After = None,
        who: Any = Depends(caller),  # noqa: B008
    ) -> Unassigned:
        """The open files of a division that are given to nobody, or to somebody who has left: by village. Who left is
        told by the directory of today, so that nothing is to be done when a working group is withdrawn but to assign
        its children anew."""
        await scope.permit(who.person, "list_children", division)
        freshness = await caught_up(live, "duties", position)
        found = await lists.unowned(await scope.villages(division), business_day(datetime.now(UTC)))
        villages = [
            UnownedOfVillage(village=village, children=[_without_owner(one) for one in children])
            for village, children in groupby(found[:MOST], key=lambda one: one.village)
        ]
        return Unassigned(villages=villages, total=len(found), freshness=freshness)

    return router


def _is_of(person: str, child: ChildOfList) -> bool:
    return child.visitor == person or any(plan.assignee == person for plan in child.planned)


def _without_owner(one: Unowned) -> WithoutOwner:
    return WithoutOwner(child=one.child, former=one.owner.former, since=one.owner.since)


def _child(one: OfChild, card: Document, owner: Owner, today: date) -> ChildOfList:
    file = card.get("file", {})
    care, schooling = file.get("care", {}), file.get("schooling", {})
    level = one.facts.level_on(today)
    return ChildOfList(
        child=one.child,
        household=file.get("household"),
        name=file.get("name"),
        sex=file.get("sex"),
        birth_date=file.get("birth_date"),
        level=level,
        colour=COLOURS[level],
        key_groups=file.get("key_groups", []),
        caregiver=care.get("caregiver"),
        caregiver_phone=care.get("caregiver_phone"),
        school=schooling.get("school"),
        grade=schooling.get("grade"),
        stage=file.get("check", {}).get("stage"),
        last_visit=one.facts.seen[-1].day if one.facts.seen else None,
        tried_on=one.tried_on,
        visitor=owner.visitor,
        planned=[
            PlannedVisit(appointment=plan.appointment, planned_for=plan.on, kind=plan.kind, assignee=plan.assignee)
            for plan in one.planned
        ],
        due=[_due(duty, today) for duty in one.duties],
    )


def _due(duty: Duty, today: date) -> DueVisit:
    return DueVisit(
        reason=duty.reason, due=duty.due, overdue=duty.overdue(today), late_days=max(0, (today - duty.due).days)
    )


def _returned(document: Document) -> ReturnedVisit:
    return ReturnedVisit(visit=document["_id"], reason=document["reason"], on=document["on"])
