"""Step functions over two clocks: what holds on a day, as known on a day. Pure.

``Steps`` is the mixed difference of such a function F: F(day, known) is the sum of all n that stand at a day and a
known day not after these. Days are ``yyyymmdd``, so that they sort as text and are keys of a document as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Final

Edges = dict[str, int]
"""A step function of the day alone: day -> change on that day."""

Steps = dict[str, Edges]
"""Known day -> what changed of the edges on it. No zero and no empty edges, so equal functions have equal steps."""

ALWAYS: Final = "00000000"
"""The day before all days."""


def step(day: str, known: str) -> Steps:
    """0, and 1 from a day on, as known from a day on."""
    return {known: {day: 1}}


def mixed_difference(
    days: Sequence[str], rows: Iterable[tuple[str, Sequence[int]]], before: Sequence[int] | None = None
) -> Steps:
    """The steps of a function given as rows: (known day, its values on ``days``), in order of the known days.

    ``days`` are sorted and hold every day on which a row changes; ``before`` is the row before the first.
    """
    steps: Steps = {}
    row = before if before is not None else [0] * len(days)
    for known, now in rows:
        if edges := _edges(days, row, now):
            steps[known] = edges
        row = now
    return steps


def _edges(days: Sequence[str], before: Sequence[int], now: Sequence[int]) -> Edges:
    edges: Edges = {}
    height = 0
    for day, was, is_ in zip(days, before, now, strict=True):
        if is_ - was != height:
            edges[day] = is_ - was - height
            height = is_ - was
    return edges


def at(steps: Steps, day: str, known: str) -> int:
    """The value of the function on a day, as known on a day."""
    return sum(n for told, edges in steps.items() if told <= known for on, n in edges.items() if on <= day)


def add(total: Steps, steps: Steps, sign: int = 1) -> None:
    """Adds ``sign`` times the steps to the total, in place."""
    for known, edges in steps.items():
        add_edges(total.setdefault(known, {}), edges, sign)
        if not total[known]:
            del total[known]


def plus(left: Steps, right: Steps, sign: int = 1) -> Steps:
    """A new sum; what only the left one has is shared with it."""
    total = {known: dict(edges) if known in right else edges for known, edges in left.items()}
    add(total, right, sign)
    return total


def add_edges(total: Edges, edges: Edges, sign: int = 1) -> None:
    for day, n in edges.items():
        if after := total.get(day, 0) + sign * n:
            total[day] = after
        else:
            total.pop(day, None)


def product(left: Steps, right: Steps) -> Steps:
    """Both at once: a step times a step is a step where, and when, the later one of the two stands."""
    steps: Steps = {}
    for known, edges in left.items():
        for other_known, other_edges in right.items():
            total = steps.setdefault(max(known, other_known), {})
            for day, n in edges.items():
                for other_day, other_n in other_edges.items():
                    later = max(day, other_day)
                    total[later] = total.get(later, 0) + n * other_n
    return _without_zeros(steps)


def positive(counts: Steps, since: str = ALWAYS) -> Steps:
    """1 where the count is above zero, else 0; only the part that became known on ``since`` or after."""
    days = sorted({day for edges in counts.values() for day in edges})
    edges = dict.fromkeys(days, 0)
    for known, change in counts.items():
        if known < since:
            _pile(edges, change)
    before = _signs(edges)
    rows = ((known, _signs(_pile(edges, counts[known]))) for known in sorted(counts) if known >= since)
    return mixed_difference(days, rows, before)


def _pile(edges: Edges, change: Edges) -> Edges:
    for day, n in change.items():
        edges[day] += n
    return edges


def _signs(edges: Edges) -> list[int]:
    return [int(height > 0) for height in accumulate(edges.values())]


def _without_zeros(steps: Steps) -> Steps:
    kept = {known: {day: n for day, n in edges.items() if n} for known, edges in steps.items()}
    return {known: edges for known, edges in kept.items() if edges}
