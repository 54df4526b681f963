"""Counting by a rule that is not shipped: from the facts, at the question.

Sums are kept for the shipped rules alone. A rule of an authority's own is asked for by its division, and may be
adopted long after the facts were told: so nothing is folded for it, and whoever asks waits as long as the children of
the division take (docs/decisions/0024).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Final

from services.reporting.figures.counting_rules import CountingRule
from services.reporting.figures.facts import counted_in, posted_steps
from services.reporting.figures.indicators import Measures
from services.reporting.figures.read_model import CHILDREN, DIVISIONS, VILLAGES, Collections
from services.reporting.figures.steps import at
from services.reporting.figures.tree import Tree

_AT_ONCE: Final = 500


async def count(
    collections: Collections, rule: CountingRule, nodes: Collection[str], as_of: str, known_at: str
) -> Counter[tuple[str, str]]:
    """By node and measure, what the sums of a shipped rule would say; days are ``yyyymmdd``."""
    holders = await _holders(collections, nodes)
    children = await _children(collections, rule, holders.keys(), as_of, known_at)
    posted = await _posted(collections, children.keys(), as_of, known_at)
    measures, totals = Measures.of(rule.name), Counter[tuple[str, str]]()
    for village, n in children.items():
        for node in holders[village]:
            totals[node, measures.children] += n
            totals[node, measures.villages] += 1
            if village in posted:
                totals[node, measures.children_with_posting] += n
                totals[node, measures.villages_with_posting] += 1
    return totals


async def _holders(collections: Collections, nodes: Collection[str]) -> Mapping[str, list[str]]:
    """By code of what stands in these nodes, in which of them it does."""
    divisions, tree = await collections(DIVISIONS), Tree()
    found, level = set(nodes), set(nodes)
    while level:
        below = {}
        async for one in divisions.find({"parent": {"$in": list(level)}}, {"parent": 1}):
            below[one["_id"]] = one["parent"]
        for code, parent in below.items():
            tree.place(code, parent)
        level = below.keys() - found
        found |= level
    return {code: [node for node in tree.path(code) if node in nodes] for code in found}


async def _children(
    collections: Collections, rule: CountingRule, codes: Collection[str], as_of: str, known_at: str
) -> Counter[str]:
    """By village, how many count."""
    lived_there = {"facts.residence": {"$elemMatch": {"$elemMatch": {"$in": list(codes)}}}}
    found = (await collections(CHILDREN)).find(lived_there, {"_id": 0, "facts": 1}).batch_size(_AT_ONCE)
    homes = [counted_in(child["facts"], rule, as_of, known_at) async for child in found]
    return Counter(home for home in homes if home is not None and home in codes)


async def _posted(collections: Collections, villages: Collection[str], as_of: str, known_at: str) -> set[str]:
    found = (await collections(VILLAGES)).find({"_id": {"$in": list(villages)}}, {"postings": 1})
    return {one["_id"] async for one in found if at(posted_steps(one["postings"]), as_of, known_at)}
