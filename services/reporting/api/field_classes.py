"""What of a child's card is class C3, and left out for those who need no such detail (domain 6.1, 6.2).

Who works in a village sees that a child is ill or at risk, and not what of; the child director, the supervisor and the
county see all. Citizen numbers are masked in the card itself, for everybody.
"""

from __future__ import annotations

from typing import Any, Final

from shared.contracts.own_fields import FieldClass
from shared.projection.read_model import Document

_KEPT: Final = {
    "health": {"state"},
    "welfare": set[str](),
    "risk": {"level", "assessed_on", "next_due", "override"},
}
"""What stays of a block; of the others all stays."""

SENSITIVE: Final = FieldClass.SENSITIVE.value
_KEPT_OF_OVERRIDE: Final = {"level", "until"}
_NOT_OF_A_PARENT: Final = {"incapable_reason", "lost_contact_since", "citizen_number", "birth_date"}

_NOT_OF_A_HOUSEHOLD: Final = {"hukou_book_number", "allowances", "income_sources"}

_SENSITIVE_EVENTS: Final = {
    "HouseholdFileUpdated",
    "HealthRecorded",
    "WelfareRecorded",
    "OwnFieldsRecorded",
    "RiskAssessed",
    "RiskLevelOverridden",
    "KeyGroupMarked",
    "KeyGroupCleared",
    "ParentSituationRecorded",
    "AttachmentAdded",
    "AttachmentRemoved",
    "ConflictingValueKept",
    "MajorChangeReported",
}

_NOT_OF_A_VISIT: Final = {"psychology"}


def without_detail(file: Document | None) -> Document | None:
    """The card's part ``file`` without class C3."""
    if file is None:
        return None
    shown = {name: _block(name, value) for name, value in file.items()}
    return {name: value for name, value in shown.items() if value not in ({}, None)}


def without_photos(attachments: Document | None) -> Document | None:
    """The card's part ``attachments`` without pictures of the child; of a form only that there is one."""
    return attachments and {name: one for name, one in attachments.items() if one.get("kind") != "photo"}


def household_without_detail(file: Document) -> Document:
    """A household's file without class C3."""
    return _less(file, _NOT_OF_A_HOUSEHOLD)


def entry_without_detail(entry: Document) -> Document:
    """An entry of the time line: that it happened, without what it said, where that is class C3."""
    about_parents = "father" in entry.get("facts", {})
    if entry["type"] in _SENSITIVE_EVENTS or about_parents:
        return _less(entry, {"facts"})
    return entry | {"facts": _less(entry["facts"], _NOT_OF_A_VISIT)} if "facts" in entry else entry


def _block(name: str, value: Any) -> Any:
    if name == "parents":
        return {parent: _less(told, _NOT_OF_A_PARENT) for parent, told in value.items()}
    if name == "proposals":
        return {proposal: _proposal(told) for proposal, told in value.items()}
    if name == "own_fields":
        return {key: field for key, field in value.items() if field["class"] != SENSITIVE}
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
