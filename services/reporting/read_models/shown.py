"""How the values of a child's file are shown on the card: opened, numbers masked, what was erased left out."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Any

from shared.contracts.event import Fact
from shared.contracts.masking import masked as masked
from shared.contracts.registry import CareSituation, CareSituationRecorded, ParentSituation, ParentsSituation
from shared.contracts.sealed import Personal, Sealed
from shared.projection.read_model import Document


def opened(block: Personal[Any] | None) -> Document:
    """The fields of a block that were filled in, its citizen number masked; none once it is erased."""
    fact = None if block is None else block.get()
    if not isinstance(fact, Fact):
        return {}
    fields = fact.model_dump(mode="json", exclude_none=True)
    if "citizen_number" in fields:
        fields["citizen_number"] = masked(fields["citizen_number"])
    return fields


def value(code: Sealed[StrEnum] | None) -> str | None:
    found = None if code is None else code.get()
    return None if found is None else found.value


def day(sealed: Sealed[date] | None) -> str | None:
    found = None if sealed is None else sealed.get()
    return None if found is None else found.isoformat()


def told(**fields: Any) -> Document:
    """Only what was told: a field that nobody filled in takes no room."""
    return {name: value for name, value in fields.items() if value is not None}


def parents_of(parents: ParentsSituation) -> Document:
    return {"father": _parent_of(parents.father), "mother": _parent_of(parents.mother)}


def _parent_of(parent: ParentSituation) -> Document:
    return told(
        state=value(parent.state),
        since=day(parent.since),
        name=parent.name and parent.name.get(),
        phone=parent.phone and parent.phone.get(),
        away_place=parent.away_place and parent.away_place.get(),
        across_county=parent.across_county and parent.across_county.get(),
        **opened(parent.details),
    )


def care_recorded(event: CareSituationRecorded) -> Document:
    return care_of(event.care) | told(quality=value(event.quality), since=day(event.since))


def care_of(care: CareSituation) -> Document:
    return told(
        kind=value(care.kind),
        living_alone=care.living_alone.get(),
        caregiver=care.caregiver and care.caregiver.get(),
        caregiver_phone=care.caregiver_phone and care.caregiver_phone.get(),
        note=care.note and care.note.get(),
    )
