"""Which policy is in force where and when: what a naive reading of the rule says, whatever order it was told in."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.adoption.in_force import Adopted, in_force
from shared.adoption.read_model import ADOPTIONS, Adoptions, AdoptionsModel
from shared.contracts.retention import RetentionAdopted, RetentionPeriods
from shared.projection.checkpoint import Checkpoint, ModelVersion
from shared.projection.memory import MemoryProjectionStore
from shared.projection.read_model import Document, Occurred
from shared.projection.workspace import Work
from tests.support.figure_histories import an_id, told

PATH = ("52", "5299", "529901")
FIRST = date(2026, 1, 1)
DAYS = st.integers(0, 6).map(lambda n: FIRST + timedelta(days=n))
TOLD = st.lists(st.tuples(st.sampled_from((*PATH, "529902")), DAYS, DAYS, st.booleans()), max_size=12)


def adoptions(rows: Sequence[tuple[str, date, date, bool]]) -> list[Adopted[str]]:
    """A division tells its adoptions one after the other."""
    made = []
    for division, own in groupby(sorted(rows, key=lambda row: (row[0], row[2])), key=lambda row: row[0]):
        for version, (_, starts, known, may) in enumerate(own, start=1):
            made.append(Adopted(division, starts, known, version, f"{division}-{version}", may, "content"))
    return made


def naive(adopted: list[Adopted[str]], on: date, known_at: date) -> str | None:
    """Asks upward from the village, and gives the word to whoever above forbids that another one has it."""
    held: dict[str, Adopted[str]] = {}
    for one in sorted(adopted, key=lambda one: (one.starts, one.known, one.version)):
        if one.starts <= on and one.known <= known_at:
            held[one.division] = one
    for n, division in reversed(list(enumerate(PATH))):
        forbidden = any(above in held and not held[above].may_override for above in PATH[:n])
        if division in held and not forbidden:
            return held[division].name
    return None


@given(TOLD, DAYS, DAYS, st.randoms())
def test_the_nearest_division_upward_decides_unless_one_above_it_decides_for_all(rows, on, known_at, order):
    adopted = adoptions(rows)
    expected = naive(adopted, on, known_at)
    order.shuffle(adopted)
    found = in_force(PATH, adopted, on, known_at)
    assert (found and found.name) == expected


@given(TOLD, DAYS, DAYS)
def test_what_is_adopted_elsewhere_or_from_a_later_day_changes_nothing(rows, on, known_at):
    here = [row for row in rows if row[0] in PATH and row[1] <= on and row[2] <= known_at]
    some, all_of_it = (in_force(PATH, adoptions(told), on, known_at) for told in (here, rows))
    assert (some and some[:3]) == (all_of_it and all_of_it[:3])


@given(TOLD, DAYS, DAYS, st.randoms(), st.integers(0, 12))
def test_the_look_up_says_so_too_however_its_events_came(rows, on, known_at, order, cut):
    adopted = adoptions(rows)
    events = [_event(one) for one in adopted]
    order.shuffle(events)
    look_up = Adoptions(asyncio.run(_documents([events[:cut], events[cut:]])))
    found = asyncio.run(look_up.in_force(RetentionAdopted, PATH, on, known_at))
    assert (found and found.name) == naive(adopted, on, known_at)
    assert found is None or RetentionPeriods.model_validate(found.content) == RetentionPeriods()


def _event(one: Adopted[str]) -> Occurred:
    event = RetentionAdopted(
        adoption=an_id("adoption", int(one.division)),
        division=one.division,
        starts=one.starts,
        may_override=one.may_override,
        version=one.name,
        periods=RetentionPeriods(),
    )
    return told(event, one.known, one.known, version=one.version)


async def _documents(batches: Sequence[Sequence[Occurred]]) -> Any:
    model, store, checkpoint = AdoptionsModel(), MemoryProjectionStore(), Checkpoint()
    version = ModelVersion(model.name, 1)
    for number, batch in enumerate(batches, start=1):
        work = Work(store, version)
        await model.prepare(batch, work)
        for occurred in batch:
            model.fold(occurred, work)
        assert await store.commit(version, work.changes, checkpoint, Checkpoint(revision=number))
        checkpoint = Checkpoint(revision=number)
    held: dict[Any, Document] = store.collections[version.collection(ADOPTIONS)]

    async def documents(ids: Sequence[str]) -> list[Document]:
        return [held[key] for key in ids if key in held]

    return documents
