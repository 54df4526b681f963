"""A whole installation as its users meet it: real processes, asked and told over HTTP with tokens of its issuer."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote
from uuid import uuid4

import httpx
from motor.motor_asyncio import AsyncIOMotorClient

from deploy.local.operator import settings_of
from deploy.local.processes import Stack
from deploy.local.settings import SERVICES, Settings
from shared.commands.command import Command
from shared.identity.issuer import Issuer

WITH_A_LOG: Final = tuple(dict.fromkeys(service.folder for service in SERVICES))


@dataclass
class Installation:
    """A stack that runs, one HTTP client and one MongoDB client for whoever looks behind the services."""

    stack: Stack
    http: httpx.AsyncClient
    mongo: AsyncIOMotorClient[dict[str, Any]]

    def token(self, person: str, seconds: int = 3600) -> str:
        return self.issuer.issue(person, seconds)

    @cached_property
    def issuer(self) -> Issuer:
        settings = settings_of(self.stack.environment("reporting"))
        return Issuer(settings.data / "issuer", settings.issuer_url)

    async def send(
        self, name: str, body: bytes, person: str, service: str = "registry", **headers: str
    ) -> httpx.Response:
        """A command as bytes; ``headers`` with underscores. Under a fresh id, unless ``idempotency_key`` is given."""
        named = {header.replace("_", "-"): value for header, value in headers.items()}
        return await self.http.post(
            f"{self.stack.url(service)}/commands/{name}",
            content=body,
            headers={"idempotency-key": str(uuid4())} | self.headers(person) | named,
        )

    async def tell(self, command: Command, person: str, **headers: str) -> httpx.Response:
        return await self.send(type(command).__name__, json_of(command), person, service_of(command), **headers)

    async def give(self, command: Command, person: str, **headers: str) -> str:
        """The position the command was answered with."""
        answer = await self.tell(command, person, **headers)
        assert answer.status_code == 201, answer.text
        position: str = answer.json()["position"]
        return position

    async def ask(self, path: str, person: str, after: str | None = None, **parameters: str) -> dict[str, Any]:
        answer = await self.request(path, person, after, **parameters)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        assert found["freshness"]["reached"]
        return found

    async def request(self, path: str, person: str, after: str | None = None, **parameters: str) -> httpx.Response:
        return await self.http.get(
            self.stack.url("reporting") + path, params=parameters, headers=self.headers(person, after)
        )

    async def open_file(
        self, child: str, person: str, after: str | None = None, purpose: str = "prepare a visit"
    ) -> httpx.Response:
        headers = self.headers(person, after) | {"guanhu-purpose": quote(purpose)}
        return await self.http.get(f"{self.stack.url('reporting')}/children/{child}", headers=headers)

    def headers(self, person: str, after: str | None = None) -> dict[str, str]:
        waiting = {"guanhu-after": after} if after else {}
        return {"authorization": f"Bearer {self.token(person)}", "content-type": "application/json"} | waiting

    def log(self, service: str) -> Any:
        """The collection of a service's log."""
        return self.mongo[f"guanhu_{service}"]["log"]


@asynccontextmanager
async def installation(name: str) -> AsyncIterator[Installation]:
    """On free ports, its data in memory where the machine has /dev/shm; nothing stays but the logs of a failure."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    home = Path(tempfile.mkdtemp(prefix=f"guanhu-{name}-", dir=memory))
    settings = Settings.on_free_ports(home=home, cache_gb=0.25)
    try:
        async with Stack(settings, home, keep=False) as stack, httpx.AsyncClient(trust_env=False, timeout=30) as http:
            client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(stack.mongo_url, tz_aware=True)
            try:
                yield Installation(stack, http, client)
            finally:
                client.close()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def service_of(command: Command) -> str:
    """Whose command it is."""
    _, service, *_ = type(command).__module__.split(".")
    return service


def json_of(command: Command) -> bytes:
    """A command as a phone sends it: what is sealed inside the system is in the clear on its way in."""
    return command.model_dump_json(exclude_unset=True).encode()
