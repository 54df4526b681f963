"""Does what the desk was asked for: checks, commits, takes back. One process of the service does it at a time.

Each piece of rows is safe to repeat: its commands carry ids made of the file and the row, and how far it has come is
stored after the effect. So a process that is killed anywhere leaves nothing half done that another does not finish.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from datetime import date, datetime
from functools import partial
from itertools import islice
from typing import Any, Final, TypeVar

import msgspec

from services.registry.domain.child import CloseChildFile
from services.registry.domain.household import CloseHouseholdFile
from services.registry.domain.import_batch import (
    RecordImportCheck,
    RecordImportCommitted,
    RecordImportReceipts,
    RecordImportWithdrawn,
)
from services.registry.domain.posting import WithdrawWorkingGroup
from services.registry.imports.bad_file import BadFile
from services.registry.imports.batch_commands import SOURCE, BatchTeller, import_command_id, receipts_stream
from services.registry.imports.checked_row import CheckedRow
from services.registry.imports.desk import ImportDesk, Summary
from services.registry.imports.examiner import Examiner
from services.registry.imports.finding import REJECTED
from services.registry.imports.job_line import JobLine
from services.registry.imports.scope import ImportScope
from services.registry.imports.store import Document, ImportStore
from shared.commands.command import Command, Told, business_day
from shared.commands.gathering import Outcome
from shared.commands.handler import Handler
from shared.contracts.refusal import Refusal
from shared.contracts.registry import RowReceipt
from shared.contracts.values import CloseReason, HouseholdCloseReason, RowVerdict, WithdrawalReason
from shared.eventlog.port import ClaimTaken, Log, LogError, LogUnavailableError, VersionConflict
from shared.eventlog.record import decode

T = TypeVar("T")

TOGETHER: Final = 4
"""Pieces that are committed at the same time: one waits for the disk while another is decided."""
_GONE: Final = frozenset(
    {"child_file_is_closed", "child_is_erased", "posting_already_withdrawn"}
    | {"household_file_is_closed", "household_is_erased"}
)
"""Refusals to close what was closed by somebody else."""


class ImportWorker(JobLine):
    def __init__(
        self,
        desk: ImportDesk,
        store: ImportStore,
        examiner: Examiner,
        scope: ImportScope,
        teller: BatchTeller,
        handler: Handler,
        log: Log,
        clock: Callable[[], datetime],
    ) -> None:
        work = {"received": self._check, "committing": self._commit, "withdrawing": self._withdraw}
        super().__init__(store, desk.waiting, work, clock)
        self._examiner = examiner
        self._scope = scope
        self._teller = teller
        self._handler = handler
        self._log = log
        self._commands = {command.__name__: command for command in handler.handlings}

    # check

    async def _check(self, job: Document) -> None:
        batch, counts, summary, piece = job["_id"], Counter[str](), Summary(), 0
        content = await self._store.file(batch)
        terms = await self._scope.terms(job["person"])
        try:
            async for rows in self._examiner.check(content, terms):
                await self._store.keep_rows(batch, piece, rows, job["expires_at"])
                for row in rows:
                    counts[row.verdict] += 1
                    summary.add(row.number, row.findings)
                piece += 1
                await self._store.move(batch, ("received",), {"rows": counts.total()})
        except BadFile as bad:
            await self._refuse(batch, bad)
            return
        await self._store.drop_rows(batch, since=piece)  # of an earlier check with more of them
        told = {verdict.value: counts[verdict.value] for verdict in RowVerdict}
        await self._teller.became(
            RecordImportCheck(batch=batch, **told), batch, f"checked/{job['check']}", job["person"]
        )
        found = {"state": "checked", "rows": counts.total(), "counts": told, "summary": summary.lines()}
        await self._store.move(batch, ("received",), found | {"pieces": piece})
        await self._store.drop_file(batch)

    async def _refuse(self, batch: str, bad: BadFile) -> None:
        await self._store.drop_rows(batch)
        problem = {"code": bad.code, "detail": bad.detail, "what_to_do": bad.what_to_do}
        await self._store.move(batch, ("received",), {"state": "refused", "problem": problem})
        await self._store.drop_file(batch)

    # commit

    async def _commit(self, job: Document) -> None:
        batch, done, taken_over, refused = job["_id"], job["done"], job["taken_over"], job["refused"]
        async with aclosing(_in_order(partial(self._commit_piece, job), range(done, job["pieces"]))) as pieces:
            async for receipts in pieces:
                verdicts = Counter(receipt.verdict is REJECTED for receipt in receipts)
                done, taken_over, refused = done + 1, taken_over + verdicts[False], refused + verdicts[True]
                told = {"done": done, "taken_over": taken_over, "refused": refused}
                await self._store.move(batch, ("committing",), told)
        end = RecordImportCommitted(batch=batch, taken_over=taken_over, rejected=refused)
        await self._teller.became(end, batch, "committed", job["person"])
        summary = await self._conclude(batch)
        await self._store.move(batch, ("committing",), {"state": "committed", "summary": summary})

    async def _commit_piece(self, job: Document, piece: int) -> list[RowReceipt]:
        rows = await self._store.rows(job["_id"], piece)
        if rows is None:
            raise LookupError(f"piece {piece} of {job['_id']} is gone before it was committed")
        receipts = await self._take_over(job, rows)
        await self._receipt(job, piece, receipts)
        await self._store.note_committed(job["_id"], piece, _found(rows, receipts))
        return receipts

    async def _take_over(self, job: Document, rows: Sequence[CheckedRow]) -> list[RowReceipt]:
        """Raises LogError where a row's time has not come: the piece must come again."""
        told = [(row.number, one) for row in rows for one in self._told(job, row)]
        outcomes = await self._handler.handle_many([one for _, one in told])
        refusals: dict[int, str] = {}
        begun = set[int]()
        for (number, _), outcome in zip(told, outcomes, strict=True):
            if (code := refused_as(outcome)) is None:
                begun.add(number)
            else:
                refusals.setdefault(number, code)
        return [_receipt(row, refusals.get(row.number), begun=row.number in begun) for row in rows]

    def _told(self, job: Document, row: CheckedRow) -> list[Told]:
        wishes = [self._commands[wish.command].model_validate_json(wish.body) for wish in row.wishes]
        return [_of_person(job, wish, f"row/{row.number}/{n}") for n, wish in enumerate(wishes)]

    async def _receipt(self, job: Document, piece: int, receipts: list[RowReceipt]) -> None:
        batch = job["_id"]
        command = RecordImportReceipts(receipts_id=receipts_stream(batch, piece), batch=batch, rows=tuple(receipts))
        await self._teller.became(command, batch, f"receipts/{piece}", job["person"])

    async def _conclude(self, batch: str) -> list[list[Any]]:
        """What was found in all; of the rows only those are kept that were not taken over."""
        summary = Summary()
        async for piece, rows in self._store.pieces(batch):
            for number, _, findings in rows:
                summary.add(number, [(code, column) for code, column in findings])
            rejected = {number for number, verdict, _ in rows if verdict == REJECTED.value}
            kept = await self._store.rows(batch, piece) or [] if rejected else []
            await self._store.keep_only(batch, piece, [row for row in kept if row.number in rejected])
        return summary.lines()

    # take back

    async def _withdraw(self, job: Document) -> None:
        batch, closed, left = job["_id"], 0, 0
        for piece in range(job["pieces"]):
            made = await self._made(batch, piece)
            wishes = _closings(job, made) | await self._withdrawals(made)
            # By stream, so that whoever goes on after a crash gives each of them the same id.
            told = [_of_person(job, wish, f"withdraw/{stream}") for stream, wish in wishes.items()]
            codes = [refused_as(outcome) for outcome in await self._handler.handle_many(told)]
            closed += codes.count(None)
            left += sum(code is not None and code not in _GONE for code in codes)
        end = RecordImportWithdrawn(batch=batch, closed=closed)
        await self._teller.became(end, batch, "withdrawn", job["person"])
        await self._store.drop_rows(batch)
        await self._store.move(batch, ("withdrawing",), {"state": "withdrawn", "closed": closed, "left": left})

    async def _made(self, batch: str, piece: int) -> list[str]:
        """What the rows of a piece registered, by their receipts in the log, which outlive the rows."""
        return [
            stream
            for raw in await self._log.load(receipts_stream(batch, piece))
            for row in _receipts.decode(decode(raw).data).rows
            for stream in row.made
        ]

    async def _withdrawals(self, made: Sequence[str]) -> dict[str, Command]:
        """A posting ends on its first day, so that there was none."""
        begun = (await self._log.look_up([one for one in made if one.startswith("posting-")], ())).histories
        return {
            one: WithdrawWorkingGroup(
                posting=one,
                ends=_posted.decode(decode(records[0]).data).starts,
                reason=WithdrawalReason.RECORDED_IN_ERROR,
            )
            for one, records in begun.items()
        }


def _closings(job: Document, made: Sequence[str]) -> dict[str, Command]:
    """From the day of the import on, so that no figure of any day counts them as it is known from now on."""
    day = business_day(job["committing_at"])
    closings: dict[str, Command] = {}
    for one in made:
        if one.startswith("child-"):
            closings[one] = CloseChildFile(child=one, reason=CloseReason.REGISTERED_IN_ERROR, closed_on=day)
        elif one.startswith("household-"):
            reason = HouseholdCloseReason.OPENED_IN_ERROR
            closings[one] = CloseHouseholdFile(household=one, reason=reason, closed_on=day)
    return closings


class _Receipts(msgspec.Struct):
    rows: list[_Made]


class _Made(msgspec.Struct):
    made: list[str]


class _Posted(msgspec.Struct):
    starts: date


_receipts: Final = msgspec.json.Decoder(_Receipts)
_posted: Final = msgspec.json.Decoder(_Posted)


async def _in_order(work: Callable[[int], Awaitable[T]], pieces: Iterable[int]) -> AsyncGenerator[T, None]:
    """What each piece comes to, in their order, while the next few are worked on already.

    Waits for all that were begun, also where one failed: none may go on behind the back of whoever begins again.
    """
    left = iter(pieces)
    running = deque(asyncio.ensure_future(work(piece)) for piece in islice(left, TOGETHER))
    try:
        while running:
            done = await running[0]
            running.popleft()
            running.extend(asyncio.ensure_future(work(piece)) for piece in islice(left, 1))
            yield done
    finally:
        await asyncio.gather(*running, return_exceptions=True)


def _of_person(job: Mapping[str, Any], command: Command, what: str) -> Told:
    batch = job["_id"]
    return Told(command, import_command_id(batch, what), job["person"], source=SOURCE, correlation_id=batch)


def refused_as(outcome: Outcome) -> str | None:
    """The code of what was refused; None when it was done. Raises what may be done a moment later."""
    match outcome:
        case LogUnavailableError() | VersionConflict():
            raise outcome
        case Refusal(status=503):
            raise outcome
        case Refusal():
            return outcome.code
        case ClaimTaken():
            return "claim_taken"
        case LogError():
            return "not_recorded"
        case _:
            return None


def _receipt(row: CheckedRow, refused: str | None, *, begun: bool) -> RowReceipt:
    """``begun``: a command of it was done, though another may have been refused."""
    codes = tuple(dict.fromkeys(code for code, _ in row.findings))
    made = tuple(row.made) if begun else ()
    if refused is not None:
        return RowReceipt(row=row.number, verdict=REJECTED, codes=(*codes, refused), made=made)
    return RowReceipt(row=row.number, verdict=RowVerdict(row.verdict), codes=codes, made=made)


def _found(rows: Sequence[CheckedRow], receipts: Sequence[RowReceipt]) -> list[Any]:
    """What was found in the rows, with what was refused now."""
    return [
        [row.number, receipt.verdict.value, [*row.findings, *_new(row, receipt)]]
        for row, receipt in zip(rows, receipts, strict=True)
    ]


def _new(row: CheckedRow, receipt: RowReceipt) -> list[tuple[str, str]]:
    known = {code for code, _ in row.findings}
    return [(code, "") for code in receipt.codes if code not in known]
