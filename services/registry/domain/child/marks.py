"""Marks on a file: the six key groups, and the three care programmes (domain 2c, 3.1, block Marks)."""

from __future__ import annotations

from typing import ClassVar, Final

from services.registry.domain.child.states import OnFile
from shared.commands.command import Command
from shared.contracts.child_file import CareProgrammeJoined, CareProgrammeLeft, KeyGroupCleared, KeyGroupMarked
from shared.contracts.refusal import Refusal
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import CareProgramme, ChildId, CitizenNumberStatus, KeyGroup, Text

_NO_NUMBER: Final = "公民身份号码状态：无"
_NUMBER_PRESENT: Final = "公民身份号码已登记"


class MarkKeyGroup(Command):
    child: ChildId
    group: KeyGroup
    reason: Personal[Text]


class ClearKeyGroup(Command):
    child: ChildId
    group: KeyGroup
    reason: Personal[Text]


class JoinCareProgramme(Command):
    child: ChildId
    programme: CareProgramme


class LeaveCareProgramme(Command):
    child: ChildId
    programme: CareProgramme


class KeyGroupAlreadyMarked(Refusal):
    """The child is marked with this key group."""

    what_to_do: ClassVar[str] = "Nothing: the mark is there."


class KeyGroupNotMarked(Refusal):
    """The child is not marked with this key group."""

    what_to_do: ClassVar[str] = "Nothing: there is no mark to clear."


class CareProgrammeAlreadyJoined(Refusal):
    """The child is in this programme."""

    what_to_do: ClassVar[str] = "Nothing: it has joined."


class CareProgrammeNotJoined(Refusal):
    """The child is not in this programme."""

    what_to_do: ClassVar[str] = "Nothing: there is nothing to leave."


def marked(command: MarkKeyGroup, file: OnFile) -> KeyGroupMarked:
    if command.group in file.key_groups:
        raise KeyGroupAlreadyMarked
    return KeyGroupMarked(child=command.child, group=Counted(command.group), reason=command.reason)


def cleared(command: ClearKeyGroup, file: OnFile) -> KeyGroupCleared:
    if command.group not in file.key_groups:
        raise KeyGroupNotMarked
    return KeyGroupCleared(child=command.child, group=Counted(command.group), reason=command.reason)


def joined(command: JoinCareProgramme, file: OnFile) -> CareProgrammeJoined:
    if command.programme in file.programmes:
        raise CareProgrammeAlreadyJoined
    return CareProgrammeJoined(child=command.child, programme=Counted(command.programme))


def left(command: LeaveCareProgramme, file: OnFile) -> CareProgrammeLeft:
    if command.programme not in file.programmes:
        raise CareProgrammeNotJoined
    return CareProgrammeLeft(child=command.child, programme=Counted(command.programme))


def registration_marked(child: str, file: OnFile) -> list[KeyGroupMarked | KeyGroupCleared]:
    """A child that has no number is of the group no_registration until it has one (domain 3.0, rule 5)."""
    status = file.number_status and file.number_status.get()
    marked_so, group = KeyGroup.NO_REGISTRATION in file.key_groups, Counted(KeyGroup.NO_REGISTRATION)
    if status is CitizenNumberStatus.NONE and not marked_so:
        return [KeyGroupMarked(child=child, group=group, reason=Personal(_NO_NUMBER))]
    if status is CitizenNumberStatus.PRESENT and marked_so:
        return [KeyGroupCleared(child=child, group=group, reason=Personal(_NUMBER_PRESENT))]
    return []
