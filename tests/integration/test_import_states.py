"""What an import may become, and what is kept of it: over a real MongoDB, with a clock that is set."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import AsyncIterator
from datetime import date, timedelta

import httpx
import pytest
import pytest_asyncio

from services.registry.domain.child import CloseChildFile
from services.registry.domain.import_batch import ImportIsWithdrawn, ImportNotChecked, ImportNotCommitted
from services.registry.imports import checking
from services.registry.imports.checker import answers_to
from services.registry.imports.desk import ImportExpired, ImportWasRefused, NothingToTakeOver
from services.registry.imports.frame import Task
from services.registry.imports.roster import ROSTER
from services.registry.imports.routes import import_routes
from services.registry.imports.sheet import rows_of
from services.registry.imports.working_groups import WORKING_GROUPS
from shared.commands.command import NotOnFile, Told
from shared.contracts.registry import (
    ChildFileClosed,
    ChildRegistered,
    ImportBatchChecked,
    ImportBatchCommitted,
    ImportBatchReceived,
    ImportBatchWithdrawn,
    WorkingGroupPosted,
    WorkingGroupWithdrawn,
)
from shared.contracts.values import CloseReason, Role
from shared.eventlog.record import decode
from shared.identity.access import NoRole
from shared.identity.caller import Caller
from shared.privacy.cipher import DecryptionError
from shared.web.app import create_app
from tests.support.desk import CLERK, Desk, a_desk
from tests.support.importing import GROUP_ROW, ROSTER_ROW, TODAY, table
from tests.support.registry import NOW
from tests.support.sheets import csv_, xls, xlsx

GOOD = xlsx(table(ROSTER, ROSTER_ROW, ROSTER_ROW | {"name": "测甲二"}, ROSTER_ROW | {"name": "测甲三", "phone": "1"}))


@pytest_asyncio.fixture
async def desk(mongo_url: str) -> AsyncIterator[Desk]:
    async with a_desk(mongo_url, "import_states") as desk:
        yield desk


async def types(desk: Desk, stream: str) -> list[str]:
    return [type(event).__name__ for event in await desk.registry.events(stream)]


async def test_an_import_tells_what_becomes_of_it(desk: Desk) -> None:
    found = await desk.committed(GOOD)
    assert (found["state"], found["taken_over"], found["refused"]) == ("committed", 2, 1)
    batch = found["_id"]
    assert await desk.registry.events(batch) == [
        ImportBatchReceived(
            batch=batch,
            division="520303",
            ledger=found["ledger"],
            file_hash=hashlib.sha256(GOOD).hexdigest(),
        ),
        ImportBatchChecked(batch=batch, accepted=2, warned=0, rejected=1),
        ImportBatchCommitted(batch=batch, taken_over=2, rejected=1),
    ]
    await desk.desk.withdraw(CLERK, batch)
    assert (await desk.settled(batch))["state"] == "withdrawn"
    assert (await desk.registry.events(batch))[-1] == ImportBatchWithdrawn(batch=batch, closed=2)


async def test_what_is_taken_back_counts_on_no_day_of_its_own(desk: Desk) -> None:
    found = await desk.committed(GOOD)
    children = await _made(desk, found["_id"])
    desk.now = NOW + timedelta(days=9)
    await desk.desk.withdraw(CLERK, found["_id"])
    await desk.settled(found["_id"])
    for child in children:
        registered, closed = await desk.registry.events(child)
        assert isinstance(registered, ChildRegistered)
        assert isinstance(closed, ChildFileClosed)
        assert closed.closed_on == TODAY


async def _made(desk: Desk, batch: str) -> list[str]:
    return await desk.worker._made(batch, 0)


async def test_what_was_closed_before_is_not_closed_again(desk: Desk) -> None:
    found = await desk.committed(GOOD)
    first, _ = await _made(desk, found["_id"])
    close = CloseChildFile(child=first, reason=CloseReason.DIED)
    await desk.registry.handler.handle(Told(close, "close-1", CLERK))
    await desk.desk.withdraw(CLERK, found["_id"])
    gone = await desk.settled(found["_id"])
    assert (gone["state"], gone["closed"], gone["left"]) == ("withdrawn", 1, 0)


async def test_what_its_sender_may_not_close_any_more_is_told(desk: Desk) -> None:
    found = await desk.committed(GOOD)
    await desk.desk.withdraw(CLERK, found["_id"])
    desk.registry.directory._grants.clear()
    gone = await desk.settled(found["_id"])
    assert (gone["state"], gone["closed"], gone["left"]) == ("withdrawn", 0, 2)


async def test_a_posting_is_taken_back_on_its_first_day(desk: Desk) -> None:
    found = await desk.committed(xlsx(table(WORKING_GROUPS, GROUP_ROW)))
    [posting] = await _made(desk, found["_id"])
    await desk.desk.withdraw(CLERK, found["_id"])
    assert (await desk.settled(found["_id"]))["closed"] == 1
    posted, withdrawn = await desk.registry.events(posting)
    assert isinstance(posted, WorkingGroupPosted)
    assert isinstance(withdrawn, WorkingGroupWithdrawn)
    assert withdrawn.ends == posted.starts == date(2025, 3, 1)


async def test_a_second_first_secretary_of_a_village_is_refused_in_its_row(desk: Desk) -> None:
    found = await desk.committed(xlsx(table(WORKING_GROUPS, GROUP_ROW, GROUP_ROW | {"first_secretary": "secretary-2"})))
    assert (found["taken_over"], found["refused"]) == (1, 1)
    assert ["claim_taken", "", 1, 3] in found["summary"]


async def test_the_file_of_another_person_registers_no_child_twice(desk: Desk) -> None:
    await desk.committed(GOOD)
    desk.registry.directory.add_grant("clerk-2", Role.COUNTY_CIVIL_AFFAIRS, "520303", date(2026, 1, 1))
    other = (await desk.desk.receive("clerk-2", GOOD))["_id"]
    with pytest.raises(NotOnFile):
        await desk.desk.progress(CLERK, other)
    await _work_for(desk, "clerk-2", other)
    assert await _count(desk, "ChildRegistered") == 2


async def _count(desk: Desk, name: str) -> int:
    found = [
        decode(raw) for p in range(desk.registry.log.partitions) for raw in await desk.registry.log.read(p, 0, 1000)
    ]
    return sum(record.type == name for record in found)


async def _work_for(desk: Desk, person: str, batch: str) -> None:
    await desk.worker._check((await desk.store.find(batch)) or {})
    await desk.desk.commit(person, batch)
    await desk.worker._commit((await desk.store.find(batch)) or {})
    found = await desk.store.find(batch)
    assert found is not None
    assert (found["taken_over"], found["refused"]) == (0, 3)
    assert ["child_already_registered", "", 2, 2] in found["summary"]


async def test_nothing_is_committed_before_it_was_checked_nor_taken_back_before_it_was_committed(desk: Desk) -> None:
    batch = (await desk.desk.receive(CLERK, GOOD))["_id"]
    with pytest.raises(ImportNotChecked):
        await desk.desk.commit(CLERK, batch)
    await desk.settled(batch)
    with pytest.raises(ImportNotCommitted):
        await desk.desk.withdraw(CLERK, batch)


async def test_an_import_that_was_taken_back_stays_so(desk: Desk) -> None:
    batch = (await desk.committed(GOOD))["_id"]
    await desk.desk.withdraw(CLERK, batch)
    gone = await desk.settled(batch)
    assert await desk.desk.receive(CLERK, GOOD) == gone == await desk.desk.withdraw(CLERK, batch)
    with pytest.raises(ImportIsWithdrawn):
        await desk.desk.commit(CLERK, batch)


async def test_rows_that_are_too_old_are_not_committed_until_the_file_is_sent_again(desk: Desk) -> None:
    batch = (await desk.checked(GOOD))["_id"]
    desk.now = NOW + timedelta(days=31)
    with pytest.raises(ImportExpired):
        await desk.desk.commit(CLERK, batch)
    assert (await desk.checked(GOOD))["_id"] == batch
    assert (await desk.desk.commit(CLERK, batch))["state"] == "committing"


async def test_a_file_in_which_every_row_is_rejected_has_nothing_to_commit(desk: Desk) -> None:
    batch = (await desk.checked(xlsx(table(ROSTER, ROSTER_ROW | {"name": ""}))))["_id"]
    with pytest.raises(NothingToTakeOver):
        await desk.desk.commit(CLERK, batch)


async def test_whoever_has_no_role_any_more_commits_nothing_and_gets_no_rows(desk: Desk) -> None:
    batch = (await desk.checked(GOOD))["_id"]
    desk.registry.directory._grants.clear()
    with pytest.raises(NoRole):
        await desk.desk.commit(CLERK, batch)
    with pytest.raises(NoRole):
        await desk.desk.receive(CLERK, GOOD)
    with pytest.raises(NoRole):
        await desk.desk.rejected(CLERK, batch)


async def test_a_row_whose_right_ended_between_check_and_commit_is_refused_and_told(desk: Desk) -> None:
    batch = (await desk.checked(GOOD))["_id"]
    await desk.desk.commit(CLERK, batch)
    desk.registry.directory._grants.clear()
    found = await desk.settled(batch)
    assert (found["state"], found["taken_over"], found["refused"]) == ("committed", 0, 3)
    assert ["no_role", "", 2, 2] in found["summary"]


async def test_a_file_that_turns_out_bad_on_the_way_leaves_no_rows(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def here(content: bytes, terms: checking.Terms) -> AsyncIterator[list[checking.CheckedRow]]:
        """As ``Examiner.check`` does it, but in this process, where the limit can be set."""
        for answer in answers_to(Task(terms), content):
            if answer.what == "refused":
                raise checking.TooManyRows
            if answer.rows:
                yield answer.rows

    monkeypatch.setattr(desk.worker._examiner, "check", here)
    monkeypatch.setattr(checking, "MAX_ROWS", 300)
    rows = [ROSTER_ROW | {"name": f"测{chr(0x4E00 + n)}"} for n in range(400)]
    found = await desk.checked(xls(table(ROSTER, *rows)))
    assert (found["state"], found["problem"]["code"]) == ("refused", "too_many_rows")
    assert await desk.database["import_parts"].count_documents({}) == 0
    with pytest.raises(ImportWasRefused):
        await desk.desk.commit(CLERK, found["_id"])


async def test_what_is_kept_is_sealed_ends_by_itself_and_is_only_what_was_rejected(desk: Desk) -> None:
    batch = (await desk.desk.receive(CLERK, GOOD))["_id"]
    [chunk] = [part async for part in desk.database["import_parts"].find()]
    assert GOOD[:40] not in chunk["sealed"]
    assert (await desk.store.file(batch), chunk["expires_at"]) == (GOOD, NOW + timedelta(days=30))
    await desk.settled(batch)
    [piece] = [part async for part in desk.database["import_parts"].find()]
    assert piece["kind"] == "rows"
    await desk.desk.commit(CLERK, batch)
    await desk.settled(batch)
    assert [row.number for row in await desk.store.rows(batch, 0) or []] == [4]
    indexes = await desk.database["import_parts"].index_information()
    assert indexes["expires_at_1"]["expireAfterSeconds"] == 0
    book, left_out = await desk.desk.rejected(CLERK, batch)
    assert [row.cells[0] for row in rows_of(book)] == ["行号", "4"]
    assert left_out == 0
    await desk.desk.withdraw(CLERK, batch)
    await desk.settled(batch)
    assert await desk.database["import_parts"].count_documents({}) == 0


async def test_an_import_that_fails_again_and_again_does_not_keep_the_others_waiting(
    desk: Desk,
) -> None:
    bad = (await desk.desk.receive(CLERK, GOOD))["_id"]
    desk.now = NOW + timedelta(seconds=1)
    good = (await desk.desk.receive(CLERK, xlsx(table(ROSTER, ROSTER_ROW))))["_id"]
    await desk.database["import_parts"].update_one({"batch": bad}, {"$set": {"sealed": b"damaged on the disk"}})
    desk.now = NOW + timedelta(seconds=2)
    with pytest.raises(DecryptionError):
        await desk.worker.work_once(desk.tenure)
    await desk.worker.work_once(desk.tenure)
    assert (await desk.desk.progress(CLERK, good))["state"] == "checked"


async def test_a_file_whose_reader_died_before_it_was_deleted_is_deleted_at_the_next_start(desk: Desk) -> None:
    batch = (await desk.checked(GOOD))["_id"]
    waiting = (await desk.desk.receive(CLERK, xlsx(table(ROSTER, ROSTER_ROW))))["_id"]
    await desk.store.keep_file(batch, GOOD, NOW, NOW + timedelta(days=30))
    await desk.store.tidy(NOW)
    assert await desk.store.file(batch) == GOOD  # it may be one that is being received
    await desk.store.tidy(NOW + timedelta(hours=2))
    assert (await desk.store.file(batch), bool(await desk.store.file(waiting))) == (b"", True)


async def test_a_file_of_megabytes_is_taken_over_http_without_a_temporary_file(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    app = create_app(
        title="registry",
        service="registry",
        routers=[import_routes(desk.desk, lambda: Caller(CLERK))],
        body_limits={"/imports": 3_000_000},
    )
    remarks = {"remark": "备注" * 200}
    content = csv_(table(ROSTER, *(ROSTER_ROW | remarks | {"name": f"测{chr(0x4E00 + n)}"} for n in range(2_000))))
    assert 2_000_000 < len(content) < 3_000_000
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://registry", timeout=60) as http:
        answer = await http.post("/imports", files={"file": ("ledger", content)})
        assert answer.status_code == 202, answer.text
        assert (answer.json()["state"], answer.json()["ledger"]) == ("received", "E2")
        too_large = await http.post("/imports", files={"file": ("ledger", content * 2)})
        assert (too_large.status_code, too_large.json()["code"]) == (413, "body_too_large")
        for files in ({"other": ("ledger", b"x")}, {"file": ("a", b"x"), "more": ("b", b"x")}):
            wrong = await http.post("/imports", files=files)
            assert (wrong.status_code, wrong.json()["code"]) == (422, "form_malformed")
