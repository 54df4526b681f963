"""The import desk over HTTP. A file is taken in memory: nothing of it touches the disk before it is sealed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, ClassVar, Final

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from services.registry.imports.desk import BY_KIND, ImportDesk
from services.registry.imports.finding import Finding
from services.registry.imports.store import Document
from shared.contracts.refusal import Refusal
from shared.contracts.values import LedgerKind, RowVerdict
from shared.web.request import FILE_BODY_LIMIT

WORKBOOK: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

BatchId = Annotated[str, Path(pattern=r"^import-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]


class FormMalformed(Refusal):
    """The body is no form with one file in its part ``file``."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Send multipart/form-data with one part named file."


class _InMemory(MultiPartParser):
    """Starlette puts what is over a megabyte into a temporary file, in the clear."""

    spool_max_size = FILE_BODY_LIMIT + 1


class FindingLine(BaseModel):
    """``reason`` is in Chinese and names column, rule and what to do; it never repeats a value."""

    code: str
    column: str
    verdict: RowVerdict
    reason: str


class SummaryLine(FindingLine):
    """How many rows have this finding, and which is the first of them."""

    rows: int
    first_row: int


class FoundRow(BaseModel):
    row: int
    verdict: RowVerdict
    findings: list[FindingLine]


class FileProblem(BaseModel):
    code: str
    detail: str
    what_to_do: str


class ImportState(BaseModel):
    """Where an import stands. ``rows`` grows while it is checked, ``taken_over`` and ``refused`` while it is committed.

    ``rejected`` is what the dry run found; ``refused`` counts all rows that were not taken over, those among them.
    ``closed`` is what was taken back, ``left`` what could not be, because its sender may not close it any more.
    ``state``: received, checked or refused; committing, committed; withdrawing, withdrawn.
    """

    batch: str
    ledger: LedgerKind
    title: str
    state: str
    rows: int
    accepted: int | None = None
    warned: int | None = None
    rejected: int | None = None
    taken_over: int
    refused: int
    closed: int | None = None
    left: int | None = None
    expires_at: datetime
    summary: list[SummaryLine]
    found: list[FoundRow] | None = None
    problem: FileProblem | None = None


class Imports(BaseModel):
    imports: list[ImportState]


FILE_BODY: Final = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}


def import_routes(desk: ImportDesk, caller: Callable[..., Any]) -> APIRouter:
    """``caller`` is the dependency that says who asks; its value has a ``person``."""
    router = APIRouter(prefix="/imports", tags=["imports"])
    who_asks = Depends(caller)

    @router.post("", status_code=202, operation_id="ReceiveImport", openapi_extra=FILE_BODY)
    async def receive(request: Request, who: Any = who_asks) -> ImportState:
        """Takes a ledger for a dry run: nothing of it is registered before it is committed."""
        return _state(await desk.receive(who.person, await file_of(request)))

    @router.get("", operation_id="Imports")
    async def imports(who: Any = who_asks) -> Imports:
        """What the caller has sent, the latest hundred first, without their findings."""
        return Imports(imports=[_state(one | {"summary": []}) for one in await desk.imports(who.person)])

    @router.get("/{batch}", operation_id="Import")
    async def progress(
        batch: BatchId,
        after_row: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=0, le=1_000)] = 0,
        who: Any = who_asks,
    ) -> ImportState:
        """Where it stands, and the first ``limit`` rows after ``after_row`` in which something was found."""
        state = _state(await desk.progress(who.person, batch))
        if limit:
            found = await desk.findings(batch, after_row, limit)
            state.found = [
                FoundRow(row=n, verdict=RowVerdict(v), findings=[line_of(f) for f in fs]) for n, v, fs in found
            ]
        return state

    @router.post("/{batch}/commit", status_code=202, operation_id="CommitImport")
    async def commit(batch: BatchId, who: Any = who_asks) -> ImportState:
        """Takes over the rows that were not rejected; a second time it answers the same."""
        return _state(await desk.commit(who.person, batch))

    @router.post("/{batch}/withdraw", status_code=202, operation_id="WithdrawImport")
    async def withdraw(batch: BatchId, who: Any = who_asks) -> ImportState:
        """Closes as registered in error what the import registered."""
        return _state(await desk.withdraw(who.person, batch))

    @router.get("/{batch}/rejected.xlsx", operation_id="RejectedRows", response_class=Response)
    async def rejected(batch: BatchId, who: Any = who_asks) -> Response:
        """The rows that are not taken over, each with its reasons: to be corrected and sent as a new file."""
        book, left_out = await desk.rejected(who.person, batch)
        headers = {
            "content-disposition": f'attachment; filename="{batch}.xlsx"',
            "cache-control": "no-store",
            "guanhu-left-out": str(left_out),
        }
        return Response(book, headers=headers, media_type=WORKBOOK)

    return router


async def file_of(request: Request) -> bytes:
    """The bytes of the part ``file``. Raises FormMalformed."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise FormMalformed
    try:
        form = await _InMemory(request.headers, request.stream(), max_files=1, max_fields=2).parse()
    except (MultiPartException, KeyError):
        raise FormMalformed from None
    try:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise FormMalformed
        return await file.read()
    finally:
        await form.close()


def _state(found: Document) -> ImportState:
    kind = LedgerKind(found["ledger"])
    return ImportState(
        batch=found["_id"],
        ledger=kind,
        title=BY_KIND[kind].title,
        state=found["state"],
        rows=found["rows"],
        **found["counts"],
        taken_over=found["taken_over"],
        refused=found["refused"],
        closed=found.get("closed"),
        left=found.get("left"),
        expires_at=found["expires_at"],
        summary=[
            SummaryLine(**line_of(Finding(code, column)).model_dump(), rows=rows, first_row=first)
            for code, column, rows, first in found["summary"]
        ],
        problem=found["problem"],
    )


def line_of(finding: Finding) -> FindingLine:
    return FindingLine(code=finding.code, column=finding.column, verdict=finding.verdict, reason=finding.reason)
