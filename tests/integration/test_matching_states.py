"""What may be asked of a matching in each of its states: over a real MongoDB, with a clock that is set."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
import pytest_asyncio

from services.registry.duplicates.files import Files
from services.registry.imports.bad_file import FileIsEmpty
from services.registry.imports.examiner import Examiner
from services.registry.matching.desk import (
    GapsAreRecorded,
    MatchingDesk,
    MatchingExpired,
    NotMatchedYet,
    RowNotToDecide,
    RowsUndecided,
    Wanted,
    export_handling,
)
from services.registry.matching.store import MatchingStore
from shared.commands.command import NotOnFile
from shared.commands.handler import Handler
from shared.contracts.values import RegisterKind
from shared.eventlog.placement import new_id
from shared.identity.access import NoRole, OutOfScope
from shared.identity.scope import Scope
from tests.support.builders import VILLAGE
from tests.support.desk import CLERK, Desk, a_desk
from tests.support.importing import COUNTY
from tests.support.registry import NOW
from tests.support.sheets import csv_

ROLL = csv_([["姓名", "性别", "村"], ["测甲一", "女", VILLAGE]])
WANTED = Wanted(RegisterKind.SCHOOL_ROLL, COUNTY, None)


class Matching(NamedTuple):
    office: Desk
    store: MatchingStore
    desk: MatchingDesk

    async def of_state(self, state: str) -> str:
        """A matching with one doubtful row and one outside, brought to this state."""
        matching: str = (await self.desk.receive(CLERK, ROLL, WANTED))["_id"]
        await self.store.move(matching, ("received",), {"state": state, "pieces": 1, "rows": 2})
        doubtful = {"state": "doubtful", "village": VILLAGE, "near": [[new_id("child"), 9, []]]}
        outside = {"state": "outside", "village": None, "near": []}
        part = {"_id": f"{matching}/rows/0", "batch": matching, "kind": "rows", "n": 0}
        await self.office.database["matching_parts"].insert_one(part)
        await self.store.keep_results(matching, 0, {2: doubtful, 3: outside})
        return matching


@pytest_asyncio.fixture
async def matching(mongo_url: str) -> AsyncIterator[Matching]:
    async with a_desk(mongo_url, "matching_states") as office:
        registry = office.registry

        def clock() -> Any:
            return office.now

        exports = Handler(registry.log, registry.sealer, registry.directory, [export_handling()], b"k" * 32, clock)
        scope = Scope(registry.directory, office._divisions, clock)
        files = Files(registry.log, registry.sealer, registry.directory)
        store = MatchingStore(office.database, registry.vault)
        await store.prepare()

        async def kept(division: str) -> timedelta:
            return timedelta(days=30)

        desk = MatchingDesk(store, Examiner("matching"), scope, files, exports, clock, kept)
        yield Matching(office, store, desk)


ASKED: dict[str, Callable[[MatchingDesk, str], Awaitable[Any]]] = {
    "decide": lambda desk, matching: desk.decide(CLERK, matching, 2, None, None),
    "record": lambda desk, matching: desk.record(CLERK, matching),
    "missing there": lambda desk, matching: desk.missing_there(CLERK, matching),
}


@pytest.mark.parametrize("state", ["received", "matching", "refused"])
async def test_nothing_is_asked_of_a_list_that_is_not_matched(matching: Matching, state: str) -> None:
    found = await matching.of_state(state)
    for ask in ASKED.values():
        with pytest.raises(NotMatchedYet):
            await ask(matching.desk, found)


async def test_after_thirty_days_a_matching_is_of_no_use(matching: Matching) -> None:
    found = await matching.of_state("matched")
    matching.office.now = NOW + timedelta(days=31)
    for ask in ASKED.values():
        with pytest.raises(MatchingExpired):
            await ask(matching.desk, found)


async def test_whoever_has_no_role_any_more_is_told_nothing(matching: Matching) -> None:
    found = await matching.of_state("matched")
    matching.office.registry.directory._grants.clear()
    for ask in (*ASKED.values(), lambda desk, matching: desk.progress(CLERK, matching)):
        with pytest.raises(NoRole):
            await ask(matching.desk, found)
    with pytest.raises(NoRole):
        await matching.desk.receive(CLERK, ROLL, WANTED)


async def test_a_doubtful_row_is_decided_before_gaps_are_recorded_and_none_after(matching: Matching) -> None:
    found = await matching.of_state("matched")
    with pytest.raises(RowsUndecided):
        await matching.desk.record(CLERK, found)
    with pytest.raises(RowNotToDecide):
        await matching.desk.decide(CLERK, found, 3, None, None)
    for row, child in ((4, None), (2, new_id("child"))):
        with pytest.raises(NotOnFile):
            await matching.desk.decide(CLERK, found, row, child, None)
    with pytest.raises(OutOfScope):
        await matching.desk.decide(CLERK, found, 2, None, "520302103002")
    assert (await matching.desk.decide(CLERK, found, 2, None, None))["state"] == "missing"
    for _ in range(2):
        assert (await matching.desk.record(CLERK, found))["state"] == "recording"
    with pytest.raises(GapsAreRecorded):
        await matching.desk.decide(CLERK, found, 2, None, None)


async def test_of_a_bad_file_and_of_a_division_of_others_nothing_is_kept(matching: Matching) -> None:
    with pytest.raises(FileIsEmpty):
        await matching.desk.receive(CLERK, b"", WANTED)
    with pytest.raises(OutOfScope):
        await matching.desk.receive(CLERK, ROLL, WANTED._replace(division="520302"))
    with pytest.raises(NotOnFile):
        await matching.desk.progress("clerk-2", await matching.of_state("matched"))
    assert await matching.office.database["matchings"].count_documents({}) == 1
