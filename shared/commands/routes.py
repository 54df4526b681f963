"""Commands over HTTP: one route for each command, and one that takes many at once.

``POST /commands/RegisterChild`` with ``Idempotency-Key`` is answered when the fact is durable, with its position.
``POST /commands`` takes up to 2,000 commands and answers each of them, so that a ledger or a phone that was offline
loses none for the sake of its neighbours.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Coroutine
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from shared.commands.command import Answer, Command, Handling, Told
from shared.commands.gathering import Outcome
from shared.commands.handler import Handler
from shared.commands.policies import POLICY
from shared.contracts.refusal import Refusal
from shared.identity.caller import Identify
from shared.web.problems import problem_of

MAX_BATCH: Final = 2_000

_ORIGIN: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_VERSION: Final = re.compile(r"[0-9]{1,9}")
CommandId = Annotated[str, Field(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9._:-]+$")]
_command_ids: Final = TypeAdapter[str](CommandId)


class Receipt(BaseModel):
    """A command's answer. ``position`` is where its last event stands; a query may wait for it."""

    position: str
    versions: dict[str, int]


class Item(BaseModel):
    """One command of a batch."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    command: str
    id: CommandId
    body: dict[str, Any]


class Batch(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    commands: list[Item] = Field(min_length=1, max_length=MAX_BATCH)


class ItemAnswer(BaseModel):
    """Exactly one of ``receipt`` and ``problem`` is there."""

    id: str
    receipt: Receipt | None = None
    problem: dict[str, Any] | None = None


class BatchAnswer(BaseModel):
    answers: list[ItemAnswer]


class UnknownCommand(Refusal):
    """This service has no such command."""

    status = 422
    what_to_do = "See the service's OpenAPI description for its commands."


class OriginMalformed(Refusal):
    """Guanhu-Source and Guanhu-Device are ids: they stand in the clear with the fact, for ever."""

    status = 422
    what_to_do = "Send at most 64 letters, digits and . _ : - in them, but not policy, or leave them out."


class VersionMalformed(Refusal):
    """If-Match must hold the version of the stream, a whole number."""

    status = 422
    what_to_do = "Send the version that the last answer on this stream gave, or leave the header out."


def command_routes(handler: Handler, caller: Callable[..., Any], identify: Identify) -> APIRouter:
    """``caller`` is the dependency that says who asks; its value has a ``person``. ``identify`` says so without it."""
    router = APIRouter(tags=["commands"])
    for handling in handler.handlings.values():
        _add(router, handler, handling, caller, identify)
    _add_batch(router, handler, caller)
    return router


def _add(
    router: APIRouter, handler: Handler, handling: Handling[Any], caller: Callable[..., Any], identify: Identify
) -> None:
    async def endpoint(
        command: Any,
        idempotency_key: Annotated[CommandId, Header()],
        if_match: Annotated[str | None, Header()] = None,
        who: Any = Depends(caller),  # noqa: B008 - how FastAPI names a dependency
    ) -> Receipt:
        raise NotImplementedError("describes the route; served is what follows")

    async def serve(request: Request) -> Response:
        person = (await identify(request)).person
        command_id, version = _command_id(request), _version(request.headers.get("if-match"))
        command = _read(handling.command, await request.body())
        answer = await handler.handle(_told(request, command, command_id, person, version))
        receipt = {"position": str(answer.position), "versions": answer.versions}
        return Response(msgspec.json.encode(receipt), 201, media_type="application/json")

    endpoint.__annotations__["command"] = handling.command
    endpoint.__doc__ = handling.command.__doc__
    name = handling.command.__name__
    router.add_api_route(
        f"/commands/{name}",
        endpoint,
        methods=["POST"],
        status_code=201,
        operation_id=name,
        summary=_in_words(name),
        response_model=Receipt,
        route_class_override=_served_by(serve),
    )


def _served_by(serve: Callable[[Request], Awaitable[Response]]) -> type[APIRoute]:
    """A route that FastAPI describes by its endpoint and that is served past FastAPI's injection, which costs more
    than to decide the command."""

    class Served(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            return serve  # type: ignore[return-value]

    return Served


def _read(command: type[Command], body: bytes) -> Command:
    try:
        return command.model_validate_json(body)
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False, include_input=False)) from None


def _command_id(request: Request) -> str:
    place = ("header", "idempotency-key")
    text = request.headers.get(place[1])
    if text is None:
        raise RequestValidationError([{"type": "missing", "loc": place}])
    try:
        return _command_ids.validate_python(text)
    except ValidationError as error:
        raise RequestValidationError([{**one, "loc": place} for one in error.errors(include_url=False)]) from None


def _add_batch(router: APIRouter, handler: Handler, caller: Callable[..., Any]) -> None:
    commands = {command.__name__: command for command in handler.handlings}

    def parsed(item: Item, request: Request, person: str) -> Told | Exception:
        command = commands.get(item.command)
        if command is None:
            return UnknownCommand()
        try:
            return _told(request, command.model_validate(item.body), item.id, person)
        except ValidationError as error:
            return error

    async def many(batch: Batch, request: Request, who: Any = Depends(caller)) -> BatchAnswer:  # noqa: B008
        """Handles each command; one that is refused leaves its neighbours alone."""
        items = [parsed(item, request, who.person) for item in batch.commands]
        outcomes = iter(await handler.handle_many([item for item in items if isinstance(item, Told)]))
        return BatchAnswer(
            answers=[
                answer_of(item.id, next(outcomes) if isinstance(one, Told) else one)
                for item, one in zip(batch.commands, items, strict=True)
            ]
        )

    router.add_api_route(
        "/commands", many, methods=["POST"], operation_id="ManyCommands", summary="Many commands at once"
    )


def _in_words(name: str) -> str:
    """``RegisterChild`` is "Register child"."""
    return re.sub(r"(?<!^)(?=[A-Z])", " ", name).capitalize()


def _told(request: Request, command: Command, command_id: str, person: str, version: int | None = None) -> Told:
    return Told(
        command,
        command_id,
        person,
        source=_origin(request, "guanhu-source"),
        device=_origin(request, "guanhu-device"),
        expected_version=version,
        correlation_id=getattr(request.state, "correlation_id", None),
        traceparent=request.headers.get("traceparent"),
    )


def _origin(request: Request, header: str) -> str | None:
    text = request.headers.get(header)
    if text is not None and (not _ORIGIN.fullmatch(text) or text == POLICY):
        raise OriginMalformed
    return text


def _version(if_match: str | None) -> int | None:
    if if_match is None:
        return None
    text = if_match.strip('"')
    if not _VERSION.fullmatch(text):
        raise VersionMalformed
    return int(text)


def _receipt(answer: Answer) -> Receipt:
    return Receipt(position=str(answer.position), versions=dict(answer.versions))


def answer_of(command_id: str, outcome: Outcome | Exception) -> ItemAnswer:
    if isinstance(outcome, Exception):
        return ItemAnswer(id=command_id, problem=problem_of(outcome))
    return ItemAnswer(id=command_id, receipt=_receipt(outcome))
