"""An export over HTTP: for whom it is made, who may hand it out, and what is on record before it leaves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from urllib.parse import quote

import httpx
import pytest

from services.reporting.api.exports import export_routes
from services.reporting.domain import handlings
from services.reporting.export.person_log import FileIncomplete
from shared.commands.handler import Handler
from shared.contracts.reporting import ExportMade
from shared.contracts.sealed import KINDS
from shared.contracts.values import Role
from shared.eventlog.memory import MemoryLog
from shared.eventlog.placement import new_id
from shared.eventlog.record import decode
from shared.identity.caller import Caller
from shared.identity.scope import Scope
from shared.web.app import create_app
from tests.support.builders import VILLAGE
from tests.support.child_cards import occurrences
from tests.support.child_files import NUMBER
from tests.support.registry import NOW, Registry
from tests.unit.test_export import CHILD, FILE, PARENTS
from tests.unit.test_reporting_api import Cards, Live

ASKED = {"requested_by": "mother"}
HEADERS = {"guanhu-purpose": quote("查阅复制"), "guanhu-requester": quote("测母")}


class NamedScope(Scope):
    async def full_names(self, codes):
        return dict.fromkeys(codes, "测村")


class Log:
    """The records of the child; or a service that does not answer."""

    def __init__(self) -> None:
        self.answers = True

    async def of(self, child):
        if not self.answers:
            raise FileIncomplete
        return occurrences([*FILE, PARENTS])


class Exporting:
    def __init__(self) -> None:
        registry = Registry()
        for person, role in (
            ("county-1", Role.COUNTY_CIVIL_AFFAIRS),
            ("officer-1", Role.DATA_PROTECTION_OFFICER),
            ("director-1", Role.CHILD_DIRECTOR),
            ("supervisor-1", Role.CHILD_SUPERVISOR),
        ):
            registry.directory.add_grant(person, role, VILLAGE[:6], date(2020, 1, 1))
        self.sealer, self.written, self.log = registry.sealer, MemoryLog("reporting", 4, lambda: NOW), Log()
        handler = Handler(self.written, self.sealer, registry.directory, handlings(), b"k" * 32, lambda: NOW)

        async def divisions():
            raise AssertionError("nobody asks for divisions here")

        self.cards = Cards()
        self.cards.cards = {CHILD: VILLAGE}
        scope = NamedScope(registry.directory, divisions)
        self.caller = "county-1"
        routes = export_routes(self.cards, self.log, Live(), scope, handler, lambda: Caller(self.caller))
        app = create_app(title="reporting", service="reporting", routers=[routes])
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://reporting")

    async def ask(self, child: str = CHILD, headers=HEADERS, **parameters: str) -> httpx.Response:
        return await self.http.get(f"/children/{child}/export", params=ASKED | parameters, headers=headers)

    async def made(self) -> list[ExportMade]:
        raws = [raw for partition in range(4) for raw in await self.written.read(partition, 0, 10)]
        return await self.sealer.open([decode(raw) for raw in raws], KINDS)


@pytest.fixture
async def exporting() -> AsyncIterator[Exporting]:
    exporting = Exporting()
    yield exporting
    await exporting.http.aclose()


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


@pytest.mark.parametrize("person", ["county-1", "officer-1"])
async def test_the_county_or_the_data_protection_officer_hands_out_a_copy_and_it_is_on_record(exporting, person):
    exporting.caller = person
    answer = await exporting.ask()
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    document = answer.json()
    assert (document["made_by"], document["requested_by"], document["numbers"]) == (person, "mother", "masked")
    assert [one["section"] for one in document["sections"]][:3] == ["identity", "household", "family"]
    assert NUMBER not in answer.text
    [made] = await exporting.made()
    assert (made.child, made.person, made.full_numbers) == (CHILD, person, False)
    assert made.request.reveal().model_dump(mode="json") == {"relation": "mother", "name": "测母", "reason": "查阅复制"}


async def test_a_browser_gets_the_form_to_print_and_it_may_fetch_nothing(exporting):
    answer = await exporting.ask(headers=HEADERS | {"accept": "text/html,application/xhtml+xml"})
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["content-security-policy"] == "default-src 'none'; style-src 'unsafe-inline'"
    assert "农村留守儿童基本情况登记表" in answer.text
    assert "county-1 " in answer.text
    assert len(await exporting.made()) == 1


async def test_numbers_in_full_are_for_the_county_alone(exporting):
    assert NUMBER in (await exporting.ask(numbers="full")).text
    assert [made.full_numbers for made in await exporting.made()] == [True]
    exporting.caller = "officer-1"
    assert problem(await exporting.ask(numbers="full"))[0] == 403
    assert len(await exporting.made()) == 1


@pytest.mark.parametrize("person", ["director-1", "supervisor-1", "stranger"])
async def test_for_others_the_child_is_not_there(exporting, person):
    exporting.caller = person
    assert problem(await exporting.ask()) == (404, "not_on_file")
    assert await exporting.made() == []


async def test_a_child_that_is_unknown_or_lives_elsewhere_is_not_exported(exporting):
    elsewhere = new_id("child")
    exporting.cards.cards[elsewhere] = "520302001001"
    for child in (elsewhere, new_id("child")):
        assert problem(await exporting.ask(child)) == (404, "not_on_file")
    assert await exporting.made() == []


@pytest.mark.parametrize("missing", ["guanhu-purpose", "guanhu-requester"])
async def test_an_export_has_a_reason_and_a_requester(exporting, missing):
    answer = await exporting.ask(headers={name: value for name, value in HEADERS.items() if name != missing})
    assert problem(answer) == (422, missing.removeprefix("guanhu-") + "_missing")
    assert await exporting.made() == []


@pytest.mark.parametrize("requested_by", ["volunteer", "entrusted_caregiver", ""])
async def test_nobody_but_a_guardian_or_the_child_asks_for_a_copy(exporting, requested_by):
    assert problem(await exporting.ask(requested_by=requested_by)) == (422, "invalid")


async def test_a_file_of_which_a_part_can_not_be_had_is_not_exported(exporting):
    exporting.log.answers = False
    assert problem(await exporting.ask()) == (503, "file_incomplete")
    assert await exporting.made() == []
