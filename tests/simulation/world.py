"""One log, one topic, two relays and two projectors, and everything that can go wrong between them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from shared.eventlog.cursor import MemoryCursors, Move
from shared.eventlog.lease import MemoryLeases, Tenure
from shared.eventlog.memory import MemoryLog
from shared.eventlog.placement import derived_id, partition_of
from shared.eventlog.port import Append, LogUnavailableError, StreamAppend
from shared.eventlog.record import Actor, Draft, Record, decode
from shared.eventlog.relay import Relay, RelayState
from shared.eventlog.topic import Fault, MemoryTopic, TopicUnavailableError
from shared.eventlog.topic import Message as Sent
from shared.messaging.gapless import Followed, Line, Message
from shared.messaging.intake import Intake
from shared.messaging.run import Mark, Sink, Source
from shared.privacy.cipher import Aes256Gcm
from shared.privacy.memory import MemoryVault
from shared.privacy.sealing import Sealer
from shared.projection.checkpoint import Checkpoint, ModelVersion
from shared.projection.memory import MemoryProjectionStore
from shared.projection.projector import Projector
from shared.projection.store import StoreUnavailableError
from shared.projection.workspace import Changes
from tests.simulation.process import Process, Weather
from tests.simulation.tally import OF, Tally, tally_in, tally_of
from tests.support.sample_log import forged

SERVICE: Final = "registry"
PARTITIONS: Final = 3
STREAMS: Final = 8
EVENTS: Final = 40
STORM_SECONDS: Final = 60.0
PATIENCE_SECONDS: Final = 180.0
START: Final = datetime(2026, 8, 14, tzinfo=UTC)


class Broken(AssertionError):
    """A promise of the system was broken."""


class World:
    """``without`` names the protection that is taken out: ``deduplication``, ``fence`` or ``compare_and_set``."""

    def __init__(self, seed: int, without: str | None = None) -> None:
        self.seed = seed
        self.without = without
        self.chance = random.Random(seed)
        self.loop = asyncio.get_running_loop()
        self.weather = Weather(self.chance, self.loop.time)
        self.pulse = self.chance.choice([2.0, 15.0])
        self.log = MemoryLog(SERVICE, PARTITIONS, self.now)
        self.topic = RememberingTopic()
        self.cursors = UnfencedCursors() if without == "fence" else WatchedCursors()
        self.relay_state = RelayState(MemoryLeases(self.loop.time), self.cursors)
        self.leases = MemoryLeases(self.loop.time)
        self.store = CarelessStore() if without == "compare_and_set" else MemoryProjectionStore()
        self.sealer = Sealer(MemoryVault(b"simulation"), Aes256Gcm())
        self.tasks: list[asyncio.Task[None]] = []

    def now(self) -> datetime:
        return START + timedelta(seconds=self.loop.time())

    async def play(self) -> None:
        """A storm, then calm: raises Broken when not every event was then folded exactly once, in order."""
        for name in ("one", "two"):
            self._start(self._relaying(name))
            self._start(self._projecting(name))
        storm = [asyncio.create_task(self._write()), asyncio.create_task(self._rage())]
        try:
            await self._watched(asyncio.wait(storm))
            self.weather.calm, self.topic.fault = True, Fault.NONE
            await self._watched(self._settled())
        finally:
            for task in (*storm, *self.tasks):
                task.cancel()
            await asyncio.gather(*storm, *self.tasks, return_exceptions=True)
        await asyncio.sleep(60)  # a read of a crashed process may still be on its way
        if left := asyncio.all_tasks() - {asyncio.current_task()}:
            raise Broken(f"seed {self.seed}: left running: {left}")

    def _start(self, process: Coroutine[Any, Any, None]) -> None:
        self.tasks.append(asyncio.create_task(process))

    async def _watched(self, work: Coroutine[Any, Any, Any]) -> None:
        """Does the work unless a process ends meanwhile, which none should: then raises what it raised."""
        working = asyncio.create_task(work)
        await asyncio.wait([working, *self.tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in (*self.tasks, working):
            if task.done():
                task.result()

    # -- the processes

    async def _relaying(self, name: str) -> None:
        while True:
            process = Process(self.weather)
            state = RelayState(process.gated(self.relay_state.leases), process.gated(self.cursors))
            log = process.gated(self.log, LogUnavailableError)
            topic = process.gated(self.topic, TopicUnavailableError)
            batch = self.chance.choice([1, 3, 100])
            relay = Relay(log, state, topic, name, batch=batch, clock=self.loop.time)
            await process.live(relay.run)
            await asyncio.sleep(self.chance.uniform(0, 5))

    async def _projecting(self, name: str) -> None:
        while True:
            process = Process(self.weather)
            store = process.gated(self.store, StoreUnavailableError)
            max_batch = self.chance.choice([1, 5, 100])
            projector = Projector(Tally(), OF, store, self.sealer, clock=self.now, max_batch=max_batch)
            tenure = Tenure(process.gated(self.leases), str(OF), name, clock=self.loop.time)

            def consumer_from(marks: Mapping[Source, Mark], sink: Sink, process: Process = process) -> Delivery:
                return Delivery(self, process, marks, sink)

            await process.live(lambda projector=projector, tenure=tenure: projector.run(consumer_from, tenure))  # type: ignore[misc]
            await asyncio.sleep(self.chance.uniform(0, 5))

    # -- what happens to them

    async def _write(self) -> None:
        """Events on a few streams, now and then several at once; a third of them the read model passes over."""
        streams = [derived_id(f"{self.seed}/{n}", "child") for n in range(STREAMS)]
        versions = dict.fromkeys(streams, 0)
        for number in range(EVENTS):
            await asyncio.sleep(self.chance.choice([0, 0, self.chance.expovariate(EVENTS / STORM_SECONDS)]))
            stream = self.chance.choice(streams)
            await self._append(stream, versions[stream], f"{self.seed}/{number}")
            versions[stream] += 1

    async def _append(self, stream: str, version: int, command: str) -> None:
        data = msgspec.json.encode({"child": stream, "reason": "moved_out", "closed_on": "2026-08-14"})
        event, type_ = (
            derived_id(command, "event"),
            self.chance.choice(["ChildFileClosed", "ChildFileClosed", "RoleEnded"]),
        )
        draft = Draft(event, type_, 1, self.now(), Actor("a", "system"), msgspec.Raw(data))
        partition = partition_of(stream, PARTITIONS)
        await self.log.append(Append(partition, (StreamAppend(stream, version, (draft,)),), command))

    async def _rage(self) -> None:
        """Kafka refuses, forgets the acknowledgement, loses what it acknowledged, or is set up anew."""
        while self.loop.time() < STORM_SECONDS:
            await asyncio.sleep(self.chance.uniform(0, 6))
            faulty = self.weather.strikes("topic fault", 0.4)
            self.topic.fault = self.chance.choice(list(Fault)[1:]) if faulty else Fault.NONE
            stored = list(self.topic.stored.values())
            if stored and self.weather.strikes("stored messages lost", 0.3):
                self._lose(self.chance.choice(stored))
            if self.weather.strikes("topic made anew", 0.1):
                for messages in stored:
                    messages.clear()

    def _lose(self, messages: list[Sent]) -> None:
        kept = [one for one in messages if self.chance.random() > 0.3]
        messages[:] = kept

    def deliver(self, stored: Sequence[Sent], start: int) -> list[Message]:
        """What arrives of these messages: some not, some twice, some in another order, rubbish between them."""
        messages = [Message.of(offset, one.value) for offset, one in enumerate(stored, start)]
        if self.weather.strikes("delivery lost", 0.2):
            messages = [one for one in messages if self.chance.random() > 0.3]
        if messages and self.weather.strikes("delivery doubled", 0.3):
            messages += self.chance.choices(messages, k=3)
        if len(messages) > 1 and self.weather.strikes("delivery shuffled", 0.5):
            self.chance.shuffle(messages)
        if messages and self.weather.strikes("rubbish delivered", 0.3):
            one = self.chance.choice(messages)
            rubbish = self.chance.choice([b"x", forged(stored[one.offset - start].value, prev="f" * 64)])
            messages.insert(0, Message.of(one.offset, rubbish))
        return messages

    def pause(self) -> float:
        """Seconds between two fetches of a consumer."""
        return 0.2 if self.weather.calm else self.chance.choice([0.2, self.chance.uniform(0, 4)])

    # -- whether it held

    async def _settled(self) -> None:
        deadline = self.loop.time() + PATIENCE_SECONDS
        wanted = tally_of(await self._records())
        while (found := tally_in(self.store)) != wanted or not await self._all_sent():
            if self.loop.time() > deadline:
                raise Broken(f"seed {self.seed}: {_difference(found, wanted) or 'the relay did not send all'}")
            await asyncio.sleep(1)
        await asyncio.sleep(5)
        if finding := _difference(tally_in(self.store), wanted) or ", ".join(self.cursors.findings):
            raise Broken(f"seed {self.seed}: {finding}")

    async def _records(self) -> list[Record]:
        return [decode(raw) for partition in range(PARTITIONS) for raw in await self.log.read(partition, 0, 10_000)]

    async def _all_sent(self) -> bool:
        heads = {head.partition: head.seq for head in await self.log.heads()}
        return self.cursors.stand == heads and len(self.topic.ever) == EVENTS


def _difference(found: dict[str, Any], wanted: dict[str, Any]) -> str:
    twice = sum(times > 1 for times in found["events"].values())
    never = len(wanted["events"].keys() - found["events"].keys())
    shuffled = sum(found["streams"].get(stream) != digest for stream, digest in wanted["streams"].items())
    return f"{twice} events twice, {never} never, {shuffled} streams differ" if twice or never or shuffled else ""


class Delivery:
    """A consumer in one process, with a topic in memory where the real one has Kafka."""

    def __init__(self, world: World, process: Process, marks: Mapping[Source, Mark], sink: Sink) -> None:
        self._world = world
        owner = process.gated(world.log)
        self._intake = Intake({SERVICE: owner}, PARTITIONS, marks, sink, pulse=world.pulse, clock=world.loop.time)
        self._next = {source: mark.offset or 0 for source, mark in self._intake.marks.items()}
        if world.without == "deduplication":
            for source, feed in self._intake.feeds.items():
                feed.line = ForgetfulLine(source, feed.line.mark)

    async def run(self) -> None:
        tasks = [asyncio.create_task(self._intake.watch(SERVICE)), asyncio.create_task(self._poll())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(self._world.pause())
            for source in self._next:
                if messages := self._fetch(source):
                    await self._intake.offer(source, messages)

    def _fetch(self, source: Source) -> list[Message]:
        stored = self._world.topic.stored[source]
        if self._next[source] > len(stored):
            self._next[source] = 0  # out of range: from the earliest
        start = self._next[source]
        fetched = stored[start : start + self._world.chance.randint(1, 20)]
        self._next[source] += len(fetched)
        return self._world.deliver(fetched, start) if fetched else []


class RememberingTopic(MemoryTopic):
    """Knows what was ever sent, whatever became of it."""

    def __init__(self) -> None:
        super().__init__()
        self.ever: set[bytes] = set()

    async def send(self, service: str, partition: int, messages: Sequence[Sent]) -> None:
        try:
            await super().send(service, partition, messages)
        finally:
            self.ever.update(one.value for one in self.stored[service, partition])


class WatchedCursors(MemoryCursors):
    """Sees to it that a relay that was superseded moves no cursor."""

    def __init__(self) -> None:
        super().__init__()
        self.newest = 0
        self.findings: list[str] = []

    @property
    def stand(self) -> dict[int, int]:
        return dict(self._cursors)

    async def take_over(self, partitions: int, epoch: int) -> list[int] | None:
        cursors = await super().take_over(partitions, epoch)
        self.newest = max(self.newest, epoch)
        return cursors

    async def move(self, moves: Mapping[int, Move], epoch: int) -> bool:
        moved = await super().move(moves, epoch)
        if moved and moves and epoch < self.newest:
            self.findings.append(f"epoch {epoch} moved a cursor of epoch {self.newest}")
        return moved


# -- the mutants: each lacks one protection


class UnfencedCursors(WatchedCursors):
    async def move(self, moves: Mapping[int, Move], epoch: int) -> bool:
        self._epoch = min(self._epoch, epoch)
        return await super().move(moves, epoch)


class CarelessStore(MemoryProjectionStore):
    async def commit(self, of: ModelVersion, changes: Changes, before: Checkpoint, after: Checkpoint) -> bool:
        return await super().commit(of, changes, await self.checkpoint(of), after)


class ForgetfulLine(Line):
    def follow(self, messages: Sequence[Message]) -> Followed:
        again = [record for one in messages if (record := self._own(one)) and record.seq <= self.mark.seq]
        run, rest = super().follow(messages)
        return Followed(run and run._replace(records=(*again, *run.records)), rest)
