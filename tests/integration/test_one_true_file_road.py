"""One true file of a child through the real processes: merged and two again, told twice and decided, looked at."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from deploy.local.operator import operator
from services.pairing.domain.pair import FormPair
from services.registry.domain.child import (
    AcceptChange,
    ConfirmByGuardian,
    ConfirmChildFileReview,
    MergeChildFiles,
    RecordCareSituation,
    RecordHealth,
    RecordSchooling,
    ReviewChildFile,
    SubmitChildFile,
    UndoChildMerge,
    VerifyChildFile,
)
from services.registry.domain.duplicate import duplicate_of
from shared.commands.command import business_day
from shared.contracts.child_file import Schooling
from shared.contracts.file_keeping import GuardianConfirmation
from shared.contracts.sealed import Personal
from shared.contracts.values import CareKind, ConfirmationMeans, Guardian, PairKind, Role, SchoolState
from shared.eventlog.placement import new_id
from tests.support.builders import VILLAGE, a_registration, a_visit, care
from tests.support.child_files import NUMBER, health
from tests.support.installation import Installation, installation, json_of

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]

NEXT_VILLAGE = "520303105202"
TOWNSHIP = "520303105"
DIRECTOR, NEXT_DIRECTOR, COUNTY = "merge-director", "merge-next-director", "merge-county"
SUPERVISOR, SECOND = "merge-supervisor", "merge-second-supervisor"
NOW = datetime.now(UTC)
TODAY = business_day(NOW)
WITHIN_SECONDS = 20


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def guanhu() -> AsyncIterator[Installation]:
    async with installation("merge") as guanhu:
        async with operator(guanhu.stack.environment("registry")) as own:
            await own.import_divisions(TOWNSHIP)
            await own.grant(DIRECTOR, Role.CHILD_DIRECTOR, VILLAGE, TODAY)
            await own.grant(NEXT_DIRECTOR, Role.CHILD_DIRECTOR, NEXT_VILLAGE, TODAY)
            await own.grant(SUPERVISOR, Role.CHILD_SUPERVISOR, TOWNSHIP, TODAY)
            await own.grant(SECOND, Role.CHILD_SUPERVISOR, TOWNSHIP, TODAY)
            await own.grant(COUNTY, Role.COUNTY_CIVIL_AFFAIRS, TOWNSHIP[:6], TODAY)
            await own.everybody_knows()
        yield guanhu


async def counted(guanhu: Installation, after: str) -> int:
    """Children of the township today."""
    answer = await guanhu.ask("/figures/table", SUPERVISOR, after, division=TOWNSHIP)
    count: int = answer["total"]["figures"]["I1"]["denominator"]
    return count


async def card(guanhu: Installation, child: str, after: str | None = None) -> dict[str, Any]:
    answer = await guanhu.open_file(child, SUPERVISOR, after)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def until_pair_is(guanhu: Installation, duplicate: str, state: str) -> None:
    url, headers = guanhu.stack.url("registry") + "/duplicates", guanhu.headers(SUPERVISOR)
    async with asyncio.timeout(WITHIN_SECONDS):
        while True:
            pairs = (await guanhu.http.get(url, params={"state": state}, headers=headers)).json()["pairs"]
            if duplicate in {pair["duplicate"] for pair in pairs}:
                return
            await asyncio.sleep(0.2)


async def test_two_files_of_one_child_count_once_from_the_merge_on_and_twice_after_its_undoing(
    guanhu: Installation,
) -> None:
    same = {"name": "王志明", "birth_date": date(2016, 3, 9), "occurred_at": NOW}
    here, there = a_registration(**same), a_registration(**same, residence=NEXT_VILLAGE)
    position = ",".join([await guanhu.give(here, DIRECTOR), await guanhu.give(there, NEXT_DIRECTOR)])
    visit = a_visit(there.household, there.child, village=NEXT_VILLAGE, occurred_at=NOW)
    pair = FormPair(
        pair=new_id("pair", beside=there.child),
        child=there.child,
        helper="helper-1",
        kind=PairKind.DUTY,
        village=NEXT_VILLAGE,
        starts=TODAY,
    )
    visited, paired = await guanhu.give(visit, NEXT_DIRECTOR), await guanhu.give(pair, NEXT_DIRECTOR)
    both = await counted(guanhu, position)
    duplicate = duplicate_of(here.child, there.child)
    await until_pair_is(guanhu, duplicate, "suspected")

    merge = MergeChildFiles(child=there.child, into=here.child, reason=Personal("同一儿童"))
    refused = await guanhu.tell(merge, NEXT_DIRECTOR)
    assert (refused.status_code, refused.json()["code"]) == (404, "not_on_file")
    merged = await guanhu.give(merge, SUPERVISOR)
    assert await counted(guanhu, merged) == both - 1
    await until_pair_is(guanhu, duplicate, "settled")

    [of_there] = (await card(guanhu, here.child, f"{merged},{visited},{paired}"))["merged"]
    assert (of_there["child"], of_there["visits"]["count"], list(of_there["pairs"])) == (there.child, 1, [pair.pair])
    assert of_there["file"]["merged_into"] == here.child
    late = RecordCareSituation(child=there.child, care=care(CareKind.NOBODY))
    refused = await guanhu.tell(late, NEXT_DIRECTOR)
    assert (refused.status_code, refused.json()["code"]) == (409, "child_file_was_merged")
    assert here.child not in refused.text
    await until_the_visit_is(guanhu, there, 409)

    undone = await guanhu.give(
        UndoChildMerge(child=there.child, into=here.child, reason=Personal("两名儿童")), SUPERVISOR
    )
    assert await counted(guanhu, undone) == both
    await until_pair_is(guanhu, duplicate, "suspected")
    assert (await card(guanhu, here.child, undone))["merged"] == []
    await until_the_visit_is(guanhu, there, 201)
    await guanhu.give(late, NEXT_DIRECTOR)


async def until_the_visit_is(guanhu: Installation, registration: Any, status: int) -> None:
    """visits judges by what it has heard, which is soon what registry says."""
    async with asyncio.timeout(WITHIN_SECONDS):
        while True:
            visit = a_visit(registration.household, registration.child, village=NEXT_VILLAGE, occurred_at=NOW)
            if (await guanhu.tell(visit, NEXT_DIRECTOR)).status_code == status:
                return
            await asyncio.sleep(0.2)


async def test_what_a_phone_tells_late_is_kept_beside_what_is_on_file_until_a_reviewer_decides(
    guanhu: Installation,
) -> None:
    registration = a_registration(name="测乙二", occurred_at=NOW)
    child = registration.child
    await guanhu.give(registration, DIRECTOR)
    seen = NOW - timedelta(hours=6)
    told = RecordCareSituation(child=child, care=care(CareKind.NOBODY, alone=True), occurred_at=seen)
    item = {"command": "RecordCareSituation", "id": f"phone-{child[-12:]}", "body": json.loads(json_of(told))}
    url = guanhu.stack.url("registry") + "/commands"
    sent = await guanhu.http.post(url, json={"commands": [item]}, headers=guanhu.headers(SUPERVISOR))
    [answer] = sent.json()["answers"]
    shown = (await card(guanhu, child, answer["receipt"]["position"]))["file"]
    [(proposal, both)] = shown["proposals"].items()
    assert (shown["care"]["kind"], both["found"]["kind"], both["on_file"]["kind"]) == (
        "grandparent",
        "nobody",
        "grandparent",
    )
    assert (both["found_by"], both["on_file_by"]) == (SUPERVISOR, DIRECTOR)

    accept = AcceptChange(child=child, proposal=proposal)
    refused = await guanhu.tell(accept, SUPERVISOR)
    assert (refused.status_code, refused.json()["code"]) == (403, "author_checks")
    shown = (await card(guanhu, child, await guanhu.give(accept, SECOND)))["file"]
    assert (shown["care"]["kind"], "proposals" in shown) == ("nobody", False)


async def test_a_verified_file_that_a_guardian_confirmed_is_looked_at_half_yearly(guanhu: Installation) -> None:
    registration = a_registration(name="测丙三", citizen_number=NUMBER, occurred_at=NOW)
    child = registration.child
    signed = GuardianConfirmation(by=Guardian.CAREGIVER, means=ConfirmationMeans.SIGNATURE, name="测奶奶")
    for command, person in (
        (registration, DIRECTOR),
        (RecordSchooling(child=child, schooling=Personal(Schooling(state=SchoolState.PRIMARY))), DIRECTOR),
        (RecordHealth(child=child, health=health()), DIRECTOR),
        (SubmitChildFile(child=child), DIRECTOR),
        (ReviewChildFile(child=child), SUPERVISOR),
        (VerifyChildFile(child=child), COUNTY),
        (RecordHealth(child=child, health=health()), DIRECTOR),
        (ConfirmByGuardian(child=child, confirmation=Personal(signed)), DIRECTOR),
        (ConfirmChildFileReview(child=child), DIRECTOR),
    ):
        position = await guanhu.give(command, person)
    shown = await card(guanhu, child, position)
    assert shown["file"]["guardian"]["by"] == "caregiver"
    assert shown["time_line"][0]["facts"] == {
        "as_of": TODAY.isoformat(),
        "changed": ["health"],
        "guardian_on": TODAY.isoformat(),
    }
    in_time, late = ((TODAY + timedelta(days=days)).isoformat() for days in (182, 184))
    assert (await guanhu.ask("/children/reviews", DIRECTOR, division=VILLAGE, until=in_time))["reviews"] == []
    [due] = (await guanhu.ask("/children/reviews", DIRECTOR, division=VILLAGE, until=late))["reviews"]
    assert (due["child"], due["overdue"], due["guardian_confirmed_on"]) == (child, True, TODAY.isoformat())
