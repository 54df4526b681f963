"""Which class stands behind a wire name and a schema version, and how an old shape becomes today's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, Final

from shared.contracts import (
    access,
    access_log,
    child_file,
    concerns,
    consent,
    counting,
    divisions,
    field_work,
    file_keeping,
    households,
    mapping,
    mapping_gap,
    oversight,
    own_fields,
    pairing,
    places,
    protection,
    registry,
    reporting,
    retention,
    risk,
    roster,
    visit_policy,
    visits,
)
from shared.contracts.event import Event

Upcast = Callable[[dict[str, Any]], dict[str, Any]]

MODULES: Final[Mapping[str, tuple[ModuleType, ...]]] = {
    "registry": (
        *(registry, roster, divisions, places, child_file, file_keeping, counting, risk, households, mapping),
        *(mapping_gap, retention, own_fields, access, consent),
    ),
    "visits": (visits, visit_policy, field_work, concerns, protection, oversight),
    "pairing": (pairing,),
    "reporting": (reporting, access_log),
}
"""The modules that hold the events of a service."""


def _pair_ended_2(data: dict[str, Any]) -> dict[str, Any]:
    """The reason was a text about the child."""
    return data | {"reason": "other", "note": data["reason"]}


def _coded_reason(data: dict[str, Any]) -> dict[str, Any]:
    """WorkingGroupWithdrawn: the text that stood there as reason is left behind; only rotation was told by a word."""
    first_secretary = data.pop("first_secretary", None)
    rotated = data["reason"] in ("rotated", "轮换")
    leaving = [{"person": first_secretary, "office": "first_secretary", "since": None}] if first_secretary else []
    return data | {"reason": "rotated" if rotated else "other", "leaving": leaving}


def _only_more_may_be_told(data: dict[str, Any]) -> dict[str, Any]:
    """The next version has further fields, each of which may be missing, or further codes."""
    return data


UPCASTS: Final[Mapping[tuple[str, int], Upcast]] = {
    ("PairEnded", 1): _pair_ended_2,
    ("WorkingGroupWithdrawn", 1): _coded_reason,
    ("HouseholdFileOpened", 1): _only_more_may_be_told,
    ("CaregiverEntrusted", 1): _only_more_may_be_told,
    ("ChildRegistered", 1): _only_more_may_be_told,
    ("ParentSituationRecorded", 1): _only_more_may_be_told,
    ("CareSituationRecorded", 1): _only_more_may_be_told,
    ("ChangeProposed", 1): _only_more_may_be_told,
    ("ChangeProposed", 2): _only_more_may_be_told,
    ("VisitLogged", 1): _only_more_may_be_told,
    ("ChildFileClosed", 1): _only_more_may_be_told,
    ("ChildFileReviewConfirmed", 1): _only_more_may_be_told,
    ("CountingRuleAdopted", 1): _only_more_may_be_told,
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
