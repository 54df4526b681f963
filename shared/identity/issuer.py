"""A small OpenID issuer for one machine: demo users, short-lived tokens, a key in the data folder.

Production brings its own issuer; then nothing of this runs. Whoever reads the data folder can issue tokens, as the
command line does.
"""

from __future__ import annotations

import hmac
import os
import secrets
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from fastapi import APIRouter, Form
from fastapi.responses import JSONResponse
from joserfc import jwt
from joserfc.jwk import ECKey

from shared.identity.tokens import AUDIENCE, UNREADABLE

ALGORITHM: Final = "ES256"
TOKEN_SECONDS: Final = 600
REFRESH_SECONDS: Final = 12 * 3600
_REFRESH: Final = "refresh"
"""The audience of a refresh token: no service takes it for an access token."""


class Issuer:
    """Keeps its key and its users in ``folder`` (mode 0700, files 0600); processes may share the folder."""

    def __init__(self, folder: Path, url: str, clock: Callable[[], float] = time.time) -> None:
        self.url = url.rstrip("/")
        self._clock = clock
        self._folder = folder
        self._users = folder / "users.json"

    @cached_property
    def _key(self) -> ECKey:
        return _key_in(self._folder / "key.json")

    def issue(self, person: str, seconds: int = TOKEN_SECONDS) -> str:
        """An access token for anybody: for who already holds the folder, such as the command line."""
        return self._sign(person, AUDIENCE, seconds)

    def add_user(self, person: str, password: str | None = None) -> str:
        """The user's password: the given one, the one they have, or a fresh one."""
        users = self.users()
        users[person] = password or users.get(person) or secrets.token_urlsafe(12)
        _replace(self._users, msgspec.json.encode(users))
        return users[person]

    def users(self) -> dict[str, str]:
        """Passwords by person, in the clear: these users exist to be shown on a screen."""
        try:
            return msgspec.json.decode(self._users.read_bytes(), type=dict[str, str])
        except FileNotFoundError:
            return {}

    def grant_for(self, person: str, password: str) -> dict[str, Any] | None:
        """The answer of the token endpoint; None when the two do not belong together."""
        known = self.users().get(person, "")
        right = hmac.compare_digest(known.encode(), password.encode(errors="replace"))
        return self._granted(person) if known and right else None

    def renewed(self, refresh_token: str) -> dict[str, Any] | None:
        """The answer for a refresh token of a user who still exists; None for anything else."""
        try:
            claims = jwt.decode(refresh_token, self._key, algorithms=[ALGORITHM]).claims
        except UNREADABLE:
            return None
        valid = claims["aud"] == _REFRESH and claims["iss"] == self.url and claims["exp"] > self._clock()
        return self._granted(claims["sub"]) if valid and claims["sub"] in self.users() else None

    def discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "jwks_uri": f"{self.url}/.well-known/jwks.json",
            "token_endpoint": f"{self.url}/token",
            "grant_types_supported": ["password", "refresh_token"],
            "response_types_supported": [],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
        }

    def jwks(self) -> dict[str, Any]:
        return {"keys": [self._key.as_dict(private=False) | {"use": "sig", "alg": ALGORITHM}]}

    def _granted(self, person: str) -> dict[str, Any]:
        return {
            "access_token": self.issue(person),
            "token_type": "Bearer",
            "expires_in": TOKEN_SECONDS,
            "refresh_token": self._sign(person, _REFRESH, REFRESH_SECONDS),
        }

    def _sign(self, person: str, audience: str, seconds: int) -> str:
        now = int(self._clock())
        claims = {"iss": self.url, "sub": person, "aud": audience, "iat": now, "nbf": now, "exp": now + seconds}
        header = {"alg": ALGORITHM, "kid": self._key.kid, "typ": "at+jwt" if audience == AUDIENCE else "rt+jwt"}
        return jwt.encode(header, claims, self._key)


def issuer_routes(issuer: Issuer, prefix: str = "/issuer") -> APIRouter:
    """``prefix`` is the path of the issuer's url. Errors of the token endpoint are OAuth2's own (RFC 6749, 5.2)."""
    router = APIRouter(prefix=prefix, tags=["issuer"])

    @router.get("/.well-known/openid-configuration")
    async def discovery() -> dict[str, Any]:
        return issuer.discovery()

    @router.get("/.well-known/jwks.json")
    async def keys() -> dict[str, Any]:
        return issuer.jwks()

    @router.post("/token")
    async def token(
        grant_type: Annotated[str, Form()] = "",
        username: Annotated[str, Form()] = "",
        password: Annotated[str, Form()] = "",
        refresh_token: Annotated[str, Form()] = "",
    ) -> JSONResponse:
        match grant_type:
            case "password":
                return _granted(issuer.grant_for(username, password))
            case "refresh_token":
                return _granted(issuer.renewed(refresh_token))
            case "":
                return _refused("invalid_request")
            case _:
                return _refused("unsupported_grant_type")

    return router


_NOT_STORED: Final = {"Cache-Control": "no-store"}


def _granted(answer: dict[str, Any] | None) -> JSONResponse:
    return _refused("invalid_grant") if answer is None else JSONResponse(answer, headers=_NOT_STORED)


def _refused(error: Literal["invalid_request", "invalid_grant", "unsupported_grant_type"]) -> JSONResponse:
    return JSONResponse({"error": error}, 400, _NOT_STORED)


def _key_in(file: Path) -> ECKey:
    """The folder's key; of processes that start at once, one makes it and all use it."""
    if not file.exists():
        fresh = _written(file, msgspec.json.encode(ECKey.generate_key("P-256").as_dict(private=True)))
        try:
            os.link(fresh, file)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    key = ECKey.import_key(msgspec.json.decode(file.read_bytes()))
    key.ensure_kid()
    return key


def _replace(file: Path, content: bytes) -> None:
    os.replace(_written(file, content), file)


def _written(file: Path, content: bytes) -> Path:
    """A new file beside ``file``, for its owner's eyes only."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    return beside
