"""A school roll through the real processes: matched both ways, decided, recorded once; and killed on the way."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
import pytest_asyncio
from rich.console import Console

from deploy.local import matching
from deploy.local.importing import ImportRefused
from deploy.local.matching import Matching, MatchingClient
from deploy.local.operator import operator
from services.registry.domain.child import CloseChildFile, RegisterChild
from services.registry.imports.sheet import rows_of
from shared.commands.command import business_day
from shared.contracts.values import CloseReason, Role, Sex
from shared.eventlog.record import decode
from tests.support.builders import VILLAGE, a_registration
from tests.support.importing import citizen_number
from tests.support.installation import Installation, installation
from tests.support.sheets import csv_, xlsx

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(150)]

SUPERVISOR, OTHER, DIRECTOR = "matching-supervisor", "matching-other", "matching-director"
TOWNSHIP, NEXT_VILLAGE = "520303105", "520303105202"
NOW = datetime.now(UTC)
TODAY = business_day(NOW)
NUMBER = citizen_number("52990120160309001")
HEADER = ["班级", "学生姓名", "性别", "出生日期", "身份证号", "村", "父亲姓名"]


def a_pupil(name: str, **changes: Any) -> RegisterChild:
    return a_registration(**{"name": name, "occurred_at": NOW, "sex": Sex.MALE} | changes)


NUMBERED = a_pupil("陈志明", citizen_number=NUMBER, birth_date=date(2016, 3, 9))
HEARD = a_pupil("罗欣怡", sex=Sex.FEMALE, birth_date=date(2015, 5, 1))
TWICE = [a_pupil("吴文强", birth_date=date(2014, 4, 4)), a_pupil("吴文强", birth_date=date(2014, 4, 4))]
ABSENT = a_pupil("周晓兰", citizen_number=citizen_number("52990120150620002"), birth_date=date(2015, 6, 20))
TODDLER = a_pupil("周小宝", birth_date=date(TODAY.year - 2, 1, 1))
CLOSED = a_pupil("孙明亮", birth_date=date(2015, 8, 8))
FILES = [NUMBERED, HEARD, *TWICE, ABSENT, TODDLER, CLOSED]

ROLL = [
    HEADER,
    ["三班", "陈志铭", "男", "", NUMBER, "", ""],
    ["三班", "罗新怡", "女", "2015-05-01", "", VILLAGE, ""],
    ["三班", "吴文强", "男", "2014.4.4", "", VILLAGE, ""],
    ["四班", "何思远", "男", "2015-02-02", "5299", VILLAGE, "何大山"],
    ["四班", "何思源来", "女", "2014-02", "", "", ""],
    ["四班", "陈志明", "男", "2016-03-09", NUMBER, "不在这里的村", ""],
    ["四班", "", "男", "2016-03-09", "", VILLAGE, ""],
    ["四班", "孙明亮", "男", "2015-08-08", "", VILLAGE, ""],
]

CONTENT = xlsx(ROLL)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def guanhu() -> AsyncIterator[Installation]:
    async with installation("matching") as guanhu:
        async with operator(guanhu.stack.environment("registry")) as own:
            await own.import_divisions("520303")
            await own.grant(SUPERVISOR, Role.CHILD_SUPERVISOR, TOWNSHIP, TODAY)
            await own.grant(OTHER, Role.CHILD_SUPERVISOR, "520303106", TODAY)
            await own.grant(DIRECTOR, Role.CHILD_DIRECTOR, TOWNSHIP, TODAY)
            await own.everybody_knows()
        await asyncio.gather(*(guanhu.give(one, DIRECTOR) for one in FILES))
        closing = CloseChildFile(child=CLOSED.child, reason=CloseReason.MOVED_OUT, closed_on=TODAY)
        await guanhu.give(closing, DIRECTOR)
        yield guanhu


def desk(guanhu: Installation, person: str = SUPERVISOR) -> MatchingClient:
    return MatchingClient(guanhu.http, guanhu.stack.url("registry"), guanhu.token(person))


async def matched(client: MatchingClient, content: bytes, **told: Any) -> Matching:
    sent = await client.receive(content, "school_roll", TOWNSHIP, **told)
    return await client.settled(sent["matching"])


async def rows(client: MatchingClient, found: Matching) -> dict[int, Matching]:
    return {row["row"]: row for row in (await client.look(found["matching"], limit=1000))["found"]}


async def events(guanhu: Installation, kind: str) -> list[Any]:
    return [decode(one["record"]) async for one in guanhu.log("registry").find({"type": kind})]


async def test_a_school_roll_is_matched_both_ways_decided_and_its_gaps_recorded_once(guanhu: Installation) -> None:
    client = desk(guanhu)
    found = await matched(client, CONTENT)
    assert (found["state"], found["complete"]) == ("matched", True)
    assert found["counts"] == {"matched": 2, "doubtful": 1, "missing": 3, "outside": 1, "unread": 1}
    told = await rows(client, found)
    assert {n: row["state"] for n, row in told.items()} == {
        2: "matched",
        3: "matched",
        4: "doubtful",
        5: "missing",
        6: "missing",
        7: "outside",
        8: "unread",
        9: "missing",
    }
    assert [file["child"] for file in told[2]["files"]] == [NUMBERED.child]
    assert "number_equal" in told[2]["files"][0]["reasons"]
    assert [file["child"] for file in told[3]["files"]] == [HEARD.child]
    assert {file["child"] for file in told[4]["files"]} == {one.child for one in TWICE}
    assert told[7] == told[7] | {"files": [], "village": None}
    assert [finding["code"] for finding in told[5]["findings"]] == ["not_compared"]
    assert found["missing_there"] == 1  # of school age and on no row: neither the toddler nor a doubtful one

    with pytest.raises(ImportRefused, match="rows_undecided"):
        await client.record(found["matching"])
    with pytest.raises(ImportRefused, match="file_of_another_row"):
        await client.decide(found["matching"], 4, HEARD.child)
    with pytest.raises(ImportRefused, match="row_not_to_decide"):
        await client.decide(found["matching"], 7, NUMBERED.child)
    for row, child in ((99, None), (4, CLOSED.child)):
        with pytest.raises(ImportRefused, match="not_on_file"):
            await client.decide(found["matching"], row, child)
    with pytest.raises(ImportRefused, match="out_of_scope"):
        await client.decide(found["matching"], 6, None, "520303106201")
    await client.decide(found["matching"], 4, TWICE[0].child)
    await client.decide(found["matching"], 6, None, NEXT_VILLAGE)
    assert (await client.look(found["matching"]))["missing_there"] == 2  # the other file of the pair

    for _ in range(2):
        await client.record(found["matching"])
        done = await client.settled(found["matching"])
        assert (done["state"], done["recorded"], done["known"], done["not_recorded"]) == ("recorded", 3, 0, 0)
    assert len(await events(guanhu, "MappingGapFound")) == 3
    told = await rows(client, found)
    assert {n for n, row in told.items() if row["gap"]} == {5, 6, 9}
    with pytest.raises(ImportRefused, match="gaps_are_recorded"):
        await client.decide(found["matching"], 5, None)


async def test_the_same_list_is_the_same_matching_until_it_is_wanted_again(guanhu: Installation) -> None:
    client = desk(guanhu)
    before = await matched(client, CONTENT)
    assert before["state"] == "recorded"
    again = await matched(client, CONTENT, again=True)
    assert (again["matching"], again["state"], again["counts"]["doubtful"]) == (before["matching"], "matched", 1)
    await client.decide(again["matching"], 4, None)
    await client.record(again["matching"])
    done = await client.settled(again["matching"])
    assert (done["recorded"], done["known"], done["not_recorded"]) == (1, 2, 1)  # row 6 has no village again


async def test_the_list_of_who_is_missing_there_is_text_with_its_taker_and_masked_numbers(guanhu: Installation) -> None:
    client = desk(guanhu)
    found = await matched(client, csv_([HEADER, ["一班", "何思远", "男", "2015-02-02", "", VILLAGE, ""]]))
    before = len(await events(guanhu, "ListExported"))
    book = await client.missing_there(found["matching"])
    mark, header, *listed = list(rows_of(book))
    assert SUPERVISOR in mark.cells[0]
    assert header.cells[:4] == ["姓名", "性别", "出生日期", "身份证号"]
    assert len(listed) == found["missing_there"] == 5
    [absent] = [row.cells for row in listed if row.cells[0] == "周晓兰"]
    assert absent[3] == "529901********" + ABSENT.citizen_number.reveal()[-4:]
    assert all(type(cell) is str for row in listed for cell in row.cells)
    taken = await events(guanhu, "ListExported")
    assert len(taken) == before + 1
    assert any(b'"children":5' in bytes(one.data) for one in taken)


async def test_a_matching_is_its_senders_alone_and_needs_the_right_for_its_division(guanhu: Installation) -> None:
    found = await matched(desk(guanhu), CONTENT)
    for person in (OTHER, DIRECTOR):
        with pytest.raises(ImportRefused, match="not_on_file"):
            await desk(guanhu, person).look(found["matching"])
        with pytest.raises(ImportRefused, match="not_on_file"):
            await desk(guanhu, person).missing_there(found["matching"])
    with pytest.raises(ImportRefused, match="out_of_scope"):
        await matched(desk(guanhu, OTHER), CONTENT)
    with pytest.raises(ImportRefused, match="no_role"):
        await matched(desk(guanhu, DIRECTOR), CONTENT)
    with pytest.raises(ImportRefused, match="column_unknown"):
        await matched(desk(guanhu), xlsx([[*HEADER, "身高"], ["一班", "何思远", "男", "", "", "", "", "1"]]))
    sent = await desk(guanhu, OTHER).receive(CONTENT, "school_roll", "520303106")
    other = await desk(guanhu, OTHER).settled(sent["matching"])
    # Nothing of the township next door is told, not even by an equal number.
    assert (other["counts"]["matched"], other["counts"]["doubtful"], other["missing_there"]) == (0, 0, 0)


async def test_the_command_line_shows_both_sides(guanhu: Installation) -> None:
    console = Console(record=True, width=200)
    roll = csv_([HEADER, ROLL[1], ROLL[2], ["一班", "何新来", "女", "2013-02-02", "", NEXT_VILLAGE, ""]])
    found = await matching.run(desk(guanhu), roll, "clinic_list", TOWNSHIP, console, record_gaps=True)
    assert found["state"] == "recorded"
    shown = console.export_text()
    assert "卫生院名册" in shown
    assert "1 gaps recorded" in shown


async def test_a_matching_that_is_killed_goes_on_and_records_no_gap_twice(guanhu: Installation) -> None:
    before = {record.stream for record in await events(guanhu, "MappingGapFound")}
    given = "一二三四五六七八九十百千"
    names = ["龙" + a + b + c for a in given for b in given for c in given][:1_500]
    lines = [["", name, "男", f"2015-01-{1 + n % 28:02}", "", VILLAGE, ""] for n, name in enumerate(names)]
    client = desk(guanhu)
    sent = await client.receive(csv_([HEADER, *lines]), "school_roll", TOWNSHIP)
    assert await killed(guanhu, sent["matching"], "matching")
    found = await client.settled(sent["matching"])
    assert (found["state"], found["counts"]["missing"]) == ("matched", len(names))
    await client.record(found["matching"])
    assert await killed(guanhu, sent["matching"], "recording")
    done = await client.settled(found["matching"])
    assert (done["state"], done["recorded"], done["known"]) == ("recorded", len(names), 0)
    told = Counter(record.stream for record in await events(guanhu, "MappingGapFound") if record.stream not in before)
    assert (len(told), set(told.values())) == (len(names), {1})
    parts = guanhu.mongo["guanhu_registry"]["matching_parts"]
    assert await parts.count_documents({"kind": "file"}) == 0
    async for part in parts.find():
        assert "龙".encode() not in str(part).encode()


async def killed(guanhu: Installation, batch: str, state: str) -> bool:
    """Kills registry in the middle of a piece of this state and starts it again."""
    matchings = guanhu.mongo["guanhu_registry"]["matchings"]
    async with asyncio.timeout(30):
        while not await matchings.find_one({"_id": batch, "state": state, "done": {"$gt": 0}}):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    guanhu.stack.kill("registry")
    found = await matchings.find_one({"_id": batch})
    await guanhu.stack.start("registry")
    return bool(found["state"] == state and found["done"] < found["pieces"])
