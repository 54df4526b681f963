"""The access log over HTTP: who could see and who did see a child's file on a day, and notices of broken glasses."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Any, Final

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from services.reporting.access import AcknowledgeNotice, ReadAccessLog, reading_stream
from services.reporting.api.freshness import After, Freshness, caught_up
from services.reporting.read_models.access_log import AccessLog
from services.reporting.read_models.access_queries import AccessQueries, villages_on
from shared.commands.command import NothingToRecord, NotOnFile, Told
from shared.commands.handler import Handler
from shared.contracts.values import ChildId, GlassId
from shared.identity.access import NoRole, file_in
from shared.identity.scope import Scope
from shared.projection.live import LiveModels
from shared.projection.read_model import Document

NOTICES_KEPT: Final = timedelta(days=90)
"""How long a notice is listed (proposed); the access log tells of it as long as it is kept."""


class Could(BaseModel):
    """Somebody to whom the file was open on that day: by which office, where, and what it comes from.

    ``ends`` is the first day without it.
    """

    person: str
    office: str
    division: str
    source: str
    starts: date
    ends: date | None


class Look(BaseModel):
    """``purpose`` is None once the child is erased, and for who read the access log, of the day ``on``."""

    type: str
    person: str
    office: str
    division: str | None
    at: datetime
    purpose: str | None = None
    on: date | None = None


class Seen(BaseModel):
    person: str
    at: datetime


class Break(BaseModel):
    """A glass broken for a village, or for one child's file there; ``ends`` is the first day it is whole again.

    ``seen`` tells who of those that are told of it has taken note.
    """

    glass: str
    village: str
    child: str | None
    person: str
    office: str
    reason: str
    at: datetime
    ends: date
    seen: list[Seen]


class AccessOfADay(BaseModel):
    child: str
    on: date
    villages: list[str]
    could: list[Could]
    did: list[Look]
    broken: list[Break]
    freshness: Freshness


class Notice(Break):
    unread: bool


class Notices(BaseModel):
    notices: list[Notice]
    freshness: Freshness


class Acknowledged(BaseModel):
    notice: str


def access_routes(queries: AccessQueries, live: LiveModels, scope: Scope, handler: Handler, caller: Any) -> APIRouter:
    router = APIRouter(tags=["access"])

    @router.get("/children/{child}/access", summary="Who could see, and who did see, a child's file on a day")
    async def access(
        child: ChildId,
        on: date | None = None,
        position: After = None,
        who: Any = Depends(caller),  # noqa: B008
    ) -> AccessOfADay:
        """For the data protection officer and county civil affairs; that it was asked is on record before it is told.

        Without a day, today.
        """
        freshness = await caught_up(live, AccessLog.name, position)
        stays = await queries.stays(child)
        if not stays:
            raise NotOnFile
        day, command_id = on or scope.today, str(uuid.uuid4())
        reading = ReadAccessLog(
            reading=reading_stream(command_id, child), child=child, village=stays[-1][1], person=who.person, on=day
        )
        await handler.handle(Told(reading, command_id, who.person))
        villages = villages_on(stays, day)
        return AccessOfADay(
            child=child,
            on=day,
            villages=villages,
            could=[_could(grant) for grant in await queries.could(await _scopes(child, villages, day), day)],
            did=[_look(look) for look in await queries.did(child, day)],
            broken=[_break(one) for one in await queries.broken(child, villages, day)],
            freshness=freshness,
        )

    async def _scopes(child: str, villages: Collection[str], day: date) -> set[str]:
        """Each village with all that it lay in, and the child's file there."""
        above = [await scope.above_on(village, day) for village in villages]
        return set[str]().union(*above, {file_in(village, child) for village in villages})

    @router.get("/notices", summary="Glasses broken in your scope")
    async def notices(position: After = None, who: Any = Depends(caller)) -> Notices:  # noqa: B008
        """For supervisors and data protection officers: those not yet taken note of first, each the latest first."""
        grants = await scope.grants(who.person, "receive_notices")
        if not grants:
            raise NoRole
        freshness = await caught_up(live, AccessLog.name, position)
        found = await queries.breaks(await scope.villages_of(grants), scope.today - NOTICES_KEPT)
        told = [_notice(one, who.person) for one in found]
        return Notices(notices=sorted(told, key=lambda notice: not notice.unread), freshness=freshness)

    @router.post("/notices/{notice}/acknowledgement", status_code=201, summary="Take note of a broken glass")
    async def acknowledge(notice: GlassId, who: Any = Depends(caller)) -> Acknowledged:  # noqa: B008
        """That you have taken note is on record; a second time changes nothing."""
        village = await queries.village_of_break(notice)
        if village is None:
            raise NotOnFile
        command = AcknowledgeNotice(notice=notice, village=village, person=who.person)
        with suppress(NothingToRecord):
            await handler.handle(Told(command, str(uuid.uuid4()), who.person))
        return Acknowledged(notice=notice)

    return router


def _could(grant: Document) -> Could:
    return Could(office=grant["role"], **{name: grant[name] for name in Could.model_fields if name != "office"})


def _look(look: Document) -> Look:
    return Look(**{name: look[name] for name in Look.model_fields if name in look})


def _break(one: Document) -> Break:
    return Break(**_told(one))


def _notice(one: Document, person: str) -> Notice:
    return Notice(**_told(one), unread=all(seen_by != person for seen_by, _ in one["seen"]))


def _told(one: Document) -> Document:
    told = {name: one[name] for name in Break.model_fields if name not in ("glass", "seen")}
    return told | {"glass": one["_id"], "seen": [Seen(person=person, at=at) for person, at in one["seen"]]}
