"""Commands over HTTP: what stands beside a command is held to its form before anything is decided."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import Request

from shared.commands.routes import command_routes
from shared.eventlog.record import decode
from shared.identity.caller import Caller
from shared.web.app import create_app
from tests.support.builders import a_registration
from tests.support.registry import Registry


@pytest.fixture
def registry() -> Registry:
    return Registry()


async def director(request: Request) -> Caller:
    return Caller("director-1")


@pytest.fixture
async def http(registry: Registry) -> AsyncIterator[httpx.AsyncClient]:
    routes = command_routes(registry.handler, lambda: Caller("director-1"), director)
    app = create_app(title="registry", service="registry", routers=[routes])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://registry") as client:
        yield client


def body(command):
    return {name: value for name, value in command.model_dump(mode="json").items() if value is not None}


async def post(http, command, **headers):
    headers = {"idempotency-key": "command-1"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return await http.post("/commands/RegisterChild", json=body(command), headers=headers)


async def test_a_fact_says_where_it_was_told(http, registry):
    command = a_registration()
    answer = await post(http, command, guanhu_source="phone", guanhu_device="device-7")
    assert answer.status_code == 201
    [raw] = await registry.log.load(command.child)
    assert (decode(raw).source, decode(raw).device) == ("phone", "device-7")


@pytest.mark.parametrize("header", ["guanhu_source", "guanhu_device"])
async def test_no_free_text_and_no_policys_name_slips_into_the_clear_beside_a_fact(http, registry, header):
    for text in ("Li Ming", "李明".encode(), "x" * 65, "policy"):
        answer = await post(http, a_registration(), **{header: text})
        assert (answer.status_code, answer.json()["code"]) == (422, "origin_malformed")
    assert all(head.seq == 0 for head in await registry.log.heads())


@pytest.mark.parametrize("version", ["9" * 5_000, "one", "-1", "\xb2"])
async def test_a_version_is_a_whole_number(http, version):
    answer = await post(http, a_registration(), if_match=version.encode("latin-1"))
    assert (answer.status_code, answer.json()["code"]) == (422, "version_malformed")


@pytest.mark.parametrize("command", ["ErasureApprovalBy", "JudgedVisit", "Command"])
async def test_only_what_a_person_may_say_is_a_command(http, command):
    item = {"command": command, "id": "command-1", "body": {"person": "director-2"}}
    answer = await http.post("/commands", json={"commands": [item]})
    assert answer.json()["answers"][0]["problem"]["code"] == "unknown_command"


async def test_nobody_speaks_for_another_in_a_body(http):
    item = {"command": "ApproveErasure", "id": "command-1", "body": {"child": "child", "person": "director-2"}}
    [answer] = (await http.post("/commands", json={"commands": [item]})).json()["answers"]
    assert {"field": "person", "rule": "extra_forbidden", "what_to_do": "Leave this field out."} in (
        answer["problem"]["errors"]
    )
