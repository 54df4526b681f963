"""reporting over HTTP: what is asked badly is refused, what is not one's own is not told, and one origin hides four."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import date
from urllib.parse import quote

import httpx
import pytest

from services.reporting.api.children import child_routes
from services.reporting.api.figures import figure_routes
from services.reporting.api.gateway import gateway_limits, gateway_routes
from services.reporting.api.opening import Opener
from services.reporting.api.scope import Scope
from services.reporting.domain import handlings
from services.reporting.figures.queries import Figure
from shared.commands.handler import Handler
from shared.contracts.sealed import KINDS
from shared.contracts.values import Role
from shared.eventlog.memory import MemoryLog
from shared.eventlog.placement import new_id
from shared.eventlog.record import decode
from shared.identity.caller import Caller
from shared.projection.live import Freshness
from shared.web.app import create_app
from shared.web.request import BODY_LIMIT
from tests.support.builders import VILLAGE
from tests.support.registry import NOW, Registry

CHILD = new_id("child")
ELSEWHERE = "520303106201"


FILE = {
    "name": "测甲一",
    "parents": {"father": {"state": "incapable", "incapable_reason": "prison"}, "mother": {"state": "away"}},
    "health": {"state": "disabled", "disability": {"kind": "hearing"}, "psychology": "低落"},
    "welfare": {"minimum_allowance": True},
    "risk": {"level": "high", "score": 60, "vetoes": ["lives"], "override": {"level": "low", "reason": "误"}},
}
ENTRY = {"at": NOW, "told": NOW, "by": "child_director"}
TIME_LINE = [
    ENTRY | {"type": "HealthRecorded", "facts": {"state": "disabled"}},
    ENTRY | {"type": "SchoolingRecorded", "facts": {"state": "primary"}},
]


class Cards:
    """Cards of two children: of this village, and of another."""

    def __init__(self) -> None:
        self.cards = {CHILD: VILLAGE}
        self.merged = {}

    async def village_of(self, child):
        return self.cards.get(child)

    async def card(self, child):
        return {"_id": child, "village": self.cards[child], "file": FILE}

    async def merged_into(self, child):
        return [await self.card(one) for one, into in self.merged.items() if into == child]

    async def time_line(self, child):
        return TIME_LINE

    async def closed(self, villages, until, limit):
        assert villages == [VILLAGE]
        return [{"_id": CHILD, "village": VILLAGE, "file": {"closed_on": "2020-01-01", "closed_for": "turned_16"}}]

    async def due(self, villages, until, limit):
        assert (villages, until) == ([VILLAGE], "2027-02-13")
        check = {"stage": "county_verified", "verified_on": "2026-08-01", "confirmed_on": "2026-08-14"}
        due = {"name": "测甲一", "check": check | {"due_on": "2027-02-12"}, "guardian": {"confirmed_on": "2026-08-12"}}
        return [{"_id": CHILD, "village": VILLAGE, "file": due}]

    async def named(self, villages, name, limit):
        return []


class Live:
    def __init__(self) -> None:
        self.asked = []

    async def wait_for_all(self, name, positions):
        self.asked += map(str, positions)
        return True

    async def freshness(self, name):
        return Freshness(NOW, 0, None)


class VillageScope(Scope):
    """Of a division that is a village: nobody looks below it."""

    async def villages(self, division):
        return [division]


class Reporting:
    def __init__(self) -> None:
        registry = Registry()
        registry.directory.add_grant("director-1", Role.CHILD_DIRECTOR, VILLAGE, date(2020, 1, 1))
        self.cards, self.live, self.log = Cards(), Live(), MemoryLog("reporting", 4, lambda: NOW)
        self.sealer = registry.sealer
        handler = Handler(self.log, self.sealer, registry.directory, handlings(), b"k" * 32, lambda: NOW)

        async def divisions():
            raise AssertionError("nobody asks for divisions here")

        scope = VillageScope(registry.directory, divisions)
        registry.directory.add_grant("cadre-1", Role.POSTED_CADRE, VILLAGE, date(2020, 1, 1))
        self.caller = "director-1"
        routes = child_routes(self.cards, self.live, scope, Opener(handler), lambda: Caller(self.caller))
        self.app = create_app(title="reporting", service="reporting", routers=[routes])

    async def openings(self):
        raws = [raw for partition in range(4) for raw in await self.log.read(partition, 0, 10)]
        return await self.sealer.open([decode(raw) for raw in raws], KINDS)


@pytest.fixture
def reporting() -> Reporting:
    return Reporting()


@pytest.fixture
async def http(reporting: Reporting) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(reporting.app), base_url="http://reporting") as client:
        yield client


@pytest.mark.parametrize("purpose", [quote("月度走访"), "月度走访".encode()], ids=["encoded", "raw"])
async def test_a_file_is_opened_for_a_purpose_that_is_on_record_as_it_was_meant(reporting, http, purpose):
    answer = await http.get(f"/children/{CHILD}", headers={"guanhu-purpose": purpose})
    assert answer.status_code == 200
    [opened] = await reporting.openings()
    assert (opened.child, opened.person, opened.purpose.reveal()) == (CHILD, "director-1", "月度走访")


async def test_who_keeps_the_file_sees_all_of_it(http):
    card = (await http.get(f"/children/{CHILD}", headers={"guanhu-purpose": "visit"})).json()
    assert card["file"] == FILE
    assert [entry["facts"]["state"] for entry in card["time_line"]] == ["disabled", "primary"]


async def test_who_works_in_the_village_sees_that_a_child_is_ill_and_not_what_of(reporting, http):
    reporting.caller = "cadre-1"
    card = (await http.get(f"/children/{CHILD}", headers={"guanhu-purpose": "visit"})).json()
    assert card["file"] == {
        "name": "测甲一",
        "parents": {"father": {"state": "incapable"}, "mother": {"state": "away"}},
        "health": {"state": "disabled"},
        "risk": {"level": "high", "override": {"level": "low"}},
    }
    assert [entry["facts"] for entry in card["time_line"]] == [None, {"state": "primary"}]


async def test_a_card_shows_the_files_that_were_merged_into_it_and_each_of_them_is_opened(reporting, http):
    here, elsewhere = new_id("child"), new_id("child")
    reporting.cards.cards |= {here: VILLAGE, elsewhere: ELSEWHERE}
    reporting.cards.merged = {here: CHILD, elsewhere: CHILD}
    card = (await http.get(f"/children/{CHILD}", headers={"guanhu-purpose": "visit"})).json()
    [merged] = card["merged"]
    assert (merged["child"], merged["file"], len(merged["time_line"])) == (here, FILE, 2)
    assert {opened.child for opened in await reporting.openings()} == {CHILD, here}
    assert elsewhere not in str(card)


async def test_files_whose_time_has_ended_are_told_by_id_to_those_who_may_ask_for_an_erasure(reporting, http):
    answer = (await http.get(f"/children/closed?division={VILLAGE}")).json()
    assert answer["files"] == [
        {"child": CHILD, "village": VILLAGE, "closed_on": "2020-01-01", "closed_for": "turned_16"}
    ]
    reporting.caller = "cadre-1"
    assert (await http.get(f"/children/closed?division={VILLAGE}")).status_code == 403


async def test_reviews_that_are_due_are_listed_for_who_lists_children_there(reporting, http):
    answer = (await http.get(f"/children/reviews?division={VILLAGE}&until=2027-02-13")).json()
    assert answer["reviews"] == [
        {
            "child": CHILD,
            "village": VILLAGE,
            "name": "测甲一",
            "stage": "county_verified",
            "due_on": "2027-02-12",
            "overdue": True,
            "looked_at_on": "2026-08-14",
            "guardian_confirmed_on": "2026-08-12",
        }
    ]
    assert (await http.get(f"/children/reviews?division={ELSEWHERE}&until=2027-02-13")).status_code == 403


@pytest.mark.parametrize("purpose", [None, "", "%20%20%20", "x", "x" * 201, "%ff%fe%fd", b"\xe6\x9c"], ids=repr)
async def test_without_a_purpose_that_can_be_read_no_file_is_opened(reporting, http, purpose):
    headers = {} if purpose is None else {"guanhu-purpose": purpose}
    answer = await http.get(f"/children/{CHILD}", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "purpose_missing")
    assert await reporting.openings() == []


@pytest.mark.parametrize("village", [ELSEWHERE, "529999999201"], ids=["another village", "a village not heard of yet"])
async def test_a_child_out_of_scope_looks_like_one_that_does_not_exist(reporting, http, village):
    other, headers = new_id("child"), {"guanhu-purpose": "visit"}
    reporting.cards.cards[other] = village
    unlike = {"correlation_id": None}
    found = [(await http.get(f"/children/{child}", headers=headers)).json() for child in (other, new_id("child"))]
    assert found[0] | unlike == found[1] | unlike
    assert (found[0]["status"], await reporting.openings()) == (404, [])


@pytest.mark.parametrize(
    "after",
    [
        "registry",
        "registry/1",
        "registry/1/x",
        "registry/-1/5",
        "registry/1/" + "9" * 5_000,
        "payroll/1/5",
        "registry/1/5,",
    ],
    ids=lambda after: after[:20],
)
async def test_what_is_no_position_is_not_waited_for(reporting, http, after):
    headers = {"guanhu-purpose": "visit", "guanhu-after": after}
    answer = await http.get(f"/children/{CHILD}", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "position_malformed")
    assert reporting.live.asked == []


async def test_many_positions_are_waited_for_at_once(reporting, http):
    headers = {"guanhu-purpose": "visit", "guanhu-after": "registry/1/5, visits/1/7"}
    assert (await http.get(f"/children/{CHILD}", headers=headers)).json()["freshness"]["reached"]
    assert reporting.live.asked == ["registry/1/5", "visits/1/7"]


@pytest.mark.parametrize("name", ["\u0000", "测\u0000", "", "x" * 51], ids=repr)
async def test_a_name_that_no_child_can_have_is_not_searched_for(http, name):
    answer = await http.post("/children/search", json={"division": VILLAGE, "name": name})
    assert answer.status_code == 422


class Sums:
    """Figures of one village that has adopted a rule."""

    async def adopted(self, path, as_of, known_at):
        return "MCA-2024" if VILLAGE in path else "BRIEF-0-14"

    async def figure(self, indicator, division, as_of, known_at, rule):
        return Figure(1, 2, "50.0")


@pytest.fixture
async def figures() -> AsyncIterator[httpx.AsyncClient]:
    registry = Registry()
    registry.directory.add_grant("director-1", Role.CHILD_DIRECTOR, VILLAGE, date(2020, 1, 1))

    async def divisions():
        raise AssertionError("nobody asks for divisions here")

    routes = figure_routes(Sums(), Live(), Scope(registry.directory, divisions), lambda: Caller("director-1"))
    app = create_app(title="reporting", service="reporting", routers=[routes])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://reporting") as client:
        yield client


@pytest.mark.parametrize(("asked", "counted"), [("", "MCA-2024"), ("&rule=EDU", "EDU")])
async def test_a_figure_names_the_rule_it_was_counted_by(figures, asked, counted):
    answer = await figures.get(f"/figures/I1?division={VILLAGE}{asked}")
    assert (answer.status_code, answer.json()["rule"]) == (200, counted)


@pytest.mark.parametrize(("rule", "status"), [("MCA-1999", 404), ("children@EDU", 422), ("", 422)])
async def test_a_rule_that_does_not_exist_counts_nothing(figures, rule, status):
    assert (await figures.get("/figures/I1", params={"division": VILLAGE, "rule": rule})).status_code == status


class Behind:
    """A service behind the gateway that says what came to it."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return httpx.Response(201, json={"position": "registry/1/5"})


@pytest.fixture
def behind() -> Behind:
    return Behind()


@pytest.fixture
async def gateway(behind: Behind) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.MockTransport(behind)) as inner:
        routes = gateway_routes({"registry": "http://inside"}, inner)
        app = create_app(title="g", service="g", routers=[routes], body_limits=gateway_limits(["registry"]))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://outside") as outer:
            yield outer


async def test_a_command_passes_with_what_belongs_to_it_and_nothing_else(behind, gateway):
    headers = {
        "authorization": "Bearer t",
        "idempotency-key": "command-1",
        "cookie": "c=1",
        "x-forwarded-for": "10.1.1.1",
    }
    answer = await gateway.post("/api/registry/commands/RegisterChild", content=b"{}", headers=headers)
    assert (answer.status_code, answer.json()) == (201, {"position": "registry/1/5"})
    [request] = behind.requests
    assert str(request.url) == "http://inside/commands/RegisterChild"
    assert (request.headers["authorization"], request.headers["idempotency-key"]) == ("Bearer t", "command-1")
    assert not {"cookie", "x-forwarded-for"} & request.headers.keys()


async def test_a_header_that_is_no_ascii_passes_as_it_is(behind, gateway):
    await gateway.post("/api/registry/commands", content=b"{}", headers={"guanhu-device": "平板".encode()})
    assert (b"guanhu-device", "平板".encode()) in [
        (name.lower(), value) for name, value in behind.requests[0].headers.raw
    ]


async def test_what_registry_says_of_duplicates_is_asked_through_the_same_origin(behind, gateway):
    await gateway.get("/api/registry/duplicates?state=suspected&limit=2", headers={"authorization": "Bearer t"})
    await gateway.post("/api/registry/duplicates/check", json={"name": "测甲一"})
    listed, checked = behind.requests
    assert (listed.method, str(listed.url)) == ("GET", "http://inside/duplicates?state=suspected&limit=2")
    assert (checked.method, str(checked.url)) == ("POST", "http://inside/duplicates/check")
    assert json.loads(checked.content) == {"name": "测甲一"}


@pytest.mark.parametrize("command", ["%00", "..%2f..%2flog", "%2e%2e", "x%3Fa=b", "log%23"])
async def test_an_address_that_is_no_command_leads_nowhere(behind, gateway, command):
    answer = await gateway.post(f"/api/registry/commands/{command}", content=b"{}")
    assert answer.status_code in (404, 422)
    assert behind.requests == []


async def test_a_batch_may_be_as_large_as_at_the_service_itself(behind, gateway):
    large = json.dumps({"commands": ["x" * BODY_LIMIT]}).encode()
    assert (await gateway.post("/api/registry/commands", content=large)).status_code == 201
    assert (await gateway.post("/api/registry/commands/RegisterChild", content=large)).status_code == 413
