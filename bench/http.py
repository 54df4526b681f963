"""Single commands over HTTP, with token, validation, stream load and durable append, while everything runs.

Half of them register a child that is new, half log a visit to a family that is on file; 500 a second for a minute, in
an open loop from a process of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

import orjson

from bench.generator import Answer, Request, positions, post, send
from bench.report import Row, p
from bench.system import System, families, registration, running, visit
from deploy.local.loader import Item
from deploy.local.population import Family

RATE: Final = 500
SECONDS: Final = 60
WARM_UP_SECONDS: Final = 5


async def measure() -> list[Row]:
    count = RATE * (SECONDS + WARM_UP_SECONDS)
    some = families(count)
    async with running() as system:
        visited, new = some[: count // 2], some[count // 2 :]
        await system.register(visited[: count // 4])
        commands = list(islice(mixed(visited[: count // 4], new), count))
        await send(at_rate(system, commands[: RATE * WARM_UP_SECONDS], RATE))
        answers = await send(at_rate(system, commands[RATE * WARM_UP_SECONDS :], RATE))
        drained = await system.drained(highest(answers))
    return [*rows(answers, RATE), Row("http, read models level after the last answer", drained, "s", 60, "lower")]


def rows(answers: list[Answer], rate: int) -> list[Row]:
    seconds = [answer.seconds for answer in answers]
    refused = sum(answer.status != 201 for answer in answers)
    held = len(answers) / (max(a.answered for a in answers) - min(a.intended for a in answers))
    said = f"{len(answers):,} commands at {rate}/s; p50 {p(seconds, 0.5):.1f}, p99 {p(seconds, 0.99):.0f} ms"
    return [
        Row(f"http, answered at {rate}/s", held, "commands/s", 0.98 * rate, note=f"{said}; {refused} not accepted"),
        Row(f"http, p95 at {rate}/s", p(seconds, 0.95), "ms", 100, "lower"),
    ]


def mixed(visited: Sequence[Family], new: Sequence[Family]) -> Iterator[tuple[str, Item]]:
    """Service and command, a registration and a visit in turn."""
    children = (child for family in new for child in family.children)
    for number, child in enumerate(children):
        yield "registry", registration(child)
        turn, which = divmod(number, len(visited))
        yield "visits", visit(visited[which], turn)


def at_rate(system: System, commands: list[tuple[str, Item]], rate: float) -> list[Request]:
    """One request for each command, evenly spread."""
    token = system.token()
    return [
        Request(number / rate, port, post(port, f"/commands/{item.command}", token, orjson.dumps(item.body), item.id))
        for number, (service, item) in enumerate(commands)
        for port in [system.port(service)]
    ]


def highest(answers: list[Answer]) -> dict[str, int]:
    """The last seq that was told for each partition."""
    last: dict[str, int] = {}
    for answer in answers:
        for source, seq in positions(answer):
            last[source] = max(seq, last.get(source, 0))
    return last
