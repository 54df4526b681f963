"""How well the rule finds children with two files among 10,000 children, 500 of whom have two.

The files are generated (``doubles.py``): eight kinds of slips, and twins, brothers, sisters and namesakes among the
innocent. The weights were tuned on one seed; the figures are those of another. Pairs are found as the service finds
them: by shared keys, then by the rule; what shares no key is lost and counts against recall.

``python -m bench.duplicates`` shows for the tuning seed how often each likeness is found in both kinds of pairs.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from itertools import combinations
from math import log2
from typing import Final, NamedTuple

from bench.doubles import Files, generate, kinds
from bench.report import Row
from services.registry.duplicates.comparison import Comparison, Particulars, compare
from services.registry.duplicates.keys import BlindKeys
from services.registry.duplicates.rule import RULE
from shared.contracts.values import Likeness

TUNED_ON: Final = 5203
REPORTED_ON: Final = 2026
RECALL: Final = 0.95
PRECISION: Final = 0.9
SECONDS: Final = 60

Pair = tuple[int, int]


class Found(NamedTuple):
    """``compared`` are all pairs that share a key, ``suspected`` those of them the rule says are one child's."""

    files: Files
    compared: dict[Pair, Comparison]
    seconds: float

    @property
    def suspected(self) -> set[Pair]:
        return {pair for pair, comparison in self.compared.items() if comparison.alike}

    @property
    def right(self) -> set[Pair]:
        return self.suspected & self.files.kinds.keys()

    @property
    def recall(self) -> float:
        return len(self.right) / len(self.files.kinds)

    @property
    def precision(self) -> float:
        return len(self.right) / max(1, len(self.suspected))


async def measure() -> list[Row]:
    found = await asyncio.to_thread(search, REPORTED_ON)
    size = f"{len(found.files.files):,} files, {len(found.files.kinds)} children with two"
    return [
        Row("duplicates, recall", found.recall, "of 1", RECALL, note=_by_kind(found)),
        Row("duplicates, precision", found.precision, "of 1", PRECISION, note=f"{size}; {RULE.version}"),
        Row("duplicates, all files", found.seconds, "s", SECONDS, "lower", f"{len(found.compared):,} pairs compared"),
    ]


def search(seed: int) -> Found:
    files = generate(seed)
    begun = time.perf_counter()
    compared = {pair: compare(files.files[pair[0]], files.files[pair[1]]) for pair in near(files.files)}
    return Found(files, compared, time.perf_counter() - begun)


def near(files: tuple[Particulars, ...]) -> set[Pair]:
    """The places of files that share a key, the smaller first."""
    keys, blocks = BlindKeys(b"bench"), defaultdict[int, list[int]](list)
    for place, file in enumerate(files):
        village = file.place[-1]
        own = keys.of_child(file.name, file.born, file.birth_month, file.number, village)
        for key in {*own, *keys.of_parents(file.father, file.mother, village)}:
            blocks[key].append(place)
    return {pair for block in blocks.values() for pair in combinations(block, 2)}


def _by_kind(found: Found) -> str:
    planted = Counter(found.files.kinds.values())
    right = Counter(found.files.kinds[pair] for pair in found.right)
    return ", ".join(f"{kind} {right[kind]}/{planted[kind]}" for kind in kinds())


def _weigh(found: Found) -> None:
    """Prints for each likeness its share among true and among false pairs, and the logarithm of their ratio."""
    true, false = Counter[Likeness](), Counter[Likeness]()
    for pair, comparison in found.compared.items():
        (true if pair in found.files.kinds else false).update(comparison.reasons)
    pairs = len(found.files.kinds), max(1, len(found.compared) - len(found.files.kinds))
    for likeness in Likeness:
        shares = [(counter[likeness] + 0.5) / (n + 1) for counter, n in zip((true, false), pairs, strict=True)]
        bits = log2(shares[0] / shares[1])
        print(f"{likeness:24} {shares[0]:8.4f} {shares[1]:8.4f} {bits:6.1f} bits, rule {RULE.weights[likeness]}")
    for threshold in range(RULE.threshold - 6, RULE.threshold + 7):
        over = {pair for pair, comparison in found.compared.items() if comparison.score >= threshold}
        right = over & found.files.kinds.keys()
        print(f"from {threshold}: recall {len(right) / pairs[0]:.3f}, precision {len(right) / len(over):.3f}")


if __name__ == "__main__":
    tuning = search(TUNED_ON)
    _weigh(tuning)
    print(f"recall {tuning.recall:.3f}, precision {tuning.precision:.3f}; {_by_kind(tuning)}")
