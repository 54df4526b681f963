"""Every answer says up to when it is complete; a query may wait for what its caller has just done."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar

from fastapi import Header
from pydantic import BaseModel

from shared.contracts.catalogue import MODULES
from shared.contracts.refusal import Refusal
from shared.eventlog.record import Position
from shared.projection.live import LiveModels


class Freshness(BaseModel):
    """``complete_up_to`` is None while a read model has never been level; ``waiting`` is how many events it lacks;
    ``reached`` is False when a position that was asked for has not been reached in time."""

    complete_up_to: datetime | None
    waiting: int
    reached: bool = True


class PositionMalformed(Refusal):
    """Guanhu-After must hold positions such as registry/3/88213, separated by commas."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Send the position that the command's answer gave."


After = Annotated[str | None, Header(alias="guanhu-after")]
"""Positions to wait for, at most two seconds: the answer may still lack them, and its freshness says so."""


async def caught_up(live: LiveModels, model: str, after: str | None) -> Freshness:
    """Waits for the positions named, then tells how fresh the read model is. Raises PositionMalformed."""
    reached = await live.wait_for_all(model, _positions(after))
    freshness = await live.freshness(model)
    return Freshness(complete_up_to=freshness.complete_up_to, waiting=freshness.waiting, reached=reached)


def _positions(after: str | None) -> list[Position]:
    try:
        positions = [Position.parse(text.strip()) for text in after.split(",")] if after else []
    except ValueError:
        raise PositionMalformed from None
    if any(position.service not in MODULES for position in positions):
        raise PositionMalformed
    return positions
