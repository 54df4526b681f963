"""Relay, consumer and projector under attack: whatever happens, every event is folded once, each stream in order.

A seed that fails is played again, alone, with ``pytest tests/simulation -k one_world`` and ``GUANHU_SEED=<seed>``.
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Iterator

import pytest
import structlog

from tests.simulation import virtual_time
from tests.simulation.process import MISHAPS
from tests.simulation.world import Broken, World

SEEDS = 500
BLOCK = 50
BLOCKS = [range(first, first + BLOCK) for first in range(0, SEEDS, BLOCK)]


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


async def play(seed: int, without: str | None = None) -> World:
    world = World(seed, without)
    await world.play()
    return world


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_every_event_is_folded_exactly_once(block: range) -> None:
    for seed in block:
        virtual_time.run(play(seed))


@pytest.mark.parametrize("protection", ["deduplication", "fence", "compare_and_set"])
def test_without_a_protection_some_seed_fails(protection: str) -> None:
    assert any(_fails(seed, protection) for seed in range(SEEDS))


def _fails(seed: int, without: str) -> bool:
    try:
        virtual_time.run(play(seed, without))
    except Broken:
        return True
    return False


def test_a_seed_plays_the_same_again() -> None:
    first, second = (virtual_time.run(play(7)) for _ in range(2))
    assert first.weather.history == second.weather.history


def test_the_storm_is_one() -> None:
    """What the seeds bring about; a simulation in which nothing happens would find nothing."""
    happened = Counter[str]()
    for seed in range(BLOCK):
        world = virtual_time.run(play(seed))
        happened.update(what for _, what in world.weather.history)
    assert all(happened[what] >= BLOCK / 2 for what in MISHAPS), happened


def test_one_world() -> None:
    virtual_time.run(play(int(os.environ.get("GUANHU_SEED", "0"))))
