"""``POST /sync``: what a device did while it was offline, hours or days ago, in any order, more than once.

Each item is answered on its own; one that is refused stays on the device with its reason. Items take effect in the
order they happened, whatever order they came in.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, NamedTuple

from fastapi import APIRouter, Depends, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from shared.commands.command import EARLIEST, Later, Told
from shared.commands.gathering import Outcome
from shared.commands.handler import Handler
from shared.commands.routes import Item, ItemAnswer, UnknownCommand, answer_of
from shared.contracts.refusal import Refusal
from shared.eventlog.port import LogError

MAX_ITEMS: Final = 10_000
AT_ONCE: Final = 500
"""Items handled in one step: a few queries and one call to the vault for all of them."""
CLOCK_TOLERANCE: Final = timedelta(minutes=5)

DeviceId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]{1,64}$")]


class SyncBatch(BaseModel):
    """``device_time`` is what the device's clock says as it sends this. An item is read on its own: one that is broken
    leaves its neighbours alone."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    device: DeviceId
    device_time: AwareDatetime = Field(ge=EARLIEST)
    items: list[Any] = Field(min_length=1, max_length=MAX_ITEMS)


class SyncAnswer(BaseModel):
    """One answer for each item, in the order they were sent. ``clock_offset`` is by how many seconds the device's clock
    is slow, and by how many its times were put forward; 0 within five minutes."""

    answers: list[ItemAnswer]
    clock_offset: float


class ItemWithoutTime(Refusal):
    """body.occurred_at is missing: without it nobody knows when this happened."""

    status = 422
    what_to_do = "Send the moment it happened by the device's clock, with its zone."


Elsewhere = Callable[[Sequence[Item], SyncBatch, Request], Awaitable[Sequence[ItemAnswer]]]
"""Passes on what is another service's to decide; one answer for each item."""


class _Own(NamedTuple):
    """An item that this service decides, and where it stood in the batch."""

    place: int
    told: Told


def sync_routes(handler: Handler, caller: Callable[..., Any], elsewhere: Elsewhere | None = None) -> APIRouter:
    """Items that this service has no command for go ``elsewhere`` first: a child is registered before it is visited."""
    router = APIRouter(tags=["sync"])

    async def sync(batch: SyncBatch, request: Request, who: Any = Depends(caller)) -> SyncAnswer:  # noqa: B008
        """Takes in what a device has done meanwhile, and answers each item."""
        syncing = _Syncing(handler, batch, request, who.person)
        others = syncing.read()
        if others:
            items = [item for _, item in others]
            found = await elsewhere(items, batch, request) if elsewhere else [_unknown(item) for item in items]
            syncing.answers.update(zip((place for place, _ in others), found, strict=True))
        await syncing.handle()
        answers = [syncing.answers[place] for place in range(len(batch.items))]
        return SyncAnswer(answers=answers, clock_offset=syncing.later.offset.total_seconds())

    router.add_api_route("/sync", sync, methods=["POST"], operation_id="Sync", summary="What a device did offline")
    return router


class _Syncing:
    """One batch on its way; ``answers`` are by the place of an item in it."""

    def __init__(self, handler: Handler, batch: SyncBatch, request: Request, person: str) -> None:
        offset = datetime.now(UTC) - batch.device_time
        self.later = Later(offset if abs(offset) > CLOCK_TOLERANCE else timedelta())
        self.answers: dict[int, ItemAnswer] = {}
        self._handler = handler
        self._batch = batch
        self._request = request
        self._person = person
        self._commands = {command.__name__: command for command in handler.handlings}
        self._own: list[_Own] = []

    def read(self) -> list[tuple[int, Item]]:
        """Those of another service, with their places; what can not be read has its answer."""
        others = []
        for place, raw in enumerate(self._batch.items):
            try:
                item = Item.model_validate(raw)
                if item.command in self._commands:
                    self._own.append(_Own(place, self._told(item)))
                else:
                    others.append((place, item))
            except (ValidationError, Refusal) as error:
                self.answers[place] = answer_of(_id_of(raw), error)
        return others

    async def handle(self) -> None:
        """In the order they happened; of one moment, in the order of the service's commands."""
        rank = {command: place for place, command in enumerate(self._commands.values())}
        self._own.sort(
            key=lambda own: (own.told.command.occurred_at, rank[type(own.told.command)], own.told.command_id)
        )
        for start in range(0, len(self._own), AT_ONCE):
            piece = self._own[start : start + AT_ONCE]
            outcomes = await self._outcomes([own.told for own in piece])
            for own, outcome in zip(piece, outcomes, strict=True):
                self.answers[own.place] = answer_of(own.told.command_id, outcome)

    async def _outcomes(self, told: Sequence[Told]) -> Sequence[Outcome]:
        """One alone is handled together with those that other devices send at the same time."""
        if len(told) > 1:
            return await self._handler.handle_many(told)
        try:
            return [await self._handler.handle(told[0])]
        except (Refusal, LogError) as refusal:
            return [refusal]

    def _told(self, item: Item) -> Told:
        command = self._commands[item.command].model_validate(item.body)
        if command.occurred_at is None:
            raise ItemWithoutTime
        return Told(
            command,
            item.id,
            self._person,
            source="sync",
            device=self._batch.device,
            correlation_id=getattr(self._request.state, "correlation_id", None),
            traceparent=self._request.headers.get("traceparent"),
            later=self.later,
        )


def _unknown(item: Item) -> ItemAnswer:
    return answer_of(item.id, UnknownCommand())


def _id_of(raw: Any) -> str:
    """As it was sent, where it was sent; empty else."""
    named = raw.get("id") if isinstance(raw, dict) else None
    return named if isinstance(named, str) else ""
