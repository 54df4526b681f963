"""An application over a real socket: what only shows there."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import APIRouter, FastAPI, Request

from shared.web.app import create_app
from shared.web.serve import server


class Kettle:
    """A service that takes its time, and says when it was opened and closed."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.boiling = asyncio.Event()
        self.router = APIRouter()
        self.router.add_api_route("/boil", self._boil)
        self.router.add_api_route("/pour", self._pour, methods=["POST"])

    async def _boil(self) -> str:
        self.boiling.set()
        await asyncio.sleep(0.3)
        self.told.append("boiled")
        return "hot"

    async def _pour(self, request: Request) -> int:
        return len(await request.body())

    @asynccontextmanager
    async def lifespan(self, app: FastAPI) -> AsyncIterator[None]:
        self.told.append("opened")
        yield
        self.told.append("closed")


@asynccontextmanager
async def _served(kettle: Kettle) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(title="Kettle", service="kettle", routers=[kettle.router], lifespan=kettle.lifespan)
    running = server(app, port=0)
    task = asyncio.create_task(running.serve())
    while not running.started:  # noqa: ASYNC110 - uvicorn has a flag and no event
        await asyncio.sleep(0.01)
    port = running.servers[0].sockets[0].getsockname()[1]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        yield client
    running.should_exit = True
    await task


async def test_a_request_under_way_is_answered_before_the_service_stops() -> None:
    # uvicorn raises the signal again once it has stopped, for whoever else waits for it.
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
    try:
        kettle = Kettle()
        async with _served(kettle) as client:
            request = asyncio.create_task(client.get("/boil"))
            await kettle.boiling.wait()
            os.kill(os.getpid(), signal.SIGTERM)
            assert (await request).json() == "hot"
        assert kettle.told == ["opened", "boiled", "closed"]
        assert heard == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)


async def test_a_body_that_is_too_large_is_answered_and_not_read_on() -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(10_000):
            yield b" " * 65_536

    async with _served(Kettle()) as client:
        declared = await client.post("/pour", content=b" " * (256 * 1024 + 1))
        assert (declared.status_code, declared.json()["code"]) == (413, "body_too_large")
        assert (await client.post("/pour", content=b" " * (256 * 1024))).json() == 256 * 1024
        try:
            chunked = await client.post("/pour", content=endless())
            assert chunked.status_code == 413
        except httpx.TransportError:
            pass  # the server may close before the sender looks for the answer


async def test_answers_do_not_say_which_software_serves_them() -> None:
    async with _served(Kettle()) as client:
        answer = await client.get("/live")
        assert answer.json() == {"service": "kettle"}
        assert "server" not in answer.headers
        assert answer.headers["x-content-type-options"] == "nosniff"
