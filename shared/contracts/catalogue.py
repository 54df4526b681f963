"""Which class stands behind a wire name and a schema version, and how an old shape becomes today's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, Final

from shared.contracts import pairing, registry, reporting, visits
from shared.contracts.event import Event

Upcast = Callable[[dict[str, Any]], dict[str, Any]]

MODULES: Final[Mapping[str, ModuleType]] = {
    "registry": registry,
    "visits": visits,
    "pairing": pairing,
    "reporting": reporting,
}


def _pair_ended_2(data: dict[str, Any]) -> dict[str, Any]:
    """The reason was a text about the child."""
    return data | {"reason": "other", "note": data["reason"]}


UPCASTS: Final[Mapping[tuple[str, int], Upcast]] = {("PairEnded", 1): _pair_ended_2}
"""(wire name, old version) to the function that makes the next version's data of it."""


def events_of(service: str) -> dict[str, type[Event]]:
    """The events of one service by wire name."""
    module = MODULES[service]
    return {
        name: thing
        for name, thing in vars(module).items()
        if isinstance(thing, type) and issubclass(thing, Event) and thing.__module__ == module.__name__
    }


CATALOGUE: Final[Mapping[str, type[Event]]] = {
    name: event for service in MODULES for name, event in events_of(service).items()
}


def newer_than_code(wire_name: str, schema: int) -> bool:
    """True when this code does not know the event, or only older shapes of it: passed over and counted."""
    event = CATALOGUE.get(wire_name)
    return event is None or schema > event.schema_version


def upcast(wire_name: str, schema: int, data: dict[str, Any]) -> dict[str, Any]:
    for version in range(schema, CATALOGUE[wire_name].schema_version):
        data = UPCASTS[wire_name, version](data)
    return data
