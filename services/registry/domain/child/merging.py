"""Two files of one child become one, and can be two again (domain 4.1).

Both facts stand in the stream of the file that is merged away, beside its closing and its opening: one append, and
whoever follows the days of a file follows a merge. The file that goes on is not written to.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from services.registry.domain.child.closing import ClosedBeforeItBegan
from services.registry.domain.child.situation import HoldsFromTheFuture
from services.registry.domain.child.states import Closed, Open
from services.registry.domain.duplicate import ReviewerIsRegistrar, SameFile, duplicate_of
from shared.commands.command import Claims, Command
from shared.contracts.event import Event
from shared.contracts.file_keeping import ChildFilesMerged, ChildMergeUndone
from shared.contracts.refusal import Refusal
from shared.contracts.registry import ChildFileClosed, ChildFileReopened
from shared.contracts.sealed import Personal
from shared.contracts.values import ChildId, CloseReason, Day, PersonId, Text, VillageCode


class MergeChildFiles(Command):
    """The file ``child`` is merged into the file ``into``, which goes on.

    ``merged_on`` is the first day on which the child counts once; without it the day it is told.
    """

    child: ChildId
    into: ChildId
    reason: Personal[Text]
    merged_on: Day | None = None


class UndoChildMerge(Command):
    """The two files are two children's after all."""

    child: ChildId
    into: ChildId
    reason: Personal[Text]


class MergeBy(MergeChildFiles):
    """The merge, with who merges, who registered the two files, and how the file that goes on stands."""

    person: PersonId
    registered_by: frozenset[str]
    village: VillageCode
    goes_on: bool


class UndoBy(UndoChildMerge):
    person: PersonId
    registered_by: frozenset[str]


class FileThatGoesOnIsClosed(Refusal):
    """into: the file that is to go on is closed."""

    what_to_do: ClassVar[str] = "Reopen that file first, or merge the two the other way round."


class ChildFileNotMerged(Refusal):
    """The file is not merged into that one."""

    what_to_do: ClassVar[str] = "See the card: it names the file that this one was merged into."


def merged(command: MergeBy, file: Open) -> list[Event]:
    merged_on = command.merged_on or command.occurred_on
    if command.child == command.into:
        raise SameFile
    if command.person in command.registered_by:
        raise ReviewerIsRegistrar
    if not command.goes_on:
        raise FileThatGoesOnIsClosed
    if merged_on > command.occurred_on:
        raise HoldsFromTheFuture("merged_on: this day lies ahead")
    if merged_on < file.since:
        raise ClosedBeforeItBegan
    return [
        ChildFilesMerged(
            child=command.child,
            into=command.into,
            village=command.village,
            merged_on=merged_on,
            reason=command.reason,
            merged_by=command.person,
        ),
        ChildFileClosed(child=command.child, reason=CloseReason.MERGED, closed_on=merged_on),
    ]


def undone(command: UndoBy, file: Closed) -> list[Event]:
    """Open again from the very day of the merge: of two turns on one day the later told one holds."""
    if file.merged_into is None or file.merged_into.child != command.into:
        raise ChildFileNotMerged
    if command.person in command.registered_by:
        raise ReviewerIsRegistrar
    return [
        ChildMergeUndone(child=command.child, into=command.into, reason=command.reason, undone_by=command.person),
        ChildFileReopened(child=command.child, reason=command.reason, reopened_on=file.since),
    ]


def merge_claims(events: Sequence[Event]) -> Claims:
    """A merge holds the pair of its two files: two who merge them in the same moment, each the other way round, would
    close both."""
    taken = {_pair(event): event.child for event in events if isinstance(event, ChildFilesMerged)}
    return Claims(taken, tuple(_pair(event) for event in events if isinstance(event, ChildMergeUndone)))


def _pair(event: ChildFilesMerged | ChildMergeUndone) -> str:
    return f"merged/{duplicate_of(event.child, event.into)}"
