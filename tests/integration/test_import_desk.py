"""Ledgers through the real processes: checked, committed once however often, taken back; and killed on the way."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from rich.console import Console

from deploy.local import importing, ledgers
from deploy.local.importing import Import, ImportClient, ImportRefused
from deploy.local.operator import operator
from services.registry.imports.sheet import rows_of
from shared.commands.command import business_day
from shared.contracts.values import Role
from shared.eventlog.record import decode
from tests.support.installation import Installation, installation

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
    return {path.stem.split("-")[0]: path.read_bytes() for path in paths}


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


async def test_a_ledger_without_commands_is_checked_and_never_said_to_be_taken_over(
    guanhu: Installation, samples: Any
) -> None:
    found = await checked(desk(guanhu), samples["E3"])
    assert (found["warned"], found["rejected"]) == (found["rows"], 0)
    assert {line["code"] for line in found["summary"]} == {"not_taken_over"}
    with pytest.raises(ImportRefused, match="nothing_to_take_over"):
        await desk(guanhu).commit(found["batch"])


async def test_rejected_rows_come_back_as_a_workbook_that_can_be_sent_again(guanhu: Installation, samples: Any) -> None:
    client = desk(guanhu)
    found = await committed(client, samples["broken"])
    assert found["taken_over"] == found["accepted"] + found["warned"] == 3
    book = await client.rejected(found["batch"])
    rows = list(rows_of(book))
    assert len(rows) == found["refused"] + 1
    assert rows[0].cells[:2] == ["行号", "问题"]
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.cells)
    again = await checked(client, book)
    assert (again["state"], again["rejected"]) == (
        "checked",
        found["refused"] - 1,
    )  # the header in it is now its own row


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
    mine = await desk(guanhu).receive(samples["E3"])
    for person in (SUPERVISOR, DIRECTOR):
        with pytest.raises(ImportRefused, match="not_on_file"):
            await desk(guanhu, person).look(mine["batch"])
        assert mine["batch"] not in await listed(guanhu, person)
    assert (await listed(guanhu, CLERK))[0] == mine["batch"]


async def listed(guanhu: Installation, person: str) -> list[str]:
    answer = await guanhu.http.get(f"{guanhu.stack.url('registry')}/imports", headers=guanhu.headers(person))
    return [one["batch"] for one in answer.json()["imports"]]


async def test_a_bad_file_is_a_problem_and_leaves_nothing(guanhu: Installation) -> None:
    before = await guanhu.mongo["guanhu_registry"]["imports"].count_documents({})
    for content, code in (
        (b"", "file_is_empty"),
        (b"%PDF-1.7", "file_type_unknown"),
        ("甲,乙\n1,2".encode(), "ledger_unknown"),
    ):
        with pytest.raises(ImportRefused, match=code):
            await desk(guanhu).receive(content)
    answer = await guanhu.http.post(
        f"{guanhu.stack.url('registry')}/imports", headers=guanhu.headers(CLERK), content=b"{}"
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "form_malformed")
    assert await guanhu.mongo["guanhu_registry"]["imports"].count_documents({}) == before


async def test_nothing_of_a_ledger_stands_in_the_clear_in_the_store_or_a_log(guanhu: Installation) -> None:
    line = {**ledgers.broken(next(iter(ledgers._spots(ledgers.COUNTY).values())), TODAY)[0], "name": "测金丝雀"}
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


async def test_an_import_that_is_killed_again_and_again_goes_on_and_doubles_no_row(
    guanhu: Installation, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """SIGKILL at random moments: while it is checked, six times while it is committed, while it is taken back."""
    folder = tmp_path_factory.mktemp("killed")
    await asyncio.to_thread(ledgers.write, folder, 3_000, date(2026, 8, 1))
    content = await asyncio.to_thread((folder / "E2-花名册.xlsx").read_bytes)
    client, chance = desk(guanhu), random.Random(5)
    before = {record.stream for record in await events(guanhu, "ChildRegistered")}
    batch = (await client.receive(content))["batch"]
    assert await killed(guanhu, batch, "received", chance.uniform(0.05, 0.6))
    found = await client.settled(batch)
    assert (found["state"], found["rejected"]) == ("checked", 0)

    await client.commit(batch)
    kills = [await killed(guanhu, batch, "committing", chance.uniform(0.05, 0.6)) for _ in range(6)]
    assert sum(kills) >= 3, "it was over before it was killed"
    done = await client.settled(batch)
    assert (done["state"], done["taken_over"], done["refused"]) == ("committed", found["rows"], 0)
    streams = Counter(record.stream for record in await events(guanhu, "ChildRegistered"))
    assert len(streams.keys() - before) == found["rows"]
    assert set(streams.values()) == {1}
    receipts = [r for r in await events(guanhu, "ImportRowsCommitted") if r.correlation_id == batch]
    assert len(receipts) == len({record.stream for record in receipts}) == -(-found["rows"] // 250)

    await client.withdraw(batch)
    assert await killed(guanhu, batch, "withdrawing", chance.uniform(0.05, 0.2))
    gone = await client.settled(batch)
    assert (gone["state"], gone["closed"], gone["left"]) == ("withdrawn", found["rows"], 0)
    closed = Counter(r.stream for r in await events(guanhu, "ChildFileClosed") if r.correlation_id == batch)
    assert (len(closed), set(closed.values())) == (found["rows"], {1})


async def killed(guanhu: Installation, batch: str, state: str, after_seconds: float) -> bool:
    """Kills registry at its work and starts it again; False when the work was done before."""
    await asyncio.sleep(after_seconds)
    if (await stored(guanhu, batch))["state"] != state:
        return False
    guanhu.stack.kill("registry")
    at_work = (await stored(guanhu, batch))["state"] == state
    await guanhu.stack.start("registry")
    return at_work


async def stored(guanhu: Installation, batch: str) -> dict[str, Any]:
    found: dict[str, Any] | None = await guanhu.mongo["guanhu_registry"]["imports"].find_one({"_id": batch})
    assert found is not None
    return found
