"""What every event log promises."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from motor.motor_asyncio import AsyncIOMotorClient

from shared.eventlog.group import Line
from shared.eventlog.memory import MemoryLog
from shared.eventlog.mongo import MongoLog
from shared.eventlog.port import (
    Append,
    Appended,
    ClaimTaken,
    CommandAlreadyDone,
    Found,
    Log,
    RecordTooLarge,
    StreamAppend,
    VersionConflict,
)
from shared.eventlog.record import GENESIS, MAX_RECORD_BYTES, Position, decode
from tests.support.log_builders import PARTITIONS, a_draft, a_stream, an_append, records_of, to


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 8, 14, 10, 40, 2, 4_567, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


class Bell:
    """Keeps what it was told of commits."""

    def __init__(self) -> None:
        self.told: list[bytes] = []

    def __call__(self, lines: Sequence[Line]) -> None:
        self.told += [line.raw for line in lines]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def bell() -> Bell:
    return Bell()


@pytest.fixture(params=["memory", "mongo"])
async def log(request: pytest.FixtureRequest, clock: Clock, bell: Bell) -> AsyncIterator[Log]:
    if request.param == "memory":
        yield MemoryLog("registry", PARTITIONS, clock, bell)
        return
    client: AsyncIOMotorClient[Any] = AsyncIOMotorClient(request.getfixturevalue("mongo_url"))
    database = f"log_{uuid4().hex}"
    mongo = MongoLog(client, "registry", PARTITIONS, clock, bell, database=database)
    await mongo.open()
    yield mongo
    await mongo.close()
    await client.drop_database(database)
    client.close()


async def outcome(log: Log, append: Append) -> Appended | Exception:
    try:
        return await log.append(append)
    except Exception as refusal:
        return refusal


async def outcomes(log: Log, *appends: Append) -> list[Appended | Exception]:
    return list(await asyncio.gather(*(outcome(log, append) for append in appends)))


def kinds(found: list[Appended | Exception], kind: type) -> int:
    return sum(isinstance(one, kind) for one in found)


# -- one stream


async def test_an_append_is_answered_with_the_place_of_its_last_event(log: Log) -> None:
    stream = a_stream(partition=2)
    answer = await log.append(an_append(to(stream, events=3)))
    assert answer == Appended(Position("registry", 2, 3), {stream: 3})
    assert await log.append(an_append(to(stream, 3))) == Appended(Position("registry", 2, 4), {stream: 4})


async def test_a_stream_is_loaded_in_the_order_of_its_versions(log: Log) -> None:
    stream = a_stream()
    for version in range(3):
        await log.append(an_append(to(stream, version)))
    assert [decode(raw).version for raw in await log.load(stream)] == [1, 2, 3]


async def test_a_stream_that_does_not_exist_is_empty(log: Log) -> None:
    assert await log.load(a_stream()) == []
    assert await log.look_up([a_stream()], []) == Found({}, {})
    assert await log.look_up([], []) == Found({}, {})


async def test_many_streams_are_loaded_at_once_wherever_they_live(log: Log) -> None:
    streams = [a_stream(partition) for partition in (0, 1, 1, 3)]
    await asyncio.gather(*(log.append(an_append(to(stream, events=2))) for stream in streams))
    loaded = (await log.look_up([*streams, a_stream()], [])).histories
    assert loaded == {stream: await log.load(stream) for stream in streams}
    assert all(len(records) == 2 for records in loaded.values())


async def test_a_record_says_all_that_is_known_of_its_event(log: Log, clock: Clock) -> None:
    stream = a_stream(partition=3)
    draft = a_draft(source="phone", device="d", policy_version="1", causation_id="c", correlation_id="o")
    await log.append(Append(3, (StreamAppend(stream, 0, (draft,)),), "command-1", b"mac"))
    [raw] = await log.load(stream)
    record = decode(raw)
    assert (record.service, record.partition, record.seq, record.prev) == ("registry", 3, 1, GENESIS)
    assert (record.stream, record.version, record.command_id) == (stream, 1, "command-1")
    assert all(getattr(record, name) == getattr(draft, name) for name in draft.__struct_fields__)


@pytest.mark.parametrize("expected", [0, 1, 3, 7], ids=["behind", "one behind", "one ahead", "far ahead"])
async def test_another_version_than_expected_is_a_conflict(log: Log, expected: int) -> None:
    stream = a_stream()
    await log.append(an_append(to(stream, events=2)))
    with pytest.raises(VersionConflict) as conflict:
        await log.append(an_append(to(stream, expected)))
    assert (conflict.value.stream, conflict.value.expected) == (stream, expected)
    assert len(await log.load(stream)) == 2


async def test_a_stream_that_does_not_exist_has_no_version_to_expect(log: Log) -> None:
    with pytest.raises(VersionConflict):
        await log.append(an_append(to(a_stream(), 1)))


# -- several streams


async def test_several_streams_of_a_partition_are_appended_to_in_one_step(log: Log) -> None:
    visit, concern = a_stream(), a_stream()
    answer = await log.append(an_append(to(visit, events=2), to(concern)))
    assert answer == Appended(Position("registry", 1, 3), {visit: 2, concern: 1})
    assert [record.stream for record in await records_of(log, 1)] == [visit, visit, concern]


async def test_a_conflict_in_one_stream_leaves_the_others_alone(log: Log) -> None:
    old, new = a_stream(), a_stream()
    await log.append(an_append(to(old)))
    with pytest.raises(VersionConflict):
        await log.append(an_append(to(new), to(old)))
    assert await log.load(new) == []
    assert len(await records_of(log, 1)) == 1


@pytest.mark.parametrize(
    "append",
    [
        Append(1, (), "command"),
        Append(1, (StreamAppend(a_stream(1), 0, ()),), "command"),
        Append(2, (to(a_stream(1)),), "command"),
        Append(1, (to(a_stream(1)), to(a_stream(2))), "command"),
        Append(1, (to(same := a_stream(1)), to(same, 1)), "command"),
    ],
    ids=["no stream", "no event", "another partition", "two partitions", "a stream twice"],
)
async def test_what_can_be_in_no_log_is_a_mistake_of_the_caller(log: Log, append: Append) -> None:
    with pytest.raises(ValueError, match=r"an append|partition"):
        await log.append(append)
    assert [head.seq for head in await log.heads()] == [0] * PARTITIONS


async def test_an_append_that_cannot_be_written_harms_no_neighbour(log: Log) -> None:
    good = [an_append(to(a_stream(n % PARTITIONS))) for n in range(20)]
    stream = a_stream()
    bad = Append(1, (StreamAppend(stream, 0, (a_draft(device="\ud800"),)),), "command")
    answers = await outcomes(log, *good[:9], bad, *good[9:])
    assert kinds(answers, Appended) == 20
    assert isinstance(answers[9], UnicodeEncodeError)
    assert await log.load(stream) == []


# -- command ids


async def test_a_command_id_that_was_used_answers_with_its_first_answer(log: Log) -> None:
    one, two = a_stream(), a_stream()
    append = an_append(to(one, events=2), to(two), command="command-1", mac=b"first")
    answer = await log.append(append)
    for again in (append, an_append(to(a_stream()), command="command-1", mac=b"second")):
        with pytest.raises(CommandAlreadyDone) as done:
            await log.append(again)
        assert done.value.answer == ("command-1", b"first", "person-1", answer)
    assert len(await records_of(log, 1)) == 3


async def test_a_first_answer_can_be_asked_for(log: Log) -> None:
    append = an_append(to(a_stream(), events=2), command="command-1")
    answer = await log.append(append)
    found = (await log.look_up([], [(1, "command-1"), (1, "command-2"), (2, "command-1")])).answers
    assert found == {"command-1": ("command-1", b"mac", "person-1", answer)}


async def test_first_answers_are_found_for_many_commands_at_once(log: Log) -> None:
    for n in range(4):
        await log.append(an_append(to(a_stream(partition=n)), command=f"command-{n}"))
    asked = [(0, "command-0"), (3, "command-3"), (1, "command-2"), (1, "command-9")]
    found = (await log.look_up([], asked)).answers
    assert set(found) == {"command-0", "command-3"}
    assert found["command-3"].appended.position == Position("registry", 3, 1)


async def test_streams_and_commands_are_looked_up_in_one_question(log: Log) -> None:
    one, two, three = (a_stream(partition) for partition in (0, 0, 2))
    first = await log.append(an_append(to(one, events=2), to(two), command="command-1"))
    await log.append(an_append(to(one, 2), command="command-2"))
    await log.append(an_append(to(three), command="command-3"))
    histories, answers = await log.look_up([one, three], [(0, "command-1"), (2, "command-9")])
    assert histories == {one: await log.load(one), three: await log.load(three)}
    assert answers == {"command-1": ("command-1", b"mac", "person-1", first)}


async def test_the_same_command_twice_at_once_takes_effect_once(log: Log) -> None:
    stream = a_stream()
    append = an_append(to(stream, events=2), command="command-1")
    found = await outcomes(log, append, append, an_append(to(a_stream()), command="command-1"))
    assert kinds(found, Appended) == 1
    assert kinds(found, CommandAlreadyDone) == 2
    assert len(await records_of(log, 1)) == 2


async def test_the_same_command_id_in_two_partitions_is_two_commands(log: Log) -> None:
    here = await log.append(an_append(to(a_stream(0)), command="command-1"))
    there = await log.append(an_append(to(stream := a_stream(1)), command="command-1"))
    for append in (an_append(to(stream, 1), command="command-1"), an_append(to(a_stream(1)), command="command-1")):
        with pytest.raises(CommandAlreadyDone) as done:
            await log.append(append)
        assert done.value.answer.appended == there
    found = await outcomes(
        log, *(an_append(to(a_stream(n)), command="command-1") for n in (0, 2)), an_append(to(a_stream(0), 9))
    )
    assert [type(one) for one in found] == [CommandAlreadyDone, Appended, VersionConflict]
    answers = (await log.look_up([], [(0, "command-1")])).answers
    assert answers["command-1"].appended == here


async def test_a_refused_command_is_not_remembered(log: Log) -> None:
    stream = a_stream()
    with pytest.raises(VersionConflict):
        await log.append(an_append(to(stream, 4), command="command-1"))
    assert not (await log.look_up([], [(1, "command-1")])).answers
    await log.append(an_append(to(stream), command="command-1"))


# -- claims


async def test_a_claim_has_one_holder(log: Log) -> None:
    first, second = a_stream(0), a_stream(2)
    await log.append(an_append(to(first), claims={"secretary/1": first}))
    with pytest.raises(ClaimTaken) as taken:
        await log.append(an_append(to(second), claims={"secretary/1": second, "secretary/2": second}))
    assert taken.value.claim == "secretary/1"
    assert await log.load(second) == []
    await log.append(an_append(to(second), claims={"secretary/2": second}))


async def test_a_holder_may_claim_again_what_it_holds(log: Log) -> None:
    stream, other = a_stream(), a_stream()
    await log.append(an_append(to(stream), claims={"secretary/1": stream}))
    await log.append(an_append(to(stream, 1), claims={"secretary/1": stream}))
    with pytest.raises(ClaimTaken):
        await log.append(an_append(to(other), claims={"secretary/1": other}))


async def test_a_claim_given_up_is_free(log: Log) -> None:
    first, second = a_stream(), a_stream()
    await log.append(an_append(to(first), claims={"secretary/1": first}))
    await log.append(an_append(to(first, 1), releases=["secretary/1"]))
    await log.append(an_append(to(second), claims={"secretary/1": second}))


async def test_a_claim_of_another_stream_is_not_given_up(log: Log) -> None:
    first, second = a_stream(), a_stream()
    await log.append(an_append(to(first), claims={"secretary/1": first}))
    await log.append(an_append(to(second), releases=["secretary/1", "secretary/2"]))
    with pytest.raises(ClaimTaken):
        await log.append(an_append(to(second, 1), claims={"secretary/1": second}))
    with pytest.raises(ClaimTaken):
        await log.append(an_append(to(second, 1), claims={"secretary/1": second}, releases=["secretary/1"]))


async def test_a_claim_can_be_handed_over_in_one_step(log: Log) -> None:
    first, second = a_stream(), a_stream()
    await log.append(an_append(to(first), claims={"secretary/1": first}))
    handover = an_append(to(first, 1), to(second), claims={"secretary/1": second}, releases=["secretary/1"])
    await log.append(handover)
    with pytest.raises(ClaimTaken):
        await log.append(an_append(to(first, 2), claims={"secretary/1": first}))


async def test_an_append_that_is_refused_takes_and_gives_up_no_claim(log: Log) -> None:
    first, second = a_stream(), a_stream()
    await log.append(an_append(to(first), claims={"secretary/1": first}))
    with pytest.raises(VersionConflict):
        await log.append(an_append(to(first, 5), claims={"secretary/2": first}, releases=["secretary/1"]))
    await log.append(an_append(to(second), claims={"secretary/2": second}))
    with pytest.raises(ClaimTaken):
        await log.append(an_append(to(second, 1), claims={"secretary/1": second}))


async def test_of_many_that_want_a_claim_at_once_one_gets_it(log: Log) -> None:
    streams = [a_stream(n % PARTITIONS) for n in range(12)]
    found = await outcomes(log, *(an_append(to(s), claims={"secretary/1": s}) for s in streams))
    assert kinds(found, Appended) == 1
    assert kinds(found, ClaimTaken) == 11


# -- partitions


async def test_numbers_have_no_hole_and_each_record_names_the_one_before(log: Log) -> None:
    streams = [a_stream(n % PARTITIONS) for n in range(40)]
    await outcomes(log, *(an_append(to(stream, events=1 + n % 3)) for n, stream in enumerate(streams)))
    assert sum([len(await records_of(log, partition)) for partition in range(PARTITIONS)]) == 79


async def test_records_are_read_after_a_number_up_to_a_limit(log: Log) -> None:
    await log.append(an_append(to(a_stream(), events=5)))
    await log.append(an_append(to(a_stream(2), events=2)))
    assert [decode(raw).seq for raw in await log.read(1, 0, 2)] == [1, 2]
    assert [decode(raw).seq for raw in await log.read(1, 2, 100)] == [3, 4, 5]
    assert [decode(raw).partition for raw in await log.read(2, 0, 100)] == [2, 2]
    assert await log.read(1, 5, 100) == []
    assert await log.read(0, 0, 100) == []


async def test_heads_say_where_each_partition_ends(log: Log) -> None:
    assert [(h.partition, h.seq, h.hash) for h in await log.heads()] == [(p, 0, GENESIS) for p in range(PARTITIONS)]
    await log.append(an_append(to(a_stream(3), events=2)))
    heads = await log.heads()
    assert [head.seq for head in heads] == [0, 0, 0, 2]
    assert all(head.time.tzinfo is not None for head in heads)


async def test_whoever_sends_is_told_what_was_committed(log: Log, bell: Bell) -> None:
    await log.append(an_append(to(a_stream(), events=2)))
    assert bell.told == await log.read(1, 0, 10)
    assert len(bell.told) == 2


# -- time


async def test_the_system_learned_it_when_it_was_appended_to_the_millisecond(log: Log, clock: Clock) -> None:
    await log.append(an_append(to(a_stream())))
    [record] = await records_of(log, 1)
    assert record.recorded_at == datetime(2026, 8, 14, 10, 40, 2, 4_000, tzinfo=UTC)


async def test_recorded_at_never_runs_backwards_in_a_partition(log: Log, clock: Clock) -> None:
    stream = a_stream()
    for version, step in enumerate((0, -3_600, 2, -1)):
        clock.now += timedelta(seconds=step)
        await log.append(an_append(to(stream, version)))
    times = [record.recorded_at for record in await records_of(log, 1)]
    assert times == sorted(times)
    assert (await log.heads())[1].time >= times[-1]


# -- size


async def test_a_record_over_256_kib_is_refused_before_anything_is_written(log: Log) -> None:
    stream = a_stream()
    with pytest.raises(RecordTooLarge) as refusal:
        await log.append(an_append(to(stream), to(a_stream(), size=MAX_RECORD_BYTES - 300)))
    assert refusal.value.size > MAX_RECORD_BYTES
    assert await log.load(stream) == []


async def test_a_record_just_under_256_kib_is_taken(log: Log) -> None:
    stream = a_stream()
    await log.append(an_append(to(stream, size=MAX_RECORD_BYTES - 1_000)))
    [raw] = await log.load(stream)
    assert MAX_RECORD_BYTES - 600 < len(raw) <= MAX_RECORD_BYTES


async def test_an_append_may_be_larger_than_a_group(log: Log) -> None:
    stream = a_stream()
    await log.append(an_append(to(stream, events=1_500)))
    await log.append(an_append(to(a_stream(2), events=60, size=200_000)))
    assert len(await records_of(log, 1)) == 1_500


# -- many at once


async def test_of_two_that_expect_the_same_version_exactly_one_wins(log: Log) -> None:
    streams = [a_stream(n % PARTITIONS) for n in range(10)]
    for version in range(3):
        found = await outcomes(log, *(an_append(to(s, version)) for s in streams for _ in range(20)))
        assert kinds(found, Appended) == 10
        assert kinds(found, VersionConflict) == 190
    assert [len(await log.load(stream)) for stream in streams] == [3] * 10
    assert sum([len(await records_of(log, partition)) for partition in range(PARTITIONS)]) == 30


async def test_a_caller_that_goes_away_takes_no_other_with_it(log: Log) -> None:
    callers = [asyncio.create_task(log.append(an_append(to(a_stream(n % PARTITIONS))))) for n in range(30)]
    await asyncio.sleep(0)
    for caller in callers[::3]:
        caller.cancel()
    answers = await asyncio.gather(*callers, return_exceptions=True)
    assert kinds([a for a in answers if not isinstance(a, asyncio.CancelledError)], Appended) >= 20
    await log.append(an_append(to(a_stream())))
    for partition in range(PARTITIONS):
        await records_of(log, partition)
