"""reporting over HTTP: what is asked badly is refused, what is not one's own is not told, and one origin hides four."""

from __future__ import annotations

import copy
import json
from collections.abc import AsyncIterator
from datetime import date
from urllib.parse import quote

import httpx
import pytest

from services.reporting.api.children import child_routes
from services.reporting.api.field_classes import entry_without_detail
from services.reporting.api.figures import figure_routes
from services.reporting.api.gateway import gateway_limits, gateway_routes
from services.reporting.api.households import household_routes
from services.reporting.api.opening import Opener
from services.reporting.domain import handlings
from services.reporting.figures.queries import Figure
from services.reporting.figures.rules_in_force import RulesInForce
from services.reporting.retention import Retention
from shared.adoption.read_model import Adoptions
from shared.commands.handler import Handler
from shared.contracts.sealed import KINDS
from shared.contracts.values import Role
from shared.eventlog.memory import MemoryLog
from shared.eventlog.placement import new_id
from shared.eventlog.record import decode
from shared.identity.caller import Caller
from shared.identity.scope import Scope
from shared.projection.live import Freshness
from shared.web.app import create_app
from shared.web.request import BODY_LIMIT, FILE_BODY_LIMIT
from tests.support.builders import VILLAGE
from tests.support.registry import NOW, Registry

CHILD, ELSEWHERES_CHILD, HOUSEHOLD = new_id("child"), new_id("child"), new_id("household")
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
        self.closed_files = set()

    async def village_of(self, child):
        return self.cards.get(child)

    async def card(self, child):
        return {"_id": child, "village": self.cards[child], "file": FILE}

    async def merged_into(self, child):
        return [await self.card(one) for one, into in self.merged.items() if into == child]

    async def time_line(self, child):
        return TIME_LINE

    async def closed(self, kept, limit):
        assert [villages for villages, _ in kept] == [[VILLAGE]]
        return [{"_id": CHILD, "village": VILLAGE, "file": {"closed_on": "2020-01-01", "closed_for": "turned_16"}}]

    async def due(self, villages, until, limit):
        assert (villages, until) == ([VILLAGE], "2027-02-13")
        check = {"stage": "county_verified", "verified_on": "2026-08-01", "confirmed_on": "2026-08-14"}
        due = {"name": "测甲一", "check": check | {"due_on": "2027-02-12"}, "guardian": {"confirmed_on": "2026-08-12"}}
        return [{"_id": CHILD, "village": VILLAGE, "file": due}]

    async def closed_on_or_before(self, child, day):
        return child in self.closed_files

    async def listed(self, villages, after, limit, hidden):
        return [{"_id": CHILD, "village": VILLAGE}] if hidden is None or not self.closed_files else []

    async def named(self, villages, name, limit, hidden):
        return await self.listed(villages, None, limit, hidden)

    async def lines(self, children):
        return [{"_id": child, "village": village} for child, village in self.cards.items() if child in children]


class Households:
    """A household into which another one was merged."""

    def __init__(self) -> None:
        self.merged_into: dict[str, str] = {}
        self.cards = {
            HOUSEHOLD: {
                "_id": HOUSEHOLD,
                "village": VILLAGE,
                "state": "open",
                "opened_on": "2026-08-14",
                "file": {"head": "测户主", "allowances": ["minimum_allowance"], "hukou_book_number": "123"},
                "merged": [new_id("household")],
                "children": [CHILD],
            }
        }

    async def listed(self, villages, after, limit):
        return [card for card in self.cards.values() if card["village"] in villages]

    async def card(self, household):
        return copy.deepcopy(self.cards.get(household))

    async def children(self, card):
        return [*card["children"], ELSEWHERES_CHILD]

    async def goes_on_as(self, household):
        return self.merged_into.get(household, household)

    async def time_line(self, household):
        return [ENTRY | {"type": "HouseholdFileUpdated", "facts": {"head": "测户主"}}]


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

    async def villages(self, *divisions):
        return list(divisions)


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
        self.households, opener = Households(), Opener(handler)
        registry.directory.add_grant("supervisor-1", Role.CHILD_SUPERVISOR, VILLAGE[:9], date(2020, 1, 1))
        registry.directory.add_grant("county-1", Role.COUNTY_CIVIL_AFFAIRS, VILLAGE[:6], date(2020, 1, 1))
        retention = Retention(Adoptions(an_adoption_of_the_county), registry.directory)

        def caller():
            return Caller(self.caller)

        routers = [
            child_routes(self.cards, self.households, retention, self.live, scope, opener, caller),
            household_routes(self.households, self.cards, self.live, scope, opener, caller),
        ]
        self.app = create_app(title="reporting", service="reporting", routers=routers)

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


@pytest.mark.parametrize("event", ["VisitLogged", "VisitAmended"])
def test_what_a_visit_found_of_a_childs_mind_is_for_who_keeps_the_file(event):
    entry = {"type": event, "facts": {"life": "衣食无忧", "psychology": "很少说话"}}
    assert entry_without_detail(entry) == {"type": event, "facts": {"life": "衣食无忧"}}
    assert entry_without_detail({"type": event}) == {"type": event}


def test_what_has_changed_in_a_childs_life_is_for_who_keeps_the_file():
    entry = {"type": "MajorChangeReported", "facts": {"kind": "arrest"}}
    assert entry_without_detail(entry) == {"type": "MajorChangeReported"}


async def test_a_card_shows_the_files_that_were_merged_into_it_and_each_of_them_is_opened(reporting, http):
    here, elsewhere = new_id("child"), new_id("child")
    reporting.cards.cards |= {here: VILLAGE, elsewhere: ELSEWHERE}
    reporting.cards.merged = {here: CHILD, elsewhere: CHILD}
    card = (await http.get(f"/children/{CHILD}", headers={"guanhu-purpose": "visit"})).json()
    [merged] = card["merged"]
    assert (merged["child"], merged["file"], len(merged["time_line"])) == (here, FILE, 2)
    assert {opened.child for opened in await reporting.openings()} == {CHILD, here}
    assert elsewhere not in str(card)


async def test_files_whose_time_has_ended_are_told_by_id_to_the_county(reporting, http):
    reporting.caller = "county-1"
    answer = (await http.get(f"/children/closed?division={VILLAGE}")).json()
    file = {"child": CHILD, "village": VILLAGE, "closed_on": "2020-01-01", "closed_for": "turned_16"}
    assert answer["files"] == [file | {"retention": "RETENTION-1", "erasure_requested": False}]
    for reporting.caller in ("cadre-1", "director-1", "supervisor-1"):
        assert (await http.get(f"/children/closed?division={VILLAGE}")).status_code == 403


async def test_a_closed_file_is_read_by_the_county_alone(reporting, http):
    reporting.cards.closed_files = {CHILD}
    wanted = {"division": VILLAGE, "name": "测"}
    for reporting.caller in ("cadre-1", "director-1", "supervisor-1"):
        card = await http.get(f"/children/{CHILD}", headers={"guanhu-purpose": "visit"})
        assert (card.status_code, card.json()["code"]) == (403, "closed_to_the_county_alone")
        assert (await http.get(f"/children?division={VILLAGE}")).json()["lines"] == []
        assert (await http.post("/children/search", json=wanted)).json()["lines"] == []
    assert await reporting.openings() == []
    reporting.caller = "county-1"
    assert (await http.get(f"/children/{CHILD}", headers={"guanhu-purpose": "audit"})).status_code == 200
    assert len((await http.get(f"/children?division={VILLAGE}")).json()["lines"]) == 1
    assert len((await http.post("/children/search", json=wanted)).json()["lines"]) == 1


async def test_a_childs_card_tells_the_household_that_goes_on(reporting, http, monkeypatch):
    other = new_id("household")
    monkeypatch.setitem(FILE, "household", other)
    reporting.households.merged_into[other] = HOUSEHOLD
    card = (await http.get(f"/children/{CHILD}", headers={"guanhu-purpose": "visit"})).json()
    assert (card["household"], card["file"]["household"]) == (HOUSEHOLD, other)


async def test_a_household_is_opened_for_a_purpose_that_is_on_record(reporting, http):
    answer = await http.get(f"/households/{HOUSEHOLD}", headers={"guanhu-purpose": quote("核对成员")})
    assert answer.json()["file"] == reporting.households.cards[HOUSEHOLD]["file"]
    [opened] = await reporting.openings()
    assert (opened.household, opened.person, opened.purpose.reveal()) == (HOUSEHOLD, "director-1", "核对成员")


async def test_who_works_in_the_village_does_not_see_what_a_household_lives_on(reporting, http):
    reporting.caller = "cadre-1"
    card = (await http.get(f"/households/{HOUSEHOLD}", headers={"guanhu-purpose": "visit"})).json()
    assert card["file"] == {"head": "测户主"}
    assert [entry["facts"] for entry in card["time_line"]] == [None]


async def test_a_households_child_in_another_village_is_told_to_that_one_alone(reporting, http):
    reporting.cards.cards[ELSEWHERES_CHILD] = ELSEWHERE
    card = (await http.get(f"/households/{HOUSEHOLD}", headers={"guanhu-purpose": "visit"})).json()
    assert [line["child"] for line in card["children"]] == [CHILD]


async def test_a_household_out_of_scope_looks_like_one_that_does_not_exist(reporting, http):
    other, unknown, headers = new_id("household"), new_id("household"), {"guanhu-purpose": "visit"}
    reporting.households.cards[other] = reporting.households.cards[HOUSEHOLD] | {"_id": other, "village": ELSEWHERE}
    found = [(await http.get(f"/households/{one}", headers=headers)).json() for one in (other, unknown)]
    assert found[0] | {"correlation_id": None} == found[1] | {"correlation_id": None}
    assert (found[0]["status"], await reporting.openings()) == (404, [])


async def test_households_are_listed_without_what_they_live_on(reporting, http):
    answer = (await http.get(f"/households?division={VILLAGE}&limit=1")).json()
    [line] = answer["lines"]
    assert (line["household"], line["head"], line["children"]) == (HOUSEHOLD, "测户主", 1)
    assert "allowances" not in line
    assert (await http.get(f"/households?division={VILLAGE}&after={answer['next']}")).status_code == 200
    malformed = await http.get(f"/households?division={VILLAGE}&after={VILLAGE}/{CHILD}")
    assert (malformed.status_code, malformed.json()["code"]) == (422, "page_malformed")
    assert (await http.get(f"/households?division={ELSEWHERE}")).status_code == 403


async def test_without_a_purpose_no_household_is_opened(reporting, http):
    answer = await http.get(f"/households/{HOUSEHOLD}")
    assert (answer.status_code, answer.json()["code"], await reporting.openings()) == (422, "purpose_missing", [])


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


async def an_adoption_of_the_county(ids):
    row = ["2026-01-01", "2026-01-01", 1, "MCA-2024", True, {}]
    return [{"_id": one, "adopted": [row]} for one in ids if one == f"CountingRuleAdopted/{VILLAGE[:6]}"]


class Sums:
    """Figures of one village."""

    async def figure(self, indicator, division, as_of, known_at, rule):
        return Figure(1, 2, "50.0")


@pytest.fixture
async def figures() -> AsyncIterator[httpx.AsyncClient]:
    registry = Registry()
    registry.directory.add_grant("director-1", Role.CHILD_DIRECTOR, VILLAGE, date(2020, 1, 1))

    async def divisions():
        raise AssertionError("nobody asks for divisions here")

    rules, scope = RulesInForce(Adoptions(an_adoption_of_the_county)), Scope(registry.directory, divisions)
    routes = figure_routes(Sums(), rules, Live(), scope, lambda: Caller("director-1"))
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


async def test_an_attachment_passes_with_its_purpose_and_an_address_that_is_none_does_not(behind, gateway):
    attachment = new_id("attachment")
    path = f"/children/{CHILD}/attachments/{attachment}"
    await gateway.put(f"/api/registry{path}?kind=photo", content=b"x" * (BODY_LIMIT + 1))
    await gateway.get(f"/api/registry{path}", headers={"guanhu-purpose": "visit"})
    await gateway.get("/api/registry/privacy-notice")
    assert [f"{one.method} {one.url}" for one in behind.requests] == [
        f"PUT http://inside{path}?kind=photo",
        f"GET http://inside{path}",
        "GET http://inside/privacy-notice",
    ]
    assert behind.requests[1].headers["guanhu-purpose"] == "visit"
    for wrong in (f"/children/{attachment}/attachments/{CHILD}", f"/children/{CHILD}", "/log/1"):
        assert (await gateway.get(f"/api/registry{wrong}")).status_code in (404, 422)
    assert len(behind.requests) == 3


IMPORT = "import-0192f3c4-5d6e-7f80-9a1b-2c3d4e5f6071"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "?limit=2"),
        ("GET", f"/{IMPORT}?after_row=5&limit=10"),
        ("POST", f"/{IMPORT}/commit"),
        ("POST", f"/{IMPORT}/withdraw"),
        ("GET", f"/{IMPORT}/rejected.xlsx"),
    ],
)
async def test_the_import_desk_is_met_through_the_same_origin(behind, gateway, method, path):
    await gateway.request(method, f"/api/registry/imports{path}", headers={"authorization": "Bearer t"})
    [request] = behind.requests
    assert (request.method, str(request.url)) == (method, f"http://inside/imports{path}")
    assert request.headers["authorization"] == "Bearer t"


async def test_a_ledger_passes_in_pieces_with_its_length_and_no_larger_than_the_desk_takes(behind, gateway):
    file = {"file": ("ledger", b"x" * 3 * BODY_LIMIT)}
    assert (await gateway.post("/api/registry/imports", files=file)).status_code == 201
    [request] = behind.requests
    assert int(request.headers["content-length"]) == len(request.content) > 3 * BODY_LIMIT
    assert request.headers["content-type"].startswith("multipart/form-data; boundary=")
    too_large = await gateway.post("/api/registry/imports", content=b"x" * (FILE_BODY_LIMIT + 1))
    assert (too_large.status_code, too_large.json()["code"], len(behind.requests)) == (413, "body_too_large", 1)


@pytest.mark.parametrize("path", ["import-1", f"{IMPORT}/log", f"{IMPORT}%2f..%2flog", f"{IMPORT}/commit/x"])
async def test_an_address_that_is_not_the_desks_leads_nowhere(behind, gateway, path):
    assert (await gateway.post(f"/api/registry/imports/{path}")).status_code in (404, 405, 422)
    assert (await gateway.get(f"/api/registry/imports/{path}")).status_code in (404, 405, 422)
    assert behind.requests == []


@pytest.mark.parametrize("command", ["%00", "..%2f..%2flog", "%2e%2e", "x%3Fa=b", "log%23"])
async def test_an_address_that_is_no_command_leads_nowhere(behind, gateway, command):
    answer = await gateway.post(f"/api/registry/commands/{command}", content=b"{}")
    assert answer.status_code in (404, 422)
    assert behind.requests == []


async def test_a_batch_may_be_as_large_as_at_the_service_itself(behind, gateway):
    large = json.dumps({"commands": ["x" * BODY_LIMIT]}).encode()
    assert (await gateway.post("/api/registry/commands", content=large)).status_code == 201
    assert (await gateway.post("/api/registry/commands/RegisterChild", content=large)).status_code == 413
