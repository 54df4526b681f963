"""How well a school roll of some villages is matched with their files.

Children are generated as for duplicates (``doubles.py``): a third of the roll's rows carry one of the eight kinds of
slips, the others say what the file says. One child in ten of the roll has no file, one file in ten is not on the roll.
Rows meet files as in the service: by shared keys, then by the rule, then by the judgement.

``python -m bench.matching`` shows on another seed what a lower or higher threshold of doubt would come to.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import Final, NamedTuple

from bench.doubles import generate, kinds
from bench.duplicates import REPORTED_ON, TUNED_ON, near
from bench.report import Row
from services.registry.duplicates.comparison import Particulars, compare
from services.registry.duplicates.rule import RULE
from services.registry.matching.judgement import DOUBTED_FROM, Judged, Near, RowState, judge

CHILDREN: Final = 6_000
SLIPS: Final = 2_000
LEFT_OUT: Final = 10
"""One in so many."""
RECALL: Final = 0.9
PRECISION: Final = 0.98
MISSING: Final = 0.95
SECONDS: Final = 60


class Roll(NamedTuple):
    """Files and rows by the child they are of; ``slips`` tells what kind of slip a child's row carries."""

    files: Mapping[str, Particulars]
    rows: Mapping[str, Particulars]
    slips: Mapping[str, str]


class Found(NamedTuple):
    roll: Roll
    judged: Mapping[str, Judged]
    near: Mapping[str, list[Near]]
    seconds: float

    @property
    def on_file(self) -> set[str]:
        return self.roll.rows.keys() & self.roll.files.keys()

    @property
    def matched(self) -> set[str]:
        return {child for child, judged in self.judged.items() if judged.state is RowState.MATCHED}

    @property
    def right(self) -> set[str]:
        return {child for child in self.matched if self.judged[child].near[0].child == child}

    def of_state(self, state: RowState) -> set[str]:
        return {child for child, judged in self.judged.items() if judged.state is state}


async def measure() -> list[Row]:
    found = await asyncio.to_thread(search, REPORTED_ON)
    missing, truly = found.of_state(RowState.MISSING), found.roll.rows.keys() - found.roll.files.keys()
    doubtful, rows = found.of_state(RowState.DOUBTFUL), len(found.judged)
    size = f"{len(found.roll.files):,} files, {rows:,} rows, {len(truly):,} of them of nobody on file"
    return [
        Row("matching, recall", len(found.right) / len(found.on_file), "of 1", RECALL, note=_by_kind(found)),
        Row("matching, precision", len(found.right) / len(found.matched), "of 1", PRECISION, note=size),
        Row("matching, rows for a person", len(doubtful) / rows, "of 1", note=f"near from {DOUBTED_FROM} bits on"),
        Row("matching, missing here: recall", len(missing & truly) / len(truly), "of 1", note="the rest is doubtful"),
        Row("matching, missing here: precision", len(missing & truly) / len(missing), "of 1", MISSING),
        Row("matching, all rows", found.seconds, "s", SECONDS, "lower"),
    ]


def roll_of(seed: int) -> Roll:
    """Of half of the villages."""
    chance, made = random.Random(seed), generate(seed, CHILDREN, SLIPS)
    villages = set(chance.sample(sorted({file.place for file in made.files}), 45))
    told_twice = {first: (second, kind) for (first, second), kind in made.kinds.items()}
    files, rows, slips = {}, {}, {}
    for place, file in enumerate(made.files[:CHILDREN]):
        if file.place not in villages:
            continue
        child, (second, kind) = f"child-{place}", told_twice.get(place, (place, ""))
        if chance.randrange(LEFT_OUT):
            files[child] = file
        if chance.randrange(LEFT_OUT):
            rows[child] = replace(made.files[second], household=None, phones=frozenset())
            slips |= {child: kind} if kind else {}
    return Roll(files, rows, slips)


def search(seed: int) -> Found:
    roll = roll_of(seed)
    begun = time.perf_counter()
    children, others = list(roll.files), list(roll.rows)
    all_near = defaultdict[str, list[Near]](list)
    for one, other in near((*roll.files.values(), *roll.rows.values())):
        if one < len(children) <= other:
            child, row = children[one], others[other - len(children)]
            all_near[row].append(Near(child, compare(roll.rows[row], roll.files[child])))
    ordered = {row: sorted(all_near[row], key=lambda one: (-one.comparison.score, one.child)) for row in others}
    judged = {row: judge(found) for row, found in ordered.items()}
    return Found(roll, judged, ordered, time.perf_counter() - begun)


def _by_kind(found: Found) -> str:
    told, right, doubtful = Counter[str](), Counter[str](), Counter[str]()
    for child in found.on_file:
        kind = found.roll.slips.get(child, "no slip")
        told[kind] += 1
        right[kind] += child in found.right
        doubtful[kind] += found.judged[child].state is RowState.DOUBTFUL
    return ", ".join(f"{kind} {right[kind]}+{doubtful[kind]}/{told[kind]}" for kind in ("no slip", *kinds()))


def _weigh(found: Found) -> None:
    """Prints what each threshold of doubt leaves to a person, and what it takes for missing that is not."""
    for threshold in range(0, RULE.threshold, 2):
        states = Counter[tuple[str, bool]]()
        for child, near_files in found.near.items():
            if not any(one.comparison.alike for one in near_files):
                doubted = any(one.comparison.score >= threshold for one in near_files)
                states["doubtful" if doubted else "missing", child in found.on_file] += 1
        print(
            f"from {threshold:2} bits: " + ", ".join(f"{s} on file {on}: {n}" for (s, on), n in sorted(states.items()))
        )


if __name__ == "__main__":
    _weigh(search(TUNED_ON))
