from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import APIRouter, Depends
from joserfc import jwt
from joserfc.jwk import OctKey

from shared.identity.issuer import Issuer
from shared.identity.service_credential import ServiceCredential, service_only
from shared.web.app import create_app
from tests.unit.identity.clock import Clock

SECRET = b"s" * 32


@pytest.fixture
async def client(clock: Clock) -> AsyncIterator[httpx.AsyncClient]:
    router = APIRouter()
    a_service = Depends(service_only(SECRET, clock))

    @router.get("/log")
    async def log(service: str = a_service) -> str:
        return service

    app = create_app(title="Trial", service="registry", routers=[router])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://registry") as client:
        yield client


async def test_a_service_is_let_in_and_named(client: httpx.AsyncClient, clock: Clock) -> None:
    credential = ServiceCredential(SECRET, "visits", clock)
    assert (await client.get("/log", auth=credential)).json() == "visits"
    first = credential.token()
    clock.move(29)
    assert credential.token() == first
    clock.move(120)
    assert (await client.get("/log", auth=credential)).json() == "visits"


async def test_people_strangers_and_old_credentials_are_not_let_in(
    client: httpx.AsyncClient, clock: Clock, issuer: Issuer
) -> None:
    now = int(clock())
    right_key, claims = OctKey.import_key(SECRET), {"iss": "visits", "aud": "guanhu-services", "exp": now + 60}
    credentials = [
        issuer.issue("person-0001"),
        ServiceCredential(b"x" * 32, "visits", clock).token(),
        jwt.encode({"alg": "HS256"}, claims | {"exp": now - 11}, right_key),
        jwt.encode({"alg": "HS256"}, claims | {"aud": "guanhu"}, right_key),
        jwt.encode({"alg": "HS256"}, {"aud": "guanhu-services", "iss": "visits"}, right_key),
        "x.y.z",
    ]
    for credential in credentials:
        answer = await client.get("/log", headers={"authorization": f"Bearer {credential}"})
        assert (answer.status_code, answer.json()["code"]) == (401, "not_a_service")
    assert (await client.get("/log")).json()["code"] == "token_missing"
