"""Random histories of the map: whatever is told, and accepted or refused, the map stays a map."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Final, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from services.registry.domain.division import (
    AddVillageGroup,
    MergeDivisions,
    RecodeDivision,
    RenameDivision,
    SplitDivision,
    WithdrawDivision,
)
from shared.commands.command import Command
from shared.contracts.divisions import SplitPart
from shared.contracts.event import Event
from shared.contracts.refusal import Refusal
from shared.eventlog.port import LogError
from shared.identity.directory import DIVISIONS, DirectoryModel
from shared.projection.read_model import Document
from tests.support.workspace import fold_all
from tests.unit.test_division import BEGAN, Map, an_addition

TOWNSHIPS: Final = ["529901001", "529901002", "529901003"]
VILLAGES: Final = ["529901001001", "529901001002", "529901002001", "529901002002"]


class Wish(NamedTuple):
    """What somebody is about to tell; the numbers choose among what is on the map by then."""

    what: str
    first: int
    second: int
    day: int


WISHES: Final = st.builds(
    Wish,
    st.sampled_from(["add", "group", "rename", "recode", "merge", "split", "withdraw"]),
    st.integers(0, 50),
    st.integers(0, 50),
    st.integers(0, 12),
)


def _command(wish: Wish, number: int, nodes: dict[str, Document]) -> Command:
    """Mostly what can be done; days, and now and then the divisions, may be wrong."""
    living = [node for node in _living(nodes) if len(node["_id"]) >= 9]
    one = living[wish.first % len(living)]
    beside = [node for node in living if node["path"][:-1] == one["path"][:-1] and node is not one] or living
    other = beside[wish.second % len(beside)]
    third = beside[(wish.second + 1) % len(beside)]
    day, division, code = BEGAN + timedelta(days=wish.day), division_stream_of(one), one["_id"]
    match wish.what:
        case "add":
            above = next(code for code in reversed(one["path"]) if len(code) <= 9)
            return an_addition(_fresh(len(above) + 3, number), above, valid_from=day)
        case "group":
            return AddVillageGroup(village=code[:12].ljust(12, "0"), number="1", name="组", valid_from=day)
        case "rename":
            return RenameDivision(division=division, name=f"乙{number}", valid_from=day)
        case "recode":
            return RecodeDivision(division=division, code=_fresh(len(code[:12]), number), valid_from=day)
        case "merge":
            return MergeDivisions(division=division, merged=(other["_id"],), valid_from=day)
        case "split":
            below = sorted(node["_id"] for node in living if code in node["path"][:-1] and len(node["_id"]) > len(code))
            halves = ((other["_id"], below[::2]), (third["_id"], below[1::2]))
            parts = tuple(SplitPart(code=part, children=children) for part, children in halves)
            return SplitDivision(division=division, parts=parts, valid_from=day)
        case _:
            return WithdrawDivision(division=division, successors=(other["_id"],), valid_to=day)


def division_stream_of(node: Document) -> str:
    stream: str = node["node"]
    return stream


def _fresh(digits: int, number: int) -> str:
    """A code that nobody has, but for every fifth."""
    code = f"5299{number % 5 and number:02d}".ljust(digits, "7")
    return code[:digits]


async def _told(wishes: list[Wish]) -> tuple[list[Event], dict[str, Document]]:
    tree = Map()
    await tree.tell(an_addition("52", None), an_addition("5299", "52"), an_addition("529901", "5299"))
    await tree.tell(*(an_addition(code, "529901") for code in TOWNSHIPS))
    await tree.tell(*(an_addition(code, TOWNSHIPS[n // 2]) for n, code in enumerate(VILLAGES)))
    for number, wish in enumerate(wishes, start=1):
        try:
            await tree.tell(_command(wish, number, await tree.folded()))
        except (Refusal, LogError):
            continue
    return await tree.everything(), await tree.folded()


def _ends(node: Document) -> str:
    return node["ends"][0] if node["ends"] else "9999-12-31"


def _living(nodes: dict[str, Document]) -> list[Document]:
    return [node for node in nodes.values() if node["ends"] is None]


def _check_no_cycle(nodes: dict[str, Document]) -> None:
    for code, node in nodes.items():
        seen = [code]
        while (up := nodes[seen[-1]]["up"]) is not None:
            assert up not in seen
            seen.append(up)
        assert node["path"] is not None
        assert len(set(node["path"])) == len(node["path"])


def _check_living_stand_below_living(nodes: dict[str, Document]) -> None:
    """A living node's path leads through living nodes, under all their codes, and through what went over to them."""
    for node in _living(nodes):
        for code in node["path"]:
            above = nodes[code]
            assert above["ends"] is None or above["ends"][1] in ("recoded", "merged")


def _check_each_code_names_one_node(nodes: dict[str, Document]) -> None:
    now: dict[str, list[str]] = {}
    for node in nodes.values():
        now.setdefault(node["node"], []).append(node["_id"])
    for codes in now.values():
        spans = sorted((nodes[code]["valid_from"], _ends(nodes[code])) for code in codes)
        assert all(earlier[1] <= later[0] for earlier, later in pairwise(spans))


def _check_intervals_are_nested(nodes: dict[str, Document]) -> None:
    """Each stretch of time below a parent lies inside the parent's own."""
    for node in nodes.values():
        stretches = _stretches(node, nodes)
        for parent, begins, ends in stretches:
            whole = _whole(nodes[parent], nodes)
            assert whole[0] <= begins, (node, nodes[parent])
            assert ends <= whole[1], (node, nodes[parent])


def _stretches(node: Document, nodes: dict[str, Document]) -> list[tuple[str, str, str]]:
    """Below which code a node stood from when until when, as its own moves tell."""
    told = [(node["valid_from"], node["parent"]), *((day, part) for day, part in node["moves"])]
    ends = [day for day, _ in told[1:]] + [_ends(node)]
    return [(parent, begins, until) for (begins, parent), until in zip(told, ends, strict=True) if parent]


def _whole(node: Document, nodes: dict[str, Document]) -> tuple[str, str]:
    """From the first day of a node to its last, under whichever code, and on with what took it over."""
    begins = min(nodes[code]["valid_from"] for code in (*node["was"], node["_id"]))
    while node["ends"] is not None and node["ends"][1] in ("recoded", "merged"):
        node = nodes[node["ends"][2][0]]
    return begins, _ends(node)


CHECKS: Final[tuple[Callable[[dict[str, Document]], None], ...]] = (
    _check_no_cycle,
    _check_living_stand_below_living,
    _check_each_code_names_one_node,
    _check_intervals_are_nested,
)


@settings(max_examples=120, deadline=None)
@given(st.lists(WISHES, max_size=14), st.randoms(use_true_random=False))
def test_a_map_stays_a_map(wishes, chance) -> None:
    events, nodes = asyncio.run(_told(wishes))
    for check in CHECKS:
        check(nodes)
    chance.shuffle(events)
    cut = chance.randint(0, len(events))
    shuffled = asyncio.run(fold_all(DirectoryModel(), [events[:cut], events[cut:]]))[DIVISIONS]
    assert shuffled == nodes


@settings(max_examples=60, deadline=None)
@given(st.lists(WISHES, max_size=14))
def test_the_scope_of_an_ancestor_never_loses_what_was_in_it(wishes) -> None:
    """Whoever had a node in scope, through a division that did not end in parts, has it in scope after every change."""
    before = asyncio.run(_told([]))[1]
    after = asyncio.run(_told(wishes))[1]
    for code, node in before.items():
        for above in node["path"]:
            split = after[above]["ends"] is not None and after[above]["ends"][1] == "split"
            assert above in after[code]["path"] or split
