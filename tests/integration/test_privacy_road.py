"""Consents, attachments and the export of a file through the real processes, and what an erasure leaves of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import pytest_asyncio

from deploy.local.operator import WITH_A_DIRECTORY, operator, settings_of
from services.pairing.domain.pair import FormPair
from services.registry.domain.child import ApproveErasure, RegisterChild, RequestErasure
from services.registry.domain.posting import PostWorkingGroup
from services.registry.domain.privacy import GiveConsent, GivePrivacyNotice, privacy_stream
from shared.commands.command import business_day
from shared.contracts.consent import ConsentGiven, ConsentPurpose, Declarant, Declaration, Means
from shared.contracts.sealed import KINDS, Personal
from shared.contracts.values import PairKind, PostingLevel, Role
from shared.contracts.visits import ChildFinding
from shared.eventlog.placement import new_id
from shared.eventlog.record import Position, decode
from shared.projection.live import LiveModels
from shared.runtime.kernel import Kernel
from tests.support.builders import VILLAGE, a_registration, a_visit
from tests.support.installation import Installation, installation
from tests.support.pictures import MAKER, a_picture

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]

DIRECTOR, CADRE, COUNTY = "privacy-director", "privacy-cadre", "privacy-county"
OFFICER = "privacy-officer"
NOW = datetime.now(UTC)
TODAY = business_day(NOW)
NUMBER, NAME, WITNESSED = "529901201603090022", "测隐私", "测问候语"
GRANTS = (
    (DIRECTOR, Role.CHILD_DIRECTOR, VILLAGE),
    (COUNTY, Role.COUNTY_CIVIL_AFFAIRS, "520303"),
    (OFFICER, Role.DATA_PROTECTION_OFFICER, "520303"),
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def guanhu() -> AsyncIterator[Installation]:
    async with installation("privacy") as guanhu:
        async with operator(guanhu.stack.environment("registry")) as own:
            await own.import_divisions("520303105")
            for person, role, division in GRANTS:
                await own.grant(person, role, division, TODAY)
            await own.everybody_knows()
        await post_the_cadre(guanhu)
        yield guanhu


async def post_the_cadre(guanhu: Installation) -> None:
    """Returns when everybody knows that the cadre leads a group in the village."""
    posting = PostWorkingGroup(
        posting=new_id("posting"),
        village=VILLAGE,
        level=PostingLevel.COUNTY,
        unit="县直帮扶单位",
        starts=TODAY,
        leader=CADRE,
    )
    position = Position.parse(await guanhu.give(posting, COUNTY))
    for service in WITH_A_DIRECTORY:
        assert await LiveModels(guanhu.mongo[f"guanhu_{service}"]).wait_for("directory", position, timeout=30)


async def eventually(holds: Callable[[], Awaitable[bool]], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not await holds():  # noqa: ASYNC110 - it waits for another process
            await asyncio.sleep(0.1)


def declared() -> Personal[Declaration]:
    return Personal(Declaration(declarant=Declarant.MOTHER, name="测隐私之母", means=Means.SIGNATURE))


async def a_family(guanhu: Installation) -> tuple[RegisterChild, RegisterChild, str]:
    """Two siblings, visited together, one of them with a helper; and the positions to wait for."""
    told = {"occurred_at": NOW, "birth_date": date(2016, 3, 9)}
    child = a_registration(**told, name=NAME, citizen_number=NUMBER)
    sibling = a_registration(**told, name="测弟弟", household=child.household)
    for one in (child, sibling):
        await guanhu.give(one, DIRECTOR)
    findings = tuple(
        ChildFinding(child=one.child, life=Personal(text))
        for one, text in ((child, WITNESSED), (sibling, "测弟弟的话"))
    )
    visit = a_visit(child.household, occurred_at=NOW, findings=findings)
    pair = FormPair(
        pair=new_id("pair", beside=child.child),
        child=child.child,
        helper=CADRE,
        kind=PairKind.DUTY,
        village=VILLAGE,
        starts=TODAY,
        occurred_at=NOW,
    )
    await guanhu.give(GivePrivacyNotice(child=child.child, notice="CHILD-2026-1", to=declared()), DIRECTOR)
    consent = GiveConsent(child=child.child, purpose=ConsentPurpose.PHOTO, declaration=declared())
    positions = [await guanhu.give(one, DIRECTOR) for one in (visit, pair, consent)]
    return child, sibling, ",".join(positions)


def attachment_url(guanhu: Installation, child: str, attachment: str) -> str:
    """Through the origin that a browser knows."""
    return f"{guanhu.stack.url('reporting')}/api/registry/children/{child}/attachments/{attachment}"


async def put_photo(guanhu: Installation, child: str, attachment: str, person: str = DIRECTOR) -> httpx.Response:
    url = attachment_url(guanhu, child, attachment)
    return await guanhu.http.put(
        url, params={"kind": "photo"}, content=a_picture(size=(640, 480)), headers=guanhu.headers(person)
    )


async def see_photo(guanhu: Installation, child: str, attachment: str, person: str = DIRECTOR) -> httpx.Response:
    headers = guanhu.headers(person) | {"guanhu-purpose": quote("辨认")}
    return await guanhu.http.get(attachment_url(guanhu, child, attachment), headers=headers)


async def export(guanhu: Installation, child: str, after: str | None = None, **headers: str) -> httpx.Response:
    stated = {"guanhu-purpose": quote("监护人查阅"), "guanhu-requester": quote("测隐私之母")}
    return await guanhu.http.get(
        f"{guanhu.stack.url('reporting')}/children/{child}/export",
        params={"requested_by": "mother"},
        headers=guanhu.headers(COUNTY, after) | stated | headers,
    )


async def erase(guanhu: Installation, child: str) -> None:
    await guanhu.give(RequestErasure(child=child, basis=Personal("监护人申请")), DIRECTOR)
    await guanhu.give(ApproveErasure(child=child), OFFICER)


async def test_a_file_is_agreed_to_illustrated_and_exported_and_an_erasure_leaves_none_of_it(
    guanhu: Installation,
) -> None:
    child, sibling, told = await a_family(guanhu)
    photo = new_id("attachment")

    added = await put_photo(guanhu, child.child, photo)
    assert added.status_code == 201, added.text
    assert (await put_photo(guanhu, sibling.child, photo)).json()["code"] == "photo_without_consent"
    shown = await see_photo(guanhu, child.child, photo)
    assert shown.headers["content-type"] == "image/jpeg"
    assert MAKER.encode() not in shown.content
    assert (await see_photo(guanhu, child.child, photo, CADRE)).status_code == 404

    card = (await guanhu.open_file(child.child, DIRECTOR, f"{told},{added.json()['position']}")).json()
    assert card["consents"]["purposes"]["photo"]["answer"] == "given"
    assert card["attachments"][photo]["kind"] == "photo"
    cadres = (await guanhu.open_file(child.child, CADRE)).json()
    assert cadres["attachments"] == {}

    await _openings_are_traced(guanhu, child.child, 3)
    document = await _exported(guanhu, child, told)
    assert "测弟弟" not in document
    page = await export(guanhu, child.child, accept="text/html")
    assert (page.status_code, NAME in page.text, NUMBER in page.text) == (200, True, False)

    await erase(guanhu, child.child)
    await _nothing_is_left(guanhu, child.child, photo)
    assert (await export(guanhu, sibling.child)).status_code == 200


async def _exported(guanhu: Installation, child: RegisterChild, told: str) -> str:
    answer = await export(guanhu, child.child, told)
    assert answer.status_code == 200, answer.text
    types = {
        section["section"]: [entry["type"] for entry in section["entries"]] for section in answer.json()["sections"]
    }
    assert types["identity"] == ["ChildRegistered"]
    assert types["household"] == ["HouseholdFileOpened"]
    assert types["visits"] == ["VisitLogged"]
    assert types["pairs"] == ["PairFormed"]
    assert types["consents"] == ["PrivacyNoticeGiven", "ConsentGiven"]
    assert types["attachments"] == ["AttachmentAdded"]
    assert sorted(types["openings"]) == ["AttachmentOpened", "FileOpened", "FileOpened"]
    assert WITNESSED in answer.text
    assert "贵州省遵义市汇川区" in answer.text
    return answer.text


async def _openings_are_traced(guanhu: Installation, child: str, openings: int) -> None:
    """Each in a stream of its own."""
    traces = guanhu.mongo["guanhu_reporting"]["traces_v1_traces"]

    async def traced() -> bool:
        return await traces.count_documents({"child": child, "stream": {"$regex": "^opening-"}}) >= openings

    await eventually(traced)


async def _nothing_is_left(guanhu: Installation, child: str, photo: str) -> None:
    registry, reporting = guanhu.mongo["guanhu_registry"], guanhu.mongo["guanhu_reporting"]

    async def deleted() -> bool:
        bytes_left = await registry["attachments"].count_documents({"child": child})
        return not bytes_left and not await reporting["traces_v1_traces"].count_documents({"child": child})

    await eventually(deleted)

    async def unreadable() -> bool:
        return (await export(guanhu, child)).status_code == 404 == (await guanhu.open_file(child, DIRECTOR)).status_code

    await eventually(unreadable)
    assert (await see_photo(guanhu, child, photo)).json()["code"] == "child_is_erased"
    assert (await put_photo(guanhu, child, new_id("attachment"))).json()["code"] == "child_is_erased"
    again = GiveConsent(child=child, purpose=ConsentPurpose.PHOTO, declaration=declared())
    assert (await guanhu.tell(again, DIRECTOR)).status_code == 410
    await _log_is_closed(guanhu, child)


async def _log_is_closed(guanhu: Installation, child: str) -> None:
    """Whoever opens the records with all keys that are left reads nothing of the person."""
    kernel = Kernel(settings_of(guanhu.stack.environment("registry")), "registry")
    try:
        stream = {"stream": privacy_stream(child)}
        records = [decode(row["record"]) async for row in guanhu.log("registry").find(stream)]
        events: list[Any] = await kernel.sealer.open(records, KINDS)
    finally:
        await kernel.close()
    assert [event.consent.erased for event in events if isinstance(event, ConsentGiven)] == [True]
    assert "测隐私" not in "".join(event.model_dump_json() for event in events)
