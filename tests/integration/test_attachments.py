"""Attachments over HTTP with their bytes in a real MongoDB: kept sealed, shown to whom they may be, gone in time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from types import SimpleNamespace
from uuid import uuid4

import httpx
import pytest
from motor.motor_asyncio import AsyncIOMotorClient

from services.registry.attachments.content import FILE_LIMIT
from services.registry.attachments.desk import AttachmentDesk
from services.registry.attachments.parts import LIMITS
from services.registry.attachments.routes import attachment_routes, notice_routes
from services.registry.attachments.store import AttachmentStore
from services.registry.attachments.tidying import SETTLED, Tidying, policies
from services.registry.domain.child import ApproveErasure, RequestErasure
from services.registry.domain.privacy import GiveConsent, GivePrivacyNotice, WithdrawConsent, privacy_stream
from services.registry.handlings.privacy import desk_handlings
from services.registry.places import Streams
from shared.commands.handler import Handler
from shared.contracts.consent import AttachmentOpened, AttachmentRemoved, ConsentPurpose, RemovalReason
from shared.contracts.sealed import Personal
from shared.contracts.values import Role
from shared.eventlog.placement import new_id
from shared.eventlog.port import LogUnavailableError
from shared.identity.caller import Caller
from shared.privacy.cipher import Aes256Gcm
from shared.web.app import create_app
from tests.support.builders import TOLD, VILLAGE, a_registration
from tests.support.offices import Offices
from tests.support.pictures import MAKER, PDF, a_bomb, a_picture
from tests.support.registry import NOW
from tests.unit.test_privacy_record import declared

PHOTO = {"kind": "photo"}
PURPOSE = {"guanhu-purpose": "visit"}


class Desk(Offices):
    """registry's desk for attachments over HTTP, with a child whose mother agrees to a photo."""

    def __init__(self, client: AsyncIOMotorClient) -> None:
        super().__init__()
        self.clock: datetime = NOW
        self.directory.add_grant("cadre-1", Role.POSTED_CADRE, VILLAGE, date(2026, 1, 1))
        self.directory.add_grant("officer-1", Role.DATA_PROTECTION_OFFICER, "52", date(2026, 1, 1))
        self.database = client[f"attachments_{uuid4().hex}"]
        self.store = AttachmentStore(self.database, self.vault, Aes256Gcm())
        handler = Handler(self.log, self.sealer, self.directory, desk_handlings(), b"k" * 32, lambda: self.clock)
        streams = Streams(self.log, self.sealer)
        self.tidying = Tidying(self.store, handler, streams, lambda: self.clock)
        self.handler_of_desk = handler
        desk = AttachmentDesk(self.store, handler, streams, self.directory, lambda: self.clock)
        self.caller = "director-1"
        routes = [attachment_routes(desk, lambda: Caller(self.caller)), notice_routes()]
        self.app = create_app(title="registry", service="registry", routers=routes, body_limits=LIMITS)
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://registry")
        registration = a_registration()
        self.registration, self.child = registration, registration.child

    async def prepare(self) -> None:
        await self.store.prepare()
        await self.tell(self.registration, "director-1")
        notice = GivePrivacyNotice(child=self.child, notice="CHILD-2026-1", to=declared(), occurred_at=TOLD)
        await self.tell(notice, "director-1")
        consent = {"purpose": ConsentPurpose.PHOTO, "declaration": declared(), "occurred_at": TOLD}
        await self.tell(GiveConsent(child=self.child, **consent), "director-1")
        self.withdrawal = WithdrawConsent(child=self.child, **consent)

    async def put(self, data: bytes, attachment: str | None = None, kind: str = "photo", child: str | None = None):
        path = f"/children/{child or self.child}/attachments/{attachment or new_id('attachment')}"
        return await self.http.put(path, params={"kind": kind}, content=data)

    async def get(self, attachment: str, headers=PURPOSE):
        return await self.http.get(f"/children/{self.child}/attachments/{attachment}", headers=headers)

    async def stored(self) -> list[dict]:
        return [document async for document in self.database["attachments"].find()]

    async def react(self) -> None:
        """The policies, to all that is in the log."""
        react = {policy.event: policy.react for policy in policies(self.store)}
        for event in await self.everything():
            if type(event).__name__ in react:
                await react[type(event).__name__](SimpleNamespace(), event)


@pytest.fixture
async def desk(mongo_url: str) -> AsyncIterator[Desk]:
    client: AsyncIOMotorClient = AsyncIOMotorClient(mongo_url, tz_aware=True)
    desk = Desk(client)
    await desk.prepare()
    yield desk
    await desk.http.aclose()
    await client.drop_database(desk.database.name)
    client.close()


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def test_what_was_uploaded_is_stored_sealed_and_shown_without_what_the_phone_wrote_into_it(desk: Desk):
    attachment, sent = new_id("attachment"), a_picture()
    assert (await desk.put(sent, attachment)).status_code == 201
    [document] = await desk.stored()
    assert b"JFIF" not in document["sealed"]
    shown = await desk.get(attachment)
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/jpeg")
    assert shown.headers["cache-control"] == "no-store"
    assert shown.content.startswith(b"\xff\xd8\xff")
    assert MAKER.encode() not in shown.content


async def test_a_pdf_comes_as_a_file_and_not_as_a_page(desk: Desk):
    attachment = new_id("attachment")
    assert (await desk.put(PDF, attachment, kind="consent_form")).status_code == 201
    shown = await desk.get(attachment)
    assert (shown.content, shown.headers["content-disposition"]) == (PDF, "attachment")


async def test_the_same_upload_again_gets_its_first_answer_and_another_one_under_its_id_is_refused(desk: Desk):
    attachment = new_id("attachment")
    first = await desk.put(a_picture(), attachment)
    assert (await desk.put(a_picture(), attachment)).json() == first.json()
    assert problem(await desk.put(a_picture(colour="red"), attachment)) == (409, "attachment_id_taken")
    assert problem(await desk.put(a_picture(), attachment, kind="other")) == (422, "command_id_reused")
    assert len(await desk.stored()) == 1


@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        (b"PK\x03\x04" + bytes(100), (415, "file_type_not_taken")),
        (PDF, (415, "photo_is_no_picture")),
        (a_picture(size=(400, 300))[:900], (422, "file_broken")),
        (a_bomb(), (413, "picture_too_large")),
        (bytes(FILE_LIMIT + 1), (413, "body_too_large")),
    ],
    ids=lambda value: value[1] if isinstance(value, tuple) else "",
)
async def test_what_is_refused_leaves_nothing_behind(desk: Desk, data: bytes, refusal: tuple[int, str]):
    assert problem(await desk.put(data)) == refusal
    assert await desk.stored() == []


async def test_without_a_consent_no_photo_is_stored_and_with_its_withdrawal_all_go(desk: Desk):
    attachment = new_id("attachment")
    await desk.put(a_picture(), attachment)
    await desk.put(PDF, kind="entrustment_form")
    await desk.tell(desk.withdrawal, "director-1")
    await desk.react()
    assert [document["photo"] for document in await desk.stored()] == [False]
    assert problem(await desk.get(attachment)) == (404, "no_such_attachment")
    assert problem(await desk.put(a_picture())) == (409, "photo_without_consent")
    assert problem(await desk.put(a_picture(), attachment)) == (409, "attachment_id_taken")
    assert len(await desk.stored()) == 1


async def test_each_time_it_is_opened_is_on_record_with_its_purpose(desk: Desk):
    attachment = new_id("attachment")
    await desk.put(a_picture(), attachment)
    await desk.get(attachment)
    [opened] = [event for event in await desk.everything() if isinstance(event, AttachmentOpened)]
    assert (opened.child, opened.attachment, opened.person) == (desk.child, attachment, "director-1")
    assert opened.purpose.reveal() == "visit"
    assert problem(await desk.get(attachment, headers={})) == (422, "purpose_missing")


async def test_who_needs_no_detail_or_works_elsewhere_sees_nothing_and_adds_nothing(desk: Desk):
    attachment = new_id("attachment")
    await desk.put(a_picture(), attachment)
    for person in ("cadre-1", "officer-1", "office-1", "stranger"):
        desk.caller = person
        assert problem(await desk.get(attachment)) == (404, "not_on_file")
        assert problem(await desk.put(a_picture())) == (404, "not_on_file")
    desk.caller = "director-1"
    assert problem(await desk.put(a_picture(), child=new_id("child"))) == (404, "not_on_file")
    assert len(await desk.stored()) == 1
    assert not [event for event in await desk.everything() if isinstance(event, AttachmentOpened)]


async def test_bytes_that_were_changed_or_lost_are_not_shown(desk: Desk):
    attachment = new_id("attachment")
    await desk.put(a_picture(), attachment)
    [document] = await desk.stored()
    changed = bytearray(document["sealed"])
    changed[-1] ^= 1
    await desk.database["attachments"].update_one({}, {"$set": {"sealed": bytes(changed)}})
    assert problem(await desk.get(attachment)) == (500, "attachment_damaged")
    await desk.database["attachments"].delete_many({})
    assert problem(await desk.get(attachment)) == (500, "attachment_damaged")


async def test_bytes_of_which_the_log_was_never_told_are_swept_after_an_hour(desk: Desk):
    attachment = new_id("attachment")
    append = desk.log.append
    desk.log.append = _unreachable
    assert (await desk.put(a_picture(), attachment)).status_code == 503
    desk.log.append = append
    await desk.tidying.tidy()
    assert len(await desk.stored()) == 1
    desk.clock += SETTLED + timedelta(seconds=1)
    await desk.tidying.tidy()
    assert await desk.stored() == []


async def test_bytes_of_which_the_log_was_told_stay_although_nobody_noted_it(desk: Desk):
    await desk.put(PDF, kind="other")
    await desk.database["attachments"].update_one({}, {"$set": {"told": False}})
    desk.clock += SETTLED + timedelta(seconds=1)
    await desk.tidying.tidy()
    assert [document["told"] for document in await desk.stored()] == [True]


async def test_an_upload_that_was_cut_off_goes_on_under_its_id(desk: Desk):
    attachment, append = new_id("attachment"), desk.log.append
    desk.log.append = _unreachable
    await desk.put(a_picture(), attachment)
    desk.log.append = append
    assert (await desk.put(a_picture(), attachment)).status_code == 201
    assert (await desk.get(attachment)).status_code == 200


async def test_a_photo_is_removed_after_a_year_and_a_form_stays(desk: Desk):
    photo = new_id("attachment")
    await desk.put(a_picture(), photo)
    await desk.put(PDF, kind="entrustment_form")
    desk.clock = datetime(2027, 8, 13, 15, 59, tzinfo=NOW.tzinfo)
    await desk.tidying.tidy()
    assert len(await desk.stored()) == 2
    desk.clock = datetime(2027, 8, 13, 16, 1, tzinfo=NOW.tzinfo)
    await desk.tidying.tidy()
    assert [document["photo"] for document in await desk.stored()] == [False]
    removed = (await desk.events(privacy_stream(desk.child)))[-1]
    assert removed == AttachmentRemoved(child=desk.child, attachment=photo, reason=Personal(RemovalReason.TIME_ENDED))


async def test_after_an_erasure_the_bytes_can_not_be_read_and_are_deleted(desk: Desk):
    attachment = new_id("attachment")
    await desk.put(a_picture(), attachment)
    await desk.tell(RequestErasure(child=desk.child, basis=Personal("申请")), "director-1")
    await desk.tell(ApproveErasure(child=desk.child), "officer-1")
    await desk.vault.destroy(desk.child)
    kept = await desk.store.find(desk.child, attachment)
    assert await desk.store.open(kept) is None
    for answer in (await desk.get(attachment), await desk.put(a_picture()), await desk.put(PDF, kind="other")):
        assert problem(answer) == (410, "child_is_erased")
    await desk.react()
    assert await desk.stored() == []


async def test_anybody_may_read_the_notice_and_its_versions(desk: Desk):
    today = (await desk.http.get("/privacy-notice")).json()
    assert today == (await desk.http.get("/privacy-notice", params={"version": "CHILD-2026-1"})).json()
    assert [one["purpose"] for one in today["purposes"]] == list(ConsentPurpose)
    assert problem(await desk.http.get("/privacy-notice", params={"version": "X"})) == (422, "notice_unknown")


async def _unreachable(append):
    raise LogUnavailableError("gone")
