"""What a file can not hold (domain 3.0): each refused with a problem that names field, rule and what to do."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import httpx
import pytest
from fastapi import Request

from services.registry.domain.child import ReviewChildFile, SubmitChildFile
from shared.commands.routes import command_routes
from shared.contracts.values import Role
from shared.eventlog.placement import new_id
from shared.eventlog.record import decode
from shared.identity.caller import Caller
from shared.web.app import create_app
from tests.support.builders import VILLAGE, a_registration
from tests.support.offices import Offices
from tests.support.registry import NOW

WITHDRAWN = "520303105299"
IDENTITY = {"citizen_number_status": "present"}


class Desk:
    """registry's commands over HTTP, and the file of one child."""

    def __init__(self) -> None:
        self.offices = Offices()
        self.caller = "director-2"
        self.offices.directory.add_division(WITHDRAWN, VILLAGE[:9])
        self.offices.directory.end_division(WITHDRAWN, date(2026, 8, 1), VILLAGE)
        routes = command_routes(self.offices.handler, lambda: Caller(self.caller), self._identify)
        self.app = create_app(title="registry", service="registry", routers=[routes])
        self.registration = a_registration()
        self.child = self.registration.child

    async def _identify(self, request: Request) -> Caller:
        return Caller(self.caller)

    async def post(self, command: str, body: dict[str, Any], **headers: str) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://registry") as http:
            given = {"idempotency-key": new_id("command"), **{n.replace("_", "-"): v for n, v in headers.items()}}
            return await http.post(f"/commands/{command}", json=body, headers=given)

    async def register(self, **changes: Any) -> httpx.Response:
        whole = json.loads(a_registration().model_dump_json(exclude_none=True))
        return await self.post("RegisterChild", whole | changes)

    async def of_child(self, command: str, **fields: Any) -> httpx.Response:
        return await self.post(command, {"child": self.child, **fields})


@pytest.fixture
async def desk() -> Desk:
    desk = Desk()
    await desk.offices.tell(desk.registration, "director-1")
    return desk


def check(answer: httpx.Response, status: int, field: str, rule: str) -> None:
    problem = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), problem
    [named] = [error for error in problem["errors"] if error["field"] == field]
    assert (named["rule"], bool(named["what_to_do"]), bool(problem["what_to_do"])) == (rule, True, True)


NUMBERS = {
    "a wrong check digit": "529901201603090023",
    "an impossible date": "529901201802290019",
    "a birth in the future": "529901209901010012",
    "fifteen digits": "529901160309002",
    "too few": "52990120160309",
    "an unknown province": "999901201603090022",
}


@pytest.mark.parametrize("number", NUMBERS.values(), ids=NUMBERS)
async def test_a_citizen_number_that_can_not_be_is_refused_wherever_it_is_told(desk, number):
    rule = ("citizen_number", "citizen_number_invalid")
    check(await desk.register(citizen_number=number), 422, *rule)
    check(await desk.of_child("RecordIdentity", identity=IDENTITY | {"citizen_number": number}), 422, *rule)
    parent = {"state": "away", "details": {"citizen_number": number}}
    check(await desk.register(parents={"father": parent, "mother": {"state": "away"}}), 422, *rule)
    assert number not in (await desk.register(citizen_number=number)).text


@pytest.mark.parametrize("number", ["5.29901201603E+17", "529901201603090000"])
async def test_a_number_that_a_spreadsheet_damaged_is_refused_as_that(desk, number):
    check(await desk.register(citizen_number=number), 422, "citizen_number", "citizen_number_damaged")


async def test_a_full_width_number_is_stored_as_it_is_written_on_the_document(desk):
    answer = await desk.register(citizen_number="529901201603090022".translate({48 + n: 0xFF10 + n for n in range(10)}))
    assert answer.status_code == 201, answer.text


async def test_a_number_goes_with_its_status(desk):
    answer = await desk.register(citizen_number="529901201603090022", citizen_number_status="none")
    check(answer, 422, "citizen_number_status", "citizen_number_contradicts_its_status")


FORMS = [
    ("child", "child-1", "string_pattern_mismatch"),
    ("residence", "52030310520", "string_pattern_mismatch"),
    ("hukou", "520", "string_pattern_mismatch"),
    ("name", "", "string_too_short"),
    ("name", "测" * 51, "string_too_long"),
    ("birth_date", "2018-02-29", "date_from_datetime_parsing"),
    ("sex", "3", "enum"),
    ("address", "路" * 2001, "string_too_long"),
    ("occurred_at", "1989-12-31T00:00:00Z", "greater_than_equal"),
    ("occurred_at", "2026-08-14T10:00:00", "timezone_aware"),
    ("age", 10, "extra_forbidden"),
]


@pytest.mark.parametrize(("field", "value", "rule"), FORMS, ids=lambda one: str(one)[:30])
async def test_a_value_of_another_form_is_refused(desk, field, value, rule):
    check(await desk.register(**{field: value}), 422, field, rule)


@pytest.mark.parametrize("phone", ["12000000000", "1380000000", "call me"])
async def test_what_is_no_phone_number_is_refused_wherever_it_is_told(desk, phone):
    check(await desk.register(household_phone=phone), 422, "household_phone", "phone_invalid")
    care = {"care": {"kind": "grandparent", "living_alone": False, "caregiver_phone": phone}}
    check(await desk.register(**care), 422, "care.caregiver_phone", "phone_invalid")
    check(await desk.of_child("RecordCareSituation", **care), 422, "care.caregiver_phone", "phone_invalid")
    parents = {"father": {"state": "away", "phone": phone}, "mother": {"state": "away"}}
    check(await desk.of_child("RecordParentSituation", parents=parents), 422, "parents.father.phone", "phone_invalid")
    paper = {"caregiver": "测姑", "relation": "uncle_or_aunt", "signed_on": "2026-08-01", "phone": phone}
    check(await desk.of_child("EntrustCaregiver", entrustment=paper), 422, "entrustment.phone", "phone_invalid")


async def test_codes_and_measures_of_a_block_are_held_to_their_lists(desk):
    told = await desk.of_child("RecordIdentity", identity={"citizen_number_status": "none", "ethnicity": "57"})
    check(told, 422, "identity.ethnicity", "string_pattern_mismatch")
    told = await desk.of_child("RecordSchooling", schooling={"state": "primary", "distance": -1})
    check(told, 422, "schooling.distance", "greater_than_equal")
    paper = {"caregiver": "测姑", "relation": "friend", "signed_on": "2026-08-01"}
    check(await desk.of_child("EntrustCaregiver", entrustment=paper), 422, "entrustment.relation", "enum")


async def test_nobody_is_registered_before_birth(desk):
    check(await desk.register(birth_date="2026-08-15"), 422, "birth_date", "born_in_the_future")
    corrected = await desk.of_child("CorrectIdentity", correction={"reason": "户口簿", "birth_date": "2026-08-15"})
    check(corrected, 422, "birth_date", "born_in_the_future")


async def test_a_mother_is_older_than_her_child(desk):
    mother = {"state": "away", "details": {"birth_date": "2016-03-09"}}
    told = {"parents": {"father": {"state": "away"}, "mother": mother}}
    place = ("parents.mother.details.birth_date", "parent_younger_than_child")
    check(await desk.register(**told), 422, *place)
    check(await desk.of_child("RecordParentSituation", **told), 422, *place)


async def test_nothing_is_told_of_a_division_that_nobody_knows_or_that_had_ended_then(desk):
    check(await desk.register(residence="529999999201"), 422, "residence", "unknown_division")
    answer = await desk.register(residence=WITHDRAWN)
    check(answer, 409, "residence", "division_ended")
    assert VILLAGE in answer.json()["detail"]
    before = await desk.register(residence=WITHDRAWN, occurred_at="2026-07-30T08:00:00Z")
    assert before.status_code == 201, before.text


async def test_nothing_is_told_ahead(desk):
    check(await desk.register(occurred_at="2026-08-15T10:00:00Z"), 422, "occurred_at", "happens_later")
    schooling = {"schooling": {"state": "primary"}, "since": "2026-08-16"}
    check(await desk.of_child("RecordSchooling", **schooling), 422, "since", "holds_from_the_future")


async def test_who_entered_a_file_does_not_review_it(desk):
    both = desk.offices
    both.directory.add_grant("director-1", Role.CHILD_SUPERVISOR, VILLAGE[:9], date(2026, 1, 1))
    await both.tell(SubmitChildFile(child=desk.child), "director-1")
    desk.caller = "director-1"
    answer = await desk.of_child(ReviewChildFile.__name__)
    problem = answer.json()
    assert (answer.status_code, problem["code"], bool(problem["what_to_do"])) == (403, "author_checks", True)


async def test_who_names_a_version_that_is_no_longer_the_last_is_told_to_load_it_again(desk):
    body = {"programme": "left_behind_children"}
    answer = await desk.post("JoinCareProgramme", {"child": desk.child, **body}, if_match="0")
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (409, "version_conflict")
    assert "Load it again" in problem["what_to_do"]
    assert (await desk.post("JoinCareProgramme", {"child": desk.child, **body}, if_match="1")).status_code == 201


async def test_what_is_refused_leaves_nothing_behind_and_may_be_put_right_under_its_id(desk):
    body = json.loads(a_registration(birth_date=date(2026, 8, 15)).model_dump_json(exclude_none=True))
    key = {"idempotency_key": "command-that-is-put-right"}
    assert (await desk.post("RegisterChild", body, **key)).status_code == 422
    assert await desk.offices.log.load(body["child"]) == []
    assert (await desk.post("RegisterChild", body | {"birth_date": "2026-08-14"}, **key)).status_code == 201


@pytest.mark.parametrize("dot", "•．.・‧")
async def test_the_middle_dot_of_a_name_is_stored_as_one_whichever_was_typed(desk, dot):
    answer = await desk.register(name=f"阿依{dot}古丽")
    child = next(stream for stream in answer.json()["versions"] if stream.startswith("child-"))
    [registered] = await desk.offices.events(child)
    assert registered.name.reveal() == "阿依·古丽"
    assert decode((await desk.offices.log.load(child))[0]).occurred_at <= NOW
