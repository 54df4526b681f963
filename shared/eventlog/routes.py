"""The log over HTTP, for the other services alone: they fill their holes from here and learn what the end is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Annotated, Any, ClassVar, Final

import msgspec
from fastapi import APIRouter, Depends, Query, Response

from shared.contracts.refusal import Refusal
from shared.eventlog.port import Log

MAX_RECORDS: Final = 5_000
MAX_BYTES: Final = 8 * 1024 * 1024
RECORDS_TYPE: Final = "application/x-ndjson"


_STREAM: Final = re.compile(r"[a-z]+-[0-9a-f-]{36}")


class NoSuchStream(Refusal):
    """This is not the id of a stream."""

    status: ClassVar[int] = 404
    what_to_do: ClassVar[str] = "Ask with the id as an event names it, such as child-0192…"


class NoSuchPartition(Refusal):
    """The log has no partition of that number."""

    status: ClassVar[int] = 404
    what_to_do: ClassVar[str] = "All services of one installation have the same GUANHU_PARTITIONS."


def log_routes(log: Log, guard: Callable[..., Any]) -> APIRouter:
    """``guard`` is the dependency that refuses whoever is no service of this installation."""
    router = APIRouter(prefix="/log", dependencies=[Depends(guard)], include_in_schema=False)

    @router.get("/heads")
    async def heads() -> Response:
        """A JSON array of ``{partition, seq, hash, time}``."""
        found = [head._asdict() for head in await log.heads()]
        return Response(msgspec.json.encode(found), media_type="application/json")

    @router.get("/streams/{stream}")
    async def stream(stream: str) -> Response:
        """The records of one stream, one a line; none when there is no such stream."""
        if not _STREAM.fullmatch(stream):
            raise NoSuchStream
        return Response(b"".join(_lines(await log.load(stream))), media_type=RECORDS_TYPE)

    @router.get("/{partition}")
    async def records(
        partition: int,
        after: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=1, le=MAX_RECORDS)] = 1_000,
    ) -> Response:
        """The records as they are stored, one a line. Fewer than ``limit`` do not mean that the log ends there."""
        if not 0 <= partition < log.partitions:
            raise NoSuchPartition
        body = b"".join(_lines(await log.read(partition, after, limit)))
        return Response(body, media_type=RECORDS_TYPE)

    return router


def _lines(records: list[bytes]) -> Iterable[bytes]:
    """As many as an answer may hold, and one at least."""
    room = MAX_BYTES
    for record in records:
        if room < MAX_BYTES and len(record) > room:
            return
        room -= len(record)
        yield record + b"\n"
