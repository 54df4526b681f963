"""Attachments over HTTP, and the text of the privacy notice. An upload is taken in memory and touches no disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel

from services.registry.attachments.desk import AttachmentDesk
from services.registry.domain.privacy import NoticeUnknown
from services.registry.domain.privacy.notice import NOTICES, NoticeText, notice_on
from shared.commands.command import business_day
from shared.commands.routes import Receipt
from shared.contracts.consent import AttachmentId, AttachmentKind, Basis, ConsentPurpose, MediaType, NoticeVersion
from shared.contracts.values import ChildId
from shared.runtime.kernel import now
from shared.web.purpose import Purpose, stated_purpose

_BODY: Final = {
    "requestBody": {
        "required": True,
        "content": {
            media_type: {"schema": {"type": "string", "format": "binary"}}
            for media_type in ("image/jpeg", "image/png", "image/webp", "application/pdf")
        },
    }
}
_SHOWN: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {media_type.value: {"schema": {"type": "string", "format": "binary"}} for media_type in MediaType}}
}
_HEADERS: Final = {
    "cache-control": "no-store",
    # Whatever a paper may hold, it runs nothing and asks nobody.
    "content-security-policy": "default-src 'none'; sandbox",
}


class NoticePart(BaseModel):
    heading: str
    paragraphs: list[str]


class NoticePurpose(BaseModel):
    """``bases``: on what the purpose may rest."""

    purpose: ConsentPurpose
    title: str
    text: str
    bases: list[Basis]


class PrivacyNotice(BaseModel):
    """What a guardian is told before anything is asked of them; in Chinese."""

    version: str
    starts: str
    title: str
    sections: list[NoticePart]
    purposes: list[NoticePurpose]


def attachment_routes(desk: AttachmentDesk, caller: Callable[..., Any]) -> APIRouter:
    """``caller`` is the dependency that says who asks; its value has a ``person``."""
    router = APIRouter(prefix="/children/{child}/attachments", tags=["attachments"])
    who_asks = Depends(caller)

    @router.put("/{attachment}", status_code=201, operation_id="AddAttachment", openapi_extra=_BODY)
    async def add(
        child: Annotated[ChildId, Path()],
        attachment: Annotated[AttachmentId, Path()],
        kind: AttachmentKind,
        request: Request,
        who: Any = who_asks,
    ) -> Receipt:
        """Keeps a picture or PDF of at most 5 MiB with the file; the same again under the same id changes nothing."""
        answer = await desk.receive(who.person, child, attachment, kind, await request.body())
        return Receipt(position=str(answer.position), versions=dict(answer.versions))

    @router.get("/{attachment}", operation_id="OpenAttachment", response_class=Response, responses=_SHOWN)
    async def show(
        child: Annotated[ChildId, Path()],
        attachment: Annotated[AttachmentId, Path()],
        purpose: Purpose = None,
        who: Any = who_asks,
    ) -> Response:
        """Shows what is kept. That it was opened, by whom and why, is on record before."""
        content = await desk.show(who.person, child, attachment, stated_purpose(purpose))
        place = "inline" if content.media_type is MediaType.JPEG else "attachment"
        headers = _HEADERS | {"content-disposition": place}
        return Response(content.data, headers=headers, media_type=content.media_type.value)

    return router


def notice_routes() -> APIRouter:
    router = APIRouter(tags=["privacy"])

    @router.get("/privacy-notice", operation_id="PrivacyNotice")
    async def notice(version: Annotated[NoticeVersion | None, Query()] = None) -> PrivacyNotice:
        """The text in force today, or the one of a version. Anybody may read it."""
        text = notice_on(business_day(now())) if version is None else NOTICES.get(version)
        if text is None:
            raise NoticeUnknown
        return _shown(text)

    return router


def _shown(text: NoticeText) -> PrivacyNotice:
    return PrivacyNotice(
        version=text.version,
        starts=text.starts.isoformat(),
        title=text.title,
        sections=[NoticePart(heading=one.heading, paragraphs=list(one.paragraphs)) for one in text.sections],
        purposes=[
            NoticePurpose(purpose=one.purpose, title=one.title, text=one.text, bases=sorted(one.bases))
            for one in text.purposes
        ],
    )
