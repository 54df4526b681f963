"""Places that one person holds at a time, over all days: first secretary and child director of a village.

A claim keeps two from holding such a place now. That nobody is told into days that another one held is looked up in
registry's directory; where that seems to be so, the answer waits until the directory has come to the end of the log.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from typing import ClassVar

from services.registry.division_map import until_level
from services.registry.domain.duty import NameDutyHolder
from services.registry.domain.posting import AppointFirstSecretary, PostWorkingGroup, RotateWorkingGroup
from shared.contracts.refusal import Refusal
from shared.contracts.values import Duty, PostingOffice
from shared.eventlog.port import Log
from shared.identity.directory import GRANTS, DirectoryModel
from shared.projection.live import LiveModels
from shared.projection.read_model import Document

Holdings = Callable[[str, str], Awaitable[list[Document]]]
"""The documents of the directory's grants of whose field (``division`` or ``source``) this is the value."""


class PlaceIsHeld(Refusal):
    """Another one holds the place on days of this one."""

    what_to_do: ClassVar[str] = "End that first, on or before the day on which this one begins."


class LiveHoldings:
    def __init__(self, live: LiveModels, log: Log) -> None:
        self._live = live
        self._log = log

    async def now(self, field: str, value: str) -> list[Document]:
        found = (await self._live.collection(DirectoryModel.name, GRANTS)).find({field: value})
        return [document async for document in found]

    async def level(self, field: str, value: str) -> list[Document]:
        """With all that was recorded before the question. Raises MapIsBehind, LogUnavailableError."""
        await until_level(self._live, self._log)
        return await self.now(field, value)


class PlaceLearning:
    """Refuses what would give a place away on days on which it is held. ``level`` knows all that ``now`` may lack."""

    def __init__(self, now: Holdings, level: Holdings) -> None:
        self._now = now
        self._level = level

    async def posted(self, command: PostWorkingGroup, person: str) -> PostWorkingGroup:
        """Raises PlaceIsHeld, for a rotation too, whose predecessor ends in the same step."""
        own = {command.posting, *([command.follows] if isinstance(command, RotateWorkingGroup) else ())}
        if command.first_secretary is not None:
            await self._check(PostingOffice.FIRST_SECRETARY, command.village, command.starts, own)
        return command

    async def appointed(self, command: AppointFirstSecretary, person: str) -> AppointFirstSecretary:
        """Raises PlaceIsHeld."""
        for holding in (await self._now("source", command.posting))[:1]:
            await self._check(PostingOffice.FIRST_SECRETARY, holding["division"], command.starts, set())
        return command

    async def named(self, command: NameDutyHolder, person: str) -> NameDutyHolder:
        """Raises PlaceIsHeld."""
        if command.role is Duty.CHILD_DIRECTOR:
            await self._check(Duty.CHILD_DIRECTOR, command.division, command.starts, {command.duty})
        return command

    async def _check(self, office: str, village: str, starts: date, own: set[str]) -> None:
        for holdings in (self._now, self._level):
            held = [one for one in await holdings("division", village) if _holds(one, office, starts, own)]
            if not held:
                return
        last = held[-1]
        until = f"to {last['ends']}" if last["ends"] else "and no end is on record"
        raise PlaceIsHeld(f"the {office} of {village} is in place from {last['starts']} {until}")


def _holds(holding: Document, office: str, starts: date, own: set[str]) -> bool:
    """Whether somebody has the office on a day from ``starts`` on."""
    return (
        holding["person"] is not None
        and holding["role"] == office
        and holding["source"] not in own
        and (holding["ends"] is None or holding["ends"] > max(holding["starts"], starts.isoformat()))
    )
