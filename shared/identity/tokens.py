"""Says who holds an access token (OIDC, a signed JWT). It says **who** and nothing else: rights come from events."""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
import warnings
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, ClassVar, Final, Protocol

import httpx
import structlog
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError, SecurityWarning
from joserfc.jwk import KeySet

from shared.contracts.refusal import Refusal
from shared.contracts.values import PERSON, Role
from shared.web.logs import LogEvent

AUDIENCE: Final = "guanhu"
ALGORITHMS: Final = ("RS256", "PS256", "ES256", "EdDSA", "Ed25519")
"""Signatures of public keys only: with a shared secret, whoever can verify could also sign."""

LEEWAY_SECONDS: Final = 10
REFETCH_SECONDS: Final = 3.0
KEYS_LAST_SECONDS: Final = 600.0
REMEMBERED: Final = 20_000
REMEMBERED_SECONDS: Final = 600.0

UNREADABLE: Final = (JoseError, ValueError, KeyError, TypeError, AttributeError, RecursionError)
"""What reading a token raises: its header is whatever a stranger wrote, nested a thousand deep if they like."""

_TYPES: Final = frozenset({"jwt", "at+jwt", "application/at+jwt"})
_PERSON: Final = re.compile(PERSON)

_log = structlog.get_logger()


class Unauthenticated(Refusal):
    """Root of the ways not to be known; each is a 401 that says how to authenticate.

    Unauthenticated
      +- TokenMissing
      +- TokenExpired
      +- TokenInvalid   forged, for another audience, from another issuer, or no token at all
    """

    status: ClassVar[int] = 401
    what_to_do: ClassVar[str] = "Get a token from the issuer and send it as Authorization: Bearer."
    headers: ClassVar[dict[str, str]] = {"WWW-Authenticate": 'Bearer error="invalid_token"'}


class TokenMissing(Unauthenticated):
    """The request carries no bearer token."""

    # RFC 6750: who has shown nothing is told no error.
    headers: ClassVar[dict[str, str]] = {"WWW-Authenticate": "Bearer"}


class TokenExpired(Unauthenticated):
    """The token has expired."""

    what_to_do: ClassVar[str] = "Get a fresh token from the issuer."


class TokenInvalid(Unauthenticated):
    """The token is not one that this system takes."""


class IssuerUnavailable(Refusal):
    """The issuer's keys can not be fetched now."""

    status: ClassVar[int] = 503
    what_to_do: ClassVar[str] = "Repeat the same request."


class Keys(Protocol):
    """The public keys of the issuer."""

    async def current(self) -> KeySet:
        """Raises IssuerUnavailable."""

    async def newer(self) -> KeySet:
        """After a token named an unknown key: perhaps they were rotated. Raises IssuerUnavailable."""


class IssuerKeys:
    """The keys as the issuer publishes them, found through its discovery document and kept for ten minutes."""

    def __init__(self, issuer_url: str, client: httpx.AsyncClient, clock: Callable[[], float] = time.monotonic) -> None:
        self._issuer_url = issuer_url.rstrip("/")
        self._client = client
        self._clock = clock
        self._keys: KeySet | None = None
        self._asked_at = float("-inf")
        self._lock = asyncio.Lock()

    async def current(self) -> KeySet:
        if self._keys is None or self._clock() - self._asked_at > KEYS_LAST_SECONDS:
            return await self.newer()
        return self._keys

    async def newer(self) -> KeySet:
        async with self._lock:
            # Forged tokens name unknown keys as fast as they like; the issuer is asked every few seconds at most.
            if self._clock() - self._asked_at > REFETCH_SECONDS:
                self._asked_at = self._clock()
                await self._fetch()
        if self._keys is None:
            raise IssuerUnavailable
        return self._keys

    async def _fetch(self) -> None:
        try:
            discovered = await self._get(f"{self._issuer_url}/.well-known/openid-configuration")
            if discovered["issuer"].rstrip("/") != self._issuer_url:
                raise ValueError("the discovery document is another issuer's")
            self._keys = KeySet.import_key_set(await self._get(discovered["jwks_uri"]))
        except (httpx.HTTPError, httpx.InvalidURL, *UNREADABLE) as error:
            _log.warning(LogEvent.ISSUER_UNREACHABLE, exception=type(error).__name__)

    async def _get(self, url: str) -> Any:
        answer = await self._client.get(url)
        return answer.raise_for_status().json()


class Tokens:
    """Verifies tokens, and remembers those it has verified until they expire: a phone sends one token many times."""

    def __init__(self, keys: Keys, issuer: str, clock: Callable[[], float] = time.time) -> None:
        self._keys = keys
        self._issuer = issuer.rstrip("/")
        self._clock = clock
        self._verified: OrderedDict[bytes, tuple[str, float]] = OrderedDict()

    async def person(self, token: str) -> str:
        """The ``sub`` of a valid token. Raises Unauthenticated or IssuerUnavailable."""
        digest = hashlib.sha256(token.encode(errors="replace")).digest()
        if (known := self._verified.get(digest)) is not None:
            person, until = known
            if self._clock() < until:
                return person
            del self._verified[digest]
        claims = await self._claims(token)
        person = self._judge(claims)
        self._remember(digest, person, min(claims["exp"], self._clock() + REMEMBERED_SECONDS))
        return person

    def _remember(self, digest: bytes, person: str, until: float) -> None:
        self._verified[digest] = (person, until)
        if len(self._verified) > REMEMBERED:
            self._verified.popitem(last=False)

    async def _claims(self, token: str) -> dict[str, Any]:
        try:
            return _signed(token, await self._keys.current())
        except InvalidKeyIdError:
            pass
        except UNREADABLE:
            raise TokenInvalid from None
        try:
            return _signed(token, await self._keys.newer())
        except UNREADABLE:
            raise TokenInvalid from None

    def _judge(self, claims: dict[str, Any]) -> str:
        now, audience = self._clock(), claims.get("aud")
        if str(claims.get("iss")).rstrip("/") != self._issuer:
            raise TokenInvalid
        if AUDIENCE not in (audience if isinstance(audience, list) else [audience]):
            raise TokenInvalid
        if not _is_moment(claims.get("exp")) or not _is_moment(claims.get("nbf", 0)):
            raise TokenInvalid
        if claims["exp"] + LEEWAY_SECONDS <= now:
            raise TokenExpired
        if claims.get("nbf", 0) - LEEWAY_SECONDS > now:
            raise TokenInvalid("The token is not valid yet; is the clock right?")
        return _person(claims.get("sub"))


def _signed(token: str, keys: KeySet) -> dict[str, Any]:
    with warnings.catch_warnings():
        # RFC 9864 renames EdDSA to Ed25519; issuers in use still say EdDSA.
        warnings.simplefilter("ignore", SecurityWarning)
        decoded = jwt.decode(token, keys, algorithms=ALGORITHMS)
    if str(decoded.header.get("typ", "JWT")).lower() not in _TYPES:
        raise TokenInvalid
    if not isinstance(decoded.claims, dict):
        raise TokenInvalid
    return decoded.claims


def _is_moment(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value


def _person(subject: Any) -> str:
    # ``system`` is how a service's own policies act, past every check: no issuer may name somebody so.
    if not isinstance(subject, str) or not _PERSON.fullmatch(subject) or subject == Role.SYSTEM.value:
        raise TokenInvalid
    return subject
