"""A record that several read models of a process fold is opened once, and none of them sees the difference."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from shared.eventlog.memory import MemoryLog
from shared.eventlog.record import Record, decode
from shared.projection.opener import OpenedOnce
from tests.support.sample_log import commit


class Model:
    def __init__(self, kind: str, *events: str) -> None:
        self.opens = frozenset({kind})
        self.events = frozenset(events)


class Counting:
    """Opens a record by giving its id; ``broken`` records cannot be opened."""

    def __init__(self) -> None:
        self.opened: list[str] = []
        self.kinds: set[str] = set()
        self.broken: set[str] = set()

    async def open(self, records: Any, kinds: Any) -> list[Any]:
        await asyncio.sleep(0)
        self.kinds |= set(kinds)
        if any(record.id in self.broken for record in records):
            raise ValueError("cannot be opened")
        self.opened += [record.id for record in records]
        return [record.id for record in records]


@pytest.fixture
async def records() -> list[Record]:
    log = MemoryLog("registry", 1)
    await commit(log, 10)
    return [decode(raw) for raw in await log.read(0, 0, 100)]


def ids(records: list[Record]) -> list[str]:
    return [record.id for record in records]


CHILDREN, FIGURES = Model("personal", "ChildFileClosed"), Model("counted", "ChildFileClosed")


async def test_two_that_ask_at_once_share_one_opening(records: list[Record]) -> None:
    counting = Counting()
    opener = OpenedOnce(counting, [CHILDREN, FIGURES])
    both = await asyncio.gather(opener.open(records, ["personal"]), opener.open(records, ["counted"]))
    assert both == [ids(records), ids(records)]
    assert counting.opened == ids(records)
    assert counting.kinds == {"personal", "counted"}


async def test_who_comes_later_in_other_pieces_gets_what_was_kept_and_then_nothing_is(records: list[Record]) -> None:
    counting = Counting()
    opener = OpenedOnce(counting, [CHILDREN, FIGURES])
    await opener.open(records, ["personal"])
    assert await opener.open(records[:3], ["counted"]) == ids(records[:3])
    assert await opener.open(records[3:], ["counted"]) == ids(records[3:])
    assert counting.opened == ids(records)
    assert not opener._openings


async def test_what_only_one_folds_is_not_kept(records: list[Record]) -> None:
    opener = OpenedOnce(Counting(), [CHILDREN, Model("counted", "VisitLogged")])
    await opener.open(records, ["personal"])
    assert not opener._openings


async def test_no_more_is_kept_than_said_and_the_rest_is_opened_again(records: list[Record]) -> None:
    counting = Counting()
    opener = OpenedOnce(counting, [CHILDREN, FIGURES], kept=4)
    await opener.open(records, ["personal"])
    assert len(opener._openings) == 4
    assert await opener.open(records, ["counted"]) == ids(records)
    assert counting.opened == ids(records) + ids(records[:6])


async def test_a_record_that_cannot_be_opened_spoils_only_its_own_question(records: list[Record]) -> None:
    counting = Counting()
    counting.broken = {records[4].id}
    opener = OpenedOnce(counting, [CHILDREN, FIGURES])
    with pytest.raises(ValueError, match="cannot be opened"):
        await opener.open(records, ["personal"])
    assert await opener.open(records[:4], ["personal"]) == ids(records[:4])
    counting.broken = set()
    assert await opener.open(records, ["counted"]) == ids(records)


async def test_who_gives_up_leaves_the_others_their_events(records: list[Record]) -> None:
    opener = OpenedOnce(Counting(), [CHILDREN, FIGURES])
    gone = asyncio.create_task(opener.open(records, ["personal"]))
    stays = asyncio.create_task(opener.open(records, ["counted"]))
    await asyncio.sleep(0)
    gone.cancel()
    assert await stays == ids(records)
