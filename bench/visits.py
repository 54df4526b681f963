"""Visits of devices that were offline, and a village's work list while a deadline is near, with everything running.

Devices send 100 visits a request to ``POST /sync``, four requests in flight. In the rush 200 visits a second come one
by one, each from a device of its own, and a village of 73 children is asked for its work list ten times a second; half
of those questions wait for a visit that the village was just answered with, and their time counts from its answer.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final

import orjson

from bench.generator import Answer, Request, aside, generate, get, post
from bench.report import Row, cpu_row, p
from bench.system import System, families, running, visit
from deploy.local.loader import Item
from deploy.local.population import Family

CHILDREN: Final = 6_000
VILLAGE_CHILDREN: Final = 73
SYNCED: Final = 30_000
IN_BATCH: Final = 100
IN_FLIGHT: Final = 4
RUSH: Final = 200
SECONDS: Final = 30
ASKED: Final = 10


async def measure() -> list[Row]:
    async with running() as system:
        drawn = families(CHILDREN)
        own, some = _of_one_village(drawn[: 2 * VILLAGE_CHILDREN]), drawn[2 * VILLAGE_CHILDREN :]
        await system.register([*some, *own])
        told = _visits(some)
        rows = await _synced(system, list(islice(told, SYNCED)))
        return [*rows, *await _rush(system, told, own)]


def _of_one_village(some: Sequence[Family]) -> list[Family]:
    """Families with so many children, as if all of them lived where the first one does."""
    village, found, children = some[0].village, [], 0
    for family in some:
        if children + len(family.children) <= VILLAGE_CHILDREN:
            children += len(family.children)
            bodies = tuple(child | {"residence": village} for child in family.children)
            found.append(Family(village, family.household, bodies))
    return found


def _visits(some: Sequence[Family]) -> Iterator[Item]:
    """Turn by turn, each some minutes ago."""
    turn = 0
    while True:
        for family in some:
            item = visit(family, turn)
            moment = datetime.now(UTC) - timedelta(minutes=5 + turn)
            yield item._replace(body=item.body | {"occurred_at": moment.isoformat()})
        turn += 1


def _sync(system: System, items: Sequence[Item]) -> bytes:
    body = {
        "device": "bench-1",
        "device_time": datetime.now(UTC).isoformat(),
        "items": [item._asdict() for item in items],
    }
    return post(system.port("visits"), "/sync", system.token(), orjson.dumps(body))


async def _synced(system: System, items: Sequence[Item]) -> list[Row]:
    pieces = [items[start : start + IN_BATCH] for start in range(0, len(items), IN_BATCH)]
    before = system.cpu()
    async with aside() as run:
        seconds, answers = await run(closed_loop, [_sync(system, piece) for piece in pieces], system.port("visits"))
    used = system.cpu_since(before)
    refused = [one for answer in answers for one in orjson.loads(answer)["answers"] if one["problem"]]
    assert not refused, refused[0]
    drained = await system.drained(_highest(answers))
    note = f"{len(items):,} visits, {IN_BATCH} a request, {IN_FLIGHT} in flight"
    return [
        Row("synced visits, durable", len(items) / seconds, "visits/s", 2_000, note=note),
        cpu_row("synced visits", used, len(items), "visit"),
        Row("synced visits, read models level after", drained, "s"),
    ]


def closed_loop(requests: Sequence[bytes], port: int) -> tuple[float, list[bytes]]:
    """Seconds for all of them, and the bodies of their answers. For a process of its own."""

    async def lane(waiting: Iterator[bytes], bodies: list[bytes]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for raw in waiting:
            writer.write(raw)
            head = await reader.readuntil(b"\r\n\r\n")
            length = head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0]
            bodies.append(await reader.readexactly(int(length)))
        writer.close()

    async def run() -> tuple[float, list[bytes]]:
        waiting, bodies = iter(requests), list[bytes]()
        begun = time.perf_counter()
        await asyncio.gather(*(lane(waiting, bodies) for _ in range(IN_FLIGHT)))
        return time.perf_counter() - begun, bodies

    return asyncio.run(run())


def _highest(bodies: Sequence[bytes]) -> dict[str, int]:
    last: dict[str, int] = {}
    for body in bodies:
        for one in orjson.loads(body)["answers"]:
            source, _, seq = one["receipt"]["position"].rpartition("/")
            last[source] = max(int(seq), last.get(source, 0))
    return last


async def _rush(system: System, told: Iterator[Item], own: Sequence[Family]) -> list[Row]:
    rush = [
        Request(number / RUSH, system.port("visits"), _sync(system, [item]))
        for number, item in enumerate(islice(told, RUSH * SECONDS))
    ]
    path, token = f"/work-list?village={own[0].village}", system.token()
    asked = [
        Request(number / ASKED, system.port("reporting"), get(system.port("reporting"), path, token))
        for number in range(ASKED * SECONDS)
    ]
    async with aside() as run, aside() as asking:
        rushing, listing = asyncio.ensure_future(run(generate, rush)), asyncio.ensure_future(asking(generate, asked))
        changed = await _changed_after(system, path, own)
        synced: list[Answer] = await rushing
        lists: list[Answer] = await listing
    assert {answer.status for answer in (*synced, *lists)} == {200}
    await system.drained(_highest([answer.body for answer in synced]))
    children = len(orjson.loads(lists[-1].body)["children"])
    seconds = [answer.seconds for answer in lists]
    rushed = [answer.seconds for answer in synced]
    note = (
        f"{children} children, {ASKED}/s for {SECONDS} s, {len(lists[-1].body):,} bytes; p50 {p(seconds, 0.5):.0f} ms"
    )
    return [
        Row(f"work list while {RUSH} visits/s come, p95", p(seconds, 0.95), "ms", 50, "lower", note),
        Row(f"a visit of those {RUSH}/s answered, p95", p(rushed, 0.95), "ms", note=f"p50 {p(rushed, 0.5):.0f} ms"),
        Row(
            "from the answered visit to the changed work list, p95",
            p(changed, 0.95),
            "ms",
            1_000,
            "lower",
            f"{len(changed)} visits in the rush; p50 {p(changed, 0.5):.0f} ms",
        ),
    ]


async def _changed_after(system: System, path: str, own: Sequence[Family]) -> list[float]:
    """Two visits a second to the village: seconds from the answer of each to a list that shows it."""
    found = []
    headers = {"authorization": f"Bearer {system.token()}"}
    until = time.monotonic() + SECONDS
    for number, family in enumerate(own * SECONDS):
        if time.monotonic() > until:
            break
        [item] = islice(_visits([family]), 1)
        told = await system.http.post(
            f"{system.stack.url('visits')}/commands/{item.command}",
            json=item.body | {"visit": visit(family, 1_000 + number).body["visit"]},
            headers=headers | {"idempotency-key": f"changed-{number:05}"},
        )
        told.raise_for_status()
        begun = time.perf_counter()
        position = told.json()["position"]
        while True:
            listed = await system.http.get(
                f"{system.stack.url('reporting')}{path}", headers=headers | {"guanhu-after": position}
            )
            if listed.json()["freshness"]["reached"]:
                break
        found.append(time.perf_counter() - begun)
        await asyncio.sleep(0.5)
    return found
