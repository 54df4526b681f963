"""The import desk as its users meet it: a file is sent, checked, committed, looked at, and taken back as a whole.

Each request moves the batch to a state and answers; the work itself is done by ``work`` behind it, which goes on after
a restart where it was. States: received, checked or refused, committing, committed, withdrawing, withdrawn.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from services.registry.domain.import_batch import (
    ImportIsWithdrawn,
    ImportNotChecked,
    ImportNotCommitted,
    ReceiveImport,
)
from services.registry.imports.batch_commands import BatchTeller
from services.registry.imports.examiner import Examiner
from services.registry.imports.finding import REJECTED, Finding
from services.registry.imports.ledgers import LEDGERS
from services.registry.imports.rejected import MAX_ROWS, RejectedRow, workbook
from services.registry.imports.scope import ImportScope
from services.registry.imports.store import Document, ImportStore
from shared.commands.command import NotOnFile
from shared.contracts.refusal import Refusal
from shared.contracts.values import LedgerKind
from shared.eventlog.placement import derived_id

BY_KIND: Final = {ledger.kind: ledger for ledger in LEDGERS}


LISTED: Final = 100
CHECKED_AGAIN: Final = ("checked", "refused")
"""States in which the same file is checked once more: the map or the sender's scope may have changed."""


class ImportExpired(Refusal):
    """The rows of this import are no longer kept: they were sent longer ago than rows are kept."""

    status: ClassVar[int] = 410
    what_to_do: ClassVar[str] = "Send the file again; rows that were taken over before are not registered twice."


class NothingToTakeOver(Refusal):
    """No row of this file can be taken over: each was rejected."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = (
        "Look at the findings of the dry run; correct the rejected rows and send them as a file."
    )


class ImportWasRefused(Refusal):
    """The file was refused when it was read to its end."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "See the problem that the import names, and send a corrected file."


class ImportDesk:
    def __init__(
        self,
        store: ImportStore,
        examiner: Examiner,
        scope: ImportScope,
        teller: BatchTeller,
        clock: Callable[[], datetime],
        kept: Callable[[str], Awaitable[timedelta]],
    ) -> None:
        """``kept`` says how long the files and rows of a division are kept."""
        self.waiting = asyncio.Event()
        self._store = store
        self._examiner = examiner
        self._scope = scope
        self._teller = teller
        self._clock = clock
        self._kept = kept

    async def receive(self, person: str, content: bytes) -> Document:
        """The same file of the same person is the same import; one that is checked is checked again.

        Raises NoRole, BadFile with nothing kept, Refusal or LogError.
        """
        division = await self._scope.division(person)
        opened = await self._examiner.open(content)
        ledger, file_hash = LedgerKind(opened.ledger), hashlib.sha256(content).hexdigest()
        batch = derived_id(f"{file_hash}/{person}", "import")
        known = await self._store.find(batch)
        if known is not None and known["state"] not in CHECKED_AGAIN:
            return known
        now = self._clock()
        until = now + await self._kept(division)
        receive = ReceiveImport(batch=batch, division=division, ledger=ledger, file_hash=file_hash)
        await self._teller.received(receive, person)
        await self._store.keep_file(batch, content, now, until)
        values: Document = {
            "person": person,
            "ledger": ledger.value,
            "headers": opened.headers,
            "state": "received",
            "asked_at": now,
            "expires_at": until,
            "rows": 0,
            "counts": {},
            "summary": [],
            "done": 0,
            "taken_over": 0,
            "refused": 0,
            "problem": None,
        }
        found = await self._store.begin(batch, CHECKED_AGAIN, values)
        self.waiting.set()
        return found

    async def imports(self, person: str) -> list[Document]:
        """What the person has sent, the latest first."""
        return await self._store.of_person(person, LISTED)

    async def progress(self, person: str, batch: str) -> Document:
        """Raises NotOnFile for an import of somebody else."""
        found = await self._store.find(batch)
        if found is None or found["person"] != person:
            raise NotOnFile
        return found

    async def commit(self, person: str, batch: str) -> Document:
        """Raises ImportNotChecked, NothingToTakeOver, ImportIsWithdrawn, ImportExpired, ImportWasRefused, NoRole."""
        found = await self.progress(person, batch)
        match found["state"]:
            case "committing" | "committed":
                return found
            case "withdrawing" | "withdrawn":
                raise ImportIsWithdrawn
            case "refused":
                raise ImportWasRefused
            case "received":
                raise ImportNotChecked
        await self._scope.division(person)
        counts = found["counts"]
        if not counts["accepted"] + counts["warned"]:
            raise NothingToTakeOver
        if found["expires_at"] < self._clock():
            raise ImportExpired
        return await self._ask(batch, ("checked",), {"state": "committing", "committing_at": self._clock()})

    async def withdraw(self, person: str, batch: str) -> Document:
        """Raises ImportNotCommitted, NoRole. What is being committed is committed first."""
        found = await self.progress(person, batch)
        if found["state"] in ("withdrawing", "withdrawn"):
            return found
        if found["state"] != "committed":
            raise ImportNotCommitted
        await self._scope.division(person)
        return await self._ask(batch, ("committed",), {"state": "withdrawing"})

    async def findings(self, batch: str, after: int, limit: int) -> list[tuple[int, str, list[Finding]]]:
        """Rows in which something was found, in order, from the one after ``after``."""
        found: list[tuple[int, str, list[Finding]]] = []
        async for _, rows in self._store.pieces(batch, after):
            found += [(n, verdict, [Finding(*f) for f in fs]) for n, verdict, fs in rows if n > after and fs]
            if len(found) >= limit:
                break
        return found[:limit]

    async def rejected(self, person: str, batch: str) -> tuple[bytes, int]:
        """The workbook of the rows that are not taken over, and how many of them did not fit.

        Raises ImportExpired, and NoRole: rows are shown to who may import them today.
        """
        found = await self.progress(person, batch)
        await self._scope.division(person)
        rows: list[RejectedRow] = []
        left_out = 0
        async for number, findings in self._store.pieces(batch):
            reasons = {n: [Finding(*f).reason for f in fs] for n, verdict, fs in findings if verdict == REJECTED.value}
            if not reasons:
                continue
            kept = await self._store.rows(batch, number) or []
            rejected = [
                RejectedRow(row.number, row.cells, row.numbers, reasons[row.number])
                for row in kept
                if row.number in reasons
            ]
            room = MAX_ROWS - len(rows)
            rows += rejected[:room]
            left_out += len(rejected[room:])
        if not rows and found["counts"].get("rejected"):
            raise ImportExpired
        return await asyncio.to_thread(workbook, found["headers"], rows, person), left_out

    async def _ask(self, batch: str, states: tuple[str, ...], values: dict[str, Any]) -> Document:
        moved = await self._store.move(batch, states, {**values, "asked_at": self._clock()})
        if moved is None:  # somebody was faster with the same wish
            moved = await self._store.find(batch)
        self.waiting.set()
        return moved or {}


class Summary:
    """How often each code was found in each column, and in which row first."""

    def __init__(self) -> None:
        self._rows: Counter[tuple[str, str]] = Counter()
        self._first: dict[tuple[str, str], int] = {}

    def add(self, row: int, findings: list[tuple[str, str]]) -> None:
        for code, column in findings:
            self._rows[code, column] += 1
            self._first.setdefault((code, column), row)

    def lines(self) -> list[list[Any]]:
        """``[code, column, rows, first row]``, the most frequent first."""
        return [[*key, count, self._first[key]] for key, count in self._rows.most_common()]
