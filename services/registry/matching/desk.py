"""The matching desk as its users meet it: a list is sent, matched, decided where it is doubtful, and recorded.

States: received, matching, matched or refused, recording, recorded. The work itself is done by ``worker`` behind it.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final, NamedTuple

from services.registry.domain.list_export import LIST_EXPORT, RecordListExport
from services.registry.duplicates.files import Files
from services.registry.imports.examiner import Examiner
from services.registry.imports.store import Document
from services.registry.matching.judgement import RowState
from services.registry.matching.register import MATCH
from services.registry.matching.store import MatchingStore, Result
from services.registry.matching.there import MAX_CHILDREN, Absent, absent, workbook
from shared.commands.command import Handling, NotOnFile, Target, Told
from shared.commands.handler import Handler
from shared.contracts.refusal import Refusal
from shared.contracts.values import RegisterKind
from shared.eventlog.placement import derived_id, new_id
from shared.identity.scope import Scope

LISTED: Final = 100
DONE: Final = ("matched", "refused", "recorded")
DECIDED: Final = (RowState.MATCHED, RowState.DOUBTFUL, RowState.MISSING)
"""States of rows about which a person may decide."""


class NotMatchedYet(Refusal):
    """The list is not matched to its end, or was refused."""

    what_to_do: ClassVar[str] = "Wait until its state is matched; see the problem it names when it was refused."


class GapsAreRecorded(Refusal):
    """The gaps of this matching are on record: nothing of it is decided any more."""

    what_to_do: ClassVar[str] = "Settle the gap instead, or send the list again with again=true."


class RowsUndecided(Refusal):
    """Rows are doubtful still: whether they are missing here is for a person to say."""

    what_to_do: ClassVar[str] = "Decide each doubtful row first, with its child or with none."


class RowNotToDecide(Refusal):
    """The row lies outside your divisions, or could not be read."""

    what_to_do: ClassVar[str] = "Correct the row and send the list again, or leave it to those who work there."


class FileOfAnotherRow(Refusal):
    """Another row of the list is matched with this file."""

    what_to_do: ClassVar[str] = "Decide that row first: one file is one row's."


class MatchingExpired(Refusal):
    """The rows of this matching are no longer kept: they were sent over thirty days ago."""

    status: ClassVar[int] = 410
    what_to_do: ClassVar[str] = "Send the list again."


class Wanted(NamedTuple):
    """What is to be matched with what: ``school`` narrows a school roll to the files that name that school."""

    register: RegisterKind
    division: str
    school: str | None
    again: bool = False


def export_handling() -> Handling[Any]:
    return Handling(
        RecordListExport,
        action=MATCH,
        targets=lambda c: (Target(c.export, LIST_EXPORT),),
        division=lambda c, _: c.division,
    )


class MatchingDesk:
    def __init__(
        self,
        store: MatchingStore,
        examiner: Examiner,
        scope: Scope,
        files: Files,
        exports: Handler,
        clock: Callable[[], datetime],
        kept: Callable[[str], Awaitable[timedelta]],
    ) -> None:
        """``kept`` says how long a division's files and their rows are kept."""
        self.waiting = asyncio.Event()
        self._store = store
        self._examiner = examiner
        self._scope = scope
        self._files = files
        self._exports = exports
        self._clock = clock
        self._kept = kept

    async def receive(self, person: str, content: bytes, wanted: Wanted) -> Document:
        """The same list of the same person for the same division is the same matching, unless it is wanted again.

        Raises NotPermitted, BadFile with nothing kept.
        """
        await self._scope.permit(person, MATCH, wanted.division)
        opened = await self._examiner.open(content)
        told = (hashlib.sha256(content).hexdigest(), person, wanted.register, wanted.division, wanted.school or "")
        matching = derived_id("/".join(told), "matching")
        known = await self._store.find(matching)
        begun = DONE if wanted.again else ("refused",)
        if known is not None and known["state"] not in begun:
            return known
        now = self._clock()
        until = now + await self._kept(wanted.division)
        await self._store.keep_file(matching, content, now, until)
        values: Document = {
            "person": person,
            "register": wanted.register.value,
            "division": wanted.division,
            "school": wanted.school,
            "headers": opened.headers,
            "state": "received",
            "asked_at": now,
            "expires_at": until,
            "rows": 0,
            "pieces": 0,
            "done": 0,
            "recorded": 0,
            "known": 0,
            "not_recorded": 0,
            "complete": False,
            "problem": None,
        }
        found = await self._store.begin(matching, begun, values)
        self.waiting.set()
        return found

    async def matchings(self, person: str) -> list[Document]:
        return await self._store.of_person(person, LISTED)

    async def progress(self, person: str, matching: str) -> Document:
        """Raises NotOnFile for a matching of somebody else, NotPermitted for who may match there no more."""
        found = await self._store.find(matching)
        if found is None or found["person"] != person:
            raise NotOnFile
        await self._scope.permit(person, MATCH, found["division"])
        return found

    async def tally(self, found: Document) -> tuple[Counter[str], int]:
        """How many rows came to each state, and how many files no row may be of."""
        counts = Counter({str(state): 0 for state in RowState})
        counts.update([result["state"] async for _, _, result in self._store.results(found["_id"])])
        return counts, len(await self._absent(found["_id"]))

    async def rows(
        self, matching: str, state: RowState | None, after: int, limit: int
    ) -> list[tuple[int, Result, list[tuple[str, str]]]]:
        """Rows with what they came to and what was found in them, from the one after ``after``."""
        told = {number: fs async for _, rows in self._store.pieces(matching, after) for number, _, fs in rows}
        found: list[tuple[int, Result, list[tuple[str, str]]]] = []
        async for _, row, result in self._store.results(matching):
            if row > after and state in (None, result["state"]):
                found.append((row, result, told.get(row, [])))
            if len(found) == limit:
                break
        return found

    async def decide(self, person: str, matching: str, number: int, child: str | None, village: str | None) -> Result:
        """The row is this child's, or nobody's on file; ``village`` is where it lives when the row does not say so.

        Raises NotOnFile, NotMatchedYet, GapsAreRecorded, RowNotToDecide, FileOfAnotherRow, NotPermitted.
        """
        found = await self._decidable(person, matching)
        results = {row: (piece, result) async for piece, row, result in self._store.results(matching)}
        if number not in results:
            raise NotOnFile
        piece, result = results[number]
        if result["state"] not in DECIDED:
            raise RowNotToDecide
        if village:
            await self._scope.permit(person, MATCH, village)
        if child is not None:
            await self._check_file(person, child)
            if any(row != number and _matched_with(one, child) for row, (_, one) in results.items()):
                raise FileOfAnotherRow
        near = [one for one in result["near"] if one[0] == child] or ([[child, 0, []]] if child else [])
        state = RowState.MATCHED if child else RowState.MISSING
        decided = result | {
            "state": state.value,
            "near": near,
            "village": village or result["village"],
            "decided": True,
        }
        await self._store.change_result(found["_id"], piece, number, decided)
        return decided

    async def record(self, person: str, matching: str) -> Document:
        """What is missing here becomes gaps on record. Raises NotOnFile, NotMatchedYet, RowsUndecided, NotPermitted."""
        found = await self.progress(person, matching)
        if found["state"] in ("recording", "recorded"):
            return found
        await self._decidable(person, matching)
        if any([result["state"] == RowState.DOUBTFUL async for _, _, result in self._store.results(matching)]):
            raise RowsUndecided
        now = self._clock()
        asked = {"state": "recording", "done": 0, "asked_at": now, "recording_at": now}
        moved = await self._store.move(matching, ("matched",), asked)
        self.waiting.set()
        return moved or await self.progress(person, matching)

    async def missing_there(self, person: str, matching: str) -> tuple[bytes, int]:
        """The workbook of files that no row is or may be of, and how many of them did not fit; on record before.

        Raises NotOnFile, NotMatchedYet, MatchingExpired, NotPermitted.
        """
        found = await self.progress(person, matching)
        if found["state"] in ("received", "matching", "refused"):
            raise NotMatchedYet
        if found["expires_at"] < self._clock():
            raise MatchingExpired
        children = await self._absent(matching)
        listed = await self._listed(person, children[:MAX_CHILDREN])
        export = new_id("export")
        told = RecordListExport(
            export=export,
            matching=matching,
            register_kind=found["register"],
            division=found["division"],
            children=len(listed),
            person=person,
        )
        await self._exports.handle(Told(told, f"matching/{export}", person, source="matching", correlation_id=matching))
        book = await asyncio.to_thread(workbook, RegisterKind(found["register"]), listed, person, self._clock())
        return book, len(children) - len(children[:MAX_CHILDREN])

    async def _absent(self, matching: str) -> list[str]:
        named = {near[0] async for _, _, result in self._store.results(matching) for near in result["near"]}
        return [child for child in await self._store.there(matching) if child not in named]

    async def _listed(self, person: str, children: list[str]) -> list[Absent]:
        """Those that are open and within the person's scope today."""
        grants = await self._scope.grants(person, MATCH)
        return [
            one async for one in absent(self._files, children, lambda villages: self._scope.within(grants, villages))
        ]

    async def _decidable(self, person: str, matching: str) -> Document:
        found = await self.progress(person, matching)
        if found["state"] in ("recording", "recorded"):
            raise GapsAreRecorded
        if found["state"] != "matched":
            raise NotMatchedYet
        if found["expires_at"] < self._clock():
            raise MatchingExpired
        return found

    async def _check_file(self, person: str, child: str) -> None:
        file = (await self._files.of([child])).get(child)
        grants = await self._scope.grants(person, MATCH)
        if file is None or not file.open or not await self._scope.within(grants, [file.village]):
            raise NotOnFile


def _matched_with(result: Result, child: str) -> bool:
    return bool(result["state"] == RowState.MATCHED and result["near"][0][0] == child)
