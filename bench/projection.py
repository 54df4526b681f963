"""Reporting's read models from Kafka, through FastStream, gapless, with sealed fields opened, against a bare loop.

The services fill the topics and end; then only MongoDB, Kafka and the projecting processes run. Each run writes into a
database of its own, from an empty checkpoint to the last record. An event counts once, however many read models fold
it. The bare loop reads with aiokafka's ``getmany``, makes the same batches, folds and transactions, and knows nothing
of FastStream, gaps or leases.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec
import uvloop
from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as Partition

from bench.generator import aside
from bench.report import Row
from bench.system import READ_MODELS, System, families, running, visit
from deploy.local.operator import settings_of
from services.reporting.projector import READ_MODELS as MODELS
from shared.eventlog.lease import MongoLeases, Tenure
from shared.eventlog.mongo import MongoLog
from shared.eventlog.record import decode, hash_of
from shared.messaging.consumer import Consumer
from shared.messaging.listener import FETCH_BYTES
from shared.messaging.listener import MAX_BATCH as MAX_POLL
from shared.messaging.run import Mark, Run, Source
from shared.messaging.topics import topic_name
from shared.projection.batch import Batch, Opening, pieces
from shared.projection.checkpoint import Checkpoint, ModelVersion
from shared.projection.mongo import MongoProjectionStore
from shared.projection.opener import OpenedOnce
from shared.projection.projector import MAX_BATCH, Projector
from shared.projection.read_model import ReadModel
from shared.projection.workspace import Work
from shared.runtime.kernel import Kernel
from shared.runtime.memory import collect_rarely

CHILDREN: Final = 30_000
TARGET: Final = 12_000

Ends = Mapping[Source, int]
Write = Callable[[Kernel, Sequence[ReadModel], OpenedOnce, str, Ends], Awaitable[None]]


async def measure() -> list[Row]:
    async with running() as system:
        ends = await _fill(system)
        for name in ("projector", "reporting", "pairing", "visits", "registry"):
            system.stack.kill(name)
        events = sum(ends.values())
        whole = await _run(system, ends, [READ_MODELS])
        bare = await _run(system, ends, [READ_MODELS], bare=True)
        apart = await _run(system, ends, [(name,) for name in READ_MODELS])
        alone = {name: await _run(system, ends, [(name,)]) for name in READ_MODELS}
    spent = {"all in one": whole.cpu, "bare loop": bare.cpu} | {name: one.cpu for name, one in alone.items()}
    each = ", ".join(f"{name} {seconds * 1e6 / events:.0f}" for name, seconds in spent.items())
    by_model = ", ".join(f"{name} alone {events / one.wall:,.0f}" for name, one in alone.items())
    return [
        Row(
            "projection, all read models, one process",
            events / whole.wall,
            "events/s",
            TARGET,
            note=f"{events:,} events",
        ),
        Row("projection, CPU of the process", whole.cpu * 1e6 / events, "µs/event", note=each),
        Row("projection, bare aiokafka loop, same writes", events / bare.wall, "events/s"),
        Row("projection, through FastStream / bare", bare.wall / whole.wall, "times", 0.9),
        Row("projection, two read models in two processes", events / apart.wall, "events/s", note=by_model),
        Row("projection, two processes / one", whole.wall / apart.wall, "times", 1.2),
    ]


async def _fill(system: System) -> Ends:
    some = families(CHILDREN)
    load = await system.register(some)
    visits = await system.load("visits", [visit(family) for family in some[::4] if not family.closed])
    await system.drained(load.positions | visits.positions)
    checkpoint = await system.live.checkpoint("children")
    return {source: mark.seq for source, mark in checkpoint.marks.items()}


class Spent(NamedTuple):
    """Seconds until all was written, and seconds of CPU the process took for it."""

    wall: float
    cpu: float


async def _run(system: System, ends: Ends, groups: Sequence[Sequence[str]], bare: bool = False) -> Spent:
    """The seconds of the last of the processes, one for each group of read models, and the CPU of all."""
    environment, database = system.stack.environment("projector"), f"bench_{uuid.uuid4().hex[:8]}"
    workers = [aside() for _ in groups]
    runs = [await worker.__aenter__() for worker in workers]
    work = _bare if bare else _gapless
    try:
        started = zip(runs, groups, strict=True)
        spent: list[Spent] = await asyncio.gather(
            *(run(_project, environment, database, names, ends, work) for run, names in started)
        )
        return Spent(max(one.wall for one in spent), sum(one.cpu for one in spent))
    finally:
        for worker in workers:
            await worker.__aexit__(None, None, None)
        await system.client.drop_database(database)


def _project(environment: Mapping[str, str], database: str, names: Sequence[str], ends: Ends, write: Write) -> Spent:
    collect_rarely()  # as the projector's own process does
    return uvloop.run(_project_all(environment, database, names, ends, write))


async def _project_all(
    environment: Mapping[str, str], database: str, names: Sequence[str], ends: Ends, write: Write
) -> Spent:
    """From the first connection to the last commit, with all read models of the process side by side."""
    kernel = Kernel(settings_of(environment), "reporting", process="bench")
    models = [MODELS[name]() for name in names]
    opener = OpenedOnce(kernel.sealer, models)
    begun, cpu = time.perf_counter(), time.process_time()
    await write(kernel, models, opener, database, ends)
    spent = Spent(time.perf_counter() - begun, time.process_time() - cpu)
    await kernel.close()
    return spent


def _of(model: ReadModel, ends: Ends) -> Ends:
    return {source: seq for source, seq in ends.items() if source.service in model.services}


async def _gapless(kernel: Kernel, models: Sequence[ReadModel], opener: OpenedOnce, database: str, ends: Ends) -> None:
    await asyncio.gather(*(_follow(kernel, model, opener, database, _of(model, ends)) for model in models))


async def _follow(kernel: Kernel, model: ReadModel, opener: OpenedOnce, database: str, ends: Ends) -> None:
    """The projector as it is in service."""
    settings, of, store = kernel.settings, ModelVersion(model.name, 1), MongoProjectionStore(kernel.client, database)
    projector = Projector(model, of, store, opener, partitions=settings.partitions)
    # The services do not run, so the logs themselves are asked for what Kafka may lack.
    owners = {service: MongoLog(kernel.client, service, settings.partitions) for service in model.services}
    tenure = Tenure(MongoLeases(kernel.client[database]), str(of), kernel.holder)
    epoch = await tenure.hold()
    assert epoch is not None
    await projector.follow(
        lambda marks, sink: Consumer(kernel.listener, owners, settings.partitions, marks, sink), tenure, epoch, ends
    )


async def _bare(kernel: Kernel, models: Sequence[ReadModel], opener: OpenedOnce, database: str, ends: Ends) -> None:
    """One loop reads for all; for each read model the next batch is opened while the last one is written."""
    bares = [_Bare(model, MongoProjectionStore(kernel.client, database), opener, ends) for model in models]
    await asyncio.gather(_poll(kernel, bares, ends), *(bare.write() for bare in bares))


async def _poll(kernel: Kernel, bares: Sequence[_Bare], ends: Ends) -> None:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kernel.settings.kafka,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=FETCH_BYTES,
        fetch_max_bytes=4 * FETCH_BYTES,
    )
    await consumer.start()
    sources = {Partition(topic_name(source.service), source.partition): source for source in ends}
    consumer.assign(list(sources))
    marks = dict.fromkeys(ends, Mark())
    while any(marks[source].seq < seq for source, seq in ends.items()):
        for partition, messages in (await consumer.getmany(timeout_ms=10, max_records=MAX_POLL)).items():
            run = _run_of(sources[partition], marks, [message.value for message in messages])
            for bare in bares:
                await bare.runs.put(run)
    await consumer.stop()


class _Bare:
    """Writes one read model from the runs that are put before it."""

    def __init__(self, model: ReadModel, store: MongoProjectionStore, opener: OpenedOnce, ends: Ends) -> None:
        self.runs = asyncio.Queue[Run](100)
        self._model = model
        self._store = store
        self._opening = Opening(model, opener)
        self._ends = _of(model, ends)
        self._marks = dict.fromkeys(self._ends, Mark())
        self._checkpoint = Checkpoint()

    async def write(self) -> None:
        await self._store.prepare(self._model, ModelVersion(self._model.name, 1))
        writing = asyncio.create_task(asyncio.sleep(0))
        while self._lacks():
            batch = Batch()
            while batch.records < MAX_BATCH and self._lacks() and not (batch.records and writing.done()):
                run = await self.runs.get()
                if run.source in self._marks:
                    batch.extend(await self._opening.open(list(pieces(run))))
                    self._marks[run.source] = run.upto
            await writing
            writing = asyncio.create_task(self._commit(batch, dict(self._marks)))
            await asyncio.sleep(0)
        await writing

    def _lacks(self) -> bool:
        return any(self._marks[source].seq < seq for source, seq in self._ends.items())

    async def _commit(self, batch: Batch, marks: Mapping[Source, Mark]) -> None:
        of, before = ModelVersion(self._model.name, 1), self._checkpoint
        self._checkpoint = msgspec.structs.replace(before, revision=before.revision + 1, marks=marks)
        work, occurred = Work(self._store, of), batch.occurred
        await self._model.prepare(occurred, work)
        for one in occurred:
            self._model.fold(one, work)
        self._model.finish(work)
        assert await self._store.commit(of, work.changes, before, self._checkpoint)


def _run_of(source: Source, marks: dict[Source, Mark], values: Sequence[bytes]) -> Run:
    records, before = tuple(map(decode, values)), marks[source]
    marks[source] = Mark(records[-1].seq, hash_of(values[-1]))
    return Run(source, before, marks[source], records)
