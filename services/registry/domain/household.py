"""Household files: one per household, with every child of it beside it in one partition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from services.registry.domain.child import RegisterChild
from shared.commands.command import Aggregate
from shared.contracts.refusal import Refusal
from shared.contracts.registry import HouseholdFileOpened


class RegisterResident(RegisterChild):
    """The registration, with the codes that its village had before, or took over."""

    formerly: frozenset[str] = frozenset()


class HouseholdInOtherVillage(Refusal):
    """The household is on file in another village than the child is to live in."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Register the child in the household's village, or move the household first."


@dataclass(frozen=True)
class NotOnRecord:
    pass


@dataclass(frozen=True)
class Open:
    village: str


Household = NotOnRecord | Open


def decide(command: RegisterChild, household: Household) -> list[HouseholdFileOpened]:
    """The first child of a household opens its file."""
    match household:
        case NotOnRecord():
            return [
                HouseholdFileOpened(
                    household=command.household,
                    village=command.residence,
                    head=command.household_head,
                    address=command.address,
                    phone=command.household_phone,
                )
            ]
        case Open(village):
            if village not in _codes_of_its_village(command):
                raise HouseholdInOtherVillage
            return []


def _codes_of_its_village(command: RegisterChild) -> frozenset[str]:
    formerly = command.formerly if isinstance(command, RegisterResident) else frozenset()
    return formerly | {command.residence}


def evolve(household: Household, event: HouseholdFileOpened) -> Household:
    return Open(event.village)


HOUSEHOLD = Aggregate[Household](NotOnRecord(), evolve, decide)
