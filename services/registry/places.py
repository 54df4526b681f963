"""Schools and village profiles over HTTP: the list from registry's directory, what is asked of one from its stream."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import reduce
from typing import Any, ClassVar

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from services.registry.domain.school import SCHOOL, Registered
from services.registry.domain.village_profile import PROFILE, Profile, profile_stream
from services.registry.roster import MOST_DIVISIONS, Collections, TooManyDivisions
from shared.commands.command import Aggregate, NotOnFile, business_day
from shared.contracts.places import VillageProfileRecorded
from shared.contracts.refusal import Refusal
from shared.contracts.sealed import KINDS
from shared.contracts.values import DivisionCode, SchoolId, VillageCode
from shared.eventlog.port import Log
from shared.eventlog.record import decode
from shared.identity.access import Directory, NotPermitted
from shared.identity.directory import DIVISIONS, SCHOOLS
from shared.privacy.sealing import Sealer


class SchoolLine(BaseModel):
    """``closed_on`` is the first day without the school."""

    school: str
    name: str
    kind: str
    division: str
    closed_on: date | None


class Contact(BaseModel):
    """``name`` is None once it was erased."""

    contact: str
    name: str | None
    phone: str | None


class SchoolCard(BaseModel):
    school: str
    name: str
    kind: str
    division: str
    closed: bool
    contact: Contact | None


class NoProfile(Refusal):
    """Nothing was recorded of this village up to that day."""

    status: ClassVar[int] = 404
    what_to_do: ClassVar[str] = "Record the village's profile, or ask for a later day."


class Streams:
    """The state of one stream, with what is sealed in it opened."""

    def __init__(self, log: Log, sealer: Sealer) -> None:
        self._log = log
        self._sealer = sealer

    async def state(self, stream: str, aggregate: Aggregate[Any]) -> Any:
        events = await self._sealer.open([decode(raw) for raw in await self._log.load(stream)], KINDS)
        return reduce(aggregate.evolve, events, aggregate.initial)


def place_routes(
    collections: Collections, streams: Streams, directory: Directory, caller: Callable[..., Any]
) -> APIRouter:
    router = APIRouter(tags=["places"])

    @router.get("/schools", summary="The schools in a division")
    async def schools(division: DivisionCode, who: Any = Depends(caller)) -> list[SchoolLine]:  # noqa: B008
        await directory.authorise(who.person, "read_schools", division, _today())
        return await _schools(collections, division)

    @router.get("/schools/{school}", summary="One school, with whom to call there")
    async def card(school: SchoolId, who: Any = Depends(caller)) -> SchoolCard:  # noqa: B008
        """A school outside one's scope looks like one that does not exist."""
        found = await streams.state(school, SCHOOL)
        if not isinstance(found, Registered):
            raise NotOnFile
        try:
            await directory.authorise(who.person, "read_school_contact", found.division, _today())
        except NotPermitted:
            raise NotOnFile from None
        return _card(school, found)

    @router.get("/villages/{village}/profile", summary="What was last found of a village")
    async def profile(village: VillageCode, on: date | None = None, who: Any = Depends(caller)) -> dict[str, Any]:  # noqa: B008
        """The latest profile up to a day (today without one); figures that were not asked for are null."""
        await directory.authorise(who.person, "read_figures", village, _today())
        found: Profile = await streams.state(profile_stream(village), PROFILE)
        recorded: VillageProfileRecorded | None = found.at(on or _today())
        if recorded is None:
            raise NoProfile
        return recorded.model_dump(mode="json")

    return router


def _today() -> date:
    return business_day(datetime.now(UTC))


async def _schools(collections: Collections, division: str) -> list[SchoolLine]:
    nodes = (await collections(DIVISIONS)).find({"path": division}, {"_id": 1}).limit(MOST_DIVISIONS + 1)
    codes = [node["_id"] async for node in nodes]
    if len(codes) > MOST_DIVISIONS:
        raise TooManyDivisions
    found = (await collections(SCHOOLS)).find({"division": {"$in": codes}}).sort([("division", 1), ("_id", 1)])
    return [SchoolLine(school=one.pop("_id"), **one) async for one in found]


def _card(school: str, found: Registered) -> SchoolCard:
    told = found.contact
    contact = told and Contact(
        contact=told.contact, name=told.name.get(), phone=told.phone.get() if told.phone else None
    )
    return SchoolCard(
        school=school,
        name=found.name,
        kind=found.kind,
        division=found.division,
        closed=found.closed,
        contact=contact,
    )
