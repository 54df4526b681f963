"""The FastAPI dependency that says who asks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, NamedTuple

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from shared.identity.tokens import TokenMissing, Tokens

_scheme = HTTPBearer(auto_error=False, bearerFormat="JWT", description="An access token of the issuer")
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(_scheme)]


class Caller(NamedTuple):
    """Who asks: the ``sub`` of the token. What they may do is asked of the directory, each time."""

    person: str


Identify = Callable[[Request], Awaitable[Caller]]


def identify_by(tokens: Tokens) -> Identify:
    """Says who sent a request, without FastAPI's injection. Raises Unauthenticated, IssuerUnavailable."""

    async def identify(request: Request) -> Caller:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise TokenMissing
        return Caller(await tokens.person(token))

    return identify


def caller_by(tokens: Tokens) -> Callable[[Bearer], Awaitable[Caller]]:
    """The dependency: ``who: Caller = Depends(caller_by(tokens))``. Raises Unauthenticated, IssuerUnavailable."""

    async def caller(bearer: Bearer) -> Caller:
        if bearer is None:
            raise TokenMissing
        return Caller(await tokens.person(bearer.credentials))

    return caller
