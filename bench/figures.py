"""Figures at any day as known on any day, with 154,000 children whose facts became known over two years.

The read model is filled through its own fold, with recorded times that the clock of a running system cannot give; then
it is asked over HTTP with a token in an open loop, and by the bare query. Each question is another division, day and
known day, drawn at random from all 2,400 divisions, three years and two years.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any, Final

import msgspec

from bench.generator import Request, get, send
from bench.report import Row, p
from bench.system import CITY_CODE, SUPERVISOR, System, population, running
from deploy.local.population import CITY
from services.registry.division_list import divisions
from services.registry.domain import child, division
from services.reporting.figures.queries import Figures
from services.reporting.figures.read_model import FiguresModel
from shared.commands.command import business_day
from shared.contracts.event import Event
from shared.contracts.registry import ChildFileClosed, WorkingGroupPosted
from shared.contracts.values import CloseReason, DivisionKind, PostingLevel
from shared.eventlog.placement import derived_id
from shared.eventlog.record import GENESIS, Actor, Record
from shared.projection.checkpoint import Checkpoint, ModelVersion
from shared.projection.mongo import MongoProjectionStore
from shared.projection.read_model import Occurred
from shared.projection.workspace import Work

DAYS: Final = 730
BATCH: Final = 10_000
FIGURES_PER_SECOND: Final = 50
TABLES_PER_SECOND: Final = 10
SECONDS: Final = 20
BARE: Final = 500
OF: Final = ModelVersion(FiguresModel.name, 2)


async def measure() -> list[Row]:
    async with running() as system:
        system.stack.kill("projector")  # the read model has one writer, and here it is this process
        children = await _fill(system)
        figures = await _over_http(system, _figure_paths, FIGURES_PER_SECOND)
        tables = await _over_http(system, _table_paths, TABLES_PER_SECOND)
        bare, bare_tables = await _bare(system)
    note = f"{children:,} children, {FIGURES_PER_SECOND}/s for {SECONDS} s; p50 {p(figures, 0.5):.1f} ms"
    table_note = f"14 counties, 3 indicators, {TABLES_PER_SECOND}/s for {SECONDS} s; p50 {p(tables, 0.5):.1f} ms"
    return [
        Row("figure over HTTP, p95", p(figures, 0.95), "ms", 20, "lower", note),
        Row("figure, bare query, p95", p(bare, 0.95), "ms", note=f"one after the other; p50 {p(bare, 0.5):.1f} ms"),
        Row("table of all counties over HTTP, p95", p(tables, 0.95), "ms", 50, "lower", table_note),
        Row("table, bare query, p95", p(bare_tables, 0.95), "ms", note=f"p50 {p(bare_tables, 0.5):.1f} ms"),
    ]


async def _fill(system: System) -> int:
    """Folds the city into a version of its own and makes that the live one; how many children it counts."""
    model, store = FiguresModel(), MongoProjectionStore(system.client, "guanhu_reporting")
    await store.prepare(model, OF)
    told = sorted(_told(), key=lambda one: one.record.recorded_at)
    before = Checkpoint()
    for start in range(0, len(told), BATCH):
        work, batch = Work(store, OF), told[start : start + BATCH]
        await model.prepare(batch, work)
        for one in batch:
            model.fold(one, work)
        model.finish(work)
        after = msgspec.structs.replace(before, revision=before.revision + 1)
        assert await store.commit(OF, work.changes, before, after)
        before = after
    pointer = {"_id": OF.name, "live": OF.version, "previous": 1}
    await system.client["guanhu_reporting"]["read_models"].replace_one({"_id": OF.name}, pointer, upsert=True)
    today = business_day(datetime.now(UTC))
    counted = await Figures(_collection(system)).figure("I1", CITY_CODE, today, today)
    assert counted.rate == "55.3", counted
    return counted.denominator or 0


def _told() -> Iterator[Occurred]:
    """The events of the city with the moments they became known."""
    chance, now = random.Random(8), datetime.now(UTC)
    begin = now - timedelta(days=DAYS)
    people = population(CITY)
    nodes = {node.code: node for node in divisions(CITY_CODE)}
    for node in nodes.values():
        above = nodes.get(node.parent or "")
        kind, since = (above.kind, above.valid_from) if above else (None, None)
        known_addition = division.KnownAddition(**dict(node), parent_kind=kind, parent_since=since)
        for added in division.decide(known_addition, division.Absent()):
            yield _occurred(added.division, begin, added)
    for village in people.posted_villages:
        posting = derived_id(village, "posting")
        posted = WorkingGroupPosted(
            posting=posting, village=village, level=PostingLevel.COUNTY, unit="县直帮扶单位", starts=begin.date()
        )
        yield _occurred(posting, begin + timedelta(days=chance.randrange(30)), posted)
    for family in people.families:
        when = begin + timedelta(seconds=chance.randrange(DAYS * 86_400))
        for body in family.children:
            known = max(when, datetime.fromisoformat(body["birth_date"]).replace(tzinfo=UTC) + timedelta(days=2))
            command = child.RegisterChild.model_validate(body | {"occurred_at": known.isoformat()})
            for event in child.CHILD.decide(command, child.CHILD.initial):
                if type(event).__name__ in FiguresModel.events:
                    yield _occurred(command.child, known, event)
            if command.child in family.closed:
                closed = ChildFileClosed(child=command.child, reason=CloseReason.MOVED_OUT, closed_on=known.date())
                yield _occurred(command.child, min(now, known + timedelta(days=chance.randrange(60))), closed, 2)


def _occurred(stream: str, known: datetime, event: Event, version: int = 1) -> Occurred:
    record = Record(
        id=stream,
        service="registry",
        partition=0,
        seq=1,
        stream=stream,
        version=version,
        type=type(event).__name__,
        schema=1,
        occurred_at=known,
        recorded_at=known,
        actor=Actor("bench", "system"),
        command_id=stream,
        data=msgspec.Raw(b"{}"),
        prev=GENESIS,
    )
    return Occurred(record, event)


def _questions(seed: int) -> Iterator[tuple[str, date, date]]:
    """Division, as of, known at."""
    chance, today = random.Random(seed), business_day(datetime.now(UTC))
    codes = [node.code for node in divisions(CITY_CODE) if node.kind is not DivisionKind.PROVINCE]
    while True:
        as_of, known_at = (today - timedelta(days=chance.randrange(days)) for days in (3 * 365, DAYS))
        yield chance.choice(codes), as_of, known_at


def _figure_paths(count: int) -> list[str]:
    asked = islice(_questions(1), count)
    return [f"/figures/I1?division={code}&as_of={as_of}&known_at={known}" for code, as_of, known in asked]


def _table_paths(count: int) -> list[str]:
    asked = islice(_questions(2), count)
    return [f"/figures/table?division={CITY_CODE}&as_of={as_of}&known_at={known}" for _, as_of, known in asked]


async def _over_http(system: System, paths: Any, rate: int) -> list[float]:
    """Seconds of each answer."""
    token, port = system.token(SUPERVISOR), system.port("reporting")
    asked: Sequence[str] = paths(rate * (SECONDS + 2))
    requests = [Request(n / rate, port, get(port, path, token)) for n, path in enumerate(asked)]
    answers = await send(requests)
    if failed := [answer for answer in answers if answer.status != 200]:
        raise RuntimeError(f"{len(failed)} of {len(answers)} were not answered, the first: {failed[0]}")
    return [answer.seconds for answer in answers[2 * rate :]]


async def _bare(system: System) -> tuple[list[float], list[float]]:
    """The query alone, in this process, one after the other."""
    figures = Figures(_collection(system))
    counties = [node.code for node in divisions(CITY_CODE) if node.parent == CITY_CODE]
    single, tables = [], []
    for code, as_of, known_at in islice(_questions(3), BARE):
        begun = time.perf_counter()
        await figures.figure("I1", code, as_of, known_at)
        single.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        await figures.table(["I1", "I1b", "VISITS"], CITY_CODE, counties, as_of, known_at)
        tables.append(time.perf_counter() - begun)
    return single, tables


def _collection(system: System) -> Any:
    async def collection(name: str) -> Any:
        return system.client["guanhu_reporting"][OF.collection(name)]

    return collection
