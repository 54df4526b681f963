"""The log over HTTP, both ends: the owner's routes and the consumer's client, with the real guard between them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import msgspec
import pytest

from shared.eventlog import routes
from shared.eventlog.client import OwnerClient, OwnerUnavailableError
from shared.eventlog.memory import MemoryLog
from shared.eventlog.port import Append, StreamAppend
from shared.eventlog.record import Actor, Draft
from shared.identity.service_credential import ServiceCredential, service_only
from shared.web.app import create_app

SECRET = bytes(32)
NOW = datetime(2026, 8, 14, tzinfo=UTC)


@pytest.fixture
async def log() -> MemoryLog:
    log = MemoryLog("registry", 2)
    for number in range(5):
        draft = Draft(
            f"event-{number}", "ChildFileClosed", 1, NOW, Actor("a", "system"), msgspec.Raw('"两行"'.encode())
        )
        await log.append(Append(1, (StreamAppend(f"child-{2 * number + 1:04x}", 0, (draft,)),), f"command-{number}"))
    return log


@pytest.fixture
async def http(log: MemoryLog) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(title="t", service="registry", routers=[routes.log_routes(log, service_only(SECRET))])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as http:
        yield http


@pytest.fixture
def owner(http: httpx.AsyncClient) -> OwnerClient:
    return OwnerClient("http://registry", http, ServiceCredential(SECRET, "reporting").token)


async def test_records_arrive_byte_for_byte(owner: OwnerClient, log: MemoryLog) -> None:
    assert await owner.read(1, 0) == await log.read(1, 0, 10)
    assert await owner.read(1, 2, 2) == await log.read(1, 2, 2)


async def test_at_the_end_there_is_nothing(owner: OwnerClient) -> None:
    assert await owner.read(1, 5) == []
    assert await owner.read(0, 0) == []


async def test_heads_arrive_as_they_are(owner: OwnerClient, log: MemoryLog) -> None:
    assert [head[:3] for head in await owner.heads()] == [head[:3] for head in await log.heads()]
    assert all(head.time.tzinfo for head in await owner.heads())


async def test_an_answer_is_cut_before_it_grows_too_large(
    owner: OwnerClient, log: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = await log.read(1, 0, 10)
    monkeypatch.setattr(routes, "MAX_BYTES", len(whole[0]) * 2 + 10)
    assert await owner.read(1, 0) == whole[:2]
    monkeypatch.setattr(routes, "MAX_BYTES", 1)
    assert await owner.read(1, 0) == whole[:1]


@pytest.mark.parametrize("path", ["/log/heads", "/log/1"])
async def test_who_is_no_service_gets_nothing(http: httpx.AsyncClient, path: str) -> None:
    assert (await http.get(f"http://registry{path}")).status_code == 401
    forged = ServiceCredential(bytes(31) + b"x", "reporting").token()
    answer = await http.get(f"http://registry{path}", headers={"authorization": f"Bearer {forged}"})
    assert answer.status_code == 401


@pytest.mark.parametrize("partition", [2, -1])
async def test_a_partition_that_is_not_there_is_404(owner: OwnerClient, partition: int) -> None:
    with pytest.raises(OwnerUnavailableError, match="404"):
        await owner.read(partition, 0)


async def test_a_connection_that_breaks_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0

    async def no_sleep(_: float) -> None:
        """Retries wait for nothing here."""

    def answer(_: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        if asked < 3:
            raise httpx.ConnectError("refused")
        return httpx.Response(200, content=b'{"seq":1}\n')

    monkeypatch.setattr(asyncio, "sleep", no_sleep)
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        assert await OwnerClient("http://registry/", http, lambda: "t").read(0, 0) == [b'{"seq":1}']
        asked = -10
        with pytest.raises(OwnerUnavailableError, match="ConnectError"):
            await OwnerClient("http://registry", http, lambda: "t").read(0, 0)
