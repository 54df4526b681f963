"""The whole road over HTTP, through the real processes: what registry and visits are told is what supervision sees."""

from __future__ import annotations

import asyncio
import base64
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import httpx
import msgspec
import orjson
import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer
from bson.raw_bson import DEFAULT_RAW_BSON_OPTIONS
from rich.console import Console

from deploy.local.audit import examine
from deploy.local.demo import DIRECTOR, OFFICE, SUPERVISOR, Demo
from deploy.local.operator import WITH_A_DIRECTORY, operator
from deploy.local.population import Plan, Population, populate
from deploy.local.settings import checkpoint_folder, witness_keys
from services.registry.division_list import divisions
from services.registry.domain.child import (
    ApproveErasure,
    CloseChildFile,
    CorrectIdentity,
    EntrustCaregiver,
    MarkKeyGroup,
    RecordCareSituation,
    RecordHealth,
    RecordIdentity,
    RecordParentSituation,
    RecordSchooling,
    RecordWelfare,
    RegisterChild,
    RequestErasure,
    ReviewChildFile,
    SubmitChildFile,
    VerifyChildFile,
)
from services.registry.domain.citizen_number import check_character
from services.registry.domain.counting_rule import AdoptCountingRule
from services.registry.domain.posting import PostWorkingGroup, WithdrawWorkingGroup
from shared.commands.command import Command, business_day
from shared.contracts.child_file import Entrustment, Health, Identity, IdentityCorrection, Schooling, Welfare
from shared.contracts.registry import ParentDetails, ParentSituation
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import (
    CareKind,
    CitizenNumberStatus,
    CloseReason,
    DivisionKind,
    HealthState,
    HukouKind,
    KeyGroup,
    ParentState,
    PostingLevel,
    Relation,
    Role,
    SchoolState,
    WithdrawalReason,
)
from shared.contracts.visits import ChildFinding
from shared.eventlog import witness
from shared.eventlog.evidence import DatabaseEvidence
from shared.eventlog.placement import derived_id, new_id
from shared.eventlog.record import Position, Record, decode, encode, hash_of
from shared.identity.issuer import Issuer
from shared.messaging.seal import HEADER, Seal
from shared.messaging.topics import topic_name
from shared.projection.live import LiveModels
from tests.support.builders import a_registration, a_visit, care, parents
from tests.support.installation import WITH_A_LOG, Installation, installation, json_of

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]

CITY: Final = "5203"
PLAN: Final = Plan(154, 85)
NOW: Final = datetime.now(UTC)
TODAY: Final = business_day(NOW)
VILLAGES: Final = [node.code for node in divisions(CITY) if node.kind is DivisionKind.VILLAGE]
MINE, ELSEWHERE = "520303105201", next(code for code in VILLAGES if not code.startswith("520303"))
OFFICER, VILLAGER, JUDGE_IN_OWN_CASE = "demo-officer-1", "road-villager", "road-judge-in-own-case"
COUNTY: Final = "road-county"
GRANTS: Final = (
    (DIRECTOR, Role.CHILD_DIRECTOR, CITY),
    (JUDGE_IN_OWN_CASE, Role.COUNTY_CIVIL_AFFAIRS, CITY),
    (JUDGE_IN_OWN_CASE, Role.DATA_PROTECTION_OFFICER, CITY),
    (COUNTY, Role.COUNTY_CIVIL_AFFAIRS, CITY),
)


@dataclass
class Road:
    """An installation with the demo's city on it; ``first`` is its table before any test told anything."""

    guanhu: Installation
    population: Population
    first: dict[str, Any]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def road() -> AsyncIterator[Road]:
    async with installation("road") as guanhu:
        table = await Demo(guanhu.stack, Console(quiet=True), PLAN, guanhu.http).run()
        async with operator(guanhu.stack.environment("registry")) as own:
            for person, role, division in GRANTS:
                await own.grant(person, role, division, TODAY)
            await own.everybody_knows()
        await _post_the_villager(guanhu)
        yield Road(guanhu, populate(PLAN, VILLAGES, TODAY), table)


async def _post_the_villager(guanhu: Installation) -> None:
    """Returns when everybody knows that the villager leads a group in the village."""
    posting = PostWorkingGroup(
        posting=new_id("posting"),
        village=MINE,
        level=PostingLevel.COUNTY,
        unit="县直帮扶单位",
        starts=TODAY,
        leader=VILLAGER,
    )
    position = Position.parse(await guanhu.give(posting, OFFICE))
    for service in WITH_A_DIRECTORY:
        assert await LiveModels(guanhu.mongo[f"guanhu_{service}"]).wait_for("directory", position, timeout=30)


@pytest.fixture
def guanhu(road: Road) -> Installation:
    return road.guanhu


def a_child(village: str = MINE, **changes: Any) -> RegisterChild:
    """A child of ten with both parents away for months, as told today."""
    fields = {
        "occurred_at": NOW,
        "residence": village,
        "hukou": village[:6],
        "birth_date": _years_ago(10),
        "parents": parents(since=TODAY - timedelta(days=200)),
    }
    return a_registration(**fields | changes)


def a_visit_to(child: RegisterChild, **changes: Any) -> Command:
    return a_visit(child.household, child.child, **{"village": child.residence, "occurred_at": NOW} | changes)


def _years_ago(years: int) -> date:
    return TODAY - timedelta(days=years * 365.25 + 40)


async def table(guanhu: Installation, after: str | None = None, division: str = CITY, **days: str) -> dict[str, Any]:
    """Of each row: numerator and denominator of I1, numerator of I1b, visits; by the code of its division.

    Without ``after``, when all that was told so far is in it.
    """
    answer = await guanhu.ask(
        "/figures/table", SUPERVISOR, after or await told_so_far(guanhu), division=division, **days
    )
    return {row["division"]: _numbers(row["figures"]) for row in (answer["total"], *answer["rows"])}


async def told_so_far(guanhu: Installation) -> str:
    """The end of every partition that the figures are made of."""
    ends = [
        f"{service}/{head['_id']}/{head['seq']}"
        for service in ("registry", "visits")
        async for head in guanhu.mongo[f"guanhu_{service}"]["heads"].find({"seq": {"$gt": 0}})
    ]
    return ",".join(ends)


def _numbers(figures: dict[str, Any]) -> tuple[int, ...]:
    i1, i1b, visits = figures["I1"], figures["I1b"], figures["VISITS"]
    return i1["numerator"], i1["denominator"], i1b["numerator"], visits["numerator"]


async def card(guanhu: Installation, child: str, after: str | None = None) -> dict[str, Any]:
    answer = await guanhu.open_file(child, DIRECTOR, after)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def found_by(guanhu: Installation, name: str, after: str | None = None, division: str = CITY) -> set[str]:
    answer = await guanhu.http.post(
        f"{guanhu.stack.url('reporting')}/children/search",
        json={"division": division, "name": name},
        headers=guanhu.headers(SUPERVISOR, after),
    )
    assert answer.status_code == 200, answer.text
    return {line["child"] for line in answer.json()["lines"]}


async def eventually(holds: Callable[[], Awaitable[bool]], seconds: float = 15) -> None:
    async with asyncio.timeout(seconds):
        while not await holds():  # noqa: ASYNC110 - it waits for another process
            await asyncio.sleep(0.05)


async def records_of(guanhu: Installation, service: str, **query: Any) -> list[Record]:
    return [decode(row["record"]) async for row in guanhu.log(service).find(query)]


def problem(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


# Figures


async def test_the_share_of_children_in_villages_with_a_posting_is_exact(road: Road) -> None:
    total, posted = road.first["total"]["figures"], set(road.population.posted_villages)
    inhabited = {village for village, children in road.population.counted_by_village.items() if children}
    assert total["I1"] == {"numerator": 85, "denominator": 154, "rate": "55.2"}
    assert (total["I1b"]["numerator"], total["I1b"]["denominator"]) == (len(inhabited & posted), len(inhabited))


async def test_each_countys_row_holds_its_own_children_and_the_rows_make_up_the_total(road: Road) -> None:
    counted, posted = Counter[str](), Counter[str]()
    for village, children in road.population.counted_by_village.items():
        counted[village[:6]] += children
        posted[village[:6]] += children * (village in road.population.posted_villages)
    rows = {row["division"]: row["figures"]["I1"] for row in road.first["rows"]}
    assert len(rows) == 14
    assert {code: (row["numerator"], row["denominator"]) for code, row in rows.items()} == {
        code: (posted[code], counted[code]) for code in rows
    }


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        ({}, 1),
        ({"birth_date": _years_ago(15)}, 0),
        ({"parents": parents(mother=ParentState.HOME)}, 0),
        ({"parents": parents(mother=ParentState.INCAPABLE)}, 1),
    ],
    ids=["away", "aged 15", "mother at home", "mother incapable"],
)
async def test_who_counts_follows_from_age_and_parents(
    guanhu: Installation, changes: dict[str, Any], counts: int
) -> None:
    before = await table(guanhu)
    after = await table(guanhu, await guanhu.give(a_child(**changes), DIRECTOR))
    assert after[CITY][1] - before[CITY][1] == counts


async def test_a_closed_file_does_not_count(guanhu: Installation) -> None:
    child = a_child()
    before = await table(guanhu)
    await guanhu.give(child, DIRECTOR)
    close = CloseChildFile(child=child.child, reason=CloseReason.PARENT_RETURNED, closed_on=TODAY)
    assert await table(guanhu, await guanhu.give(close, DIRECTOR)) == before


async def test_a_withdrawn_posting_takes_its_villages_children_out_of_the_numerator_and_touches_no_other_county(
    road: Road,
) -> None:
    counted = road.population.counted_by_village
    village = max(road.population.posted_villages, key=lambda code: (counted.get(code, 0), code))
    before = await table(road.guanhu)
    withdrawal = WithdrawWorkingGroup(
        posting=derived_id(village, "posting"), ends=TODAY, reason=WithdrawalReason.TERM_ENDED
    )
    after = await table(road.guanhu, await road.guanhu.give(withdrawal, OFFICE))
    assert {code: after[code][0] - before[code][0] for code in before if after[code] != before[code]} == {
        CITY: -counted[village],
        village[:6]: -counted[village],
    }


async def test_a_late_closing_changes_what_is_known_today_of_an_earlier_day_and_not_what_was_known_then(
    guanhu: Installation,
) -> None:
    child = a_child(occurred_at=NOW - timedelta(days=60))
    then = (TODAY - timedelta(days=40)).isoformat()
    earlier, now = {"as_of": then, "known_at": then}, {"as_of": then}
    await guanhu.give(child, DIRECTOR)
    known_then = await table(guanhu, await guanhu.give(a_child(ELSEWHERE), DIRECTOR), **earlier)
    known_now = await table(guanhu, **now)
    late = CloseChildFile(child=child.child, reason=CloseReason.MOVED_OUT, closed_on=TODAY - timedelta(days=45))
    position = await guanhu.give(late, DIRECTOR)
    assert await table(guanhu, position, **earlier) == known_then
    assert (await table(guanhu, position, **now))[CITY][1] == known_now[CITY][1] - 1


# Visits and cards


async def test_a_late_visit_is_counted_on_its_day_and_shows_on_the_card_and_in_its_time_line(
    guanhu: Installation,
) -> None:
    child, day = a_child(), TODAY - timedelta(days=3)
    await guanhu.give(child, DIRECTOR)
    before = {offset: await table(guanhu, as_of=str(day + timedelta(days=offset))) for offset in (-1, 0)}
    position = await guanhu.give(a_visit_to(child, occurred_at=NOW - timedelta(days=3)), DIRECTOR)
    after = {offset: await table(guanhu, position, as_of=str(day + timedelta(days=offset))) for offset in (-1, 0)}
    assert after[-1] == before[-1]
    assert after[0][CITY][3] == before[0][CITY][3] + 1
    shown = await card(guanhu, child.child, position)
    assert shown["visits"] == {"count": 1, "last_on": str(day), "last_kind": "home"}
    assert {"kind": "home", "on": str(day), "life": "衣食无忧"} in [entry["facts"] for entry in shown["time_line"]]


async def test_a_care_situation_found_at_a_visit_is_proposed_for_review_once(guanhu: Installation) -> None:
    child = a_child()
    await guanhu.give(child, DIRECTOR)
    finding = ChildFinding(child=child.child, care_found=care(CareKind.NOBODY, alone=True))
    await guanhu.give(a_visit_to(child, findings=(finding,)), DIRECTOR)

    async def proposed() -> bool:
        return bool(await records_of(guanhu, "registry", stream=child.child, type="ChangeProposed"))

    await eventually(proposed)
    [proposal] = await records_of(guanhu, "registry", stream=child.child, type="ChangeProposed")
    shown = await card(guanhu, child.child, str(proposal.position))
    assert [entry["type"] for entry in shown["time_line"]].count("ChangeProposed") == 1
    assert shown["file"]["care"]["kind"] == "grandparent", "a file changes only when a reviewer takes it over"


async def test_a_list_holds_the_children_of_ones_own_division_and_no_others(guanhu: Installation) -> None:
    mine, other = a_child(), a_child(ELSEWHERE)
    positions = [await guanhu.give(child, DIRECTOR) for child in (mine, other)]
    lines = (await guanhu.ask("/children", VILLAGER, ",".join(positions), division=MINE, limit="200"))["lines"]
    assert mine.child in {line["child"] for line in lines}
    assert {line["village"] for line in lines} == {MINE}
    for division in (ELSEWHERE, MINE[:6], CITY):
        assert problem(await guanhu.request("/children", VILLAGER, division=division)) == (403, "out_of_scope")


async def test_a_long_list_is_read_page_by_page_without_hole_or_repetition(guanhu: Installation) -> None:
    everybody = [line["child"] for line in await _pages(guanhu, 200)]
    assert [line["child"] for line in await _pages(guanhu, 23)] == everybody
    assert len(set(everybody)) == len(everybody) > PLAN.counted


async def _pages(guanhu: Installation, limit: int) -> list[dict[str, Any]]:
    lines, more = [], {}
    while True:
        page = (await guanhu.http.get(
            f"{guanhu.stack.url('reporting')}/children",
            params={"division": CITY, "limit": limit, **more},
            headers=guanhu.headers(SUPERVISOR),
        )).json()  # fmt: skip
        lines += page["lines"]
        if page["next"] is None:
            return lines
        more = {"after": page["next"]}


@pytest.mark.parametrize("asked", ["测寻人", "测寻", "ceshibiede", "ceshi", "csbd", "CeShi"])
async def test_a_child_is_found_by_the_beginning_of_name_pinyin_or_initials(guanhu: Installation, asked: str) -> None:
    name = "测寻人" if asked.startswith("测") else "测试别的"
    child = a_child(name=name)
    position = await guanhu.give(child, DIRECTOR)
    assert child.child in await found_by(guanhu, asked, position, division=MINE)
    assert child.child not in await found_by(guanhu, asked, position, division=ELSEWHERE)


async def test_a_file_is_opened_only_for_a_purpose_and_that_it_was_is_on_record(guanhu: Installation) -> None:
    child = a_child()
    position = await guanhu.give(child, DIRECTOR)
    assert problem(await guanhu.request(f"/children/{child.child}", DIRECTOR, position)) == (422, "purpose_missing")
    assert (await card(guanhu, child.child, position))["file"]["name"] == "测甲一"
    openings = await records_of(guanhu, "reporting", type="FileOpened")
    [opening] = [record for record in openings if msgspec.json.decode(record.data)["child"] == child.child]
    assert msgspec.json.decode(opening.data)["person"] == DIRECTOR
    assert (opening.actor.id, opening.actor.role) == (DIRECTOR, "child_director")


async def test_a_file_outside_ones_division_is_as_unknown_as_one_that_is_nowhere(guanhu: Installation) -> None:
    child = a_child(ELSEWHERE)
    position = await guanhu.give(child, DIRECTOR)
    for wanted in (child.child, new_id("child")):
        answer = await guanhu.open_file(wanted, VILLAGER, position, purpose="curiosity")
        assert problem(answer) == (404, "not_on_file")


async def test_what_was_just_told_is_seen_by_who_asks_with_its_position(guanhu: Installation) -> None:
    for _ in range(10):
        child = a_child()
        position = await guanhu.give(child, DIRECTOR)
        assert (await card(guanhu, child.child, position))["child"] == child.child


# Who may, and what is refused


async def test_a_token_that_is_missing_expired_or_forged_opens_nothing(guanhu: Installation, tmp_path: Path) -> None:
    forger = Issuer(tmp_path, guanhu.issuer.url)
    tokens = {
        "missing": {},
        "expired": {"authorization": f"Bearer {guanhu.token(DIRECTOR, seconds=-3600)}"},
        "forged": {"authorization": f"Bearer {forger.issue(DIRECTOR)}"},
        "nonsense": {"authorization": "Bearer nonsense"},
    }
    for token in tokens.values():
        read = await guanhu.http.get(f"{guanhu.stack.url('reporting')}/figures/I1?division={CITY}", headers=token)
        told = await guanhu.http.post(
            f"{guanhu.stack.url('registry')}/commands/RegisterChild",
            content=json_of(a_child()),
            headers=token | {"idempotency-key": str(uuid4())},
        )
        assert (read.status_code, told.status_code) == (401, 401)


async def test_a_command_outside_ones_division_is_refused(guanhu: Installation) -> None:
    assert problem(await guanhu.tell(a_child(ELSEWHERE), VILLAGER)) == (403, "out_of_scope")
    assert problem(await guanhu.tell(a_child(), SUPERVISOR + "-unknown")) == (403, "no_role")
    withdrawal = WithdrawWorkingGroup(posting=new_id("posting"), ends=TODAY, reason=WithdrawalReason.OTHER)
    assert problem(await guanhu.tell(withdrawal, VILLAGER)) == (404, "not_on_file")


async def test_a_command_told_many_times_at_once_takes_effect_once_and_gets_one_answer(guanhu: Installation) -> None:
    child, key = a_child(), str(uuid4())
    answers = await asyncio.gather(*(guanhu.tell(child, DIRECTOR, idempotency_key=key) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert len(await records_of(guanhu, "registry", stream=child.child)) == 1


async def test_a_command_id_belongs_to_one_command_of_one_person(guanhu: Installation) -> None:
    child, key = a_child(), str(uuid4())
    await guanhu.give(child, DIRECTOR, idempotency_key=key)
    again = child.model_copy(update={"name": Personal("测乙二")})
    assert problem(await guanhu.tell(again, DIRECTOR, idempotency_key=key)) == (422, "command_id_reused")
    assert problem(await guanhu.tell(child, VILLAGER, idempotency_key=key)) == (403, "command_id_of_another")


async def test_who_saw_an_older_version_does_not_overwrite_the_newer(guanhu: Installation) -> None:
    child = a_child()
    await guanhu.give(child, DIRECTOR)
    record = RecordCareSituation(child=child.child, care=care(CareKind.BOARDING_SCHOOL))
    assert (await guanhu.tell(record, DIRECTOR, if_match='"1"')).json()["versions"] == {child.child: 2}
    assert problem(await guanhu.tell(record, DIRECTOR, if_match='"1"')) == (409, "version_conflict")
    assert problem(await guanhu.tell(record, DIRECTOR, if_match="newest")) == (422, "version_malformed")


async def test_a_body_that_is_no_json_is_400_and_one_that_breaks_a_rule_names_the_field_and_repeats_nothing(
    guanhu: Installation,
) -> None:
    assert problem(await guanhu.send("RegisterChild", b'{"child": ', DIRECTOR)) == (400, "malformed")
    assert problem(await guanhu.send("RegisterChild", b"\xff\xfe", DIRECTOR)) == (400, "malformed")
    body = orjson.loads(json_of(a_child())) | {"sex": "测泄露", "测泄露": 1}
    refused = await guanhu.send("RegisterChild", orjson.dumps(body), DIRECTOR)
    assert problem(refused) == (422, "invalid")
    assert {error["field"] for error in refused.json()["errors"]} == {"sex", "?"}
    assert "测泄露" not in refused.text


async def test_a_division_that_is_not_in_the_tree_is_named_as_such(guanhu: Installation) -> None:
    assert problem(await guanhu.tell(a_child("529901001001"), DIRECTOR)) == (422, "unknown_division")


async def test_a_command_over_256_kib_is_refused_alone_and_in_a_batch_with_its_neighbours_unharmed(
    guanhu: Installation,
) -> None:
    household, text = new_id("household"), Personal("帮" * 2_000)
    many = [a_child(household=household) for _ in range(20)]
    assert all(one["receipt"] for one in await _batch(guanhu, DIRECTOR, *map(_item, many)))
    findings = tuple(
        ChildFinding(child=one.child, life=Personal(f"{place}"), learning=text, psychology=text, wishes=text)
        for place, one in enumerate(many)
    )
    large, small = a_visit_to(many[0], findings=findings), a_visit_to(many[0])
    assert problem(await guanhu.tell(large, DIRECTOR)) == (413, "body_too_large")
    answers = await _batch(guanhu, DIRECTOR, _item(large), _item(small), service="visits")
    assert [answer["problem"] and answer["problem"]["code"] for answer in answers] == ["record_too_large", None]


async def test_one_broken_command_of_a_batch_leaves_its_neighbours_alone(guanhu: Installation) -> None:
    first, last = a_child(), a_child()
    broken = _item(a_child())
    broken["body"]["child"] = "child-1"
    others = [_item(command) for command in (first, a_child("529901001001"), last)]
    answers = await _batch(guanhu, DIRECTOR, _item(first), broken, *others, _item(last) | {"command": "AdoptChild"})
    codes = [answer["problem"] and answer["problem"]["code"] for answer in answers]
    assert codes == [None, "invalid", "child_already_registered", "unknown_division", None, "unknown_command"]
    positions = ",".join(answer["receipt"]["position"] for answer in answers if answer["receipt"])
    for child in (first, last):
        assert (await card(guanhu, child.child, positions))["file"]["open"]


def _item(command: Command) -> dict[str, Any]:
    return {"command": type(command).__name__, "id": str(uuid4()), "body": orjson.loads(json_of(command))}


async def _batch(
    guanhu: Installation, person: str, *items: dict[str, Any], service: str = "registry"
) -> list[dict[str, Any]]:
    answer = await guanhu.http.post(
        f"{guanhu.stack.url(service)}/commands", json={"commands": items}, headers=guanhu.headers(person)
    )
    assert answer.status_code == 200, answer.text
    answers: list[dict[str, Any]] = answer.json()["answers"]
    assert [one["id"] for one in answers] == [item["id"] for item in items]
    return answers


# What may happen to the topic


async def test_whatever_somebody_writes_to_the_topic_the_read_model_stays_right(guanhu: Installation) -> None:
    before = await table(guanhu)
    partitions = range(guanhu.stack.settings.partitions)
    told = [_child_in(partition) for partition in [*partitions, *partitions]]
    positions = []
    for partition, child in enumerate(told):
        await _poison(guanhu, partition % len(partitions))
        positions.append(await guanhu.give(child, DIRECTOR))
    after = await table(guanhu, ",".join(positions))
    assert after[CITY][1] == before[CITY][1] + len(told)
    for child, position in zip(told, positions, strict=True):
        [entry] = (await card(guanhu, child.child, position))["time_line"]
        assert entry["type"] == "ChildRegistered"
    health = await guanhu.http.get(f"{guanhu.stack.url('projector')}/health")
    assert health.status_code == 200, health.text


def _child_in(partition: int) -> RegisterChild:
    return a_child(household=new_id("household", beside=f"{partition:04x}"))


async def _poison(guanhu: Installation, partition: int) -> None:
    """What others may put on the topic, and what a service of the installation would only by a fault."""
    seal = Seal(guanhu.stack.environment("registry")["GUANHU_SERVICE_SECRET"].encode())
    raw = (await guanhu.log("registry").find_one({"partition": partition}, sort=[("seq", -1)]))["record"]
    producer = AIOKafkaProducer(bootstrap_servers=guanhu.stack.kafka_address, max_request_size=1 << 20)
    await producer.start()

    async def send(value: bytes | None, *headers: tuple[str, bytes | None]) -> None:
        await producer.send_and_wait(topic_name("registry"), value, b"key", partition, headers=list(headers))

    try:
        for garbage in (b"no JSON", b"", b"\xff\xfe", b"[1,2]", b"x" * 900_000, raw):
            await send(garbage)
            await send(garbage, (HEADER, seal.of(garbage)))
        for forged in _forgeries(decode(raw)):
            await send(forged, (HEADER, seal.of(forged)))
        await send(_forged_to_follow(raw))
        await send(_forged_to_follow(raw), (HEADER, b"\xff\xfe"))
        await send(None)
        await send(b"{}", (HEADER, None), (HEADER, None))
        await send(b"{}", ("content-type", b"\xff\xfe\xfd"), ("correlation_id", b"\x80"))
    finally:
        await producer.stop()


def _forgeries(last: Record) -> Iterable[bytes]:
    """Records that are not the owner's, though they may carry a number that is."""
    for changes in (
        {"data": msgspec.Raw(b'{"child":"child-00000000"}')},
        {"seq": last.seq + 1, "version": 1, "type": "ChildPraised"},
        {"seq": last.seq + 1000, "type": "ChildPraised"},
        {"seq": last.seq + 1, "partition": last.partition + 1},
        {"seq": last.seq + 1, "service": "visits"},
        {"seq": 0},
    ):
        yield encode(msgspec.structs.replace(last, **changes))


def _forged_to_follow(raw: bytes) -> bytes:
    """The next number, chained to the last record; only its seal can tell that it is not the owner's."""
    last = decode(raw)
    child = new_id("child", beside=last.stream)
    data = msgspec.json.decode(last.data) | {"child": child}
    following = {"id": new_id("event"), "seq": last.seq + 1, "prev": hash_of(raw), "stream": child, "version": 1}
    return encode(msgspec.structs.replace(last, data=msgspec.Raw(msgspec.json.encode(data)), **following))


# Privacy


async def test_an_erasure_takes_the_person_and_leaves_every_figure_and_the_chain(guanhu: Installation) -> None:
    child = a_child(name="测被删", occurred_at=NOW - timedelta(days=90), household_phone="19900000001")
    await guanhu.give(child, DIRECTOR)
    visited = await guanhu.give(a_visit_to(child), DIRECTOR)
    assert child.child in await found_by(guanhu, "测被删", visited)
    ends = list(_month_ends())
    before = [await table(guanhu, visited, as_of=day) for day in ends]

    request = RequestErasure(child=child.child, basis=Personal("家长申请"))
    approval = ApproveErasure(child=child.child)
    assert problem(await guanhu.tell(approval, OFFICER)) == (409, "erasure_not_requested")
    await guanhu.give(request, JUDGE_IN_OWN_CASE)
    assert problem(await guanhu.tell(approval, JUDGE_IN_OWN_CASE)) == (403, "approver_is_requester")
    assert problem(await guanhu.tell(approval, DIRECTOR)) == (404, "not_on_file"), "a director approves nothing"
    erased = await guanhu.give(approval, OFFICER)

    async def destroyed() -> bool:
        keys = await guanhu.mongo["guanhu_keys"]["keys"].find_one({"_id": child.child})
        return "personal" not in keys and "counted" in keys

    await eventually(destroyed)
    assert await found_by(guanhu, "测被删", erased) == set()
    assert problem(await guanhu.open_file(child.child, DIRECTOR, erased)) == (404, "not_on_file")
    assert [await table(guanhu, erased, as_of=day) for day in ends] == before
    assert problem(await guanhu.tell(RecordCareSituation(child=child.child, care=care()), DIRECTOR))[0] == 410
    await assert_chains_are_whole(guanhu)


def _month_ends() -> Iterable[str]:
    """Of eighteen months before and six after; a figure may be asked for a day to come."""
    for months in range(TODAY.year * 12 + TODAY.month - 18, TODAY.year * 12 + TODAY.month + 6):
        yield (date(months // 12, months % 12 + 1, 1) - timedelta(days=1)).isoformat()


async def assert_chains_are_whole(guanhu: Installation) -> None:
    home = guanhu.stack.home
    for service in WITH_A_LOG:
        file = witness.checkpoint_file(checkpoint_folder(home), service)
        seen, forged = witness.read(file, witness.public_key(witness_keys(home)[1])) if file.exists() else ([], [])
        report = await examine(DatabaseEvidence(guanhu.mongo), service, seen, forged)
        assert report.clean, report


async def test_a_file_is_checked_by_two_offices_and_counts_by_the_rule_that_was_adopted(guanhu: Installation) -> None:
    day = {"as_of": "2030-01-01", "known_at": "2030-01-01"}
    child = a_child(hukou_kind=HukouKind.RURAL, birth_date=_years_ago(3))
    before = await guanhu.ask("/figures/I1", SUPERVISOR, division=MINE, rule="MCA-2016", **day)
    none = Identity(citizen_number_status=CitizenNumberStatus.NONE)
    for command, person in (
        (child, DIRECTOR),
        (RecordIdentity(child=child.child, identity=Personal(none)), DIRECTOR),
        (RecordSchooling(child=child.child, schooling=Personal(Schooling(state=SchoolState.KINDERGARTEN))), DIRECTOR),
        (RecordHealth(child=child.child, health=Personal(Health(state=HealthState.HEALTHY))), DIRECTOR),
        (SubmitChildFile(child=child.child), DIRECTOR),
        (ReviewChildFile(child=child.child), SUPERVISOR),
        (VerifyChildFile(child=child.child), COUNTY),
    ):
        position = await guanhu.give(command, person)
    file = (await guanhu.open_file(child.child, DIRECTOR, position)).json()["file"]
    assert (file["check"]["stage"], file["key_groups"]) == ("county_verified", ["no_registration"])

    adopted = AdoptCountingRule(division=MINE[:6], rule="MCA-2016", starts=date(2030, 1, 1))
    after = f"{position},{await guanhu.give(adopted, COUNTY)}"
    counted = await guanhu.ask("/figures/I1", SUPERVISOR, after, division=MINE, **day)
    assert counted["rule"] == "MCA-2016"
    assert counted["figure"]["denominator"] == before["figure"]["denominator"] + 1
    today = await guanhu.ask("/figures/I1", SUPERVISOR, after, division=MINE)
    assert today["rule"] == "BRIEF-0-14"


class Canary:
    """A generated child whose name, number and phones are to be found nowhere outside read models and key holders."""

    def __init__(self) -> None:
        serial = f"{uuid4().int % 1000:03d}"
        digits = f"529907{_years_ago(9):%Y%m%d}{serial}"
        self.name = "測鸟" + chr(0x9F98) + chr(0x4E00 + int(serial))
        self.number = digits + check_character(digits)
        self.phone = f"199{uuid4().int % 10**8:08d}"

    @property
    def needles(self) -> list[bytes]:
        plain = [text.encode() for text in (self.name, self.number, self.phone)]
        escaped = [
            json.dumps(self.name).strip('"').encode(),
            self.name.encode("utf-16-le"),
            self.name.encode("gb18030"),
        ]
        return plain + escaped + [needle for secret in plain for needle in _in_base64(secret)]

    def sung_in(self, content: bytes) -> list[bytes]:
        return [needle for needle in self.needles if needle in content]


def _blocks(child: str, canary: Canary) -> list[Command]:
    """Every block of the file that says something about the child or its family."""
    mother = ParentSituation(
        state=Counted(ParentState.AWAY),
        name=Personal(canary.name),
        details=Personal(ParentDetails(work=canary.name, birth_date=_years_ago(30))),
    )
    return [
        RecordParentSituation(child=child, parents=parents().model_copy(update={"mother": mother})),
        RecordIdentity(
            child=child,
            identity=Personal(
                Identity(
                    citizen_number_status=CitizenNumberStatus.PRESENT,
                    citizen_number=canary.number,
                    former_names=(canary.name,),
                )
            ),
        ),
        CorrectIdentity(
            child=child, correction=Personal(IdentityCorrection(reason=canary.name, citizen_number=canary.number))
        ),
        RecordSchooling(
            child=child, schooling=Personal(Schooling(state=SchoolState.PRIMARY, homeroom_teacher=canary.name))
        ),
        RecordHealth(child=child, health=Personal(Health(state=HealthState.SERIOUSLY_ILL, illness=canary.name))),
        RecordWelfare(child=child, welfare=Personal(Welfare(other=canary.phone))),
        EntrustCaregiver(
            child=child,
            entrustment=Personal(
                Entrustment(
                    caregiver=canary.name, relation=Relation.SIBLING, phone=canary.phone, signed_on=_years_ago(1)
                )
            ),
        ),
        MarkKeyGroup(child=child, group=KeyGroup.DISABILITY, reason=Personal(canary.name)),
    ]


def _in_base64(secret: bytes) -> Iterable[bytes]:
    """What base64 makes of it, wherever in the encoded bytes it begins; characters that neighbours share left out."""
    for shift in range(3):
        coded = base64.b64encode(bytes(shift) + secret)
        first = -(-8 * shift // 6)
        last = 8 * (shift + len(secret)) // 6
        yield coded[first:last]


async def test_a_childs_name_number_and_phone_are_in_no_log_file_no_topic_no_event_log_and_after_erasure_nowhere(
    guanhu: Installation,
) -> None:
    canary = Canary()
    child = await _live_a_life(guanhu, canary)
    for name in ("guanhu_registry", "guanhu_visits", "guanhu_reporting"):
        rows = [document.raw async for document in _raw(guanhu, name, "log")]
        assert any(child.encode() in row for row in rows), "the scan sees what is in the clear"
        assert [sung for row in rows for sung in canary.sung_in(row)] == []
    assert [
        sung async for document in _raw(guanhu, "guanhu_keys", "keys") for sung in canary.sung_in(document.raw)
    ] == []
    assert await _databases_that_sing(guanhu, canary) == {"guanhu_reporting"}, "the cards, while the child is on file"
    _assert_files_are_silent(guanhu.stack.home / "log", "*.log", canary, seen=b"registry")
    _assert_files_are_silent(guanhu.stack.home / "kafka", "*.events-*/*.log", canary, seen=child.encode())

    await guanhu.give(RequestErasure(child=child, basis=Personal(f"{canary.name}申请")), DIRECTOR)
    erased = await guanhu.give(ApproveErasure(child=child), OFFICER)
    assert await found_by(guanhu, canary.name, erased) == set()
    assert await _databases_that_sing(guanhu, canary) == set()
    _assert_files_are_silent(guanhu.stack.home / "log", "*.log", canary, seen=b"registry")
    _assert_files_are_silent(guanhu.stack.home / "kafka", "*.events-*/*.log", canary, seen=child.encode())


async def _live_a_life(guanhu: Installation, canary: Canary) -> str:
    """Everything that can be told and asked about a child, also wrongly; the child's id."""
    child = a_child(
        name=canary.name,
        birth_date=_years_ago(9),
        citizen_number=canary.number,
        household_head=canary.name + "爷",
        household_phone=canary.phone,
        address=f"{canary.name}家",
        care=care().model_copy(update={"caregiver": Personal(canary.name), "caregiver_phone": Personal(canary.phone)}),
    )
    await guanhu.give(child, DIRECTOR)
    assert (await guanhu.tell(child, DIRECTOR)).status_code == 409
    life = ChildFinding(
        child=child.child,
        life=Personal(f"{canary.name} {canary.phone}"),
        care_found=child.care.model_copy(update={"note": Personal(canary.number)}),
    )
    position = await guanhu.give(a_visit_to(child, findings=(life,)), DIRECTOR)
    assert await found_by(guanhu, canary.name, position) == {child.child}
    assert (await guanhu.open_file(child.child, DIRECTOR, purpose=canary.name)).status_code == 200
    wrong = orjson.loads(json_of(child)) | {"sex": canary.name, canary.name: canary.phone, "child": canary.number}
    assert (await guanhu.send("RegisterChild", orjson.dumps(wrong), DIRECTOR)).status_code == 422
    for block in _blocks(child.child, canary):
        await guanhu.give(block, DIRECTOR)
    await guanhu.send("RegisterChild", orjson.dumps(wrong)[:-3], DIRECTOR)
    await guanhu.request(f"/children/{canary.name}", DIRECTOR, name=canary.name)
    await guanhu.request(f"/{canary.name}", canary.name, name=canary.phone)
    await guanhu.tell(a_child(child=child.child, name=canary.name), DIRECTOR)
    return child.child


async def _raw(guanhu: Installation, database: str, collection: str) -> AsyncIterator[Any]:
    """Each document's own bytes."""
    found = guanhu.mongo[database].get_collection(collection, codec_options=DEFAULT_RAW_BSON_OPTIONS)
    async for document in found.find():
        yield document


async def _databases_that_sing(guanhu: Installation, canary: Canary) -> set[str]:
    names = [name for name in await guanhu.mongo.list_database_names() if name.startswith("guanhu_")]
    return {
        name
        for name in names
        for collection in await guanhu.mongo[name].list_collection_names()
        for document in [document async for document in _raw(guanhu, name, collection)]
        if canary.sung_in(document.raw)
    }


def _assert_files_are_silent(folder: Path, pattern: str, canary: Canary, seen: bytes) -> None:
    contents = {file: file.read_bytes() for file in folder.rglob(pattern)}
    assert any(seen in content for content in contents.values()), f"the scan sees nothing in {folder}"
    assert {file: sung for file, content in contents.items() if (sung := canary.sung_in(content))} == {}
