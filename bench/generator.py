"""Load in an open loop, from a process of its own: each request is sent at the time it was meant for, whatever became
of the ones before, and its latency counts from that time. HTTP/1.1 with keep-alive over plain sockets."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from multiprocessing import get_context
from typing import Any, Final, NamedTuple, TypeVar

import orjson
import pymongo
import uvloop
from pymongo.read_concern import ReadConcern

CONNECTIONS: Final = 256
"""To one address; a request that finds all of them busy waits, and that counts."""
WATCH_SECONDS: Final = 0.005

T = TypeVar("T")


class Request(NamedTuple):
    """``at`` is the second after the start at which it is to be sent; ``raw`` all its bytes."""

    at: float
    port: int
    raw: bytes


class Answer(NamedTuple):
    """Times are seconds since 1970, the same for all processes of a machine. Status 0: the connection broke."""

    intended: float
    answered: float
    status: int
    body: bytes

    @property
    def seconds(self) -> float:
        return self.answered - self.intended


def post(port: int, path: str, token: str, body: bytes, key: str | None = None) -> bytes:
    """``key`` is the Idempotency-Key of a single command."""
    lines = ["content-type: application/json", f"content-length: {len(body)}"]
    return _head("POST", port, path, token, [*lines, *([f"idempotency-key: {key}"] if key else [])]) + body


def get(port: int, path: str, token: str) -> bytes:
    return _head("GET", port, path, token, [])


def _head(method: str, port: int, path: str, token: str, lines: Sequence[str]) -> bytes:
    head = [f"{method} {path} HTTP/1.1", f"host: 127.0.0.1:{port}", f"authorization: Bearer {token}", *lines, "", ""]
    return "\r\n".join(head).encode()


@asynccontextmanager
async def aside() -> AsyncIterator[Callable[..., Awaitable[Any]]]:
    """Gives what runs a function with its arguments in a fresh process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:

        async def run(work: Callable[..., T], *arguments: Any) -> T:
            return await asyncio.get_running_loop().run_in_executor(pool, work, *arguments)

        await run(time.time)  # to start the process is no part of what is measured
        yield run


async def send(requests: Sequence[Request]) -> list[Answer]:
    """From a process of its own; the answers in the order the requests were meant for."""
    async with aside() as run:
        answers: list[Answer] = await run(generate, requests)
        return answers


def generate(requests: Sequence[Request]) -> list[Answer]:
    return uvloop.run(_send_all(requests))


async def _send_all(requests: Sequence[Request]) -> list[Answer]:
    lines: defaultdict[int, _Line] = defaultdict(_Line)
    start = time.time() + 0.5
    tasks = []
    for request in sorted(requests, key=lambda request: request.at):
        if (early := start + request.at - time.time()) > 0:
            await asyncio.sleep(early)
        tasks.append(asyncio.create_task(lines[request.port].ask(request, start + request.at)))
    return await asyncio.gather(*tasks)


class _Line:
    """The connections to one address."""

    def __init__(self) -> None:
        self._free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._room = asyncio.Semaphore(CONNECTIONS)

    async def ask(self, request: Request, intended: float) -> Answer:
        async with self._room:
            try:
                pair = self._free.pop() if self._free else await asyncio.open_connection("127.0.0.1", request.port)
                status, body = await _exchange(*pair, request.raw)
                self._free.append(pair)
            except (OSError, asyncio.IncompleteReadError):
                status, body = 0, b""
            return Answer(intended, time.time(), status, body)


async def _exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, raw: bytes) -> tuple[int, bytes]:
    writer.write(raw)
    head = await reader.readuntil(b"\r\n\r\n")
    length = head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0]
    return int(head[9:12]), await reader.readexactly(int(length or 0))


class Sight(NamedTuple):
    """At a time, how far the read model had come: seq by ``service/partition``."""

    at: float
    seqs: dict[str, int]


def watch(mongo_url: str, model: str, seconds: float) -> list[Sight]:
    """Polls the checkpoint of a read model of reporting, which moves in one transaction with its documents.

    Every change of it, for so many seconds. For a process of its own.
    """
    seen: list[Sight] = []
    with pymongo.MongoClient[dict[str, Any]](mongo_url) as client:
        checkpoints = client["guanhu_reporting"].get_collection("checkpoints", read_concern=ReadConcern("majority"))
        until, revision = time.time() + seconds, None
        while time.time() < until:
            found = checkpoints.find_one({"_id": f"{model}@1"}, {"positions": 1, "revision": 1})
            if found and found["revision"] != revision:
                revision = found["revision"]
                seen.append(Sight(time.time(), {source: mark[0] for source, mark in found["positions"].items()}))
            time.sleep(WATCH_SECONDS)
    return seen


def positions(answer: Answer) -> list[tuple[str, int]]:
    """Of the commands it accepted: (``service/partition``, seq). One command, or a batch of them."""
    if answer.status not in (200, 201):
        return []
    told = orjson.loads(answer.body)
    receipts = [one["receipt"] for one in told["answers"]] if "answers" in told else [told]
    split = (receipt["position"].rpartition("/") for receipt in receipts if receipt)
    return [(source, int(seq)) for source, _, seq in split]
