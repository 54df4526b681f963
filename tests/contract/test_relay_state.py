"""What every store of leases and of relay cursors promises."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest
from motor.motor_asyncio import AsyncIOMotorClient

from shared.eventlog.cursor import Cursors, Move
from shared.eventlog.lease import Leases, Tenure
from shared.eventlog.relay import RelayState

SHORT = timedelta(milliseconds=50)


@pytest.fixture(params=["memory", "mongo"])
async def state(request: pytest.FixtureRequest) -> AsyncIterator[RelayState]:
    if request.param == "memory":
        yield RelayState.in_memory()
        return
    client: AsyncIOMotorClient[dict[str, object]] = AsyncIOMotorClient(request.getfixturevalue("mongo_url"))
    database = client[f"relay_{uuid4().hex}"]
    yield RelayState.in_mongo(database)
    await client.drop_database(database)
    client.close()


@pytest.fixture
def leases(state: RelayState) -> Leases:
    return state.leases


@pytest.fixture
def cursors(state: RelayState) -> Cursors:
    return state.cursors


class TestLeases:
    async def test_one_holds_it_and_another_does_not(self, leases: Leases) -> None:
        assert await leases.acquire("relay", "one") == 1
        assert await leases.acquire("relay", "two") is None

    async def test_leases_of_different_names_do_not_meet(self, leases: Leases) -> None:
        assert await leases.acquire("relay", "one") == 1
        assert await leases.acquire("child_card", "two") == 1

    async def test_of_many_that_ask_at_once_one_gets_it(self, leases: Leases) -> None:
        asked = await asyncio.gather(*(leases.acquire("relay", f"holder-{n}") for n in range(20)))
        assert [epoch for epoch in asked if epoch is not None] == [1]

    async def test_a_lease_given_back_is_free_at_once(self, leases: Leases) -> None:
        epoch = await leases.acquire("relay", "one")
        assert epoch is not None
        await leases.release("relay", "one", epoch)
        assert await leases.acquire("relay", "two") == epoch + 1

    async def test_a_silent_holder_loses_it(self, leases: Leases) -> None:
        assert await leases.acquire("relay", "one", SHORT) == 1
        await asyncio.sleep(0.1)
        assert await leases.acquire("relay", "two") == 2
        assert not await leases.renew("relay", "one", 1)

    async def test_renewing_keeps_it(self, leases: Leases) -> None:
        assert await leases.acquire("relay", "one", SHORT) == 1
        assert await leases.renew("relay", "one", 1, timedelta(seconds=15))
        await asyncio.sleep(0.1)
        assert await leases.acquire("relay", "two") is None

    async def test_a_lease_that_ran_out_and_was_taken_by_nobody_can_be_renewed(self, leases: Leases) -> None:
        assert await leases.acquire("relay", "one", SHORT) == 1
        await asyncio.sleep(0.1)
        assert await leases.renew("relay", "one", 1)
        assert await leases.acquire("relay", "two") is None

    async def test_a_holder_that_asks_again_begins_a_new_epoch(self, leases: Leases) -> None:
        assert await leases.acquire("relay", "one") == 1
        assert await leases.acquire("relay", "one") == 2
        assert not await leases.renew("relay", "one", 1)

    async def test_an_older_epoch_gives_nothing_back(self, leases: Leases) -> None:
        await leases.acquire("relay", "one")
        await leases.acquire("relay", "one")
        await leases.release("relay", "one", 1)
        assert await leases.acquire("relay", "two") is None

    async def test_what_nobody_holds_is_not_renewed(self, leases: Leases) -> None:
        assert not await leases.renew("relay", "one", 1)


class TestCursors:
    async def test_a_partition_begins_at_nothing(self, cursors: Cursors) -> None:
        assert await cursors.take_over(3, 1) == [0, 0, 0]

    async def test_cursors_stay_where_they_were_moved(self, cursors: Cursors) -> None:
        await cursors.take_over(3, 1)
        assert await cursors.move({0: Move(0, 4), 2: Move(0, 7)}, 1)
        assert await cursors.move({2: Move(7, 9)}, 1)
        assert await cursors.take_over(3, 2) == [4, 0, 9]

    async def test_a_cursor_moves_only_from_where_it_stands(self, cursors: Cursors) -> None:
        await cursors.take_over(2, 1)
        assert await cursors.move({0: Move(0, 4)}, 1)
        assert not await cursors.move({0: Move(0, 4)}, 1)
        assert await cursors.take_over(2, 1) == [4, 0]

    async def test_an_older_epoch_moves_nothing(self, cursors: Cursors) -> None:
        await cursors.take_over(2, 1)
        await cursors.take_over(2, 2)
        assert not await cursors.move({0: Move(0, 4)}, 1)
        assert await cursors.move({0: Move(0, 3)}, 2)
        assert await cursors.take_over(2, 2) == [3, 0]

    async def test_an_older_epoch_takes_nothing_over(self, cursors: Cursors) -> None:
        await cursors.take_over(2, 2)
        assert await cursors.take_over(2, 1) is None

    async def test_nothing_to_move_is_moved(self, cursors: Cursors) -> None:
        await cursors.take_over(2, 1)
        assert await cursors.move({}, 1)


class TestTenure:
    async def test_the_store_is_asked_again_only_after_a_third_of_the_time(self, leases: Leases) -> None:
        now = 0.0
        tenure = Tenure(leases, "relay", "one", clock=lambda: now)
        assert await tenure.hold() == 1
        assert await leases.acquire("relay", "one") == 2  # the epoch moves on behind its back
        now = 4.9
        assert await tenure.hold() == 1
        now = 5.0
        assert await tenure.hold() == 3

    async def test_who_waits_gets_it_when_it_is_given_back(self, leases: Leases) -> None:
        now = 0.0
        first, second = (Tenure(leases, "relay", name, clock=lambda: now) for name in ("one", "two"))
        assert await first.hold() == 1
        assert await second.hold() is None
        await first.release()
        now = 1.0
        assert await second.hold() == 2
