"""Figures asked of a real MongoDB, after folding through the real store."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection

from services.reporting.figures.counting_rules import RULES, CountingRule, shipped
from services.reporting.figures.indicators import UnknownIndicator
from services.reporting.figures.queries import Figure, Figures
from services.reporting.figures.read_model import FiguresModel
from shared.contracts.counting import CountingTerms, ParentsTerm
from shared.contracts.registry import ParentsSituation
from shared.contracts.values import HukouKind, ParentState
from shared.projection.checkpoint import Checkpoint
from shared.projection.mongo import MongoProjectionStore
from shared.projection.read_model import Occurred
from shared.projection.workspace import Work
from tests.support.figure_histories import (
    NAMES,
    VERSION,
    Collections,
    a_child_of,
    a_closing,
    a_division,
    a_parent,
    a_posting,
    a_visit_in,
    folded,
    told,
)

COUNTY, TOWNSHIP, OTHER_TOWNSHIP = "529901", "529901101", "529901102"
VILLAGE, SECOND, THIRD = "529901101201", "529901101202", "529901102201"
JULY_20, AUG_1, AUG_14 = date(2026, 7, 20), date(2026, 8, 1), date(2026, 8, 14)
AWAY = a_parent(ParentState.AWAY)
BOTH_AWAY = ParentsSituation(father=AWAY, mother=AWAY)

GONE = ParentState.AWAY

Getter = Callable[[str], Awaitable[AsyncIOMotorCollection[Any]]]
Fold = Callable[[Sequence[Sequence[Occurred]]], Awaitable[None]]


@pytest.fixture
async def database(mongo_url: str) -> AsyncIterator[tuple[AsyncIOMotorClient[Any], str]]:
    client: AsyncIOMotorClient[Any] = AsyncIOMotorClient(mongo_url, tz_aware=True)
    name = f"figures_{uuid.uuid4().hex[:12]}"
    yield client, name
    await client.drop_database(name)
    client.close()


@pytest.fixture
def collections(database: tuple[AsyncIOMotorClient[Any], str]) -> Getter:
    client, name = database

    async def collection(of: str) -> AsyncIOMotorCollection[Any]:
        return client[name][VERSION.collection(of)]

    return collection


@pytest.fixture
async def fold(database: tuple[AsyncIOMotorClient[Any], str]) -> Fold:
    store, model = MongoProjectionStore(*database), FiguresModel()
    await store.prepare(model, VERSION)

    async def fold(batches: Sequence[Sequence[Occurred]]) -> None:
        checkpoint = await store.checkpoint(VERSION)
        for batch in batches:
            work = Work(store, VERSION)
            await model.prepare(batch, work)
            for occurred in batch:
                model.fold(occurred, work)
            model.finish(work)
            after = Checkpoint(revision=checkpoint.revision + 1)
            assert await store.commit(VERSION, work.changes, checkpoint, after)
            checkpoint = after

    return fold


def rule_of(name: str) -> CountingRule:
    rule = shipped(name)
    assert rule is not None
    return rule


def a_history() -> list[list[Occurred]]:
    """Four children in three villages; a posting in one; a closing and a visit that were told late."""
    tree = [(COUNTY, "5299"), (TOWNSHIP, COUNTY), (OTHER_TOWNSHIP, COUNTY)]
    tree += [(VILLAGE, TOWNSHIP), (SECOND, TOWNSHIP), (THIRD, OTHER_TOWNSHIP)]
    homes = enumerate([VILLAGE, VILLAGE, SECOND, THIRD])
    return [
        [told(a_division(code, parent), JULY_20, JULY_20) for code, parent in tree],
        [told(a_child_of(n, village, "2016-03", BOTH_AWAY), JULY_20, JULY_20) for n, village in homes],
        [told(a_posting(1, VILLAGE, AUG_1), AUG_1, AUG_1), told(a_visit_in(VILLAGE, JULY_20), JULY_20, JULY_20)],
        [told(a_closing(3, AUG_1), AUG_14, AUG_14, version=2), told(a_visit_in(THIRD, AUG_1), AUG_1, AUG_14)],
    ]


async def test_a_figure_is_given_for_a_day_as_it_was_known_on_a_day(fold: Fold, collections: Getter) -> None:
    await fold(a_history())
    figures = Figures(collections)
    assert await figures.figure("I1", COUNTY, AUG_14, AUG_14) == Figure(2, 3, "66.7")
    assert await figures.figure("I1", COUNTY, AUG_14, date(2026, 8, 13)) == Figure(2, 4, "50.0")
    assert await figures.figure("I1", COUNTY, date(2026, 7, 31), AUG_14) == Figure(0, 4, "0.0")
    assert await figures.figure("I1b", COUNTY, AUG_14, AUG_14) == Figure(1, 2, "50.0")
    assert await figures.figure("I1", COUNTY, AUG_14, date(2026, 7, 19)) == Figure(0, 0, "-")


async def test_visits_are_counted_over_a_period(fold: Fold, collections: Getter) -> None:
    await fold(a_history())
    figures = Figures(collections)
    assert await figures.figure("VISITS", COUNTY, AUG_14, AUG_14) == Figure(2, None, None)
    assert await figures.figure("VISITS", COUNTY, AUG_14, AUG_14, since=AUG_1) == Figure(1, None, None)
    assert await figures.figure("VISITS", COUNTY, AUG_14, AUG_1, since=AUG_1) == Figure(0, None, None)


async def test_a_table_has_a_row_for_each_division_and_their_total(fold: Fold, collections: Getter) -> None:
    await fold(a_history())
    total, rows = await Figures(collections).table(
        ["I1", "I1b", "VISITS"], COUNTY, [TOWNSHIP, OTHER_TOWNSHIP, "529901103"], AUG_14, AUG_14
    )
    assert total == {"I1": Figure(2, 3, "66.7"), "I1b": Figure(1, 2, "50.0"), "VISITS": Figure(2, None, None)}
    assert rows == {
        TOWNSHIP: {"I1": Figure(2, 3, "66.7"), "I1b": Figure(1, 2, "50.0"), "VISITS": Figure(1, None, None)},
        OTHER_TOWNSHIP: {"I1": Figure(0, 0, "-"), "I1b": Figure(0, 0, "-"), "VISITS": Figure(1, None, None)},
        "529901103": {"I1": Figure(0, 0, "-"), "I1b": Figure(0, 0, "-"), "VISITS": Figure(0, None, None)},
    }


async def test_a_figure_is_counted_by_the_rule_it_is_asked_by(fold: Fold, collections: Getter) -> None:
    rural = told(a_child_of(9, VILLAGE, "2011-03", BOTH_AWAY, HukouKind.RURAL), JULY_20, JULY_20)
    await fold([*a_history(), [rural]])
    figures = Figures(collections)
    assert await figures.figure("I1", COUNTY, AUG_14, AUG_14, rule=rule_of("BRIEF-0-14")) == Figure(2, 3, "66.7")
    assert await figures.figure("I1", COUNTY, AUG_14, AUG_14, rule=rule_of("MCA-2016")) == Figure(1, 1, "100.0")
    total, _ = await figures.table(["I1", "VISITS"], COUNTY, [], AUG_14, AUG_14, rule=rule_of("EDU"))
    assert total == {"I1": Figure(0, 0, "-"), "VISITS": Figure(2, None, None)}


@pytest.mark.parametrize("rule", RULES, ids=[rule.name for rule in RULES])
async def test_a_rule_counts_at_the_question_what_its_sums_say(
    fold: Fold, collections: Getter, rule: CountingRule
) -> None:
    """Had a shipped rule been an authority's own, nothing would be counted otherwise."""
    await fold(a_history())
    figures, nodes = Figures(collections), ["5299", COUNTY, TOWNSHIP, OTHER_TOWNSHIP, VILLAGE, SECOND, THIRD]
    own = replace(rule, name="5299-OWN")
    for as_of in (JULY_20, AUG_1, AUG_14):
        for known_at in (date(2026, 7, 19), JULY_20, AUG_1, AUG_14):
            by_sums = await figures.table(["I1", "I1b", "VISITS"], "5299", nodes, as_of, known_at, rule=rule)
            assert await figures.table(["I1", "I1b", "VISITS"], "5299", nodes, as_of, known_at, rule=own) == by_sums


async def test_figures_count_by_the_terms_of_a_rule_of_ones_own(fold: Fold, collections: Getter) -> None:
    await fold(a_history())
    nobody = CountingRule.of("529901-BABIES", CountingTerms(max_age=2, parents=ParentsTerm.ANY_AWAY, away=(GONE,)))
    assert await Figures(collections).figure("I1", COUNTY, AUG_14, AUG_14, rule=nobody) == Figure(0, 0, "-")


async def test_an_indicator_that_does_not_exist_is_refused(collections: Getter) -> None:
    with pytest.raises(UnknownIndicator):
        await Figures(collections).figure("I99", COUNTY, AUG_14, AUG_14)


async def test_the_database_holds_what_memory_holds_however_the_history_is_cut(fold: Fold, collections: Getter) -> None:
    batches = a_history()
    await fold([[one] for batch in reversed(batches) for one in batch])
    assert await _all(collections) == await folded([[one for batch in batches for one in batch]])


async def _all(collections: Getter) -> Collections:
    return {name: {row["_id"]: row async for row in (await collections(name)).find()} for name in NAMES}
