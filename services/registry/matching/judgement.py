"""Which file a row of another register is: matched where that is certain, doubtful where a person has to look."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from services.registry.duplicates.comparison import Comparison
from services.registry.duplicates.rule import RULE
from shared.contracts.values import Likeness

DOUBTED_FROM: Final = RULE.threshold - 11
"""Bits from which on a file is near enough for a person to look at (prop, measured by ``bench/matching.py``)."""
MOST_DOUBTED: Final = 5


class RowState(StrEnum):
    """``outside``: its village is none of the sender's divisions, and nothing else is said of it. ``unread``: the row
    has no name, or is no row."""

    MATCHED = "matched"
    DOUBTFUL = "doubtful"
    MISSING = "missing"
    OUTSIDE = "outside"
    UNREAD = "unread"


class Near(NamedTuple):
    """A file that comes near a row."""

    child: str
    comparison: Comparison


class Judged(NamedTuple):
    """``near`` is the one file of a matched row, the likeliest of a doubtful one, and empty for a missing one."""

    state: RowState
    near: tuple[Near, ...] = ()


def judge(near: Sequence[Near]) -> Judged:
    """``near`` is told the likeliest first. An equal citizen number decides where it is on one file alone."""
    exact = [one for one in near if Likeness.NUMBER_EQUAL in one.comparison.reasons]
    found = exact or [one for one in near if one.comparison.alike]
    if len(found) == 1:
        return Judged(RowState.MATCHED, (found[0],))
    doubted = found or [one for one in near if one.comparison.score >= DOUBTED_FROM]
    return Judged(RowState.DOUBTFUL if doubted else RowState.MISSING, tuple(doubted[:MOST_DOUBTED]))
