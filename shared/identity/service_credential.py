"""What services show each other: a token of one minute, signed with the secret that only they hold."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Generator
from typing import Any, ClassVar, Final

import httpx
from joserfc import jwt
from joserfc.jwk import OctKey

from shared.contracts.refusal import Refusal
from shared.identity.caller import Bearer
from shared.identity.tokens import LEEWAY_SECONDS, UNREADABLE, TokenMissing

AUDIENCE: Final = "guanhu-services"
ALGORITHM: Final = "HS256"
SECONDS: Final = 60


class NotAService(Refusal):
    """This address is for the services of this installation only."""

    status: ClassVar[int] = 401
    what_to_do: ClassVar[str] = "People use the addresses of the OpenAPI description."
    headers: ClassVar[dict[str, str]] = {"WWW-Authenticate": 'Bearer error="invalid_token"'}


class ServiceCredential(httpx.Auth):
    """For ``httpx``: ``AsyncClient(auth=ServiceCredential(secret, "reporting"))``. ``secret`` has 32 bytes or more."""

    def __init__(self, secret: bytes, service: str, clock: Callable[[], float] = time.time) -> None:
        self._key = OctKey.import_key(secret)
        self._service = service
        self._clock = clock
        self._token = ""
        self._fresh_until = 0.0

    def token(self) -> str:
        now = self._clock()
        if now >= self._fresh_until:
            claims = {"iss": self._service, "aud": AUDIENCE, "iat": int(now), "exp": int(now) + SECONDS}
            self._token = jwt.encode({"alg": ALGORITHM}, claims, self._key)
            self._fresh_until = now + SECONDS / 2
        return self._token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["authorization"] = f"Bearer {self.token()}"
        yield request


def service_only(secret: bytes, clock: Callable[[], float] = time.time) -> Callable[[Bearer], Awaitable[str]]:
    """The dependency of internal routes; its value is the calling service. Raises TokenMissing, NotAService."""
    key = OctKey.import_key(secret)

    async def service(bearer: Bearer) -> str:
        if bearer is None:
            raise TokenMissing
        return _judge(bearer.credentials, key, clock())

    return service


def _judge(token: str, key: OctKey, now: float) -> str:
    try:
        claims: dict[str, Any] = jwt.decode(token, key, algorithms=[ALGORITHM]).claims
        if claims["aud"] != AUDIENCE or claims["exp"] + LEEWAY_SECONDS <= now:
            raise NotAService
        return str(claims["iss"])
    except UNREADABLE:
        raise NotAService from None
