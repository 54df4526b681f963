"""Finds out whether an entry comes late: others have told the same block meanwhile, and its author has not seen it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from services.registry.domain.child import BlockEntry, LateEntry
from shared.commands.command import Command, business_day
from shared.commands.handler import CLOCK_SKEW
from shared.contracts.values import FileBlock
from shared.eventlog.placement import new_id
from shared.eventlog.port import Log
from shared.eventlog.record import Record, decode
from shared.runtime.kernel import now

_TELLING: Final[Mapping[FileBlock, frozenset[str]]] = {
    FileBlock.PARENTS: frozenset({"ChildRegistered", "ParentSituationRecorded"}),
    FileBlock.CARE: frozenset({"ChildRegistered", "CareSituationRecorded"}),
    FileBlock.SCHOOLING: frozenset({"SchoolingRecorded"}),
    FileBlock.HEALTH: frozenset({"HealthRecorded"}),
    FileBlock.WELFARE: frozenset({"WelfareRecorded"}),
    FileBlock.IDENTITY: frozenset({"ChildIdentityRecorded", "ChildIdentityCorrected"}),
    FileBlock.REGISTRATION: frozenset({"ChildRegistered", "RegistrationStatusRecorded"}),
}


class LateEntries:
    """Reads the log again for an entry that may be late, and for no other: most are told as they are seen."""

    def __init__(self, log: Log, clock: Callable[[], datetime] = now) -> None:
        self._log = log
        self._clock = clock

    async def __call__(self, command: BlockEntry, person: str) -> Command:
        told_at = command.occurred_at or self._clock()
        if command.seen_version is None and told_at > self._clock() - CLOCK_SKEW:
            return command
        held = await self._held(command)
        if held is None or not _is_late(command, told_at, held, person):
            return command
        return LateEntry(
            occurred_at=told_at,
            child=command.child,
            entry=command,
            proposal=new_id("proposal", beside=command.child),
            person=person,
            on_file_by=held.actor.id,
            on_file_on=business_day(held.occurred_at),
        )

    async def _held(self, command: BlockEntry) -> Record | None:
        """What told the block last."""
        records = map(decode, reversed(await self._log.load(command.child)))
        return next((record for record in records if record.type in _TELLING[command.block]), None)


def _is_late(command: BlockEntry, told_at: datetime, held: Record, person: str) -> bool:
    if held.occurred_at > told_at:
        return True
    unseen = command.seen_version is not None and held.version > command.seen_version
    return unseen and held.actor.id != person
