"""Who holds a token: checked against a real issuer application, through the dependency a service uses."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

from shared.identity.caller import Caller, caller_by
from shared.identity.issuer import Issuer, issuer_routes
from shared.identity.tokens import IssuerKeys, TokenInvalid, Tokens
from shared.web.app import create_app
from tests.unit.identity.clock import Clock
from tests.unit.identity.conftest import ISSUER_URL

ME = "person-0001"
_HEADER_NAMES = ["alg", "kid", "typ", "crit", "b64", "jwk", "jku", "enc", "zip"]


class IssuerSite(httpx.AsyncBaseTransport):
    """The issuer behind its address: counts what it is asked, and can be taken away."""

    def __init__(self, issuer: Issuer) -> None:
        self.issuer = issuer
        self.asked = 0
        self.up = True

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=self)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        if not self.up:
            raise httpx.ConnectError("refused")
        app = create_app(title="Issuer", service="issuer", routers=[issuer_routes(self.issuer)])
        return await httpx.ASGITransport(app).handle_async_request(request)


@pytest.fixture
def site(issuer: Issuer) -> IssuerSite:
    return IssuerSite(issuer)


@pytest.fixture
async def tokens(site: IssuerSite, clock: Clock) -> AsyncIterator[Tokens]:
    async with site.client() as client:
        yield Tokens(IssuerKeys(ISSUER_URL, client, clock), ISSUER_URL, clock)


@pytest.fixture
async def client(tokens: Tokens) -> AsyncIterator[httpx.AsyncClient]:
    router = APIRouter()
    who_asks = Depends(caller_by(tokens))

    @router.get("/me")
    async def me(caller: Caller = who_asks) -> str:
        return caller.person

    app = create_app(title="Trial", service="trial", routers=[router])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://trial") as client:
        yield client


async def _ask(client: httpx.AsyncClient, token: str | None) -> httpx.Response:
    return await client.get("/me", headers={} if token is None else {"authorization": f"Bearer {token}"})


def _refused(answer: httpx.Response, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (401, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"].startswith("Bearer")


def _claims(clock: Clock, **changed: Any) -> dict[str, Any]:
    now = int(clock())
    return {"iss": ISSUER_URL, "sub": ME, "aud": "guanhu", "nbf": now, "exp": now + 600} | changed


def _key(issuer: Issuer) -> ECKey:
    return issuer._key


def _signed(issuer: Issuer, claims: dict[str, Any], **header: Any) -> str:
    return jwt.encode({"alg": "ES256", "kid": _key(issuer).kid} | header, claims, _key(issuer))


async def test_a_valid_token_says_who_asks(client: httpx.AsyncClient, issuer: Issuer) -> None:
    assert (await _ask(client, issuer.issue(ME))).json() == ME


async def test_without_a_token_nobody_is_known(client: httpx.AsyncClient) -> None:
    answer = await _ask(client, None)
    _refused(answer, "token_missing")
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_an_expired_token_is_refused_also_when_it_was_verified_before(
    client: httpx.AsyncClient, issuer: Issuer, clock: Clock
) -> None:
    token = issuer.issue(ME)
    assert (await _ask(client, token)).status_code == 200
    clock.move(611)
    _refused(await _ask(client, token), "token_expired")
    _refused(await _ask(client, _signed(issuer, _claims(clock, exp=int(clock()) - 11))), "token_expired")


async def test_a_token_signed_by_another_key_is_refused(
    client: httpx.AsyncClient, issuer: Issuer, clock: Clock
) -> None:
    stranger = ECKey.generate_key("P-256")
    forged = jwt.encode({"alg": "ES256", "kid": _key(issuer).kid}, _claims(clock), stranger)
    _refused(await _ask(client, forged), "token_invalid")


async def test_a_token_whose_content_was_changed_is_refused(client: httpx.AsyncClient, issuer: Issuer) -> None:
    header, payload, signature = issuer.issue(ME).split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    other = _part(claims | {"sub": "person-0002"})
    _refused(await _ask(client, f"{header}.{other}.{signature}"), "token_invalid")


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _part(content: dict[str, Any]) -> str:
    return _base64(json.dumps(content).encode())


async def test_an_unsigned_token_is_refused(client: httpx.AsyncClient, clock: Clock) -> None:
    _refused(await _ask(client, f"{_part({'alg': 'none'})}.{_part(_claims(clock))}."), "token_invalid")


async def test_the_public_key_is_no_shared_secret(client: httpx.AsyncClient, issuer: Issuer, clock: Clock) -> None:
    head, body = _part({"alg": "HS256", "kid": _key(issuer).kid}), _part(_claims(clock))
    mac = hmac.digest(_key(issuer).as_pem(private=False), f"{head}.{body}".encode(), "sha256")
    _refused(await _ask(client, f"{head}.{body}.{_base64(mac)}"), "token_invalid")


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "another"},
        {"aud": ["another", "third"]},
        {"aud": None},
        {"iss": "http://elsewhere"},
        {"sub": ""},
        {"sub": None},
        {"sub": 7},
        {"sub": "x" * 65},
        {"sub": "with space"},
        {"sub": "system"},
        {"exp": None},
        {"exp": "soon"},
        {"exp": True},
        {"nbf": 1_790_000_000 + 60},
    ],
)
async def test_a_signed_token_that_is_not_meant_for_this_system_is_refused(
    client: httpx.AsyncClient, issuer: Issuer, clock: Clock, changed: dict[str, Any]
) -> None:
    _refused(await _ask(client, _signed(issuer, _claims(clock, **changed))), "token_invalid")


async def test_a_refresh_token_opens_nothing(client: httpx.AsyncClient, issuer: Issuer) -> None:
    password = issuer.add_user(ME)
    granted = issuer.grant_for(ME, password)
    assert granted is not None
    _refused(await _ask(client, granted["refresh_token"]), "token_invalid")
    assert (await _ask(client, granted["access_token"])).json() == ME


async def test_a_list_of_audiences_and_a_clock_a_little_ahead_are_accepted(
    client: httpx.AsyncClient, issuer: Issuer, clock: Clock
) -> None:
    claims = _claims(clock, aud=["account", "guanhu"], nbf=int(clock()) + 5)
    assert (await _ask(client, _signed(issuer, claims))).json() == ME


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(garbage=st.one_of(st.text(max_size=80), st.from_regex(r"[\w-]{0,20}\.[\w-]{0,20}\.[\w-]{0,20}", fullmatch=True)))
async def test_garbage_is_no_token(tokens: Tokens, garbage: str) -> None:
    with pytest.raises(TokenInvalid):
        await tokens.person(garbage)


_ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just("ES256"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_HEADER_NAMES), inner, max_size=4),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(header=_ANY_JSON, payload=_ANY_JSON, parts=st.sampled_from([2, 3, 5]))
async def test_whatever_a_stranger_writes_into_a_token_it_is_refused(
    tokens: Tokens, issuer: Issuer, header: Any, payload: Any, parts: int
) -> None:
    token = ".".join([_part(header), _part(payload), "c2ln", "", ""][:parts])
    with pytest.raises(TokenInvalid):
        await tokens.person(token)
    assert issuer.renewed(token) is None


async def test_a_header_nested_without_end_is_refused(client: httpx.AsyncClient, issuer: Issuer) -> None:
    token = f"{_base64(b'[' * 30_000)}.e30.c2ln"
    _refused(await _ask(client, token), "token_invalid")
    assert issuer.renewed(token) is None


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [
        ("RS256", RSAKey.generate_key(2048)),
        ("ES256", ECKey.generate_key("P-256")),
        ("EdDSA", OKPKey.generate_key("Ed25519")),
        ("Ed25519", OKPKey.generate_key("Ed25519")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
async def test_the_usual_signatures_of_other_issuers_are_known(
    algorithm: str, key: RSAKey | ECKey | OKPKey, clock: Clock
) -> None:
    class Published:
        async def current(self) -> KeySet:
            return KeySet([key])

        newer = current

    token = jwt.encode({"alg": algorithm}, _claims(clock), key, algorithms=[algorithm])
    assert await Tokens(Published(), ISSUER_URL, clock).person(token) == ME


async def test_a_new_key_of_the_issuer_is_fetched_when_a_token_names_it(
    client: httpx.AsyncClient, site: IssuerSite, clock: Clock, tmp_path: Path
) -> None:
    assert (await _ask(client, site.issuer.issue(ME))).status_code == 200
    assert site.asked == 2  # discovery and keys
    site.issuer = Issuer(tmp_path / "rotated", ISSUER_URL, clock)
    clock.move(4)
    assert (await _ask(client, site.issuer.issue(ME))).json() == ME
    assert site.asked == 4


async def test_forged_key_names_do_not_make_the_issuer_be_asked_again_and_again(
    client: httpx.AsyncClient, site: IssuerSite, clock: Clock
) -> None:
    for number in range(20):
        token = _signed(site.issuer, _claims(clock), kid=f"unknown-{number}")
        _refused(await _ask(client, token), "token_invalid")
    assert site.asked == 2


async def test_without_the_issuer_known_keys_stay_in_use_and_unknown_ones_wait(
    client: httpx.AsyncClient, site: IssuerSite, clock: Clock
) -> None:
    site.up = False
    answer = await _ask(client, site.issuer.issue(ME))
    assert (answer.status_code, answer.json()["code"]) == (503, "issuer_unavailable")
    assert answer.headers["retry-after"] == "2"

    site.up = True
    clock.move(4)
    assert (await _ask(client, site.issuer.issue(ME))).status_code == 200
    site.up = False
    clock.move(601)
    assert (await _ask(client, site.issuer.issue(ME))).status_code == 200


async def test_a_token_is_verified_once_and_then_remembered(tokens: Tokens, issuer: Issuer, clock: Clock) -> None:
    token = issuer.issue(ME)
    await tokens.person(token)
    tokens._keys = None  # type: ignore[assignment]  # asked again, it would fail
    assert await tokens.person(token) == ME


@pytest.fixture
async def counter(issuer: Issuer) -> AsyncIterator[httpx.AsyncClient]:
    app: FastAPI = create_app(title="Issuer", service="issuer", routers=[issuer_routes(issuer)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://issuer") as client:
        yield client


async def test_a_user_gets_a_token_for_their_password_and_renews_it(
    counter: httpx.AsyncClient, tokens: Tokens, issuer: Issuer, clock: Clock
) -> None:
    wish = {"grant_type": "password", "username": ME, "password": issuer.add_user(ME)}
    answer = await counter.post("/issuer/token", data=wish)
    assert answer.headers["cache-control"] == "no-store"
    assert (answer.json()["token_type"], answer.json()["expires_in"]) == ("Bearer", 600)
    assert await tokens.person(answer.json()["access_token"]) == ME

    clock.move(3600)
    renewal = {"grant_type": "refresh_token", "refresh_token": answer.json()["refresh_token"]}
    assert await tokens.person((await counter.post("/issuer/token", data=renewal)).json()["access_token"]) == ME
    clock.move(12 * 3600)
    assert (await counter.post("/issuer/token", data=renewal)).json() == {"error": "invalid_grant"}


@pytest.mark.parametrize(
    ("wish", "error"),
    [
        ({"grant_type": "password", "username": ME, "password": "wrong"}, "invalid_grant"),
        ({"grant_type": "password", "username": "nobody", "password": ""}, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": "x.y.z"}, "invalid_grant"),
        ({"grant_type": "magic"}, "unsupported_grant_type"),
        ({}, "invalid_request"),
    ],
)
async def test_the_token_endpoint_refuses_in_oauth_words(
    counter: httpx.AsyncClient, issuer: Issuer, wish: dict[str, str], error: str
) -> None:
    issuer.add_user(ME)
    answer = await counter.post("/issuer/token", data=wish)
    assert (answer.status_code, answer.json()) == (400, {"error": error})


async def test_an_access_token_renews_nothing(issuer: Issuer) -> None:
    issuer.add_user(ME)
    assert issuer.renewed(issuer.issue(ME)) is None


async def test_the_issuer_publishes_its_public_key_alone(counter: httpx.AsyncClient) -> None:
    discovery = (await counter.get("/issuer/.well-known/openid-configuration")).json()
    assert discovery["issuer"] == ISSUER_URL
    [key] = (await counter.get(discovery["jwks_uri"])).json()["keys"]
    assert "d" not in key
    assert key["alg"] == "ES256"


def test_issuers_on_one_folder_share_key_and_users(issuer: Issuer, tmp_path: Path) -> None:
    other = Issuer(tmp_path / "issuer", ISSUER_URL)
    assert other.jwks() == issuer.jwks()
    password = issuer.add_user(ME)
    assert issuer.add_user(ME) == password
    assert other.users() == {ME: password}
    modes = {file.name: file.stat().st_mode & 0o777 for file in (tmp_path / "issuer").iterdir()}
    assert modes == {"key.json": 0o600, "users.json": 0o600}
