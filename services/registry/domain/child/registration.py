"""A child's file begins, with the situation found at the door."""

from __future__ import annotations

from typing import ClassVar

from services.registry.domain import citizen_number
from services.registry.domain.child.situation import fitting_parents
from services.registry.domain.phone import check_phone
from shared.commands.command import Command
from shared.contracts.refusal import Refusal
from shared.contracts.registry import CareSituation, ChildRegistered, ParentsSituation
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import (
    ChildId,
    CitizenNumberStatus,
    Day,
    DivisionCode,
    HouseholdId,
    HukouKind,
    Name,
    Phone,
    Sex,
    Text,
    VillageCode,
)
from shared.eventlog.placement import placement_of


class RegisterChild(Command):
    """Begins a child's file, and the household's where it has none yet."""

    child: ChildId
    household: HouseholdId
    residence: VillageCode
    hukou: DivisionCode
    name: Personal[Name]
    birth_date: Personal[Day]
    citizen_number: Personal[str] | None = None
    sex: Sex = Sex.UNKNOWN
    parents: ParentsSituation
    care: CareSituation
    household_head: Personal[Name]
    household_phone: Personal[Phone] | None = None
    address: Personal[Text] | None = None
    citizen_number_status: Personal[CitizenNumberStatus] | None = None
    hukou_kind: HukouKind | None = None


class BornInTheFuture(Refusal):
    """birth_date: the child is not born yet."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Check the birth date."


class ChildStandsElsewhere(Refusal):
    """The id of a child must take over the last two bytes of its household's id."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Make the child's id beside the household's, so that both stand in one partition."


def registered(command: RegisterChild) -> ChildRegistered:
    born = command.birth_date.reveal()
    if born > command.occurred_on:
        raise BornInTheFuture
    if placement_of(command.child) != placement_of(command.household):
        raise ChildStandsElsewhere
    check_phone("household_phone", command.household_phone)
    check_phone("care.caregiver_phone", command.care.caregiver_phone)
    number = _number(command)
    return ChildRegistered(
        child=command.child,
        household=command.household,
        residence=command.residence,
        hukou=command.hukou,
        name=command.name,
        birth_date=command.birth_date,
        citizen_number=None if number is None else Personal(number),
        birth_month=Counted(born.isoformat()[:7]),
        sex=Counted(command.sex),
        parents=fitting_parents(command.parents, born, command.occurred_on),
        care=command.care,
        citizen_number_status=command.citizen_number_status,
        hukou_kind=None if command.hukou_kind is None else Counted(command.hukou_kind),
    )


def _number(command: RegisterChild) -> str | None:
    number, status = command.citizen_number, command.citizen_number_status
    return citizen_number.fitting(
        None if number is None else number.reveal(), None if status is None else status.reveal(), command.occurred_on
    )
