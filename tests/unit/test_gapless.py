"""Gapless runs from whatever a topic brings."""

from __future__ import annotations

import random

import pytest

from shared.eventlog.memory import MemoryLog
from shared.eventlog.record import GENESIS, hash_of
from shared.messaging.gapless import AHEAD_PATIENCE, BrokenChainError, Line, Message
from shared.messaging.run import Mark, Run, Source
from tests.support.sample_log import commit, forged

SOURCE = Source("registry", 0)


@pytest.fixture
async def log() -> MemoryLog:
    log = MemoryLog("registry", 1)
    await commit(log, 10)
    return log


@pytest.fixture
async def raws(log: MemoryLog) -> list[bytes]:
    return await log.read(0, 0, 100)


def messages(raws: list[bytes], offset: int = 0) -> list[Message]:
    return [Message.of(offset + index, raw) for index, raw in enumerate(raws)]


def a_line(mark: Mark | None = None) -> Line:
    return Line(SOURCE, mark or Mark())


def seqs(run: Run | None) -> list[int]:
    return [record.seq for record in run.records] if run else []


def test_records_in_order_become_one_run(raws: list[bytes]) -> None:
    line = a_line()
    run, rest = line.follow(messages(raws, offset=40))
    assert run == Run(SOURCE, Mark(), line.mark, run.records if run else ())
    assert seqs(run) == list(range(1, 11))
    assert (line.mark, rest) == (Mark(10, hash_of(raws[-1]), 50), ())


def test_what_has_been_seen_is_dropped(raws: list[bytes]) -> None:
    line = a_line()
    line.follow(messages(raws[:6]))
    run, rest = line.follow(messages(raws))
    assert (seqs(run), rest) == ([7, 8, 9, 10], ())
    assert line.counters.seen == 6


def test_a_hole_stops_the_run_and_is_filled_by_the_owner(raws: list[bytes]) -> None:
    line = a_line()
    run, rest = line.follow(messages(raws[:3] + raws[5:]))
    assert seqs(run) == [1, 2, 3]
    assert seqs(line.heal(raws[3:5])) == [4, 5]
    run, rest = line.follow(rest)
    assert (seqs(run), rest) == ([6, 7, 8, 9, 10], ())
    assert line.counters.healed == 2


@pytest.mark.parametrize(
    "value",
    [b"", b"not JSON", b"{}", b"[1]", b'{"seq":1}', b"\xff\xfe", b'"' + b"x" * 900_000 + b'"'],
    ids=["empty", "text", "object", "list", "fragment", "bytes", "huge"],
)
def test_what_is_no_record_is_counted_and_passed_over(raws: list[bytes], value: bytes) -> None:
    line = a_line()
    run, rest = line.follow(messages([*raws[:3], value, *raws[3:]]))
    assert (seqs(run), rest) == (list(range(1, 11)), ())
    assert line.counters.not_records == 1


@pytest.mark.parametrize("changes", [{"service": "visits"}, {"partition": 1}, {"seq": 0}, {"seq": -3}])
def test_a_record_of_somewhere_else_is_counted_and_passed_over(raws: list[bytes], changes: dict[str, object]) -> None:
    line = a_line()
    run, rest = line.follow(messages([forged(raws[0], **changes), *raws]))
    assert (len(seqs(run)), rest) == (10, ())
    assert line.counters.not_records == 1


def test_a_record_that_does_not_chain_is_asked_of_the_owner(raws: list[bytes]) -> None:
    line = a_line()
    run, rest = line.follow(messages([*raws[:3], forged(raws[3], prev="f" * 64), *raws[3:]]))
    assert run is None
    assert seqs(line.heal(raws)) == list(range(1, 11))
    assert line.follow(rest) == (None, ())
    assert line.counters.mismatches == 1


def test_a_forged_record_that_chains_is_found_by_the_next_and_not_handed_on(raws: list[bytes]) -> None:
    line = a_line()
    run, rest = line.follow(messages([*raws[:3], forged(raws[3]), *raws[3:]]))
    assert run is None
    healed = line.heal(raws)
    assert healed is not None
    assert all(record.type != "Forged" for record in healed.records)
    assert line.follow(rest) == (None, ())


def test_a_forged_record_at_the_end_is_found_by_the_record_after_it(raws: list[bytes]) -> None:
    line = a_line()
    line.follow(messages([*raws[:3], forged(raws[3])]))
    run, rest = line.follow(messages(raws[4:]))
    assert (run, len(rest)) == (None, 6)
    with pytest.raises(BrokenChainError, match="registry/0/5"):
        line.heal(raws[4:])


async def test_a_forged_record_at_the_end_is_found_by_the_owners_head(log: MemoryLog, raws: list[bytes]) -> None:
    line = a_line()
    line.follow(messages([*raws[:9], forged(raws[9])]))
    [head] = await log.heads()
    with pytest.raises(BrokenChainError, match="registry/0/10"):
        line.compare(head, line.mark)


async def test_records_beyond_the_owners_end_are_tolerated_only_for_a_while(log: MemoryLog, raws: list[bytes]) -> None:
    line = a_line()
    [head] = await log.heads()
    line.follow(messages(raws))
    line.follow(messages([forged(raws[9], seq=11, prev=line.mark.hash)]))
    for _ in range(AHEAD_PATIENCE - 1):
        line.compare(head, line.mark)
    with pytest.raises(BrokenChainError, match="ends at 10"):
        line.compare(head, line.mark)


async def test_an_owner_that_was_asked_before_records_came_is_not_behind(log: MemoryLog, raws: list[bytes]) -> None:
    line = a_line()
    [head] = await log.heads()
    before = line.mark
    line.follow(messages(raws))
    for _ in range(2 * AHEAD_PATIENCE):
        line.compare(head, before)


def test_a_number_nobody_has_given_is_passed_over(raws: list[bytes]) -> None:
    line = a_line()
    line.follow(messages(raws))
    run, rest = line.follow(messages([forged(raws[9], seq=5_000)], offset=10))
    assert (run, len(rest)) == (None, 1)
    assert line.heal([]) is None
    line.pass_over(rest)
    assert (line.counters.not_records, line.mark.offset) == (1, 11)


@pytest.mark.parametrize("wrong", [b"rubbish", b""])
def test_an_owner_that_gives_rubbish_stops_the_line(wrong: bytes) -> None:
    with pytest.raises(BrokenChainError):
        a_line().heal([wrong])


def test_an_owner_that_skips_a_record_stops_the_line(raws: list[bytes]) -> None:
    with pytest.raises(BrokenChainError):
        a_line().heal(raws[1:])


def test_an_owner_whose_log_was_rewritten_stops_the_line(raws: list[bytes]) -> None:
    with pytest.raises(BrokenChainError):
        a_line(Mark(3, "a" * 64)).heal(raws[3:])


@pytest.mark.parametrize("seed", range(50))
def test_any_mess_ends_as_the_log(raws: list[bytes], seed: int) -> None:
    chance = random.Random(seed)
    mess = raws + chance.choices(raws, k=10) + [b"x", forged(raws[5], prev=GENESIS), forged(raws[7], seq=700)]
    chance.shuffle(mess)
    line, taken = a_line(), list[int]()
    for start in range(0, len(mess), 5):
        rest = messages(mess[start : start + 5])
        while rest:
            run, rest = line.follow(rest)
            taken += seqs(run)
            fetched = raws[line.mark.seq : line.mark.seq + 2] if rest else []
            taken += seqs(line.heal(fetched))
            if rest and not fetched:
                line.pass_over(rest)
                break
    taken += seqs(line.heal(raws[line.mark.seq :]))
    assert taken == list(range(1, 11))
