"""An import of a ledger (domain 3.1, ImportBatch): received, checked, committed with receipts, taken back as a whole.

The rows themselves become commands of their own; here stands only what became of them, and nothing personal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, assert_never

from shared.commands.command import Aggregate, Command, NotOnFile
from shared.contracts.refusal import Refusal
from shared.contracts.registry import (
    ImportBatchChecked,
    ImportBatchCommitted,
    ImportBatchReceived,
    ImportBatchWithdrawn,
    ImportRowsCommitted,
    RowReceipt,
)
from shared.contracts.values import Count, DivisionCode, FileHash, ImportId, LedgerKind, ReceiptsId


class ReceiveImport(Command):
    """``division`` is where whoever sends the file may import."""

    batch: ImportId
    division: DivisionCode
    ledger: LedgerKind
    file_hash: FileHash


class RecordImportCheck(Command):
    batch: ImportId
    accepted: Count
    warned: Count
    rejected: Count


class RecordImportReceipts(Command):
    receipts_id: ReceiptsId
    batch: ImportId
    rows: tuple[RowReceipt, ...]


class RecordImportCommitted(Command):
    batch: ImportId
    taken_over: Count
    rejected: Count


class RecordImportWithdrawn(Command):
    batch: ImportId
    closed: Count


class ImportAlreadyReceived(Refusal):
    """This file was received already."""

    what_to_do: ClassVar[str] = "Nothing: ask for it by its id."


class ImportNotChecked(Refusal):
    """The file has not been checked yet."""

    what_to_do: ClassVar[str] = "Wait until its dry run has ended, then commit it."


class ImportAlreadyCommitted(Refusal):
    """The import was committed already."""

    what_to_do: ClassVar[str] = "Nothing: its rows are on file."


class ImportNotCommitted(Refusal):
    """The import was not committed, so there is nothing to take back."""

    what_to_do: ClassVar[str] = "Nothing: none of its rows is on file."


class ImportIsWithdrawn(Refusal):
    """The import was taken back."""

    what_to_do: ClassVar[str] = "Correct the ledger and send it as a new file."


class RowsAlreadyReceipted(Refusal):
    """These rows have their receipts already."""

    what_to_do: ClassVar[str] = "Nothing: they were taken over."


@dataclass(frozen=True)
class NotReceived:
    pass


@dataclass(frozen=True)
class Received:
    division: str


@dataclass(frozen=True)
class Checked:
    division: str


@dataclass(frozen=True)
class Committed:
    division: str


@dataclass(frozen=True)
class Withdrawn:
    division: str


Batch = NotReceived | Received | Checked | Committed | Withdrawn
BatchCommand = ReceiveImport | RecordImportCheck | RecordImportCommitted | RecordImportWithdrawn
BatchEvent = ImportBatchReceived | ImportBatchChecked | ImportBatchCommitted | ImportBatchWithdrawn


def decide(command: BatchCommand, batch: Batch) -> list[BatchEvent]:
    match command, batch:
        case ReceiveImport(), NotReceived():
            return [ImportBatchReceived(**command.model_dump(exclude={"occurred_at"}))]
        case ReceiveImport(), _:
            raise ImportAlreadyReceived
        case _, NotReceived():
            raise NotOnFile
        case _, Withdrawn():
            raise ImportIsWithdrawn
        case RecordImportCheck(), Received() | Checked():
            return [ImportBatchChecked(**command.model_dump(exclude={"occurred_at"}))]
        case RecordImportCommitted(), Checked():
            return [ImportBatchCommitted(**command.model_dump(exclude={"occurred_at"}))]
        case RecordImportCommitted(), Received():
            raise ImportNotChecked
        case RecordImportWithdrawn(), Committed():
            return [ImportBatchWithdrawn(**command.model_dump(exclude={"occurred_at"}))]
        case RecordImportWithdrawn(), _:
            raise ImportNotCommitted
        case _, Committed():
            raise ImportAlreadyCommitted
        case _:
            raise AssertionError(command)


def evolve(batch: Batch, event: BatchEvent) -> Batch:
    match event:
        case ImportBatchReceived():
            return Received(event.division)
        case ImportBatchChecked():
            return Checked(division(batch) or "")
        case ImportBatchCommitted():
            return Committed(division(batch) or "")
        case ImportBatchWithdrawn():
            return Withdrawn(division(batch) or "")
        case _:
            assert_never(event)


def division(batch: Batch) -> str | None:
    """Where the import takes effect."""
    return None if isinstance(batch, NotReceived) else batch.division


@dataclass(frozen=True)
class NoReceipts:
    pass


@dataclass(frozen=True)
class Receipted:
    pass


def decide_receipts(command: RecordImportReceipts, receipts: NoReceipts | Receipted) -> list[ImportRowsCommitted]:
    if isinstance(receipts, Receipted):
        raise RowsAlreadyReceipted
    return [ImportRowsCommitted(receipts_id=command.receipts_id, batch=command.batch, rows=command.rows)]


def evolve_receipts(receipts: NoReceipts | Receipted, event: ImportRowsCommitted) -> NoReceipts | Receipted:
    return Receipted()


IMPORT_BATCH = Aggregate[Batch](NotReceived(), evolve, decide)
RECEIPTS = Aggregate[NoReceipts | Receipted](NoReceipts(), evolve_receipts, decide_receipts)
