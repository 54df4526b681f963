"""The export of one person's file over HTTP, as JSON or as a page to print (domain 6.2, rule 5; 8.1).

For the right to a copy: a guardian or the child asks, the county or the data protection officer hands it out. That it
was made, by whom, for whom and why, is on record before anything of it leaves.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from pydantic import BaseModel

from services.reporting.api.freshness import After, Freshness, caught_up
from services.reporting.domain import MakeExport, export_stream
from services.reporting.export.document import PLACES, Reader, Section
from services.reporting.export.form import Printed, page_of
from services.reporting.export.person_log import PersonLog
from services.reporting.export.traces import Traces
from services.reporting.export.wording import word
from services.reporting.read_models.child_queries import ChildQueries
from shared.commands.command import NotOnFile, Told
from shared.commands.handler import Handler
from shared.contracts.consent import Declarant
from shared.contracts.refusal import Refusal
from shared.contracts.reporting import ExportRequest
from shared.contracts.sealed import Personal
from shared.contracts.values import ChildId
from shared.identity.scope import Scope
from shared.projection.live import LiveModels
from shared.projection.read_model import Occurred
from shared.web.purpose import Purpose, header_text, stated_purpose

EXPORT = "export_child_file"
FULL = "export_full_numbers"

Requester = Literal[Declarant.FATHER, Declarant.MOTHER, Declarant.GUARDIAN, Declarant.CHILD]


class Export(BaseModel):
    """All that is on record of one person. ``numbers``: full, or masked.

    What is of class C4 is not in it, nor what a record says of another child.
    """

    child: str
    village: str
    made_at: datetime
    made_by: str
    requested_by: Declarant
    numbers: Literal["masked", "full"]
    sections: list[Section]
    freshness: Freshness


class RequesterMissing(Refusal):
    """An export is made for somebody who asked for it, by name."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Say in the header Guanhu-Requester who asked, in 1 to 50 characters of UTF-8."


_HEADERS = {
    "cache-control": "no-store",
    "vary": "accept",
    # The page brings its own style, and nothing else.
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
}
_PAGE: dict[int | str, dict[str, Any]] = {200: {"content": {"text/html": {"schema": {"type": "string"}}}}}


def export_routes(
    queries: ChildQueries, log: PersonLog, live: LiveModels, scope: Scope, handler: Handler, caller: Any
) -> APIRouter:
    router = APIRouter(prefix="/children", tags=["children"])

    @router.get("/{child}/export", summary="One person's whole file", response_model=Export, responses=_PAGE)
    async def export(
        child: Annotated[ChildId, Path()],
        requested_by: Annotated[Requester, Query()],
        request: Request,
        numbers: Annotated[Literal["masked", "full"], Query()] = "masked",
        purpose: Purpose = None,
        requester: Annotated[str | None, Header(alias="guanhu-requester")] = None,
        position: After = None,
        who: Any = Depends(caller),  # noqa: B008
    ) -> Any:
        """All that the logs hold of a child, at the request of a guardian or of the child; ``Accept: text/html`` gives
        the official form to print, with all records behind it."""
        asked = _request(requested_by, requester, stated_purpose(purpose))
        freshness = await caught_up(live, Traces.name, position)
        village = await _village(child, who.person)
        if numbers == "full":
            await scope.permit(who.person, FULL, village)
        told = await log.of(child)
        await _note(child, village, who.person, asked, full_numbers=numbers == "full")
        places = await scope.full_names(_codes(told))
        sections = Reader(child, numbers == "full", places).sections(told)
        made_at = datetime.now(UTC)
        if "text/html" in request.headers.get("accept", ""):
            printed = Printed(
                by=who.person,
                at=made_at,
                relation=word(requested_by),
                requester=asked.name,
                reason=asked.reason,
                full_numbers=numbers == "full",
                complete_up_to=freshness.complete_up_to,
            )
            return Response(page_of(child, told, sections, places, printed), headers=_HEADERS, media_type="text/html")
        document = Export(
            child=child,
            village=village,
            made_at=made_at,
            made_by=who.person,
            requested_by=requested_by,
            numbers=numbers,
            sections=sections,
            freshness=freshness,
        )
        return Response(document.model_dump_json(), headers=_HEADERS, media_type="application/json")

    async def _village(child: str, person: str) -> str:
        """Where the child lives. Raises NotOnFile for a child that is unknown, erased or out of scope."""
        village = await queries.village_of(child)
        if village is None or not await scope.permits(person, EXPORT, village):
            raise NotOnFile
        return village

    async def _note(child: str, village: str, person: str, asked: ExportRequest, *, full_numbers: bool) -> None:
        command_id = str(uuid.uuid4())
        command = MakeExport(
            export=export_stream(command_id, child),
            child=child,
            village=village,
            person=person,
            full_numbers=full_numbers,
            request=Personal(asked),
        )
        await handler.handle(Told(command, command_id, person))

    return router


def _request(relation: Declarant, requester: str | None, reason: str) -> ExportRequest:
    name = header_text(requester)
    if name is None or not 1 <= len(name) <= 50:
        raise RequesterMissing
    return ExportRequest(relation=relation, name=name, reason=reason)


def _codes(told: Collection[Occurred]) -> set[str]:
    """The divisions that the records name."""
    named = [getattr(event, field, None) for _, event in told for field in PLACES]
    return {code for code in named if isinstance(code, str)}
