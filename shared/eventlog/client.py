"""What a consumer asks the owner of a log: the records it lacks, and where the log ends."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

import httpx
import msgspec
import stamina

from shared.eventlog.port import Head

ATTEMPTS: Final = 3


class OwnerUnavailableError(Exception):
    """The owner could not be reached, or did not answer with its log."""


class _Head(msgspec.Struct, frozen=True):
    partition: int
    seq: int
    hash: str
    time: datetime


_heads = msgspec.json.Decoder(list[_Head])


class OwnerClient:
    """``credential`` gives the bearer token a service shows; ``http`` is shared and closed by whoever made it."""

    def __init__(self, base_url: str, http: httpx.AsyncClient, credential: Callable[[], str]) -> None:
        self._base_url = base_url.rstrip("/")
        self._http = http
        self._credential = credential

    async def read(self, partition: int, after: int, limit: int = 1_000) -> list[bytes]:
        """Records with seq > after, in order; fewer than ``limit`` do not mean that the log ends there.

        Raises OwnerUnavailableError.
        """
        body = await self._ask(f"/log/{partition}", after=after, limit=limit)
        return body.split(b"\n")[:-1]

    async def stream(self, stream: str) -> list[bytes]:
        """The records of one stream in order; none when it does not exist. Raises OwnerUnavailableError."""
        return (await self._ask(f"/log/streams/{stream}")).split(b"\n")[:-1]

    async def heads(self) -> list[Head]:
        """One for each partition, in order. Raises OwnerUnavailableError."""
        try:
            found = _heads.decode(await self._ask("/log/heads"))
        except msgspec.DecodeError:
            raise OwnerUnavailableError("the answer is no list of heads") from None
        return [Head(head.partition, head.seq, head.hash, head.time) for head in found]

    async def _ask(self, path: str, **parameters: int) -> bytes:
        try:
            async for attempt in stamina.retry_context(on=httpx.TransportError, attempts=ATTEMPTS, wait_max=1.0):
                with attempt:
                    return await self._get(path, parameters)
        except httpx.HTTPError as error:
            raise OwnerUnavailableError(f"{path}: {_reason(error)}") from error
        raise AssertionError("stamina ends with an answer or an exception")

    async def _get(self, path: str, parameters: dict[str, int]) -> bytes:
        headers = {"authorization": f"Bearer {self._credential()}"}
        answer = await self._http.get(self._base_url + path, params=parameters, headers=headers)
        answer.raise_for_status()
        return answer.content


def _reason(error: httpx.HTTPError) -> str:
    return str(error.response.status_code) if isinstance(error, httpx.HTTPStatusError) else type(error).__name__
