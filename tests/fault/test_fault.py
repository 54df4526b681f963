"""Every process is killed again and again under a crowd of callers: what was answered is there, once, everywhere."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from datetime import date
from typing import Final, NamedTuple

import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from deploy.local.audit import examine
from deploy.local.operator import operator, settings_of
from deploy.local.rebuild import rebuild_in
from deploy.local.settings import checkpoint_folder, witness_keys
from services.registry.division_list import divisions
from services.registry.domain.child import RegisterChild
from services.reporting.projector import READ_MODELS
from services.visits.domain.visit import LogVisit
from shared.contracts.values import DivisionKind, Role
from shared.eventlog import witness
from shared.eventlog.evidence import DatabaseEvidence
from shared.eventlog.record import Position, Record, decode
from shared.messaging.topics import topic_name
from shared.projection.live import LiveModels
from shared.runtime.kernel import Kernel
from tests.support.crowd import Crowd, Told
from tests.support.installation import WITH_A_LOG, Installation, installation

COUNTY: Final = "520329"
VILLAGES: Final = [node.code for node in divisions(COUNTY) if node.kind is DivisionKind.VILLAGE]
DIRECTOR: Final = "fault-director"

VICTIMS: Final = ("registry", "visits", "projector", "reporting", "kafka", "mongodb")
"""The relay and the policies live in the process of their service."""
KILLS_OF_EACH: Final = 5
CALLERS: Final = 24
WISHES: Final = 270
"""Given out for each kill, a third to each side. It comes so early that every caller of each side is still at work."""


class Kill(NamedTuple):
    victim: str
    unanswered: Counter[str]
    seconds_away: float


class Kept(NamedTuple):
    """A record as the log holds it."""

    raw: bytes
    record: Record


@pytest.mark.fault
@pytest.mark.timeout(900)
async def test_whatever_is_killed_nothing_that_was_answered_is_lost_and_nothing_is_there_twice() -> None:
    async with installation("fault") as guanhu:
        await _found(guanhu)
        async with Crowd(guanhu, DIRECTOR, VILLAGES, CALLERS) as crowd:
            await crowd.begin(children=50)
            kills = await _kill_everything_again_and_again(guanhu, crowd)
        _assert_each_was_killed_at_work(kills)
        log = await _log_with_all_proposals(guanhu, crowd.told)
        _assert_each_command_is_in_the_log_once(log, crowd.told)
        _assert_each_opening_is_on_record(log, crowd.opened)
        await _assert_all_is_on_kafka(guanhu, log)
        await _assert_all_is_shown_once(guanhu, crowd.told)
        await _assert_chains_are_whole(guanhu)
        await _assert_a_rebuild_finds_the_same(guanhu, crowd.told)


async def _found(guanhu: Installation) -> None:
    async with operator(guanhu.stack.environment("registry")) as own:
        await own.import_divisions(COUNTY)
        await own.grant(DIRECTOR, Role.CHILD_DIRECTOR, COUNTY, date(2026, 1, 1))
        await own.everybody_knows()


async def _kill_everything_again_and_again(guanhu: Installation, crowd: Crowd) -> list[Kill]:
    kills, chance = list[Kill](), random.Random(0)
    for victim in VICTIMS * KILLS_OF_EACH:
        crowd.may_act(WISHES)
        await crowd.have_acted(left=chance.randrange(WISHES * 3 // 4, WISHES * 7 // 8))
        kills.append(await _kill(guanhu, crowd, victim))
        crowd.may_act(WISHES // 5)
        await crowd.have_acted()
        ended = [child.name for child in guanhu.stack.children.values() if not child.running]
        assert not ended, f"ended after {victim} was killed"
    return kills


async def _kill(guanhu: Installation, crowd: Crowd, victim: str) -> Kill:
    unanswered, began = crowd.unanswered.copy(), time.monotonic()
    guanhu.stack.kill(victim)
    await guanhu.stack.start(victim)
    return Kill(victim, unanswered, time.monotonic() - began)


def _assert_each_was_killed_at_work(kills: list[Kill]) -> None:
    assert Counter(kill.victim for kill in kills) == dict.fromkeys(VICTIMS, KILLS_OF_EACH)
    for kill in kills:
        assert kill.unanswered.total() >= 20, kill
        assert kill.unanswered.get(kill.victim, 20) >= 20, kill


# The log


async def _log_with_all_proposals(guanhu: Installation, told: list[Told]) -> dict[Position, Kept]:
    """The logs of all services, once registry's policy has answered to every visit that found something."""
    wanted = sum(finding.care_found is not None for visit in _visits(told) for finding in visit.findings)
    async with asyncio.timeout(60):
        while await guanhu.log("registry").count_documents({"type": "ChangeProposed"}) < wanted:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    log = {position: kept for service in WITH_A_LOG async for position, kept in _records(guanhu, service)}
    assert sum(kept.record.type == "ChangeProposed" for kept in log.values()) == wanted
    assert await guanhu.mongo["guanhu_registry"]["work_items"].count_documents({}) == 0
    return log


async def _records(guanhu: Installation, service: str) -> AsyncIterator[tuple[Position, Kept]]:
    async for row in guanhu.log(service).find({}, {"partition": 1, "seq": 1, "record": 1}).sort("_id", 1):
        yield Position(service, row["partition"], row["seq"]), Kept(row["record"], decode(row["record"]))


def _assert_each_command_is_in_the_log_once(log: dict[Position, Kept], told: list[Told]) -> None:
    types, last = defaultdict[str, Counter[str]](Counter), dict[str, Position]()
    for position, kept in log.items():
        if kept.record.actor.id == DIRECTOR and kept.record.type != "FileOpened":
            types[kept.record.command_id][kept.record.type] += 1
            last[kept.record.command_id] = max(position, last.get(kept.record.command_id, position))
    assert {one.command_id for one in told} == types.keys()
    for one in told:
        assert _may_be_told_by(one, types[one.command_id]), (one.command, types[one.command_id])
    assert {one.command_id: one.position for one in told} == last


def _assert_each_opening_is_on_record(log: dict[Position, Kept], opened: Counter[str]) -> None:
    """At least: one whose answer was lost with the process is on record too, and was wished again."""
    recorded = Counter(
        msgspec.json.decode(kept.record.data)["child"] for kept in log.values() if kept.record.type == "FileOpened"
    )
    assert opened.total() > 0
    assert opened <= recorded


def _may_be_told_by(told: Told, events: Counter[str]) -> bool:
    """A visit that found a danger raises its concern, or finds it again, and a report unless one is open."""
    match told.command:
        case RegisterChild():
            return events == {"ChildRegistered": 1, "HouseholdFileOpened": 1}
        case LogVisit() if told.command.findings[0].care_found is not None:
            concern = events["ConcernRaised"] + events["ConcernFound"]
            return (events["VisitLogged"], concern) == (1, 1) and events.total() - 2 == events[
                "ProtectionReportRaised"
            ] <= 1
        case LogVisit():
            return events == {"VisitLogged": 1}
        case _:
            return events == {"CareSituationRecorded": 1}


def _visits(told: list[Told]) -> list[LogVisit]:
    return [one.command for one in told if isinstance(one.command, LogVisit)]


# Kafka


async def _assert_all_is_on_kafka(guanhu: Installation, log: dict[Position, Kept]) -> None:
    """In the order of the log too, whatever was sent again."""
    waiting = {position: kept.raw for position, kept in log.items()}
    reached = Counter[tuple[str, int]]()
    async with asyncio.timeout(60):
        async for service, partition, raw in _messages(guanhu):
            record = decode(raw)
            assert record.position == (service, partition, record.seq)
            assert raw == log[record.position].raw
            assert record.seq <= reached[service, partition] + 1, "a record travelled before the one before it"
            reached[service, partition] = max(reached[service, partition], record.seq)
            waiting.pop(record.position, None)
            if not waiting:
                return


async def _messages(guanhu: Installation) -> AsyncIterator[tuple[str, int, bytes]]:
    """Service, partition and value of every message from the beginning, and of those to come."""
    partitions = range(guanhu.stack.settings.partitions)
    sources = {TopicPartition(topic_name(service), n): (service, n) for service in WITH_A_LOG for n in partitions}
    consumer = AIOKafkaConsumer(bootstrap_servers=guanhu.stack.kafka_address, auto_offset_reset="earliest")
    consumer.assign(list(sources))
    await consumer.start()
    try:
        async for message in consumer:
            service, n = sources[TopicPartition(message.topic, message.partition)]
            yield service, n, message.value
    finally:
        await consumer.stop()


# What is shown


async def _assert_all_is_shown_once(guanhu: Installation, told: list[Told]) -> None:
    await _wait_for_the_read_models(guanhu, told)
    children = {one.command.child for one in told if isinstance(one.command, RegisterChild)}
    visits = Counter(finding.child for visit in _visits(told) for finding in visit.findings)
    live = LiveModels(guanhu.mongo["guanhu_reporting"])
    cards = {card["_id"]: card async for card in (await live.collection("children", "cards")).find()}
    assert cards.keys() == children
    assert {child: card.get("visits", {}).get("count", 0) for child, card in cards.items()} == {
        child: visits[child] for child in children
    }
    entries = Counter[str]()
    async for entry in (await live.collection("children", "entries")).find({}, {"type": 1}):
        entries[entry["type"]] += 1
    assert entries["ChildRegistered"] == len(children)
    assert entries["VisitLogged"] == visits.total()
    figures = await _figures(live)
    assert figures == {"children@BRIEF-0-14": len(children), "visits": visits.total()}


async def _figures(live: LiveModels) -> dict[str, int]:
    """What the sums of the county come to, whatever the day."""
    totals = Counter[str]()
    async for row in (await live.collection("figures", "sums")).find({"node": COUNTY, "known": {"$regex": "^d"}}):
        for measure, days in row["sums"].items():
            totals[measure] += sum(n for n in days.values() if n > 0)
    return {measure: totals[measure] for measure in ("children@BRIEF-0-14", "visits")}


async def _wait_for_the_read_models(guanhu: Installation, told: list[Told]) -> None:
    ends = dict[tuple[str, int], Position]()
    for one in told:
        place = (one.position.service, one.position.partition)
        ends[place] = max(one.position, ends.get(place, one.position))
    live = LiveModels(guanhu.mongo["guanhu_reporting"])
    for name, model in READ_MODELS.items():
        for position in (end for end in ends.values() if end.service in model().services):
            assert await live.wait_for(name, position, timeout=60), f"{name} has not reached {position}"


# The audit and the rebuild


async def _assert_chains_are_whole(guanhu: Installation) -> None:
    home = guanhu.stack.home
    for service in WITH_A_LOG:
        file = witness.checkpoint_file(checkpoint_folder(home), service)
        seen, forged = witness.read(file, witness.public_key(witness_keys(home)[1])) if file.exists() else ([], [])
        report = await examine(DatabaseEvidence(guanhu.mongo), service, seen, forged)
        assert report.clean, report


async def _assert_a_rebuild_finds_the_same(guanhu: Installation, told: list[Told]) -> None:
    kernel = Kernel(settings_of(guanhu.stack.environment("reporting")), "reporting", process="rebuild")
    try:
        for name, model in READ_MODELS.items():
            report = await rebuild_in(kernel, name, READ_MODELS)
            assert report.differences == ()
            assert report.switched
            assert report.records >= sum(one.position.service in model().services for one in told)
    finally:
        await kernel.close()
