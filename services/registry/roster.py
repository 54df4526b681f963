"""The roster over HTTP: who holds which office in a division on a day, and which villages lack a child director.

It answers from registry's directory, as the rights do: who is on the roster today has the rights of it today.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from typing import Any, ClassVar, Final

from fastapi import APIRouter, Depends
from motor.motor_asyncio import AsyncIOMotorCollection
from pydantic import BaseModel

from shared.commands.command import business_day
from shared.contracts.refusal import Refusal
from shared.contracts.values import Access, DivisionCode, Duty
from shared.identity.access import Directory
from shared.identity.directory import DIVISIONS, GRANTS
from shared.projection.read_model import Document

MOST_DIVISIONS: Final = 6_000
"""A city with its townships and villages; a province is asked for city by city."""

Collections = Callable[[str], Awaitable[AsyncIOMotorCollection[Document]]]


class Holder(BaseModel):
    """``ends`` is the first day without the office; ``source`` the posting, duty or grant it comes from."""

    division: str
    office: str
    person: str
    starts: date
    ends: date | None
    source: str


class Village(BaseModel):
    division: str
    name: str


class Roster(BaseModel):
    division: str
    on: date
    holders: list[Holder]
    without_child_director: list[Village]


class TooManyDivisions(Refusal):
    """The roster of so many divisions is not told at once."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Ask for a city, or for what lies below it."


def roster_routes(collections: Collections, directory: Directory, caller: Callable[..., Any]) -> APIRouter:
    router = APIRouter(tags=["roster"])

    @router.get("/roster", summary="Who holds which office in a division")
    async def roster(division: DivisionCode, on: date | None = None, who: Any = Depends(caller)) -> Roster:  # noqa: B008
        """All who hold an office in the division or below it on that day; without a day, today."""
        today = business_day(datetime.now(UTC))
        await directory.authorise(who.person, "read_roster", division, today)
        return await _roster(collections, division, on or today)

    return router


async def _roster(collections: Collections, division: str, on: date) -> Roster:
    villages, codes = {}, []
    nodes = (await collections(DIVISIONS)).find({"path": division}, {"name": 1, "kind": 1}).sort("_id", 1)
    async for node in nodes.limit(MOST_DIVISIONS + 1):
        codes.append(node["_id"])
        if node["kind"] == "village":
            villages[node["_id"]] = node["name"]
    if len(codes) > MOST_DIVISIONS:
        raise TooManyDivisions
    holders = await _holders(collections, codes, on.isoformat())
    directed = {holder.division for holder in holders if holder.office == Duty.CHILD_DIRECTOR}
    gaps = [Village(division=code, name=name) for code, name in villages.items() if code not in directed]
    return Roster(division=division, on=on, holders=holders, without_child_director=gaps)


async def _holders(collections: Collections, codes: list[str], day: str) -> list[Holder]:
    active = {
        "division": {"$in": codes},
        "person": {"$ne": None},
        "role": {"$nin": list(Access)},
        "starts": {"$lte": day},
        "$or": [{"ends": None}, {"ends": {"$gt": day}}],
    }
    found = (await collections(GRANTS)).find(active).sort([("division", 1), ("role", 1), ("starts", 1)])
    return [
        Holder(
            division=one["division"],
            office=one["role"],
            person=one["person"],
            starts=one["starts"],
            ends=one["ends"],
            source=one["source"],
        )
        async for one in found
    ]
