"""Does what the matching desk was asked for: reads, matches, records gaps. Each piece of rows is safe to repeat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Final

from services.registry.domain.mapping_gap import GapIds, RecordMappingGap
from services.registry.duplicates.files import Files
from services.registry.duplicates.look_up import DuplicateLookUp, Likely
from services.registry.imports.bad_file import BadFile
from services.registry.imports.checked_row import CheckedRow
from services.registry.imports.examiner import Examiner
from services.registry.imports.job_line import JobLine
from services.registry.imports.scope import ImportScope
from services.registry.imports.store import Document
from services.registry.imports.worker import refused_as
from services.registry.matching.desk import MatchingDesk
from services.registry.matching.judgement import Near, RowState, judge
from services.registry.matching.register import MATCH, SOURCES, RegisterRow, particulars
from services.registry.matching.store import MatchingStore, Result
from services.registry.matching.there import absent, is_expected
from shared.commands.command import Told, business_day
from shared.commands.handler import Handler
from shared.contracts.sealed import Personal
from shared.contracts.values import RegisterKind
from shared.identity.access import Directory
from shared.identity.scope import Scope

TOGETHER: Final = 50
"""Rows that are compared at once: what comes near them is opened in memory."""
KNOWN: Final = "mapping_gap_already_found"


class MatchingWorker(JobLine):
    def __init__(
        self,
        desk: MatchingDesk,
        store: MatchingStore,
        examiner: Examiner,
        terms: ImportScope,
        scope: Scope,
        directory: Directory,
        look_up: DuplicateLookUp,
        level: Callable[[], Awaitable[bool]],
        files: Files,
        handler: Handler,
        gaps: GapIds,
        clock: Callable[[], datetime],
    ) -> None:
        work = {"received": self._read, "matching": self._match, "recording": self._record}
        super().__init__(store, desk.waiting, work, clock)
        self._matchings = store
        self._examiner = examiner
        self._terms = terms
        self._scope = scope
        self._directory = directory
        self._look_up = look_up
        self._level = level
        self._files = files
        self._handler = handler
        self._gaps = gaps

    # read

    async def _read(self, job: Document) -> None:
        matching, rows_read, piece = job["_id"], 0, 0
        content = await self._store.file(matching)
        terms = await self._terms.terms(job["person"])
        try:
            async for rows in self._examiner.check(content, terms):
                await self._store.keep_rows(matching, piece, rows, job["expires_at"])
                piece, rows_read = piece + 1, rows_read + len(rows)
                await self._store.move(matching, ("received",), {"rows": rows_read})
        except BadFile as bad:
            problem = {"code": bad.code, "detail": bad.detail, "what_to_do": bad.what_to_do}
            await self._store.drop_rows(matching)
            await self._store.move(matching, ("received",), {"state": "refused", "problem": problem})
        else:
            await self._store.drop_rows(matching, since=piece)
            found = {"state": "matching", "rows": rows_read, "pieces": piece, "done": 0}
            await self._store.move(matching, ("received",), found)
        await self._store.drop_file(matching)

    # match

    async def _match(self, job: Document) -> None:
        matching = job["_id"]
        complete = await self._level()
        for piece in range(job["done"], job["pieces"]):
            await self._match_piece(job, piece)
            await self._store.move(matching, ("matching",), {"done": piece + 1})
        await self._doubt_what_is_claimed_twice(matching)
        await self._matchings.keep_there(matching, await self._expected(job), job["expires_at"])
        await self._store.move(matching, ("matching",), {"state": "matched", "complete": complete})

    async def _match_piece(self, job: Document, piece: int) -> None:
        rows = await self._rows(job, piece)
        read = {row.number: _told(row) for row in rows if row.wishes}
        results = {row.number: _not_compared(row) for row in rows if not row.wishes}
        numbers = list(read)
        for start in range(0, len(numbers), TOGETHER):
            some = numbers[start : start + TOGETHER]
            near = await self._near(job["person"], [read[number] for number in some])
            results |= {number: _result(read[number], found) for number, found in zip(some, near, strict=True)}
        await self._matchings.keep_results(job["_id"], piece, results)

    async def _near(self, person: str, rows: Sequence[RegisterRow]) -> list[list[Likely]]:
        """Open files near each row, within the scope that the person has today."""
        grants = await self._scope.grants(person, MATCH)
        places = await self._directory.places({row.village for row in rows if row.village})
        paths = {village: place.path for village, place in places.items()}
        told = [particulars(row, paths.get(row.village or "", ())) for row in rows]
        return await self._look_up.near(told, lambda villages: self._scope.within(grants, villages))

    async def _doubt_what_is_claimed_twice(self, matching: str) -> None:
        """One file is one row's: of two that are matched with it neither is certain."""
        matched = [
            (piece, row, result)
            async for piece, row, result in self._matchings.results(matching)
            if result["state"] == RowState.MATCHED
        ]
        claims = Counter(result["near"][0][0] for _, _, result in matched)
        for piece, row, result in matched:
            if claims[result["near"][0][0]] > 1:
                doubted = result | {"state": RowState.DOUBTFUL.value}
                await self._matchings.change_result(matching, piece, row, doubted)

    async def _expected(self, job: Document) -> list[str]:
        """Open files of the division that the register was to hold."""
        grants = await self._scope.grants(job["person"], MATCH)
        children = await self._look_up.open_files(await self._scope.villages(job["division"]))
        kind, today = RegisterKind(job["register"]), business_day(self._clock())
        found = absent(self._files, children, lambda villages: self._scope.within(grants, villages))
        return [one.child async for one in found if is_expected(one.file, kind, job["school"], today)]

    # record

    async def _record(self, job: Document) -> None:
        matching, counts = job["_id"], Counter({key: job[key] for key in ("recorded", "known", "not_recorded")})
        results: dict[int, dict[int, Result]] = {}
        async for piece, row, result in self._matchings.results(matching):
            results.setdefault(piece, {})[row] = result
        for piece in range(job["done"], job["pieces"]):
            counts.update(await self._record_piece(job, piece, results.get(piece, {})))
            await self._store.move(matching, ("recording",), {"done": piece + 1, **counts})
        await self._store.move(matching, ("recording",), {"state": "recorded"})

    async def _record_piece(self, job: Document, piece: int, results: dict[int, Result]) -> Counter[str]:
        missing = {row.number: _told(row) for row in await self._rows(job, piece) if row.wishes}
        missing = {n: row for n, row in missing.items() if results[n]["state"] == RowState.MISSING}
        finds = {n: self._find(job, row, results[n]["village"]) for n, row in missing.items() if results[n]["village"]}
        told = [_of_person(job, find, f"row/{number}") for number, find in finds.items()]
        outcomes = await self._handler.handle_many(told)
        counts = Counter(not_recorded=len(missing) - len(finds))
        for (number, find), outcome in zip(finds.items(), outcomes, strict=True):
            code = refused_as(outcome)
            counts["recorded" if code is None else "known" if code == KNOWN else "not_recorded"] += 1
            told_of = {"gap": self._gaps.of(find)} if code in (None, KNOWN) else {"refused": code}
            await self._matchings.change_result(job["_id"], piece, number, results[number] | told_of)
        return counts

    def _find(self, job: Document, row: RegisterRow, village: str) -> RecordMappingGap:
        return RecordMappingGap(
            village=village,
            source=SOURCES[RegisterKind(job["register"])],
            found_on=business_day(job["recording_at"]),
            name=row.name,
            birth_month=Personal(row.month) if row.month else None,
        )

    async def _rows(self, job: Document, piece: int) -> list[CheckedRow]:
        rows = await self._store.rows(job["_id"], piece)
        if rows is None:
            raise LookupError(f"piece {piece} of {job['_id']} is gone before it was done")
        return rows


def _told(row: CheckedRow) -> RegisterRow:
    return RegisterRow.model_validate_json(row.wishes[0].body)


def _not_compared(row: CheckedRow) -> Result:
    outside = any(code == "place_unknown" for code, _ in row.findings)
    return {"state": (RowState.OUTSIDE if outside else RowState.UNREAD).value, "village": None, "near": []}


def _result(row: RegisterRow, near: Sequence[Likely]) -> Result:
    judged = judge([Near(one.file.child, one.comparison) for one in near])
    kept = [
        [child, comparison.score, [reason.value for reason in comparison.reasons]] for child, comparison in judged.near
    ]
    return {"state": judged.state.value, "village": row.village, "near": kept}


def _of_person(job: Document, find: RecordMappingGap, what: str) -> Told:
    matching = job["_id"]
    command_id = f"matching/{matching.removeprefix('matching-')}/{job['check']}/{what}"
    return Told(find, command_id, job["person"], source="matching", correlation_id=matching)
