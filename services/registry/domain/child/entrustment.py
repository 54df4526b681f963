"""委托照护: an adult whom the parents have entrusted, one at a time (domain 2c, 3.1)."""

from __future__ import annotations

from typing import ClassVar

from services.registry.domain.child.situation import HoldsFromTheFuture
from services.registry.domain.child.states import OnFile
from services.registry.domain.phone import check_phone
from shared.commands.command import Command
from shared.contracts.child_file import CaregiverEntrusted, Entrustment, EntrustmentEnded
from shared.contracts.refusal import Refusal
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import ChildId, Day, Text


class EntrustCaregiver(Command):
    """By a paper signed at the village. ``starts`` is its first day; without it the day it was signed."""

    child: ChildId
    entrustment: Personal[Entrustment]
    starts: Day | None = None


class EndEntrustment(Command):
    """``ends`` is the first day without it; without it the day it is told."""

    child: ChildId
    reason: Personal[Text]
    ends: Day | None = None


class CaregiverAlreadyEntrusted(Refusal):
    """A caregiver is entrusted with this child."""

    what_to_do: ClassVar[str] = "End that entrustment first; then record the new one."


class NobodyIsEntrusted(Refusal):
    """No caregiver is entrusted with this child."""

    what_to_do: ClassVar[str] = "Nothing: there is no entrustment to end."


class EntrustmentEndsBeforeItBegan(Refusal):
    """ends: an entrustment does not end before its first day."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Check the day."


def entrusted(command: EntrustCaregiver, file: OnFile) -> CaregiverEntrusted:
    if file.entrusted is not None:
        raise CaregiverAlreadyEntrusted
    paper = command.entrustment.reveal()
    check_phone("entrustment.phone", None if paper.phone is None else Personal(paper.phone))
    signed_on = paper.signed_on
    if signed_on > command.occurred_on:
        raise HoldsFromTheFuture("signed_on: this day lies ahead")
    return CaregiverEntrusted(
        child=command.child, entrustment=command.entrustment, starts=Counted(command.starts or signed_on)
    )


def ended(command: EndEntrustment, file: OnFile) -> EntrustmentEnded:
    if file.entrusted is None:
        raise NobodyIsEntrusted
    ends, starts = command.ends or command.occurred_on, file.entrusted.get()
    if starts is not None and ends < starts:
        raise EntrustmentEndsBeforeItBegan
    return EntrustmentEnded(child=command.child, reason=command.reason, ends=Counted(ends))
