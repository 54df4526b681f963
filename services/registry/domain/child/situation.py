"""The parents, and who cares for the child (domain 3.1, blocks Parents, Care)."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from services.registry.domain import citizen_number
from services.registry.domain.child.conflict import BlockEntry
from services.registry.domain.child.states import OnFile
from services.registry.domain.phone import check_phone
from shared.contracts.refusal import Refusal
from shared.contracts.registry import (
    CareSituation,
    CareSituationRecorded,
    ParentDetails,
    ParentSituation,
    ParentSituationRecorded,
    ParentsSituation,
)
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import CareQuality, Day, FileBlock, ParentState


class RecordParentSituation(BlockEntry):
    block: ClassVar[FileBlock] = FileBlock.PARENTS

    parents: ParentsSituation


class RecordCareSituation(BlockEntry):
    """``since`` is the first day it holds; without it the day it was seen."""

    block: ClassVar[FileBlock] = FileBlock.CARE

    care: CareSituation
    quality: Personal[CareQuality] | None = None
    since: Day | None = None


class HoldsFromTheFuture(Refusal):
    """What is on file holds today or held before; this day lies ahead."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Check the day; tell what is still to come when it has come."


class ParentYoungerThanChild(Refusal):
    """A parent was born before the child."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Check both birth dates; correct the child's identity first where that one is wrong."


class ParentContradictsItself(Refusal):
    """A reason why a parent is incapable, or a day since which contact is lost, goes with that state alone."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Check the parent's state, or leave the reason or the day out."


def parents_recorded(command: RecordParentSituation, file: OnFile) -> ParentSituationRecorded:
    return ParentSituationRecorded(
        child=command.child, parents=fitting_parents(command.parents, file.born.get(), command.occurred_on)
    )


def care_recorded(command: RecordCareSituation) -> CareSituationRecorded:
    check_phone("care.caregiver_phone", command.care.caregiver_phone)
    if command.since is not None and command.since > command.occurred_on:
        raise HoldsFromTheFuture("since: this day lies ahead")
    return CareSituationRecorded(
        child=command.child,
        care=command.care,
        quality=command.quality,
        since=None if command.since is None else Counted(command.since),
    )


def fitting_parents(parents: ParentsSituation, born: date | None, today: date) -> ParentsSituation:
    """The parents as they are stored, of a child born then.

    Raises ParentYoungerThanChild, ParentContradictsItself, CitizenNumberInvalid, PhoneInvalid.
    """
    return ParentsSituation(
        father=_fitting("father", parents.father, born, today),
        mother=_fitting("mother", parents.mother, born, today),
    )


def _fitting(which: str, parent: ParentSituation, born: date | None, today: date) -> ParentSituation:
    check_phone(f"parents.{which}.phone", parent.phone)
    details = None if parent.details is None else parent.details.get()
    if details is None:
        return parent
    state = parent.state.reveal()
    if details.incapable_reason is not None and state is not ParentState.INCAPABLE:
        raise ParentContradictsItself(f"parents.{which}.details.incapable_reason: goes with the state incapable alone")
    if details.lost_contact_since is not None and state is not ParentState.LOST_CONTACT:
        raise ParentContradictsItself(f"parents.{which}.details.lost_contact_since: goes with lost_contact alone")
    details = _numbered(details, today)
    if born is not None and details.birth_date is not None and details.birth_date >= born:
        raise ParentYoungerThanChild(f"parents.{which}.details.birth_date: born on the child's birth date or after it")
    return parent.model_copy(update={"details": Personal(details)})


def _numbered(details: ParentDetails, today: date) -> ParentDetails:
    """With the number as it is stored, and the birth date that it tells where none was stated."""
    if details.citizen_number is None:
        return details
    number = citizen_number.normalised(details.citizen_number, today)
    born = details.birth_date or citizen_number.birth_date(number)
    return details.model_copy(update={"citizen_number": number, "birth_date": born})
