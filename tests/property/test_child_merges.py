"""Whatever a file's history: once a merge is undone, everything stands as if there had been none."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from services.registry.domain.child import (
    CHILD,
    CloseChildFile,
    MergeBy,
    RecordCareSituation,
    RecordParentSituation,
    ReopenChildFile,
    UndoBy,
)
from shared.commands.command import Command
from shared.contracts.refusal import Refusal
from shared.contracts.sealed import Personal
from shared.contracts.values import CareKind, CloseReason, ParentState
from shared.eventlog.placement import new_id
from shared.projection.read_model import Document, Occurred
from shared.standing.look_up import change, standing_of
from shared.standing.standing import Standing
from tests.support.builders import VILLAGE, a_registration, care, parents
from tests.support.child_cards import card_of
from tests.support.child_files import schooling
from tests.support.figure_histories import folded, sum_at, told

FIRST, DAYS = date(2026, 7, 27), 40
REGISTRATION = a_registration(occurred_at=datetime(2026, 7, 27, 4, tzinfo=UTC))
CHILD_ID, INTO = REGISTRATION.child, new_id("child")
MEASURES = ("children@BRIEF-0-14", "children@CENSUS-WIDE", "villages@CENSUS-WIDE")
WHO = {"child": CHILD_ID}
PEOPLE = {"registered_by": frozenset({"director-1"}), "person": "county-1"}
MERGE = MergeBy(**WHO, **PEOPLE, into=INTO, reason=Personal("同一儿童"), village=VILLAGE, goes_on=True)
UNDO = UndoBy(**WHO, **PEOPLE, into=INTO, reason=Personal("两名儿童"))

commands = st.one_of(
    st.sampled_from([CareKind.NOBODY, CareKind.PARENT, CareKind.GRANDPARENT]).map(
        lambda kind: RecordCareSituation(**WHO, care=care(kind))
    ),
    st.sampled_from([ParentState.AWAY, ParentState.HOME]).map(
        lambda state: RecordParentSituation(**WHO, parents=parents(mother=state))
    ),
    st.just(schooling(CHILD_ID)),
    st.just(CloseChildFile(**WHO, reason=CloseReason.PARENT_RETURNED)),
    st.just(ReopenChildFile(**WHO, reason=Personal("又外出"))),
)
Day = tuple[Command, int]


def lived(told_on: Sequence[Day]) -> list[Occurred]:
    """What these commands, each given on its day, leave in the stream; a refused one leaves nothing."""
    state, history = CHILD.initial, list[Occurred]()
    for command, day in told_on:
        on = FIRST + timedelta(days=day)
        moment = datetime(on.year, on.month, on.day, 4, tzinfo=UTC)
        try:
            events = CHILD.decide(command.model_copy(update={"occurred_at": moment}), state)
        except Refusal:
            continue
        for event in events:
            state = CHILD.evolve(state, event)
            record, _ = told(event, on, on, version=len(history) + 1)
            history.append(Occurred(msgspec.structs.replace(record, id=f"event-{len(history)}"), event))
    return history


def standings(history: Sequence[Occurred]) -> list[Standing]:
    document: Document = {"_id": CHILD_ID, "turns": []}
    for record, event in history:
        change(document, record, event)
    return [standing_of(document, FIRST + timedelta(days=n)) for n in range(DAYS)]


async def figures(history: Sequence[Occurred]) -> list[int]:
    counted = [one for one in history if type(one.event).__name__ not in ("ChildFilesMerged", "ChildMergeUndone")]
    held = await folded([counted])
    known_at = FIRST + timedelta(days=DAYS)
    return [sum_at(held, m, VILLAGE, FIRST + timedelta(days=n), known_at) for n in range(DAYS) for m in MEASURES]


async def seen(history: Sequence[Occurred]) -> tuple[Any, ...]:
    card, _ = await card_of(history)
    return card, standings(history), await figures(history)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_merge_that_is_undone_leaves_cards_figures_and_standings_as_without_it(data: st.DataObject) -> None:
    days = st.integers(0, DAYS - 1)
    given_on = sorted(data.draw(st.lists(st.tuples(days, commands), max_size=8)), key=lambda one: one[0])
    merged_on = data.draw(days)
    undone_on = data.draw(st.integers(merged_on, DAYS - 1))
    begin = (REGISTRATION, 0)
    before = [(command, day) for day, command in given_on if day < merged_on]
    between = [(command, day) for day, command in given_on if merged_on <= day < undone_on]
    after = [(command, day) for day, command in given_on if day >= undone_on]

    with_both = lived([begin, *before, (MERGE, merged_on), *between, (UNDO, undone_on), *after])
    if not any(type(event).__name__ == "ChildFilesMerged" for _, event in with_both):
        return  # the file was closed on that day
    without = lived([begin, *before, *after])
    assert asyncio.run(seen(with_both)) == asyncio.run(seen(without))


@settings(max_examples=40, deadline=None)
@given(st.lists(commands, max_size=5), st.integers(6, DAYS - 1))
def test_a_merged_file_counts_on_no_day_from_the_merge_on(told_before: list[Command], merged_on: int) -> None:
    history = lived([(REGISTRATION, 0), *((command, n) for n, command in enumerate(told_before)), (MERGE, merged_on)])
    never_merged = history[:-2] if type(history[-2].event).__name__ == "ChildFilesMerged" else history
    now, then = (asyncio.run(figures(one)) for one in (history, never_merged))
    until = merged_on * len(MEASURES)
    assert now[:until] == then[:until]
    assert not any(now[until:])
