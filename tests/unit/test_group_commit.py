"""What a group commit does before it meets a database, and how the committer deals with what a store may answer."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from shared.eventlog import committer as module
from shared.eventlog.committer import Cause, Committer, Heads, NotCommitted
from shared.eventlog.group import (
    MAX_BYTES,
    MAX_EVENTS,
    Member,
    Plan,
    VersionCache,
    empty_heads,
    independent,
    milliseconds,
    plan,
    take,
)
from shared.eventlog.port import (
    Append,
    Appended,
    CommandAlreadyDone,
    FirstAnswer,
    Head,
    LogError,
    LogUnavailableError,
)
from shared.eventlog.record import GENESIS, decode, hash_of
from tests.support.log_builders import PARTITIONS, TOLD, a_stream, an_append, to


def member(append: Append) -> Member:
    return Member(append, asyncio.get_running_loop().create_future())


def members(count: int, **shape: int) -> list[Member]:
    return [member(an_append(to(a_stream(n % PARTITIONS), **shape))) for n in range(count)]


# -- who goes together


async def test_a_group_takes_all_that_wait_in_their_order() -> None:
    waiting = members(5)
    assert take(queue := deque(waiting)) == waiting
    assert not queue


async def test_a_group_holds_a_thousand_events() -> None:
    queue = deque(members(6, events=300))
    assert [len(take(queue)) for _ in range(2)] == [MAX_EVENTS // 300, 3]


async def test_a_group_holds_eight_megabytes() -> None:
    queue = deque(members(5, events=15, size=200_000))
    group = take(queue)
    assert len(group) == 2
    assert sum(one.size for one in group) <= MAX_BYTES


async def test_an_append_larger_than_a_group_goes_alone() -> None:
    queue = deque([*members(1, events=MAX_EVENTS + 1), *members(1)])
    assert len(take(queue)) == 1


async def test_a_suspect_goes_with_few() -> None:
    waiting = members(10)
    waiting[2].company = 3
    assert [len(take(deque(waiting))), len(take(deque(waiting[4:])))] == [3, 6]


async def test_those_that_touch_the_same_wait_a_turn() -> None:
    stream, other, third = a_stream(), a_stream(), a_stream()
    first = member(an_append(to(stream), command="command-1", claims={"c": stream}))
    others = [
        member(an_append(to(stream))),
        member(an_append(to(other), command="command-1")),
        member(an_append(to(other), claims={"c": other})),
        member(an_append(to(third), releases=["c"])),
    ]
    free = member(an_append(to(a_stream())))
    assert independent([first, *others, free]) == ([first, free], others)


async def test_who_waits_is_not_overtaken_in_its_stream() -> None:
    one, two = a_stream(), a_stream()
    first, both, last = member(an_append(to(one))), member(an_append(to(one), to(two))), member(an_append(to(two)))
    assert independent([first, both, last]) == ([first], [both, last])


def test_a_stream_not_seen_is_taken_for_new() -> None:
    assert VersionCache().fit(an_append(to(a_stream())))
    assert not VersionCache().fit(an_append(to(a_stream(), 3)))


def test_a_late_answer_does_not_make_a_stream_shorter() -> None:
    cache, stream = VersionCache(), a_stream()
    cache.saw({stream: 3})
    cache.saw({stream: 2})
    assert cache.fit(an_append(to(stream, 3)))


def test_the_streams_seen_longest_ago_are_forgotten() -> None:
    cache, streams = VersionCache(2), [a_stream() for _ in range(3)]
    cache.saw({streams[0]: 1, streams[1]: 1})
    cache.saw({streams[0]: 1})
    cache.saw({streams[2]: 1})
    assert [cache.fit(an_append(to(stream, 1))) for stream in streams] == [True, False, True]


# -- which bytes they become


async def test_a_plan_goes_on_from_the_heads() -> None:
    heads = empty_heads(PARTITIONS, TOLD) | {1: Head(1, 41, "ab" * 32, TOLD)}
    one, two = member(an_append(to(a_stream(1), events=2))), member(an_append(to(a_stream(1))))
    planned = plan("registry", [one, two, *members(1)], heads, TOLD)
    raws = [line.raw for line in planned.lines[:3]]
    records = [decode(raw) for raw in raws]
    assert [record.seq for record in records] == [42, 43, 44]
    assert [record.prev for record in records] == ["ab" * 32, hash_of(raws[0]), hash_of(raws[1])]
    assert planned.heads[1] == Head(1, 44, hash_of(raws[2]), TOLD)
    assert {move.before.partition for move in planned.moves} == {0, 1}
    assert [planned.answers[m].position.seq for m in (one, two)] == [43, 44]
    assert planned.heads[2] == Head(2, 0, GENESIS, TOLD)


async def test_a_plan_does_not_go_back_behind_the_heads_time() -> None:
    heads = {p: head._replace(time=TOLD + timedelta(hours=p)) for p, head in empty_heads(PARTITIONS, TOLD).items()}
    planned = plan("registry", members(PARTITIONS), heads, TOLD + timedelta(hours=2, microseconds=1_999))
    later = TOLD + timedelta(hours=2, milliseconds=1)
    assert [line.record.recorded_at for line in planned.lines] == [later] * 3 + [heads[3].time]


def test_moments_are_cut_to_the_millisecond() -> None:
    assert milliseconds(datetime(2026, 1, 1, 0, 0, 0, 999_999, UTC)).microsecond == 999_000


# -- the committer


class ShelfStore:
    """A store in memory. Before or after a commit it does what the test has scripted for it."""

    def __init__(self) -> None:
        self.heads: dict[int, Head] = empty_heads(PARTITIONS, TOLD)
        self.groups: list[int] = []
        self.touches = 0
        self.done: dict[str, FirstAnswer] = {}
        self.before: list[Callable[[Sequence[Member]], None]] = []
        self.after: list[Callable[[Sequence[Member]], None]] = []

    def commit(self, members: Sequence[Member], heads: Heads | None) -> Plan:
        if self.before:
            self.before.pop(0)(members)
        planned = plan("registry", members, self.heads if heads is None else heads, TOLD)
        self.heads = planned.heads
        self.groups.append(len(members))
        for one in members:
            append, one.planned = one.append, planned.answers[one]
            first = FirstAnswer(append.command_id, append.command_mac, "person-1", one.planned)
            self.done[append.command_id] = first
        if self.after:
            self.after.pop(0)(members)
        return planned

    def look_up(self, members: Sequence[Member]) -> dict[Member, LogError]:
        done = ((one, self.done.get(one.append.command_id)) for one in members)
        return {one: CommandAlreadyDone(first) for one, first in done if first is not None}

    def touch(self, heads: Heads | None) -> dict[int, Head]:
        self.touches += 1
        return self.heads


def failing(cause: Cause) -> Callable[[Sequence[Member]], None]:
    def fail(members: Sequence[Member]) -> None:
        raise NotCommitted(cause, "scripted")

    return fail


@pytest.fixture
def store() -> ShelfStore:
    return ShelfStore()


@pytest.fixture
async def committer(store: ShelfStore) -> AsyncIterator[Committer]:
    committer = Committer(store, VersionCache())
    committer.start()
    yield committer
    await committer.stop()


def append_some(committer: Committer, count: int) -> list[asyncio.Task[Appended]]:
    appends = [an_append(to(a_stream(n % PARTITIONS))) for n in range(count)]
    return [asyncio.create_task(committer.append(append)) for append in appends]


async def test_all_that_wait_are_committed_together(store: ShelfStore, committer: Committer) -> None:
    await asyncio.gather(*append_some(committer, 50))
    assert sum(store.groups) == 50
    assert len(store.groups) <= 2


@pytest.mark.parametrize("cause", list(Cause))
async def test_what_was_not_committed_is_tried_again(store: ShelfStore, committer: Committer, cause: Cause) -> None:
    store.before = [failing(cause)] * 3
    answers = await asyncio.gather(*append_some(committer, 8))
    assert len({answer.position for answer in answers}) == 8
    assert sum(store.groups) == 8


async def test_a_commit_nobody_heard_of_is_answered_as_what_it_is(store: ShelfStore, committer: Committer) -> None:
    store.after = [failing(Cause.LOST)]
    answers = await asyncio.gather(*append_some(committer, 8))
    assert {answer.position for answer in answers} == {first.appended.position for first in store.done.values()}
    assert sum(store.groups) == 8


async def test_a_store_that_stays_away_is_answered_in_time(
    store: ShelfStore, committer: Committer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.05)
    store.before = [failing(Cause.LOST)] * 1_000
    for refusal in await asyncio.gather(*append_some(committer, 8), return_exceptions=True):
        assert isinstance(refusal, LogUnavailableError)
    store.before = []
    await asyncio.gather(*append_some(committer, 8))


async def test_one_that_the_store_refuses_for_ever_does_not_hold_up_the_others(
    store: ShelfStore, committer: Committer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.5)

    def refuse(members: Sequence[Member]) -> None:
        if any(one.append.command_id == "bad" for one in members):
            raise NotCommitted(Cause.REFUSED, "scripted")

    store.before = [refuse] * 1_000
    bad = asyncio.create_task(committer.append(an_append(to(a_stream()), command="bad")))
    await asyncio.gather(*append_some(committer, 64))
    with pytest.raises(LogUnavailableError):
        await bad


async def test_one_that_cannot_be_written_gets_its_own_fault(store: ShelfStore, committer: Committer) -> None:
    def choke(members: Sequence[Member]) -> None:
        if any(one.append.command_id == "bad" for one in members):
            raise OverflowError

    store.before = [choke] * 100
    bad = asyncio.create_task(committer.append(an_append(to(a_stream()), command="bad")))
    await asyncio.gather(*append_some(committer, 64))
    with pytest.raises(OverflowError):
        await bad
    assert len(store.groups) < 12


async def test_heads_are_touched_whether_appends_flow_or_not(
    store: ShelfStore, committer: Committer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TOUCH_SECONDS", 0.005)
    await asyncio.gather(*append_some(committer, 1))
    idle = store.touches
    await asyncio.sleep(0.1)
    assert store.touches > idle + 2
    busy = store.touches
    for _ in range(100):
        await asyncio.gather(*append_some(committer, 1))
        await asyncio.sleep(0.0005)
    assert store.touches > busy + 2


async def test_a_fault_of_a_touch_ends_nothing(
    store: ShelfStore, committer: Committer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fall(heads: Heads | None) -> dict[int, Head]:
        raise OverflowError

    monkeypatch.setattr(store, "touch", fall)
    monkeypatch.setattr(module, "TOUCH_SECONDS", 0.001)
    await asyncio.sleep(0.01)
    await asyncio.gather(*append_some(committer, 1))


async def test_what_waits_is_committed_before_it_stops(store: ShelfStore) -> None:
    committer = Committer(store, VersionCache())
    committer.start()
    waiting = append_some(committer, 20)
    await asyncio.sleep(0)
    await committer.stop()
    assert len(await asyncio.gather(*waiting)) == 20
    with pytest.raises(LogUnavailableError):
        await committer.append(an_append(to(a_stream())))
