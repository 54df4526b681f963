"""A child's file ends and begins again."""

from __future__ import annotations

from typing import ClassVar

from services.registry.domain.child.states import Closed, Open
from shared.commands.command import Command
from shared.contracts.refusal import Refusal
from shared.contracts.registry import ChildFileClosed, ChildFileReopened
from shared.contracts.sealed import Personal
from shared.contracts.values import ChildId, CloseReason, Day, Text


class CloseChildFile(Command):
    """``closed_on`` is the first day closed; without it the day it is told."""

    child: ChildId
    reason: CloseReason
    closed_on: Day | None = None


class ReopenChildFile(Command):
    child: ChildId
    reason: Personal[Text]
    reopened_on: Day | None = None


class MergedWithoutAnother(Refusal):
    """reason: a file is closed as merged by a merge alone, which names the file that goes on."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Let a reviewer merge the two files by MergeChildFiles."


class ClosedBeforeItBegan(Refusal):
    """A file can not be closed or reopened before the last day it was opened or closed."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Check the day."


def closed(command: CloseChildFile, child: Open) -> ChildFileClosed:
    if command.reason is CloseReason.MERGED:
        raise MergedWithoutAnother
    closed_on = command.closed_on or command.occurred_on
    if closed_on < child.since:
        raise ClosedBeforeItBegan
    return ChildFileClosed(child=command.child, reason=command.reason, closed_on=closed_on)


def reopened(command: ReopenChildFile, child: Closed) -> ChildFileReopened:
    reopened_on = command.reopened_on or command.occurred_on
    if reopened_on < child.since:
        raise ClosedBeforeItBegan
    return ChildFileReopened(child=command.child, reason=command.reason, reopened_on=reopened_on)
