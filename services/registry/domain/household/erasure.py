"""Erasure of a household: its members are persons too. Asked for by one person, approved by another (domain 6.3)."""

from __future__ import annotations

from services.registry.domain.child.erasure import check_two_persons
from services.registry.domain.household.closing import check_no_child_is_open
from services.registry.domain.household.states import OnFile
from shared.commands.command import Command
from shared.contracts.households import HouseholdErasureRequested, HouseholdKeyDestroyed
from shared.contracts.sealed import Personal
from shared.contracts.values import ChildId, HouseholdId, PersonId, Text


class RequestHouseholdErasure(Command):
    household: HouseholdId
    basis: Personal[Text]


class ApproveHouseholdErasure(Command):
    household: HouseholdId


class EraseLeftHousehold(Command):
    """All ``children`` of the household have been erased, the last one by the approval of that person."""

    household: HouseholdId
    children: frozenset[ChildId]
    approved_by: PersonId


class HouseholdErasureRequestBy(RequestHouseholdErasure):
    """``open_children`` are those of the household whose files are open."""

    person: PersonId
    open_children: frozenset[ChildId]


class HouseholdErasureApprovalBy(ApproveHouseholdErasure):
    person: PersonId
    open_children: frozenset[ChildId]


def requested(command: HouseholdErasureRequestBy) -> HouseholdErasureRequested:
    check_no_child_is_open(command.open_children)
    return HouseholdErasureRequested(household=command.household, basis=command.basis, requested_by=command.person)


def erased(command: HouseholdErasureApprovalBy, file: OnFile) -> HouseholdKeyDestroyed:
    """A child may have been registered since it was asked for."""
    check_no_child_is_open(command.open_children)
    check_two_persons(file.erasure_requested_by, command.person)
    return HouseholdKeyDestroyed(household=command.household, approved_by=command.person)


def erased_with_children(command: EraseLeftHousehold, file: OnFile) -> list[HouseholdKeyDestroyed]:
    """Nothing when another child has come to the household, or when there may be one that the file does not know."""
    if not file.knows_children or file.all_children != command.children:
        return []
    return [HouseholdKeyDestroyed(household=command.household, approved_by=command.approved_by)]
