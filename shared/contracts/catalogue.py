"""Which class stands behind a wire name and a schema version, and how an old shape becomes today's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, Final

from shared.contracts import child_file, counting, pairing, registry, reporting, risk, visits
from shared.contracts.event import Event

Upcast = Callable[[dict[str, Any]], dict[str, Any]]

MODULES: Final[Mapping[str, tuple[ModuleType, ...]]] = {
    "registry": (registry, child_file, counting, risk),
    "visits": (visits,),
    "pairing": (pairing,),
    "reporting": (reporting,),
}


def _only_more_may_be_told(data: dict[str, Any]) -> dict[str, Any]:
    """The next version has further fields, each of which may be missing."""
    return data


UPCASTS: Final[Mapping[tuple[str, int], Upcast]] = {
    ("ChildRegistered", 1): _only_more_may_be_told,
    ("ParentSituationRecorded", 1): _only_more_may_be_told,
    ("CareSituationRecorded", 1): _only_more_may_be_told,
    ("ChangeProposed", 1): _only_more_may_be_told,
}
"""(wire name, old version) to the function that makes the next version's data of it."""


def events_of(service: str) -> dict[str, type[Event]]:
    """The events of one service by wire name."""
    return {
        name: thing
        for module in MODULES[service]
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
