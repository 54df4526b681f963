"""How an import tells registry's log what becomes of it. None of these commands is taken over HTTP."""

from __future__ import annotations

from typing import Any, Final

from services.registry.domain.import_batch import (
    IMPORT_BATCH,
    RECEIPTS,
    ImportAlreadyReceived,
    ReceiveImport,
    RecordImportCheck,
    RecordImportCommitted,
    RecordImportReceipts,
    RecordImportWithdrawn,
    RowsAlreadyReceipted,
    division,
)
from services.registry.imports.scope import IMPORT
from shared.commands.command import Command, CommandIdReused, Handling, Target, Told
from shared.commands.handler import Handler
from shared.eventlog.placement import derived_id

SOURCE: Final = "import"

_KNOWN: Final = (ImportAlreadyReceived, RowsAlreadyReceipted, CommandIdReused)
"""It was told before, perhaps a moment before this process was ended."""


def batch_handlings() -> list[Handling[Any]]:
    return [
        Handling(
            ReceiveImport,
            action=IMPORT,
            targets=lambda c: (Target(c.batch, IMPORT_BATCH),),
            division=lambda c, _: c.division,
        ),
        *(_of_batch(command) for command in (RecordImportCheck, RecordImportCommitted, RecordImportWithdrawn)),
        Handling(
            RecordImportReceipts,
            action=IMPORT,
            targets=lambda c: (Target(c.receipts_id, RECEIPTS),),
            division=lambda _, __: None,
        ),
    ]


def _of_batch(command: type[Any]) -> Handling[Any]:
    return Handling(
        command,
        action=IMPORT,
        targets=lambda c: (Target(c.batch, IMPORT_BATCH),),
        division=lambda _, states: division(states[0]),
        told_by_state=True,
    )


def receipts_stream(batch: str, piece: int) -> str:
    return derived_id(f"{batch}/{piece}", "receipts", beside=batch)


def import_command_id(batch: str, what: str) -> str:
    """No caller can use it up before: the ids that come over HTTP hold no slash."""
    return f"{SOURCE}/{batch.removeprefix('import-')}/{what}"


class BatchTeller:
    """Tells what becomes of a batch, for the person who sent it; what is known already has no effect."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    async def received(self, command: ReceiveImport, person: str) -> None:
        """By the person's own right. Raises Refusal or LogError."""
        await self._tell(command, command.batch, "received", person, own_right=False)

    async def became(self, command: Command, batch: str, what: str, person: str) -> None:
        """By registry's own right: the work was asked for while the person had theirs. Raises Refusal or LogError."""
        await self._tell(command, batch, what, person, own_right=True)

    async def _tell(self, command: Command, batch: str, what: str, person: str, *, own_right: bool) -> None:
        told = Told(
            command,
            import_command_id(batch, what),
            person,
            own_right=own_right,
            source=SOURCE,
            correlation_id=batch,
        )
        try:
            await self._handler.handle(told)
        except _KNOWN:
            return
