"""The habits every service has over HTTP, on a small application of its own."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import httpx
import pytest
from fastapi import APIRouter, FastAPI, HTTPException, Request
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pymongo.errors import NotPrimaryError

from shared.contracts.refusal import Refusal
from shared.contracts.sealed import Personal
from shared.eventlog.port import ClaimTaken, LogUnavailableError, RecordTooLarge, VersionConflict
from shared.web.app import create_app
from shared.web.health import Health, Unhealthy
from shared.web.problems import problem_of

CANARY = "欧阳金丝雀"


class KettleIsCold(Refusal):
    """The kettle is cold."""

    status = 409
    what_to_do = "Heat it."


class Leaf(StrEnum):
    GREEN = "green"
    BLACK = "black"


class Tea(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Personal[Annotated[str, Field(max_length=4)]]
    leaf: Leaf = Leaf.GREEN
    cups: int = Field(default=1, ge=1)
    poured_at: AwareDatetime | None = None
    id: UUID | None = None


FAULTS: dict[str, Exception] = {
    "refusal": KettleIsCold(),
    "conflict": VersionConflict(f"child-{CANARY}", 3),
    "claim": ClaimTaken(CANARY),
    "large": RecordTooLarge(CANARY, 300_000),
    "unavailable": LogUnavailableError(CANARY),
    "stepped_down": NotPrimaryError(CANARY),
    "bug": ValueError(CANARY),
    "framework": HTTPException(418, CANARY),
}


def _router() -> APIRouter:
    router = APIRouter()

    @router.post("/teas/{tea_id}", status_code=201)
    async def pour(tea_id: str, tea: Tea, request: Request) -> dict[str, Any]:
        return {"correlation_id": request.state.correlation_id, "traceparent": request.headers["traceparent"]}

    @router.post("/bulk/teas")
    async def bulk(request: Request) -> int:
        return len(await request.body())

    @router.get("/faults/{name}")
    async def fail(name: str) -> None:
        raise FAULTS[name]

    return router


@pytest.fixture
def health() -> Health:
    return Health()


@pytest.fixture
def app(health: Health) -> FastAPI:
    return create_app(
        title="Trial",
        service="trial",
        routers=[_router()],
        health=health,
        body_limits={"/bulk": 1024 * 1024, "/bulk/teas/": 1},
    )


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://trial") as client:
        yield client


def _problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    problem: dict[str, Any] = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert problem["correlation_id"] == answer.headers["x-correlation-id"]
    assert problem["type"] == f"urn:guanhu:problem:{code}"
    assert CANARY not in answer.text
    return problem


async def test_a_refusal_answers_with_its_own_status_code_and_advice(client: httpx.AsyncClient) -> None:
    problem = _problem(await client.get("/faults/refusal"), 409, "kettle_is_cold")
    assert problem["detail"] == "The kettle is cold."
    assert problem["what_to_do"] == "Heat it."


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("conflict", 409, "version_conflict"),
        ("claim", 409, "claim_taken"),
        ("large", 413, "record_too_large"),
        ("unavailable", 503, "store_unavailable"),
        ("stepped_down", 503, "store_unavailable"),
        ("framework", 418, "i_m_a_teapot"),
    ],
)
async def test_a_fault_of_the_log_or_framework_has_a_status_and_no_text_of_its_own(
    client: httpx.AsyncClient, fault: str, status: int, code: str
) -> None:
    answer = await client.get(f"/faults/{fault}")
    _problem(answer, status, code)
    assert ("retry-after" in answer.headers) == (status == 503)


async def test_an_unexpected_fault_tells_a_correlation_id_and_nothing_else(
    client: httpx.AsyncClient, logged: io.StringIO
) -> None:
    answer = await client.get("/faults/bug", headers={"x-correlation-id": "trial-0001"})
    assert _problem(answer, 500, "unexpected")["correlation_id"] == "trial-0001"
    failed, served = (json.loads(line) for line in logged.getvalue().splitlines())
    assert (failed["event"], failed["exception"]) == ("request_failed", "ValueError")
    assert "test_app.py:" in failed["place"]
    assert (served["status"], served["correlation_id"]) == (500, "trial-0001")
    assert CANARY not in logged.getvalue()


async def test_an_address_that_nobody_knows_is_a_problem_too(client: httpx.AsyncClient) -> None:
    _problem(await client.get(f"/{CANARY}"), 404, "not_found")
    answer = await client.delete("/teas/1")
    _problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize(
    ("body", "field", "rule"),
    [
        ({"name": CANARY}, "name", "string_too_long"),
        ({"name": "茶", "leaf": CANARY}, "leaf", "enum"),
        ({"name": "茶", "cups": CANARY}, "cups", "int_parsing"),
        ({"name": "茶", "cups": 0}, "cups", "greater_than_equal"),
        ({"name": "茶", "poured_at": "2026-11-25T08:00:00"}, "poured_at", "timezone_aware"),
        ({"name": "茶", "id": CANARY}, "id", "uuid_parsing"),
        ({"name": "茶", CANARY: 1}, "?", "extra_forbidden"),
        ({"leaf": "green"}, "name", "missing"),
        (CANARY, "body", "model_attributes_type"),
    ],
)
async def test_a_field_that_breaks_a_rule_is_named_without_its_value(
    client: httpx.AsyncClient, logged: io.StringIO, body: Any, field: str, rule: str
) -> None:
    problem = _problem(await client.post(f"/teas/{CANARY}", json=body), 422, "invalid")
    [error] = problem["errors"]
    assert (error["field"], error["rule"]) == (field, rule)
    assert error["what_to_do"]
    assert CANARY not in logged.getvalue()
    assert json.loads(logged.getvalue())["route"] == "/teas/{tea_id}"


@pytest.mark.parametrize("body", [b"{", b'{"name": "\xff"}', b"[" * 100_000, b"", f'{{"{CANARY}'.encode()])
async def test_a_body_that_is_no_json_is_malformed(client: httpx.AsyncClient, body: bytes) -> None:
    answer = await client.post("/teas/1", content=body, headers={"content-type": "application/json"})
    if body:
        _problem(answer, 400, "malformed")
    else:
        _problem(answer, 422, "invalid")


_SOMEWHERE = st.recursive(
    st.sampled_from([CANARY, f"1{CANARY}", f"2026-08-14T00:00:00{CANARY}", 0, None]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*Tea.model_fields, CANARY]), inner),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.dictionaries(st.sampled_from([*Tea.model_fields, CANARY]), _SOMEWHERE, min_size=1))
async def test_wherever_a_name_stands_in_a_bad_body_no_answer_and_no_line_repeats_it(
    client: httpx.AsyncClient, logged: io.StringIO, body: dict[str, Any]
) -> None:
    answer = await client.post("/teas/1", json=body)
    assert answer.status_code == 422
    assert CANARY not in answer.text + json.dumps(answer.json(), ensure_ascii=False) + logged.getvalue()


async def test_a_body_that_is_wrong_everywhere_gets_a_short_answer(client: httpx.AsyncClient) -> None:
    answer = await client.post("/teas/1", json={f"field_{number}": 1 for number in range(1_000)})
    assert len(_problem(answer, 422, "invalid")["errors"]) == 100


async def _chunks(total: int) -> AsyncIterator[bytes]:
    for _ in range(total // 1024):
        yield b" " * 1024


async def test_a_body_over_the_limit_is_refused_declared_or_not(client: httpx.AsyncClient) -> None:
    json_body = {"content-type": "application/json"}
    _problem(await client.post("/teas/1", content=b" " * 262_145, headers=json_body), 413, "body_too_large")
    _problem(await client.post("/teas/1", content=_chunks(300 * 1024), headers=json_body), 413, "body_too_large")
    assert (await client.post("/bulk/teas", content=_chunks(300 * 1024))).json() == 300 * 1024
    _problem(await client.post("/bulk/teas", content=b" " * (1024 * 1024 + 1)), 413, "body_too_large")


async def test_ids_that_are_well_formed_travel_in_and_out(client: httpx.AsyncClient) -> None:
    traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    ids = {"x-correlation-id": "trial-0002", "traceparent": traceparent}
    answer = await client.post("/teas/1", json={"name": "茶"}, headers=ids)
    assert answer.json() == {"correlation_id": "trial-0002", "traceparent": traceparent}
    assert answer.headers["x-correlation-id"] == "trial-0002"
    assert answer.headers["traceparent"] == traceparent


async def test_ids_that_are_malformed_are_replaced(client: httpx.AsyncClient) -> None:
    bad = {"x-correlation-id": "a b", "traceparent": "00-zz"}
    answer = await client.post("/teas/1", json={"name": "茶"}, headers=bad)
    assert answer.json()["correlation_id"] == answer.headers["x-correlation-id"] != "a b"
    assert answer.json()["traceparent"] == answer.headers["traceparent"] != "00-zz"


async def test_a_log_line_holds_the_template_and_never_path_query_or_body(
    client: httpx.AsyncClient, logged: io.StringIO
) -> None:
    await client.post(f"/teas/{CANARY}?q={CANARY}", json={"name": "金丝雀"})
    await client.get(f"/{CANARY}")
    poured, unknown = (json.loads(line) for line in logged.getvalue().splitlines())
    assert (poured["route"], poured["status"], poured["method"]) == ("/teas/{tea_id}", 201, "POST")
    assert unknown["route"] == "unmatched"
    assert "金丝雀" not in logged.getvalue()


async def test_health_names_each_check_and_fails_when_one_does(client: httpx.AsyncClient, health: Health) -> None:
    async def passes() -> dict[str, int]:
        return {"behind": 0}

    async def breaks() -> None:
        raise RuntimeError(CANARY)

    async def finds() -> None:
        raise Unhealthy("the line stopped at registry/3/7; see the operations page")

    health.add("log", passes)
    answer = await client.get("/health")
    assert (answer.status_code, answer.json()["ok"]) == (200, True)

    health.add("store", breaks)
    health.add("children", finds)
    answer = await client.get("/health")
    assert answer.status_code == 503
    assert answer.json()["checks"] == {
        "log": {"ok": True, "found": {"behind": 0}},
        "store": {"ok": False, "found": "RuntimeError"},
        "children": {"ok": False, "found": "the line stopped at registry/3/7; see the operations page"},
    }
    assert 'guanhu_health_check_ok{check="store"} 0.0' in (await client.get("/metrics")).text


async def test_requests_are_counted_by_template(client: httpx.AsyncClient) -> None:
    await client.post("/teas/1", json={"name": "茶"})
    await client.post("/teas/2", json={"name": "茶"})
    page = (await client.get("/metrics")).text
    assert 'guanhu_http_requests_total{method="POST",route="/teas/{tea_id}",status="201"} 2.0' in page


async def test_the_description_says_problems_and_loads_nothing_foreign(client: httpx.AsyncClient) -> None:
    responses = (await client.get("/openapi.json")).json()["paths"]["/teas/{tea_id}"]["post"]["responses"]
    assert set(responses) == {"201", "default"}
    assert list(responses["default"]["content"]) == ["application/problem+json"]
    _problem(await client.get("/docs"), 404, "not_found")


def test_a_refused_entry_of_a_batch_is_the_same_problem() -> None:
    assert problem_of(KettleIsCold("Cold since noon."))["detail"] == "Cold since noon."
    with pytest.raises(ValueError, match="validation error") as caught:
        Tea.model_validate({"name": CANARY, "poured_at": datetime(2026, 11, 25)})
    problem = problem_of(caught.value)
    assert [error["field"] for error in problem["errors"]] == ["name", "poured_at"]
    assert CANARY not in str(problem)
