"""Commands that are decided with the person who gives them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from shared.commands.command import Command

C = TypeVar("C", bound=Command)


def told_by(told: type[C], name: str = "person") -> Callable[[Command, str], Awaitable[C]]:
    """The command as ``told``, whose field ``name`` says who gives it."""

    async def learn(command: Command, person: str) -> C:
        return told(**{**dict(command), name: person})

    return learn
