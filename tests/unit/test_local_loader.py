"""A load loses nothing and doubles nothing, whatever the service answers in between."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import orjson
import pytest
import stamina

from deploy.local.loader import CHUNK, Item, Load, Loader, NotYetError

Answer = Callable[[dict], dict]


@pytest.fixture(autouse=True)
def without_waiting():
    with stamina.set_testing(True, attempts=3):
        yield


class Service:
    """Answers each command; ``ill`` holds the answers of its first requests."""

    def __init__(self, *ill: httpx.Response | str | Exception) -> None:
        self.ill = list(ill)
        self.ids: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        commands = orjson.loads(request.content)["commands"]
        if self.ill:
            return self._ill(self.ill.pop(0), commands)
        self.ids += [command["id"] for command in commands]
        return _answered([_done(command["id"], n) for n, command in enumerate(commands, start=1)])

    def _ill(self, one: httpx.Response | str | Exception, commands: list[dict]) -> httpx.Response:
        if isinstance(one, Exception):
            raise one
        if isinstance(one, httpx.Response):
            return one
        first, *rest = commands
        problem = {"status": int(one), "code": "code"}
        return _answered([{"id": first["id"], "receipt": None, "problem": problem}, *(_done(c["id"], 1) for c in rest)])


def _done(command_id: str, seq: int) -> dict:
    return {"id": command_id, "receipt": {"position": f"registry/1/{seq}", "versions": {}}, "problem": None}


def _answered(answers: list[dict]) -> httpx.Response:
    return httpx.Response(200, json={"answers": answers})


async def load(service: Service, count: int) -> Load:
    async with httpx.AsyncClient(transport=httpx.MockTransport(service)) as http:
        return await Loader(http, "http://service", "token").load(Item("C", f"command-{n}", {}) for n in range(count))


async def test_every_command_is_answered_once():
    service = Service()
    loaded = await load(service, 3 * CHUNK + 7)
    assert (loaded.accepted, loaded.refused, loaded.positions) == (3 * CHUNK + 7, [], {"registry/1": CHUNK})
    assert sorted(service.ids) == sorted(f"command-{n}" for n in range(3 * CHUNK + 7))


@pytest.mark.parametrize(
    "ill", [httpx.Response(503), httpx.ConnectError("away"), "503"], ids=["503", "away", "one 503"]
)
async def test_what_could_not_be_done_now_is_sent_again(ill):
    loaded = await load(Service(ill), 5)
    assert (loaded.accepted, loaded.refused) == (5, [])


async def test_a_refused_command_is_not_sent_again():
    loaded = await load(Service("422"), 5)
    assert loaded.accepted == 4
    assert [refused["status"] for refused in loaded.refused] == [422]


async def test_a_caller_who_is_refused_is_refused_at_once():
    service = Service(httpx.Response(401))
    with pytest.raises(httpx.HTTPStatusError):
        await load(service, 5)
    assert service.ids == []


async def test_a_service_that_stays_ill_is_told_plainly():
    with pytest.raises(NotYetError):
        await load(Service(*["503"] * 3), 5)
