"""From the call of a command to its effect in the read model of child cards, in an open loop, with everything running.

Visible is a command from the first moment at which a poll every 5 ms finds the read model's checkpoint, which moves in
one transaction with the cards, at or beyond the position the command was answered with; one that was refused, or not
seen five seconds after the end, counts as never. Half of the commands register
a new child, half log a visit. For freshness up to 500 a second each is a request of its own; above, each 20 ms a batch
goes to registry and one to visits. The steady chain comes as from a file: each 100 ms a batch to each of the two.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Final, NamedTuple

import orjson

from bench.generator import Answer, Request, Sight, aside, generate, positions, post, watch
from bench.http import Command, at_rate, highest, traffic
from bench.report import Row, p
from bench.system import System, running
from deploy.local.loader import Item

TICK: Final = 0.02
FILE_TICK: Final = 0.1
SECONDS: Final = 15
WARM_UP_SECONDS: Final = 8
PATIENCE_SECONDS: Final = 5
SINGLE_UP_TO: Final = 500
CALM: Final = 50
ANSWERED: Final = 50
"""Milliseconds for the answer to a command on a calm day."""
FRESH_WITHIN: Final = {50: 50, 500: 150, 2_000: 300}
LADDER: Final = (250, 500, 750, 1_000, 1_500, 2_000, 3_000)
STEADY: Final = 3_000
STEADY_MS: Final = 300


Make = Callable[[System, Sequence[Command], int], list[Request]]


class Seen(NamedTuple):
    """Seconds from the intended call to the answer of each request and to the sight of each command; inf: never."""

    answered: list[float]
    visible: list[float]


async def freshness() -> list[Row]:
    rows = []
    async with running() as system:
        commands = await traffic(system, sum(FRESH_WITHIN) * (SECONDS + WARM_UP_SECONDS))
        for rate, within in FRESH_WITHIN.items():
            seen = await _run(system, commands, rate, at_rate if rate <= SINGLE_UP_TO else _batches)
            note = f"p50 {p(seen.visible, 0.5):.0f}, p99 {p(seen.visible, 0.99):.0f} ms; {len(seen.visible):,} commands"
            rows.append(Row(f"freshness, p95 at {rate:,}/s", p(seen.visible, 0.95), "ms", within, "lower", note=note))
            if rate == CALM:
                rows.append(
                    Row(f"a command answered at {rate}/s, p95", p(seen.answered, 0.95), "ms", ANSWERED, "lower")
                )
    return rows


async def measure() -> list[Row]:
    """The highest rate of a ladder that the whole chain holds with p95 visible under 300 ms."""
    best, said = 0, []
    async with running() as system:
        commands = await traffic(system, sum(LADDER) * (SECONDS + WARM_UP_SECONDS))
        for rate in LADDER:
            seen = await _run(system, commands, rate, partial(_batches, tick=FILE_TICK))
            p95 = p(seen.visible, 0.95)
            said.append(f"{rate:,}: {p95:.0f}")
            if p95 > STEADY_MS:
                break
            best = rate
    note = f"p95 visible in ms by commands/s: {', '.join(said)}; the next step of the ladder was not tried"
    return [Row(f"chain, steady with p95 visible ≤ {STEADY_MS} ms", best, "commands/s", STEADY, note=note)]


async def _run(system: System, commands: Iterator[Command], rate: int, make: Make) -> Seen:
    warm_up = make(system, list(islice(commands, rate * WARM_UP_SECONDS)), rate)
    requests = make(system, list(islice(commands, rate * SECONDS)), rate)
    async with aside() as sending, aside() as watching:
        answers: list[Answer] = await sending(generate, warm_up)
        await system.drained(highest(answers))
        url, until = system.stack.mongo_url, SECONDS + PATIENCE_SECONDS
        watched = asyncio.ensure_future(watching(watch, url, "children", until))
        answers = await sending(generate, requests)
        sights: list[Sight] = await watched
    await system.drained(highest(answers))
    return _seen(answers, sights)


def _batches(system: System, commands: Sequence[Command], rate: int, tick: float = TICK) -> list[Request]:
    """Each tick one request for each service."""
    token, each = system.token(), round(rate * tick)
    requests = []
    for number, start in enumerate(range(0, len(commands), each)):
        by_service = defaultdict[str, list[Item]](list)
        for service, item in commands[start : start + each]:
            by_service[service].append(item)
        for service, items in by_service.items():
            body = orjson.dumps({"commands": [item._asdict() for item in items]})
            port = system.port(service)
            requests.append(Request(number * tick, port, post(port, "/commands", token, body)))
    return requests


def _seen(answers: Sequence[Answer], sights: Sequence[Sight]) -> Seen:
    ways = defaultdict[str, tuple[list[int], list[float]]](lambda: ([], []))
    for sight in sights:
        for source, seq in sight.seqs.items():
            seqs, times = ways[source]
            seqs.append(seq)
            times.append(sight.at)
    visible = []
    for answer in answers:
        found = positions(answer)
        visible += [_first(*ways[source], seq) - answer.intended for source, seq in found] or [float("inf")]
    return Seen([answer.seconds for answer in answers], visible)


def _first(seqs: list[int], times: list[float], seq: int) -> float:
    """When a position was reached; seqs never fall."""
    index = bisect_left(seqs, seq)
    return times[index] if index < len(times) else float("inf")
