"""Several processes' logs on one MongoDB: what the store itself guarantees."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.errors import DuplicateKeyError

from shared.eventlog import committer
from shared.eventlog.mongo import MongoLog
from shared.eventlog.port import (
    Append,
    Appended,
    ClaimTaken,
    CommandAlreadyDone,
    LogUnavailableError,
    PartitionsDifferError,
    VersionConflict,
)
from shared.eventlog.record import decode
from tests.support.log_builders import PARTITIONS, a_stream, an_append, records_of, to

Open = Callable[..., Awaitable[MongoLog]]


@pytest.fixture
def database() -> str:
    return f"log_{uuid4().hex}"


@pytest.fixture
async def client(mongo_url: str, database: str) -> AsyncIterator[AsyncIOMotorClient[Any]]:
    client: AsyncIOMotorClient[Any] = AsyncIOMotorClient(mongo_url)
    yield client
    await client.drop_database(database)
    client.close()


@pytest.fixture
async def process(client: AsyncIOMotorClient[Any], database: str) -> AsyncIterator[Open]:
    """Opens the log as one more process would."""
    logs: list[MongoLog] = []

    async def open_log(partitions: int = PARTITIONS, **options: Any) -> MongoLog:
        log = MongoLog(client, "registry", partitions, database=database, **options)
        await log.open()
        logs.append(log)
        return log

    yield open_log
    for log in logs:
        await log.close()


async def tried(log: MongoLog, append: Append) -> Appended | Exception:
    try:
        return await log.append(append)
    except Exception as refusal:
        return refusal


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(5):
        while True:
            if await holds():
                return
            await asyncio.sleep(0.02)


async def total(log: MongoLog) -> int:
    return sum([len(await records_of(log, partition)) for partition in range(PARTITIONS)])


async def test_two_committers_leave_no_hole_and_lose_and_double_nothing(process: Open) -> None:
    logs = [await process(), await process()]

    async def work(log: MongoLog, n: int) -> list[str]:
        stream = a_stream(n % PARTITIONS)
        appends = [an_append(to(stream, version)) for version in range(15)]
        for append in appends:
            await log.append(append)
        return [append.command_id for append in appends]

    done = await asyncio.gather(*(work(log, n) for n in range(8) for log in logs))
    records = [record for partition in range(PARTITIONS) for record in await records_of(logs[0], partition)]
    assert sorted(record.command_id for record in records) == sorted(command for some in done for command in some)


async def test_two_committers_on_the_same_streams_agree_on_who_was_first(process: Open) -> None:
    logs = [await process(), await process()]
    streams = [a_stream(n % PARTITIONS) for n in range(6)]
    for version in range(5):
        found = await asyncio.gather(*(tried(log, an_append(to(s, version))) for s in streams for log in logs))
        assert sum(isinstance(one, Appended) for one in found) == 6
        assert sum(isinstance(one, VersionConflict) for one in found) == 6
    assert await total(logs[1]) == 30


async def test_the_same_commands_sent_to_two_processes_take_effect_once(process: Open) -> None:
    logs = [await process(), await process()]
    appends = [an_append(to(a_stream(n % PARTITIONS))) for n in range(40)]
    found = await asyncio.gather(*(tried(log, append) for append in appends for log in logs))
    for mine, theirs in zip(found[::2], found[1::2], strict=True):
        answers = {
            str(one.answer.appended.position if isinstance(one, CommandAlreadyDone) else one.position)
            for one in (mine, theirs)
            if isinstance(one, Appended | CommandAlreadyDone)
        }
        assert len(answers) == 1
    assert await total(logs[0]) == 40


async def test_a_claim_wanted_in_two_processes_at_once_has_one_holder(process: Open) -> None:
    logs = [await process(), await process()]
    for claim in (f"secretary/{n}" for n in range(5)):
        wishes = [an_append(to(stream := a_stream(n)), claims={claim: stream}) for n in range(PARTITIONS)]
        found = await asyncio.gather(*(tried(logs[n % 2], wish) for n, wish in enumerate(wishes)))
        assert sum(isinstance(one, Appended) for one in found) == 1
        assert sum(isinstance(one, ClaimTaken) for one in found) == PARTITIONS - 1


async def test_a_process_sees_at_once_what_another_has_appended(process: Open) -> None:
    mine, theirs, stream = await process(), await process(), a_stream()
    await mine.append(an_append(to(stream)))
    for version in range(1, 4):
        for log in (theirs, mine):
            assert len(await log.load(stream)) == version
        await theirs.append(an_append(to(stream, version)))


async def test_a_busy_process_does_not_starve_another(process: Open) -> None:
    busy, other = await process(), await process()
    stop = asyncio.Event()

    async def never_idle(n: int) -> None:
        while not stop.is_set():
            await busy.append(an_append(to(a_stream(n % PARTITIONS))))

    callers = [asyncio.create_task(never_idle(n)) for n in range(8)]
    async with asyncio.timeout(20):
        for n in range(20):
            await other.append(an_append(to(a_stream(n % PARTITIONS))))
    stop.set()
    await asyncio.gather(*callers)


NEVER_ENDS_ITS_TRANSACTION = """
import sys, time
from datetime import UTC, datetime
from motor.motor_asyncio import AsyncIOMotorClient
from shared.eventlog.mongo import _MongoStore

url, database, partitions = sys.argv[1:]
store = _MongoStore(AsyncIOMotorClient(url).delegate, database, "registry", int(partitions), lambda: datetime.now(UTC))
store.prepare()
with store._transaction() as session:
    store._seize(range(int(partitions)), session)
    sys.stdout.write("in the middle\\n")
    sys.stdout.flush()
    time.sleep(60)
"""


async def test_a_process_killed_in_the_middle_of_a_commit_does_not_hold_up_the_next(
    process: Open, mongo_url: str, database: str
) -> None:
    arguments = ["-c", NEVER_ENDS_ITS_TRANSACTION, mongo_url, database, str(PARTITIONS)]
    killed = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=asyncio.subprocess.PIPE)
    assert killed.stdout is not None
    assert await killed.stdout.readline() == b"in the middle\n"
    killed.kill()
    await killed.wait()
    log = await process()
    async with asyncio.timeout(2):
        await log.append(an_append(to(a_stream())))


async def test_a_process_whose_clock_is_slow_records_nothing_before_a_time_already_told(process: Open) -> None:
    now = datetime.now(UTC)
    slow = await process(clock=lambda: now - timedelta(hours=1))
    await slow.append(an_append(to(a_stream())))
    fast = await process(clock=lambda: now)

    async def is_told() -> bool:
        return (await fast.heads())[1].time > now - timedelta(seconds=1)

    await eventually(is_told)
    await slow.append(an_append(to(a_stream())))
    assert (await records_of(slow, 1))[-1].recorded_at > now - timedelta(seconds=1)


async def test_idle_heads_are_given_the_time(process: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(committer, "TOUCH_SECONDS", 0.05)
    clock = [datetime(2026, 8, 14, tzinfo=UTC)]
    log = await process(clock=lambda: clock[0])
    await log.append(an_append(to(a_stream())))
    before = await log.heads()
    clock[0] += timedelta(hours=1)

    async def is_told() -> bool:
        return all(head.time == clock[0] for head in await log.heads())

    await eventually(is_told)
    assert [head[:3] for head in await log.heads()] == [head[:3] for head in before]


async def test_a_log_is_what_it_was_when_it_is_opened_again(process: Open) -> None:
    log, stream = await process(), a_stream()
    await log.append(an_append(to(stream, events=2), claims={"secretary/1": stream}))
    await log.close()
    again = await process()
    await again.append(an_append(to(stream, 2)))
    assert len(await records_of(again, 1)) == 3


async def test_another_number_of_partitions_is_refused(process: Open) -> None:
    await process()
    with pytest.raises(PartitionsDifferError, match=f"made with {PARTITIONS} partitions"):
        await process(partitions=16)


async def test_many_processes_may_open_a_new_log_at_once(process: Open) -> None:
    logs = await asyncio.gather(*(process() for _ in range(4)))
    await asyncio.gather(*(log.append(an_append(to(a_stream()))) for log in logs))
    assert len(await records_of(logs[0], 1)) == 4


async def test_a_log_that_was_closed_takes_nothing(process: Open) -> None:
    log = await process()
    await log.close()
    with pytest.raises(LogUnavailableError):
        await log.append(an_append(to(a_stream())))


async def test_the_document_says_what_the_record_says(
    process: Open, client: AsyncIOMotorClient[Any], database: str
) -> None:
    log, stream = await process(), a_stream()
    await log.append(an_append(to(stream, events=2), command="command-1"))
    documents = await client[database]["log"].find().sort("_id", 1).to_list(None)
    for index, document in enumerate(documents):
        record = decode(document["record"])
        named = ("partition", "seq", "stream", "version", "command_id", "type")
        assert [document[name] for name in named] == [getattr(record, name) for name in named]
        assert document["recorded_at"].replace(tzinfo=UTC) == record.recorded_at
        assert (document["command_index"], document["command_mac"], document["actor"]) == (index, b"mac", "person-1")


@pytest.mark.parametrize(
    "changes",
    [
        {"stream": "child-2", "command_id": "command-2"},
        {"_id": 0, "seq": 9, "command_id": "command-2"},
        {"_id": 0, "seq": 9, "stream": "child-2"},
    ],
    ids=["place", "version of a stream", "place in a command"],
)
async def test_the_database_itself_refuses_a_second_record_at_the_same(
    process: Open, client: AsyncIOMotorClient[Any], database: str, changes: dict[str, Any]
) -> None:
    log = await process()
    await log.append(an_append(to(a_stream())))
    [document] = await client[database]["log"].find().to_list(None)
    with pytest.raises(DuplicateKeyError):
        await client[database]["log"].insert_one(document | changes)
