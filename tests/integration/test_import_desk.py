"""Ledgers through the real processes: checked, committed once however often, taken back; and killed on the way."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
import pytest_asyncio
from rich.console import Console

from deploy.local import importing, ledgers
from deploy.local.importing import Import, ImportClient, ImportRefused
from deploy.local.operator import operator
from services.registry.imports.sheet import MAX_UNPACKED, rows_of
from shared.commands.command import business_day
from shared.contracts.values import Role
from shared.eventlog.record import decode
from tests.support.importing import ROSTER_ROW, table
from tests.support.installation import Installation, installation
from tests.support.sheets import csv_, two_million_rows, with_part, xlsx

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(150)]

CLERK, SUPERVISOR, DIRECTOR = "county-clerk", "township-supervisor", "village-director"
TOWNSHIP = "520303105"
TODAY = business_day(datetime.now(UTC))
CANARY = "测户主"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def guanhu() -> AsyncIterator[Installation]:
    async with installation("imports") as guanhu:
        async with operator(guanhu.stack.environment("registry")) as own:
            await own.import_divisions(ledgers.COUNTY)
            await own.grant(CLERK, Role.COUNTY_CIVIL_AFFAIRS, ledgers.COUNTY, TODAY)
            await own.grant(SUPERVISOR, Role.CHILD_SUPERVISOR, TOWNSHIP, TODAY)
            await own.grant(DIRECTOR, Role.CHILD_DIRECTOR, TOWNSHIP, TODAY)
            await own.everybody_knows()
        yield guanhu


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The sample ledgers by the part of their name before the dash or the dot."""
    paths = ledgers.write(tmp_path_factory.mktemp("ledgers"), 60, TODAY)
    return {path.stem.split("-")[0]: path.read_bytes() for path in paths if not path.stem.startswith("broken-")}


def desk(guanhu: Installation, person: str = CLERK) -> ImportClient:
    return ImportClient(guanhu.http, guanhu.stack.url("registry"), guanhu.token(person))


async def checked(client: ImportClient, content: bytes) -> Import:
    return await client.settled((await client.receive(content))["batch"])


async def committed(client: ImportClient, content: bytes) -> Import:
    found = await checked(client, content)
    await client.commit(found["batch"])
    return await client.settled(found["batch"])


async def events(guanhu: Installation, *types: str) -> list[Any]:
    return [decode(one["record"]) async for one in guanhu.log("registry").find({"type": {"$in": list(types)}})]


async def test_a_roster_is_checked_committed_once_and_taken_back(guanhu: Installation, samples: Any) -> None:
    client = desk(guanhu)
    found = await checked(client, samples["E2"])
    assert (found["state"], found["rejected"], found["rows"] > 50) == ("checked", 0, True)
    assert not await events(guanhu, "ChildRegistered")

    done = await committed(client, samples["E2"])
    assert (done["state"], done["taken_over"], done["refused"]) == ("committed", found["rows"], 0)
    registered = await events(guanhu, "ChildRegistered")
    assert len(registered) == found["rows"] == len({record.stream for record in registered})
    assert {record.correlation_id for record in registered} == {found["batch"]}

    again = await client.settled((await client.commit(found["batch"]))["batch"])
    assert again == done == await checked(client, samples["E2"])
    assert len(await events(guanhu, "ChildRegistered")) == found["rows"]

    await client.withdraw(found["batch"])
    gone = await client.settled(found["batch"])
    assert (gone["state"], gone["closed"]) == ("withdrawn", found["rows"])
    closed = await events(guanhu, "ChildFileClosed")
    assert {record.stream for record in closed} == {record.stream for record in registered}
    assert {bytes(record.data).count(b"registered_in_error") for record in closed} == {1}
    with pytest.raises(ImportRefused, match="import_is_withdrawn"):
        await client.commit(found["batch"])


async def test_the_official_form_and_the_roster_of_working_groups_are_taken_over(
    guanhu: Installation, samples: Any
) -> None:
    before = len(await events(guanhu, "ChildRegistered"))
    form = await committed(desk(guanhu), samples["E1"])
    groups = await committed(desk(guanhu), samples["E10"])
    assert (form["refused"], groups["refused"]) == (0, 0)
    assert len(await events(guanhu, "ChildRegistered")) == before + form["rows"]
    posted = await events(guanhu, "WorkingGroupPosted")
    assert len(posted) == groups["rows"]
    await desk(guanhu).withdraw(groups["batch"])
    assert (await desk(guanhu).settled(groups["batch"]))["closed"] == groups["rows"]
    assert len(await events(guanhu, "WorkingGroupWithdrawn")) == groups["rows"]


async def test_a_form_writes_every_block_of_a_childs_file_in_one_step(guanhu: Installation, samples: Any) -> None:
    told = [
        r
        for r in await events(guanhu, "ChildRegistered", "CareSituationRecorded", "SchoolingRecorded", "HealthRecorded")
        if r.correlation_id
    ]
    form = next(one for one in await sent_by(guanhu, CLERK) if one["ledger"] == "E1")
    by_command: dict[str, set[str]] = {}
    for record in told:
        if record.correlation_id == form["batch"]:
            by_command.setdefault(record.command_id, set()).add(record.type)
    assert len(by_command) == form["rows"]
    assert all(
        kinds == {"ChildRegistered", "CareSituationRecorded", "SchoolingRecorded", "HealthRecorded"}
        for kinds in by_command.values()
    )


async def test_households_are_opened_and_closed_again_as_a_whole(guanhu: Installation, samples: Any) -> None:
    before = len(await events(guanhu, "HouseholdFileOpened"))
    done = await committed(desk(guanhu), samples["E3"])
    assert (done["taken_over"], done["refused"]) == (done["rows"], 0)
    opened = (await events(guanhu, "HouseholdFileOpened"))[before:]
    assert len({record.stream for record in opened}) == done["rows"]
    await desk(guanhu).withdraw(done["batch"])
    gone = await desk(guanhu).settled(done["batch"])
    assert (gone["state"], gone["closed"], gone["left"]) == ("withdrawn", done["rows"], 0)
    closed = await events(guanhu, "HouseholdFileClosed")
    assert {record.stream for record in closed} == {record.stream for record in opened}
    assert {bytes(record.data).count(b"opened_in_error") for record in closed} == {1}


async def test_the_desk_is_met_through_the_gateway_too(guanhu: Installation, samples: Any) -> None:
    outside = ImportClient(guanhu.http, f"{guanhu.stack.url('reporting')}/api/registry", guanhu.token(CLERK))
    found = await checked(outside, samples["broken"])
    assert found == await desk(guanhu).look(found["batch"])
    assert await outside.rejected(found["batch"])


async def test_rejected_rows_come_back_as_a_workbook_that_can_be_sent_again(guanhu: Installation, samples: Any) -> None:
    client = desk(guanhu)
    found = await committed(client, samples["broken"])
    assert found["taken_over"] == found["accepted"] + found["warned"] == 9
    book = await client.rejected(found["batch"])
    rows = list(rows_of(book))
    assert len(rows) == found["refused"] + 1
    assert rows[0].cells[:2] == ["行号", "问题"]
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.cells)
    again = await checked(client, book)
    # The header between the rows is its own now, and of the row that was too long only the beginnings came back.
    assert (again["state"], again["rejected"]) == ("checked", found["refused"] - 2)


async def test_the_command_line_shows_what_was_found_and_takes_over_and_back(
    guanhu: Installation, samples: Any
) -> None:
    console = Console(record=True, width=200)
    content = samples["E2"] + b"\0" * 8  # bytes behind a workbook make it another file, and change no row
    found = await importing.run(desk(guanhu), content, console, commit=True)
    assert (found["state"], found["refused"]) == ("committed", 0)
    gone = await importing.run(desk(guanhu), content, console, withdraw=True)
    assert (gone["state"], gone["closed"]) == ("withdrawn", found["rows"])
    await importing.run(desk(guanhu, SUPERVISOR), samples["broken"], console)
    shown = console.export_text()
    assert "农村留守儿童花名册（E2）" in shown
    assert "digits_lost" in shown
    assert "末几位已在 Excel 中丢失" in shown.replace("\n", "")
    assert f"{found['rows']:,} taken over" in shown


async def test_rows_outside_the_scope_are_rejected_one_by_one(guanhu: Installation, samples: Any) -> None:
    found = await checked(desk(guanhu, SUPERVISOR), samples["E2"])
    outside = next(line for line in found["summary"] if line["code"] == "place_unknown")
    assert found["rejected"] == outside["rows"]
    assert 0 < found["rejected"] < found["rows"]
    listed = await desk(guanhu, SUPERVISOR).look(found["batch"], limit=3)
    assert [row["verdict"] for row in listed["found"]] == ["rejected"] * 3
    groups = await checked(desk(guanhu, SUPERVISOR), samples["E10"])
    assert groups["rejected"] == groups["rows"]


async def test_who_may_not_import_is_told_so_and_an_import_is_its_senders_alone(
    guanhu: Installation, samples: Any
) -> None:
    with pytest.raises(ImportRefused, match="no_role"):
        await desk(guanhu, DIRECTOR).receive(samples["E2"])
    mine = await desk(guanhu).receive(samples["E3"] + b"\0")  # another file of the same rows
    for person in (SUPERVISOR, DIRECTOR):
        with pytest.raises(ImportRefused, match="not_on_file"):
            await desk(guanhu, person).look(mine["batch"])
        assert mine["batch"] not in await listed(guanhu, person)
    assert (await listed(guanhu, CLERK))[0] == mine["batch"]


async def listed(guanhu: Installation, person: str) -> list[str]:
    return [one["batch"] for one in await sent_by(guanhu, person)]


async def sent_by(guanhu: Installation, person: str) -> list[Import]:
    answer = await guanhu.http.get(f"{guanhu.stack.url('registry')}/imports", headers=guanhu.headers(person))
    found: list[Import] = answer.json()["imports"]
    return found


async def test_a_bad_file_is_a_problem_and_leaves_nothing(guanhu: Installation) -> None:
    before = await guanhu.mongo["guanhu_registry"]["imports"].count_documents({})
    sound = table(ledgers.ROSTER, ROSTER_ROW)
    for content, code in (
        (b"", "file_is_empty"),
        (b"%PDF-1.7", "file_type_unknown"),
        ("甲,乙\n1,2".encode(), "ledger_unknown"),
        (csv_(sound).replace("测户主".encode(), b"\0"), "file_type_unknown"),
        (with_part(xlsx(sound), "xl/vbaProject.bin", b"x"), "macro_workbook"),
        (with_part(xlsx(sound), "xl/externalLinks/externalLink1.xml", b"<externalLink/>"), "links_outside"),
        (with_part(xlsx(sound), "xl/media/bomb.bin", bytes(MAX_UNPACKED + 1)), "unpacks_too_large"),
        (xlsx(sound, sound), "several_sheets"),
        (await asyncio.to_thread(two_million_rows), "too_many_rows"),
    ):
        with pytest.raises(ImportRefused, match=code):
            await desk(guanhu).receive(content)
    answer = await guanhu.http.post(
        f"{guanhu.stack.url('registry')}/imports", headers=guanhu.headers(CLERK), content=b"{}"
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "form_malformed")
    assert await guanhu.mongo["guanhu_registry"]["imports"].count_documents({}) == before


async def test_nothing_of_a_ledger_stands_in_the_clear_in_the_store_or_a_log(guanhu: Installation) -> None:
    line = {**ledgers.broken(ledgers.spots_of(ledgers.COUNTY), TODAY)[0], "name": "测金丝雀"}
    path = guanhu.stack.home / "canary.xlsx"
    await committed(desk(guanhu), ledgers.save(path, ledgers.ROSTER, [line]).read_bytes())
    path.unlink()
    database = guanhu.mongo["guanhu_registry"]
    parts = [part async for part in database["import_parts"].find({"kind": "rows"})]
    assert parts
    assert all(part["sealed"] for part in parts)
    for name in await database.list_collection_names():
        async for document in database[name].find():
            assert "测金丝雀".encode() not in str(document).encode()
            assert all("测金丝雀".encode() not in one for one in document.values() if isinstance(one, bytes))
    logs = await asyncio.to_thread(_texts, guanhu.stack.home / "log")
    assert not [name for name, text in logs if "测金丝雀" in text]
    assert await database["import_parts"].count_documents({"kind": "file"}) == 0


def _texts(folder: Path) -> list[tuple[str, str]]:
    return [(path.name, path.read_text(errors="replace")) for path in folder.glob("*.log")]


ROWS = 4_000


async def test_an_import_that_is_killed_ten_times_goes_on_and_doubles_no_row(
    guanhu: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    """SIGKILL at ten random moments: while it is checked, eight times between the first and the last row's receipt,
    and while it is taken back. Each is told with the row that was receipted last."""
    content, chance = await asyncio.to_thread(a_roster, ROWS), random.Random(5)
    client = desk(guanhu)
    before = {record.stream for record in await events(guanhu, "ChildRegistered")}
    batch = (await client.receive(content))["batch"]
    kills = [await killed(guanhu, batch, "received", chance.uniform(0.05, 0.4))]
    found = await client.settled(batch)
    assert (found["state"], found["rejected"], found["rows"]) == ("checked", 0, ROWS)

    await client.commit(batch)
    for row in sorted(chance.sample(range(1, ROWS * 7 // 8), 8)):
        await receipted_up_to(guanhu, batch, row)
        kills.append(await killed(guanhu, batch, "committing", chance.uniform(0, 0.05)))
    done = await client.settled(batch)
    assert (done["state"], done["taken_over"], done["refused"]) == ("committed", ROWS, 0)
    streams = Counter(record.stream for record in await events(guanhu, "ChildRegistered"))
    assert len(streams.keys() - before) == ROWS
    assert set(streams.values()) == {1}
    assert await receipted(guanhu, batch) == list(range(2, ROWS + 2)), "a row has no receipt, or two"

    await client.withdraw(batch)
    kills.append(await killed(guanhu, batch, "withdrawing", chance.uniform(0.05, 0.2)))
    gone = await client.settled(batch)
    assert (gone["state"], gone["closed"], gone["left"]) == ("withdrawn", ROWS, 0)
    closed = Counter(r.stream for r in await events(guanhu, "ChildFileClosed") if r.correlation_id == batch)
    assert (len(closed), set(closed.values())) == (ROWS, {1})
    with capsys.disabled():
        print("\nkilled when so many rows had receipts, the last of them this row:", kills)
    assert len(kills) == 10
    assert sum(0 < kill.receipts < ROWS for kill in kills) >= 7


class Kill(NamedTuple):
    receipts: int
    last_row: int


def a_roster(rows: int) -> bytes:
    """Each child is of a household of its own."""
    lines = [ROSTER_ROW | {"name": f"测{chr(0x4E00 + n)}", "guardian": f"户{chr(0x4E00 + n)}"} for n in range(rows)]
    return xlsx(table(ledgers.ROSTER, *lines))


async def killed(guanhu: Installation, batch: str, state: str, after_seconds: float) -> Kill:
    """Kills registry at its work and starts it again."""
    await asyncio.sleep(after_seconds)
    guanhu.stack.kill("registry")
    assert (await stored(guanhu, batch))["state"] == state, "it was over before it was killed"
    rows = await receipted(guanhu, batch)
    await guanhu.stack.start("registry")
    return Kill(len(rows), max(rows, default=0))


async def receipted_up_to(guanhu: Installation, batch: str, row: int) -> None:
    async with asyncio.timeout(60):
        while True:
            if max(await receipted(guanhu, batch), default=0) >= row:
                return
            await asyncio.sleep(0.02)


async def receipted(guanhu: Installation, batch: str) -> list[int]:
    """The rows that have a receipt in the log, in order."""
    found = [r for r in await events(guanhu, "ImportRowsCommitted") if r.correlation_id == batch]
    return sorted(row["row"] for record in found for row in msgspec.json.decode(record.data)["rows"])


async def stored(guanhu: Installation, batch: str) -> dict[str, Any]:
    found: dict[str, Any] | None = await guanhu.mongo["guanhu_registry"]["imports"].find_one({"_id": batch})
    assert found is not None
    return found
