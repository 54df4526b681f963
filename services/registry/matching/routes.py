"""The matching desk over HTTP. Of rows it tells numbers, states and ids of files within the caller's scope."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict

from services.registry.imports.finding import Finding
from services.registry.imports.routes import FILE_BODY, WORKBOOK, FileProblem, FindingLine, file_of, line_of
from services.registry.imports.store import Document
from services.registry.matching.desk import MatchingDesk, Wanted
from services.registry.matching.judgement import RowState
from services.registry.matching.register import TITLES
from services.registry.matching.store import Result
from shared.contracts.values import ChildId, DivisionCode, Likeness, MappingGapId, RegisterKind, VillageCode

MatchingPath = Annotated[str, Path(pattern=r"^matching-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
SchoolTold = Annotated[str, Query(min_length=2, max_length=100)]


class NearFile(BaseModel):
    """A file, with what it has in common with the row. A file that a person chose without a likeness has none."""

    child: ChildId
    score: int
    reasons: list[Likeness]


class MatchedRow(BaseModel):
    """``files``: the one of a matched row, those a doubtful row may be of. ``gap``: what a missing row became;
    ``refused`` is the code by which it did not. ``village`` is the row's, None where it names none."""

    row: int
    state: RowState
    village: VillageCode | None
    files: list[NearFile]
    findings: list[FindingLine]
    decided: bool = False
    gap: MappingGapId | None = None
    refused: str | None = None


class RowCounts(BaseModel):
    matched: int
    doubtful: int
    missing: int
    outside: int
    unread: int


class MatchingState(BaseModel):
    """Where a matching stands: received, matching, matched or refused; recording, recorded.

    ``done`` of ``pieces`` grows while it is matched, and once more while gaps are recorded. ``missing_there`` are the
    open files of the division that the register was to hold and no row is or may be of. ``complete`` is False when
    files were opened in the last moments that could not be looked at. ``recorded`` are gaps told now, ``known`` those
    on record before, ``not_recorded`` rows without a village, or refused.
    """

    matching: str
    register_kind: RegisterKind
    title: str
    division: DivisionCode
    school: str | None
    state: str
    rows: int
    pieces: int
    done: int
    complete: bool
    expires_at: datetime
    recorded: int
    known: int
    not_recorded: int
    counts: RowCounts | None = None
    missing_there: int | None = None
    found: list[MatchedRow] | None = None
    problem: FileProblem | None = None


class Matchings(BaseModel):
    matchings: list[MatchingState]


class Decision(BaseModel):
    """The child whose file the row is, or none; ``village`` is where a missing child lives, when the row is silent."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    child: ChildId | None = None
    village: VillageCode | None = None


def matching_routes(desk: MatchingDesk, caller: Callable[..., Any]) -> APIRouter:
    router = APIRouter(prefix="/matchings", tags=["matchings"])
    who_asks = Depends(caller)

    @router.post("", status_code=202, operation_id="ReceiveMatching", openapi_extra=FILE_BODY)
    async def receive(
        request: Request,
        register: RegisterKind,
        division: DivisionCode,
        school: SchoolTold | None = None,
        again: bool = False,
        who: Any = who_asks,
    ) -> MatchingState:
        """Takes a list and matches it with the files of the division; with ``again`` one that was matched before."""
        wanted = Wanted(register, division, school, again)
        return _state(await desk.receive(who.person, await file_of(request), wanted))

    @router.get("", operation_id="Matchings")
    async def matchings(who: Any = who_asks) -> Matchings:
        """What the caller has sent, the latest hundred first."""
        return Matchings(matchings=[_state(one) for one in await desk.matchings(who.person)])

    @router.get("/{matching}", operation_id="Matching")
    async def progress(
        matching: MatchingPath,
        state: RowState | None = None,
        after_row: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=0, le=1_000)] = 0,
        who: Any = who_asks,
    ) -> MatchingState:
        """Where it stands, and the first ``limit`` rows after ``after_row`` that came to ``state``."""
        found = await desk.progress(who.person, matching)
        told = _state(found)
        if found["state"] not in ("received", "refused", "matching"):
            counts, told.missing_there = await desk.tally(found)
            told.counts = RowCounts(**counts)
        if limit:
            rows = await desk.rows(matching, state, after_row, limit)
            told.found = [_row(number, result, findings) for number, result, findings in rows]
        return told

    @router.get("/{matching}/missing-there.xlsx", operation_id="MissingThere", response_class=Response)
    async def missing_there(matching: MatchingPath, who: Any = who_asks) -> Response:
        """The files that the register does not hold, with masked numbers; that it was taken is on record."""
        book, left_out = await desk.missing_there(who.person, matching)
        headers = {
            "content-disposition": f'attachment; filename="{matching}.xlsx"',
            "cache-control": "no-store",
            "guanhu-left-out": str(left_out),
        }
        return Response(book, headers=headers, media_type=WORKBOOK)

    @router.post("/{matching}/rows/{row}", operation_id="DecideRow")
    async def decide(
        matching: MatchingPath, row: Annotated[int, Path(ge=1)], decision: Decision, who: Any = who_asks
    ) -> MatchedRow:
        """Says which file a row is, or that it is none."""
        result = await desk.decide(who.person, matching, row, decision.child, decision.village)
        return _row(row, result, [])

    @router.post("/{matching}/record-gaps", status_code=202, operation_id="RecordGaps")
    async def record(matching: MatchingPath, who: Any = who_asks) -> MatchingState:
        """Confirms the matching: what is missing here becomes gaps on record, once."""
        return _state(await desk.record(who.person, matching))

    return router


def _state(found: Document) -> MatchingState:
    kind = RegisterKind(found["register"])
    told = {name: found[name] for name in MatchingState.model_fields if name in found}
    return MatchingState(matching=found["_id"], register_kind=kind, title=TITLES[kind], **told)


def _row(number: int, result: Result, findings: list[tuple[str, str]]) -> MatchedRow:
    return MatchedRow(
        row=number,
        state=RowState(result["state"]),
        village=result["village"],
        files=[NearFile(child=child, score=score, reasons=reasons) for child, score, reasons in result["near"]],
        findings=[line_of(Finding(*one)) for one in findings],
        decided=result.get("decided", False),
        gap=result.get("gap"),
        refused=result.get("refused"),
    )
