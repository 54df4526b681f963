"""``python -m deploy.describe``: writes ``docs/api``, what the services offer over HTTP and what their topics carry,
and ``docs/access.md``, who may do what.

All of it is read off the code: the applications are built and opened by nobody, the events are those of the catalogue.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, get_args

from fastapi import FastAPI
from pydantic import SecretBytes
from pydantic.json_schema import models_json_schema

from deploy import access_table
from services.pairing import __main__ as pairing
from services.registry import __main__ as registry
from services.reporting import __main__ as reporting
from services.visits import __main__ as visits
from shared.contracts.catalogue import MODULES, events_of
from shared.contracts.event import Event, Fact, layout_of
from shared.contracts.sealed import Kind
from shared.messaging.topics import MAX_MESSAGE_BYTES, topic_name
from shared.web.settings import KEY_BYTES, ServiceSettings

FOLDER: Final = Path(__file__).parents[1] / "docs" / "api"

Schema = dict[str, Any]

APPLICATIONS: Final[Mapping[str, Callable[[ServiceSettings], FastAPI]]] = {
    "registry": registry.application,
    "visits": visits.application,
    "pairing": pairing.application,
    "reporting": reporting.application,
}
EVENTS: Final = "events.asyncapi.json"

_PLACES: Final = "#/components/schemas/{model}"
_OWN_VALUE: Final = "x-guanhu-value"


def descriptions() -> dict[str, Schema]:
    """Every file of the folder by its name."""
    nothing = SecretBytes(bytes(KEY_BYTES))
    with TemporaryDirectory() as data:  # the embedded issuer makes its key there
        settings = ServiceSettings(
            master_key=nothing,
            claim_key=nothing,
            service_secret=nothing,
            data=Path(data),
            issuer="embedded",
            partitions=8,
        )
        http = {f"{service}.openapi.json": make(settings).openapi() for service, make in APPLICATIONS.items()}
    return http | {EVENTS: asyncapi(settings.partitions)}


def text_of(description: Schema) -> str:
    return json.dumps(description, indent=2, ensure_ascii=False) + "\n"


def asyncapi(partitions: int) -> Schema:
    """All topics and the events on them, as AsyncAPI 3.0; ``partitions`` is the number of an installation."""
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Guanhu events", "version": "1", "description": _ABOUT},
        "defaultContentType": "application/json",
        "channels": {topic_name(service): _channel(service, partitions) for service in MODULES},
        "operations": {f"{service}Relays": _operation(service) for service in MODULES},
        "components": {
            "messages": {name: _message(name, event) for name, event in _events()},
            "schemas": {"Envelope": ENVELOPE} | _data_schemas(),
        },
    }


_ABOUT: Final = (
    "Each service sends its log to one topic: partition by partition, in order, at least once. The value of a message "
    "is the record as it is stored and hashed, its key the stream. Judge it by `seq` and `prev`, never by its offset. "
    "Where a field is marked `x-guanhu-sealed`, `data` holds null in its place when a value was given, and the value "
    f"stands encrypted in `sealed`, under the subject's key of that kind; `{_OWN_VALUE}` is its schema once opened."
)


def _channel(service: str, partitions: int) -> Schema:
    return {
        "address": topic_name(service),
        "description": f"The log of {service}. Kept for ever, never compacted.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in events_of(service)},
        "bindings": {
            "kafka": {
                "partitions": partitions,
                "topicConfiguration": {
                    "cleanup.policy": ["delete"],
                    "retention.ms": -1,
                    "retention.bytes": -1,
                    "max.message.bytes": MAX_MESSAGE_BYTES,
                },
                "bindingVersion": "0.5.0",
            }
        },
    }


def _operation(service: str) -> Schema:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{topic_name(service)}"},
        "summary": f"The relay of {service} sends what was committed.",
    }


def _message(name: str, event: type[Event]) -> Schema:
    own = {"type": {"const": name}, "schema": {"const": event.schema_version}, "data": {"$ref": _place(name)}}
    return {
        "name": name,
        "summary": " ".join((event.__doc__ or "").split()),
        "payload": {"allOf": [{"$ref": _place("Envelope")}, {"type": "object", "properties": own}]},
        "bindings": {"kafka": {"key": {"type": "string", "description": "The stream."}, "bindingVersion": "0.5.0"}},
    }


def _place(name: str) -> str:
    return _PLACES.format(model=name)


def _events() -> Iterator[tuple[str, type[Event]]]:
    for service in MODULES:
        yield from events_of(service).items()


def _data_schemas() -> dict[str, Schema]:
    """Of every event, and of what they are made of: as ``data`` holds them."""
    events = [event for _, event in _events()]
    _, found = models_json_schema([(event, "validation") for event in events], ref_template=_PLACES)
    schemas: dict[str, Schema] = found["$defs"]
    for fact in _facts(events):
        for field in layout_of(fact).sealed:
            properties = schemas[fact.__name__]["properties"]
            properties[field.name] = _sealed(field.kind, properties[field.name])
    return schemas


def _facts(events: list[type[Event]]) -> set[type[Fact]]:
    """The events and all facts nested in them."""
    found: set[type[Fact]] = set()
    edge: set[type[Fact]] = set(events)
    while edge:
        found |= edge
        edge = {shape for fact in edge for f in fact.model_fields.values() for shape in _shapes(f.annotation)} - found
    return found


def _shapes(annotation: Any) -> Iterator[type[Fact]]:
    if isinstance(annotation, type) and issubclass(annotation, Fact):
        yield annotation
    for argument in get_args(annotation):
        yield from _shapes(argument)


def _sealed(kind: Kind, schema: Schema) -> Schema:
    given = next((one for one in schema.get("anyOf", ()) if one.get("type") != "null"), schema)
    value = {key: part for key, part in given.items() if key not in ("title", "default")}
    return {"type": "null", "x-guanhu-sealed": kind, _OWN_VALUE: value}


_TEXT: Final[Schema] = {"type": "string"}
_NUMBER: Final[Schema] = {"type": "integer", "minimum": 1}
_TIME: Final[Schema] = {"type": "string", "format": "date-time"}
_DIGEST: Final[Schema] = {"type": "string", "pattern": "^[0-9a-f]{64}$"}

ENVELOPE: Final[Schema] = {
    "title": "Envelope",
    "description": "One line of a log. Members that are not required are left out when they are not known.",
    "type": "object",
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "service": {"enum": list(MODULES)},
        "partition": {"type": "integer", "minimum": 0, "description": "Also the Kafka partition."},
        "seq": _NUMBER | {"description": "Counts 1, 2, 3, … in the partition, with no hole."},
        "stream": _TEXT | {"description": "The thing the event is about, such as child-0192…"},
        "version": _NUMBER | {"description": "Counts the events of the stream."},
        "type": _TEXT | {"description": "The event's name."},
        "schema": _NUMBER | {"description": "The version of its shape."},
        "occurred_at": _TIME | {"description": "When it happened."},
        "recorded_at": _TIME | {"description": "When the system learned it; never runs backwards in a partition."},
        "actor": {
            "type": "object",
            "description": "Who caused it: an id, never a name.",
            "properties": {"id": _TEXT, "role": _TEXT, "division": {"type": ["string", "null"]}},
            "required": ["id", "role", "division"],
        },
        "command_id": _TEXT | {"description": "Of the command it answers."},
        "data": {"type": "object", "description": "The fields in the clear."},
        "prev": _DIGEST | {"description": "SHA-256 of the record before it in the partition; zeros for the first."},
        "sealed": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "subject": _TEXT | {"description": "Whose key seals it."},
                    "kind": {"enum": list(get_args(Kind))},
                    "key": _TEXT | {"description": "The cipher."},
                    "ct": _TEXT | {"description": "Base64 of nonce, ciphertext and tag; opened it is {path: value}."},
                },
                "required": ["subject", "kind", "key", "ct"],
            },
        },
        "source": _TEXT,
        "device": _TEXT,
        "policy_version": _TEXT,
        "causation_id": _TEXT | {"description": "The event that a policy answered to."},
        "correlation_id": _TEXT,
        "traceparent": _TEXT,
    },
    "required": [
        *("id", "service", "partition", "seq", "stream", "version", "type", "schema"),
        *("occurred_at", "recorded_at", "actor", "command_id", "data", "prev"),
    ],
}


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, description in descriptions().items():
        (FOLDER / name).write_text(text_of(description), "utf-8")
    access_table.FILE.write_text(access_table.text(), "utf-8")


if __name__ == "__main__":
    main()
