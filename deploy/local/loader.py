"""Sends many commands to a service, in order enough: chunks of a batch, several in flight, each safe to repeat.

A chunk that meets a service that is restarting, or one that could not do all of it just now, is sent again under the
same command ids; what was done the first time is answered, not done twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final, NamedTuple

import httpx
import orjson
import stamina

CHUNK: Final = 250
IN_FLIGHT: Final = 4


class NotYetError(Exception):
    """A service could not do some commands of a chunk now: they are safe to repeat."""


def _passes(error: Exception) -> bool:
    """Whether the same chunk may be taken a moment later."""
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code >= 500
    return isinstance(error, httpx.TransportError | NotYetError)


class Item(NamedTuple):
    """One command: its name, its id, and its body as JSON values."""

    command: str
    id: str
    body: dict[str, Any]


@dataclass
class Load:
    """What came of a load. ``positions`` holds the highest position told for each partition."""

    accepted: int = 0
    refused: list[dict[str, Any]] = field(default_factory=list)
    positions: dict[str, int] = field(default_factory=dict)

    def add(self, answer: dict[str, Any]) -> None:
        if answer["receipt"] is None:
            self.refused.append({"id": answer["id"], **answer["problem"]})
            return
        self.accepted += 1
        partition, _, seq = answer["receipt"]["position"].rpartition("/")
        self.positions[partition] = max(self.positions.get(partition, 0), int(seq))


class Loader:
    """Loads commands into one service as one caller."""

    def __init__(self, http: httpx.AsyncClient, url: str, token: str) -> None:
        self._http = http
        self._url = url
        self._headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}

    async def load(self, items: Iterable[Item], progress: Callable[[int], None] = lambda _: None) -> Load:
        """Sends all of them; ``progress`` is told how many more were answered. Raises httpx.HTTPError, NotYetError."""
        load, chunks = Load(), _chunks(items, CHUNK)

        async def lane() -> None:
            # The chunks are shared between the lanes: each takes the next one that nobody has taken.
            for chunk in chunks:
                for answer in await self._send(chunk):
                    load.add(answer)
                progress(len(chunk))

        try:
            async with asyncio.TaskGroup() as lanes:
                for _ in range(IN_FLIGHT):
                    lanes.create_task(lane())
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
        return load

    @stamina.retry(on=_passes, attempts=8, timeout=60)
    async def _send(self, chunk: list[Item]) -> list[dict[str, Any]]:
        body = orjson.dumps({"commands": [item._asdict() for item in chunk]})
        response = await self._http.post(f"{self._url}/commands", content=body, headers=self._headers, timeout=60)
        response.raise_for_status()
        answers: list[dict[str, Any]] = orjson.loads(response.content)["answers"]
        if any(answer["problem"] and answer["problem"]["status"] == 503 for answer in answers):
            raise NotYetError
        return answers


def _chunks(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    source = iter(items)
    while chunk := list(islice(source, size)):
        yield chunk
