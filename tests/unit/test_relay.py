"""The relay, one step at a time, over a log, a topic and a state in memory."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import msgspec
import pytest

from shared.eventlog.memory import MemoryLog
from shared.eventlog.placement import new_id, partition_of
from shared.eventlog.port import Append, StreamAppend
from shared.eventlog.record import Actor, Draft
from shared.eventlog.relay import NOTE_SECONDS, REMEMBERED, LogOutOfOrderError, Relay, RelayState
from shared.eventlog.topic import Fault, MemoryTopic, TopicUnavailableError

PARTITIONS = 4
NOW = datetime(2026, 8, 14, tzinfo=UTC)


class World:
    """One log, one topic, and as many relays as a test wants; time stands until it is moved."""

    def __init__(self) -> None:
        self.now = 0.0
        self.log = MemoryLog("registry", PARTITIONS)
        self.topic = MemoryTopic()
        self.state = RelayState.in_memory(self.clock)

    def clock(self) -> float:
        return self.now

    def relay(self, holder: str = "one", batch: int = 1_000) -> Relay:
        return Relay(self.log, self.state, self.topic, holder, batch=batch, clock=self.clock)

    async def commit(self, count: int) -> None:
        for _ in range(count):
            stream, command = new_id("child"), new_id("command")
            draft = Draft(command, "ChildFileClosed", 1, NOW, Actor("a", "system"), msgspec.Raw(b"{}"))
            partition = partition_of(stream, PARTITIONS)
            await self.log.append(Append(partition, (StreamAppend(stream, 0, (draft,)),), command))

    async def committed(self) -> dict[int, list[bytes]]:
        return {p: await self.log.read(p, 0, 10_000) for p in range(PARTITIONS)}

    @property
    def on_topic(self) -> dict[int, list[bytes]]:
        return {p: [m.value for m in self.topic.stored["registry", p]] for p in range(PARTITIONS)}


@pytest.fixture
def world() -> World:
    return World()


async def steps(relay: Relay) -> AsyncIterator[int]:
    """What each step sent, until there is nothing left."""
    while sent := await relay.step():
        yield sent


async def test_everything_is_sent_once_in_order(world: World) -> None:
    await world.commit(20)
    relay = world.relay(batch=3)
    while await relay.step():
        pass
    await world.commit(5)
    assert sum([sent async for sent in steps(relay)]) == 5
    assert world.on_topic == await world.committed()


async def test_the_key_is_the_stream(world: World) -> None:
    await world.commit(1)
    await world.relay().step()
    [message] = [m for messages in world.topic.stored.values() for m in messages]
    assert message.key.decode() == msgspec.json.decode(message.value)["stream"]


@pytest.mark.parametrize("fault", [Fault.REFUSED, Fault.HALF_STORED, Fault.UNANSWERED])
async def test_what_was_not_acknowledged_is_sent_again(world: World, fault: Fault) -> None:
    await world.commit(20)
    relay = world.relay()
    world.topic.fault = fault
    with pytest.raises(TopicUnavailableError):
        await relay.step()
    world.topic.fault = Fault.NONE
    assert await relay.step() == 20
    for partition, records in (await world.committed()).items():
        assert world.on_topic[partition][-len(records) :] == records


async def test_a_crash_before_the_cursor_moves_sends_twice_and_loses_nothing(world: World) -> None:
    await world.commit(20)
    crashed = world.relay()
    crashed._move = None  # type: ignore[assignment, method-assign]
    with pytest.raises(TypeError):
        await crashed.step()
    world.now += 15
    assert await world.relay("two").step() == 20
    assert world.on_topic == {p: records * 2 for p, records in (await world.committed()).items()}


class CountedReads(MemoryLog):
    def __init__(self, service: str, partitions: int, relay: Callable[[], Relay]) -> None:
        super().__init__(service, partitions, on_commit=lambda lines: relay().committed(lines))
        self.reads = 0

    async def read(self, partition: int, after: int, limit: int) -> list[bytes]:
        self.reads += 1
        return await super().read(partition, after, limit)


async def a_relay_of_its_own_commits(world: World) -> tuple[CountedReads, Relay]:
    """It has looked at the log once, just now."""
    log = CountedReads("registry", PARTITIONS, lambda: relay)
    world.log = log
    relay = world.relay()
    await relay.step()
    log.reads = 0
    return log, relay


async def test_what_this_process_has_committed_is_sent_without_reading_the_log(world: World) -> None:
    log, relay = await a_relay_of_its_own_commits(world)
    for _ in range(3):
        await world.commit(20)
        await relay.step()
    sent = world.on_topic
    assert log.reads == 0
    assert sent == await world.committed()


async def test_what_another_process_has_committed_between_is_read_from_the_log(world: World) -> None:
    log, relay = await a_relay_of_its_own_commits(world)
    await world.commit(20)
    log._on_commit = None  # as another process would, of which nobody here is told
    await world.commit(20)
    log._on_commit = relay.committed
    await world.commit(20)
    world.now += 1
    while await relay.step():
        pass
    assert world.on_topic == await world.committed()


async def test_more_than_is_remembered_is_read_from_the_log(world: World) -> None:
    log, relay = await a_relay_of_its_own_commits(world)
    world.topic.fault = Fault.REFUSED
    await world.commit(PARTITIONS * (REMEMBERED + 100))
    world.topic.fault = Fault.NONE
    while await relay.step():
        world.now += 1
    assert log.reads > 0
    assert world.on_topic == await world.committed()


async def test_the_cursors_are_moved_now_and_then_and_before_another_takes_over(world: World) -> None:
    first, second = world.relay("one"), world.relay("two")
    for _ in range(5):
        await world.commit(5)
        await first.step()
    assert sum((await world.state.cursors.take_over(PARTITIONS, 1)) or ()) == 5
    await first.release()
    assert await second.step() == 0
    assert world.on_topic == await world.committed()


async def test_who_has_no_lease_sends_nothing(world: World) -> None:
    first, second = world.relay("one"), world.relay("two")
    await world.commit(4)
    assert await first.step() == 4
    await world.commit(3)
    assert await second.step() == 0
    assert (first.sends, second.sends) == (True, False)


async def test_after_a_clean_stop_another_goes_on_where_it_ended(world: World) -> None:
    first, second = world.relay("one"), world.relay("two")
    await world.commit(4)
    await first.step()
    await second.step()
    await first.release()
    world.now += 1
    await world.commit(3)
    assert await second.step() == 3
    assert world.on_topic == await world.committed()


async def test_a_relay_that_slept_through_its_lease_is_fenced_and_stops(world: World) -> None:
    first, second = world.relay("one"), world.relay("two")
    await world.commit(4)
    await first.step()
    await world.state.leases.release("relay", "one", 1)  # as if it had run out for the store alone
    assert await second.step() == 0
    await world.commit(3)
    world.now += NOTE_SECONDS
    assert await first.step() == 3  # it still believes: duplicates, and nothing else
    assert not first.sends
    await world.commit(2)
    assert await second.step() == 5
    world.now += 1
    assert await first.step() == 0


@pytest.mark.parametrize("damage", ["a record is missing", "a record is no record"])
async def test_a_damaged_partition_is_not_sent_and_the_others_are(world: World, damage: str) -> None:
    await world.commit(40)
    if damage == "a record is missing":
        del world.log._lines[0][2]
    else:
        world.log._lines[0][2] = b"{"
    relay = world.relay()
    for _ in range(2):
        with pytest.raises((LogOutOfOrderError, msgspec.DecodeError)):
            await relay.step()
    committed = await world.committed()
    assert world.on_topic == {p: records if p else [] for p, records in committed.items()}


async def test_running_it_sends_at_once_when_woken_and_gives_the_lease_back(world: World) -> None:
    relay = world.relay()
    running = asyncio.create_task(relay.run())
    await asyncio.sleep(0.01)
    await world.commit(3)
    relay.committed([])
    await asyncio.sleep(0.01)
    assert world.on_topic == await world.committed()
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    assert await world.state.leases.acquire("relay", "two") == 2


async def test_running_it_outlives_a_topic_that_is_down(world: World) -> None:
    relay = world.relay()
    world.topic.fault = Fault.REFUSED
    await world.commit(3)
    running = asyncio.create_task(relay.run())
    await asyncio.sleep(0.05)
    world.topic.fault = Fault.NONE
    await asyncio.sleep(0.3)
    assert world.on_topic == await world.committed()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
