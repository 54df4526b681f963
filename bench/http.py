"""Single commands over HTTP, with token, validation, stream load and durable append, while everything runs.

Half of them register a child that is new, half log a visit to a family that is on file; 500 a second for a minute, in
an open loop from a process of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

import orjson

from bench.generator import Answer, Request, positions, post, send
from bench.report import Row, cpu_row, p
from bench.system import System, families, registration, running, visit
from deploy.local.loader import Item
from deploy.local.population import Family

RATE: Final = 500
SECONDS: Final = 60
WARM_UP_SECONDS: Final = 5
VISITED: Final = 1_500
"""Families."""

Command = tuple[str, Item]
"""The service it is for, and the command."""


async def measure() -> list[Row]:
    async with running() as system:
        commands = await traffic(system, RATE * (SECONDS + WARM_UP_SECONDS))
        await send(at_rate(system, islice(commands, RATE * WARM_UP_SECONDS), RATE))
        before = system.cpu()
        answers = await send(at_rate(system, islice(commands, RATE * SECONDS), RATE))
        used = system.cpu_since(before)
        drained = await system.drained(highest(answers))
    return [
        *rows(answers, RATE),
        cpu_row("http", used, len(answers), "command"),
        Row("http, read models level after the last answer", drained, "s", 60, "lower"),
    ]


async def traffic(system: System, count: int) -> Iterator[Command]:
    """So many commands: registrations of new children and visits to families that are on file, in turn."""
    some = families(count // 2 + 2 * VISITED)
    visited, new = some[:VISITED], some[VISITED:]
    await system.register(visited)
    return _mixed(visited, new)


def rows(answers: list[Answer], rate: int) -> list[Row]:
    seconds = [answer.seconds for answer in answers]
    refused = Counter(answer.status for answer in answers if answer.status != 201)
    held = len(answers) / (max(a.answered for a in answers) - min(a.intended for a in answers))
    said = f"{len(answers):,} commands at {rate}/s; p50 {p(seconds, 0.5):.1f}, p99 {p(seconds, 0.99):.0f} ms"
    return [
        Row(
            f"http, answered at {rate}/s",
            held,
            "commands/s",
            0.98 * rate,
            note=f"{said}; not accepted: {dict(refused)}",
        ),
        Row(f"http, p95 at {rate}/s", p(seconds, 0.95), "ms", 100, "lower"),
    ]


def _mixed(visited: Sequence[Family], new: Sequence[Family]) -> Iterator[Command]:
    children = (child for family in new for child in family.children)
    for number, child in enumerate(children):
        yield "registry", registration(child)
        turn, which = divmod(number, len(visited))
        yield "visits", visit(visited[which], turn)


def at_rate(system: System, commands: Iterable[Command], rate: float) -> list[Request]:
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
