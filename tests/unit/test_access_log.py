"""The access log as a read model: who looked, where the child lived, which glasses broke, what an erasure leaves."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from services.reporting.access import (
    NOTICE,
    READING,
    AcknowledgeNotice,
    ReadAccessLog,
)
from services.reporting.read_models.access_log import BREAKS, HOMES, LOOKS, AccessLog
from services.reporting.read_models.access_queries import villages_on
from shared.contracts.access_log import AccessLogRead, NoticeSeen
from shared.contracts.sealed import ERASED as GONE
from shared.contracts.sealed import Personal
from shared.eventlog.placement import new_id
from tests.support.access_log import CHILD, ERASED, GLASS, NEXT_VILLAGE, REGISTERED, broken, moved, on, opened
from tests.support.builders import VILLAGE
from tests.support.specification import given
from tests.support.workspace import fold_all

DAY = date(2026, 8, 14)


async def test_every_opening_is_kept_with_who_looked_when_and_what_for():
    store = await fold_all(AccessLog(), [[on(13, REGISTERED), opened(14, "director"), opened(14, "cadre", hour=17)]])
    looks = sorted(store[LOOKS].values(), key=lambda look: look["at"])
    assert [(look["child"], look["person"], look["office"], look["purpose"], look["day"]) for look in looks] == [
        (CHILD, "director", "child_director", "走访", "2026-08-14"),
        (CHILD, "cadre", "child_director", "走访", "2026-08-15"),
    ]


async def test_that_the_log_was_read_is_a_look_too():
    read = AccessLogRead(child=CHILD, person="officer", on=DAY)
    [look] = (await fold_all(AccessLog(), [[on(15, read, "officer", "data_protection_officer")]]))[LOOKS].values()
    assert (look["type"], look["person"], look["on"], look["day"]) == (
        "AccessLogRead",
        "officer",
        "2026-08-14",
        "2026-08-15",
    )


async def test_a_child_lives_in_a_village_from_the_day_that_was_recorded():
    store = await fold_all(AccessLog(), [[on(10, REGISTERED)], [moved(14)]])
    stays = [(day, village) for day, village in store[HOMES][CHILD]["stays"]]
    assert stays == [("2026-08-10", VILLAGE), ("2026-08-14", NEXT_VILLAGE)]
    assert villages_on(stays, date(2026, 8, 9)) == []
    assert villages_on(stays, date(2026, 8, 10)) == [VILLAGE]
    assert villages_on(stays, date(2026, 8, 13)) == [VILLAGE]
    assert villages_on(stays, DAY) == [VILLAGE, NEXT_VILLAGE]
    assert villages_on(stays, date(2026, 8, 15)) == [NEXT_VILLAGE]


@pytest.mark.parametrize("batches", ["one", "each"])
@pytest.mark.parametrize("late", [False, True])
async def test_an_erasure_takes_the_purposes_and_leaves_who_looked(batches, late):
    history = [on(13, REGISTERED), opened(14, "director")]
    history = [*history, on(15, ERASED), opened(15, "cadre")] if late else [*history, on(15, ERASED)]
    store = await fold_all(AccessLog(), [history] if batches == "one" else [[one] for one in history])
    assert {(look["person"], look["purpose"]) for look in store[LOOKS].values()} == (
        {("director", None), ("cadre", None)} if late else {("director", None)}
    )
    assert store[HOMES][CHILD]["stays"] == [["2026-08-13", VILLAGE]]


async def test_built_again_after_an_erasure_it_is_the_same():
    history = [on(13, REGISTERED), opened(14, "director"), on(15, ERASED)]
    gone = history[1]._replace(event=history[1].event.model_copy(update={"purpose": Personal(GONE)}))
    as_it_came = await fold_all(AccessLog(), [[one] for one in history])
    assert await fold_all(AccessLog(), [[history[0], gone, history[2]]]) == as_it_came
    assert await fold_all(AccessLog(), [[gone, history[2]], [history[0]]]) == as_it_came


@pytest.mark.parametrize("order", [1, -1])
async def test_a_broken_glass_is_told_with_those_who_took_note_whatever_came_first(order):
    seen = on(14, NoticeSeen(notice=GLASS, person="officer.1"), "officer.1", "data_protection_officer", hour=3)
    store = await fold_all(AccessLog(), [[one] for one in [broken(14), seen][::order]])
    [glass] = store[BREAKS].values()
    assert (glass["village"], glass["person"], glass["reason"]) == (VILLAGE, "neighbour", "missing")
    assert (glass["day"], glass["ends"], glass["office"]) == ("2026-08-14", "2026-08-16", "posted_cadre")
    assert glass["seen"] == [["officer.1", datetime(2026, 8, 14, 3, tzinfo=UTC)]]


def test_that_the_log_was_read_is_an_event_each_time():
    read = ReadAccessLog(reading=new_id("reading"), child=CHILD, village=VILLAGE, person="officer", on=DAY)
    given(READING).when(read).then(AccessLogRead(child=CHILD, person="officer", on=DAY))


def test_note_of_a_notice_is_taken_once():
    command = AcknowledgeNotice(notice=GLASS, village=VILLAGE, person="officer")
    seen = NoticeSeen(notice=GLASS, person="officer")
    given(NOTICE).when(command).then(seen)
    given(NOTICE, seen).when(command).then()
