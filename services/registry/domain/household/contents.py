"""A household's file is opened and updated; the registration of a child opens one too, or joins it (domain 4.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from services.registry.domain.child import RegisterChild
from services.registry.domain.household.states import OnFile, Open
from shared.commands.command import Command
from shared.contracts.households import ChildJoinedHousehold, HouseholdDetails, HouseholdFileUpdated
from shared.contracts.refusal import Refusal
from shared.contracts.registry import HouseholdFileOpened
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import (
    HouseholdId,
    HouseholdPoverty,
    HouseholdRelation,
    Name,
    NodeCode,
    Phone,
    Text,
    VillageCode,
)


class OpenHouseholdFile(Command):
    """``group`` is the code of a village group (村民组) of the village; ``details`` name a member or say why not."""

    household: HouseholdId
    village: VillageCode
    head: Personal[Name]
    group: NodeCode | None = None
    address: Personal[Text] | None = None
    phone: Personal[Phone] | None = None
    poverty: Counted[HouseholdPoverty] | None = None
    details: Personal[HouseholdDetails]


class UpdateHouseholdFile(Command):
    """Only what is said takes the place of what the file holds; of ``details`` too. An empty list empties a list."""

    household: HouseholdId
    head: Personal[Name] | None = None
    group: NodeCode | None = None
    address: Personal[Text] | None = None
    phone: Personal[Phone] | None = None
    poverty: Counted[HouseholdPoverty] | None = None
    details: Personal[HouseholdDetails] | None = None


class RegisterResident(RegisterChild):
    """The registration, with the codes that its village had before, or took over."""

    formerly: frozenset[str] = frozenset()


class HouseholdInOtherVillage(Refusal):
    """The household is on file in another village than the child is to live in."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Register the child in the household's village, or move the household first."


class HouseholdWithoutMember(Refusal):
    """details: a household's file names at least one member, or says why it names none."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Name a member in members, or give the reason in without_members."


class SeveralHeads(Refusal):
    """details.members: a household has one head."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Give the relation head to one member at most."


def opened(command: OpenHouseholdFile) -> HouseholdFileOpened:
    details = command.details.reveal()
    _check_members(details, HouseholdDetails(members=()))
    return HouseholdFileOpened(
        household=command.household,
        village=command.village,
        head=command.head,
        address=command.address,
        phone=command.phone,
        group=command.group,
        poverty=command.poverty,
        details=command.details,
    )


def opened_by_child(command: RegisterChild) -> HouseholdFileOpened:
    if command.household_details is not None:
        _check_members(command.household_details.reveal(), HouseholdDetails())
    return HouseholdFileOpened(
        household=command.household,
        village=command.residence,
        head=command.household_head,
        address=command.address,
        phone=command.household_phone,
        children=(command.child,),
        details=command.household_details,
    )


def check_village(command: RegisterChild, file: OnFile) -> None:
    """Raises HouseholdInOtherVillage."""
    formerly = command.formerly if isinstance(command, RegisterResident) else frozenset()
    if file.village not in formerly | {command.residence}:
        raise HouseholdInOtherVillage


def joined(command: RegisterChild, file: Open) -> list[ChildJoinedHousehold | HouseholdFileUpdated]:
    """What a form tells of the household with a further child takes the place of what its file held."""
    told = UpdateHouseholdFile(household=command.household, details=command.household_details)
    return [ChildJoinedHousehold(household=command.household, child=command.child), *updated(told, file)]


def updated(command: UpdateHouseholdFile, file: OnFile) -> list[HouseholdFileUpdated]:
    """Nothing when the file holds all of it."""
    told = {name: getattr(command, name) for name in ("head", "group", "address", "phone", "poverty")}
    news: dict[str, Any] = {name: value for name, value in told.items() if value not in (None, getattr(file, name))}
    if command.details is not None:
        details = command.details.reveal()
        _check_members(details, file.details)
        if said := {name: value for name, value in told_of(details).items() if value != getattr(file.details, name)}:
            news["details"] = Personal(HouseholdDetails(**said))
    return [HouseholdFileUpdated(household=command.household, **news)] if news else []


def told_of(details: HouseholdDetails) -> Mapping[str, Any]:
    """The fields that were told."""
    return {name: value for name, value in details if value is not None}


def _check_members(told: HouseholdDetails, known: HouseholdDetails) -> None:
    """Of what the file would hold. A file that a registration opened names nobody until somebody is named."""
    members = known.members if told.members is None else told.members
    reason = told.without_members if told.members is not None else told.without_members or known.without_members
    if members == () and not (reason or "").strip():
        raise HouseholdWithoutMember
    if sum(member.relation is HouseholdRelation.HEAD for member in members or ()) > 1:
        raise SeveralHeads
