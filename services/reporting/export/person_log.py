"""All records of one person, from the logs of all services, opened with the keys of the child and its household alone.

So what a record says of a sibling stays closed, whatever the record holds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import ClassVar, Final

import msgspec
from motor.motor_asyncio import AsyncIOMotorCollection

from services.reporting.export.traces import TRACES
from shared.contracts.refusal import Refusal
from shared.contracts.sealed import KINDS
from shared.eventlog.client import OwnerUnavailableError
from shared.eventlog.record import Record, decode
from shared.privacy.port import KeyVault
from shared.privacy.sealing import Sealer
from shared.projection.read_model import Document, Occurred

AT_ONCE: Final = 8
"""Streams that are asked for at the same time: a file has hundreds."""

Stream = Callable[[str], Awaitable[list[bytes]]]
"""The records of a stream of one service. Raises OwnerUnavailableError."""


class FileIncomplete(Refusal):
    """A service that holds a part of the file does not answer now; an export is whole or not at all."""

    status: ClassVar[int] = 503
    what_to_do: ClassVar[str] = "Repeat the same request."


class PersonLog:
    """``services`` gives the streams of each service by its name."""

    def __init__(
        self,
        collections: Callable[[str], Awaitable[AsyncIOMotorCollection[Document]]],
        services: Mapping[str, Stream],
        vault: KeyVault,
        sealer: Sealer,
    ) -> None:
        self._collections = collections
        self._services = services
        self._vault = vault
        self._sealer = sealer
        self._room = asyncio.Semaphore(AT_ONCE)

    async def of(self, child: str) -> list[Occurred]:
        """In the order in which it happened; nothing of a child that is unknown. Raises FileIncomplete."""
        own = await self._stream("registry", child)
        households = {household for record in own if (household := _household.decode(record.data).household)}
        # A household's stream may name the child too: each is read once.
        wanted = {("registry", household) for household in households} | {*await self._traces(child)}
        streams = await asyncio.gather(*(self._stream(*place) for place in wanted))
        records = sorted([*own, *(one for stream in streams for one in stream)], key=_when)
        keys = await self._vault.keys_for_opening({child, *households})
        return list(map(Occurred, records, self._sealer.open_with(keys, records, KINDS)))

    async def _traces(self, child: str) -> list[tuple[str, str]]:
        traces = await self._collections(TRACES)
        return [(trace["service"], trace["stream"]) async for trace in traces.find({"child": child})]

    async def _stream(self, service: str, stream: str) -> list[Record]:
        async with self._room:
            try:
                return [decode(raw) for raw in await self._services[service](stream)]
            except OwnerUnavailableError:
                raise FileIncomplete from None


class _Registered(msgspec.Struct):
    household: str | None = None


_household: Final = msgspec.json.Decoder(_Registered)


def _when(record: Record) -> tuple[object, ...]:
    return record.occurred_at, record.service, record.partition, record.seq
