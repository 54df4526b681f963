"""What of a child's card is class C3, and left out for those who need no such detail (domain 6.1, 6.2).

Who works in a village sees that a child is ill or at risk, and not what of; the child director, the supervisor and the
county see all. Citizen numbers are masked in the card itself, for everybody.
"""

from __future__ import annotations

from typing import Any, Final

from shared.projection.read_model import Document

_KEPT: Final = {
    "health": {"state"},
    "welfare": set[str](),
    "risk": {"level", "assessed_on", "next_due", "override"},
}
"""What stays of a block; of the others all stays."""

_KEPT_OF_OVERRIDE: Final = {"level", "until"}
_NOT_OF_A_PARENT: Final = {"incapable_reason", "lost_contact_since", "citizen_number", "birth_date"}

_SENSITIVE_EVENTS: Final = {
    "HealthRecorded",
    "WelfareRecorded",
    "RiskAssessed",
    "RiskLevelOverridden",
    "KeyGroupMarked",
    "KeyGroupCleared",
    "ParentSituationRecorded",
    "ConflictingValueKept",
}


def without_detail(file: Document | None) -> Document | None:
    """The card's part ``file`` without class C3."""
    if file is None:
        return None
    shown = {name: _block(name, value) for name, value in file.items()}
    return {name: value for name, value in shown.items() if value not in ({}, None)}


def entry_without_detail(entry: Document) -> Document:
    """An entry of the time line: that it happened, without what it said, where that is class C3."""
    about_parents = "father" in entry.get("facts", {})
    if entry["type"] not in _SENSITIVE_EVENTS and not about_parents:
        return entry
    return {name: value for name, value in entry.items() if name != "facts"}


def _block(name: str, value: Any) -> Any:
    if name == "parents":
        return {parent: _less(told, _NOT_OF_A_PARENT) for parent, told in value.items()}
    if name == "proposals":
        return {proposal: _proposal(told) for proposal, told in value.items()}
    if name not in _KEPT:
        return value
    kept = {field: one for field, one in value.items() if field in _KEPT[name]}
    if "override" in kept:
        kept["override"] = {field: one for field, one in kept["override"].items() if field in _KEPT_OF_OVERRIDE}
    return kept


def _proposal(told: Document) -> Document:
    """Of a block of which not all is shown, that two values wait, and neither of them."""
    return _less(told, {"found", "on_file"}) if told.get("block") in {"parents", *_KEPT} else told


def _less(told: Document, left_out: set[str]) -> Document:
    return {field: one for field, one in told.items() if field not in left_out}
