"""Two files that may be one child's (domain 4.1): suspected by comparison, dismissed by a person who has looked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, assert_never

from shared.commands.command import Aggregate, Command, NothingToRecord, NotOnFile
from shared.contracts.refusal import Refusal
from shared.contracts.registry import DuplicateDismissed, DuplicateSuspected
from shared.contracts.values import ChildId, DismissReason, DivisionCode, DuplicateId, Likeness, PersonId
from shared.eventlog.placement import derived_id


def duplicate_of(one: str, other: str) -> str:
    """The stream of a pair of files: the same in whichever order they are named, beside the smaller id."""
    first, second = sorted((one, other))
    return derived_id(f"{first}/{second}", "duplicate", beside=first)


class SuspectDuplicate(Command):
    """Two files are to be compared, and suspected of being one child's if the rule says so: by the policy alone."""

    one: ChildId
    other: ChildId


class ComparedPair(SuspectDuplicate):
    """The wish, with what the comparison of the two files gave, and the smallest division that holds both."""

    alike: bool
    score: int
    rule: str
    reasons: tuple[Likeness, ...]
    division: DivisionCode | None


class DismissDuplicate(Command):
    duplicate: DuplicateId
    reason: DismissReason


class DismissalBy(DismissDuplicate):
    """The dismissal, with who dismisses, and who registered the two files."""

    person: PersonId
    registered_by: frozenset[str]


class SameFile(Refusal):
    """A file is not a duplicate of itself."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Name two different files."


class FilesNotAlike(NothingToRecord):
    """The two files are not enough alike, or one of them is not open."""


class DuplicateAlreadySuspected(NothingToRecord):
    """These two files are suspected already."""


class DuplicateWasDismissed(NothingToRecord):
    """Somebody has looked at these two files: they are two children's."""


class ReviewerIsRegistrar(Refusal):
    """Two files are judged by another person than those who registered them."""

    status: ClassVar[int] = 403
    what_to_do: ClassVar[str] = "Ask another person with review rights to look at the two files."


@dataclass(frozen=True)
class NotSuspected:
    pass


@dataclass(frozen=True)
class Suspected:
    first: str
    second: str
    division: str | None


@dataclass(frozen=True)
class Dismissed:
    first: str
    second: str
    division: str | None


Duplicate = NotSuspected | Suspected | Dismissed


def decide(
    command: ComparedPair | DismissalBy, duplicate: Duplicate
) -> list[DuplicateSuspected] | list[DuplicateDismissed]:
    match command, duplicate:
        case ComparedPair(), NotSuspected():
            return [_suspected(command)]
        case ComparedPair(), Suspected():
            raise DuplicateAlreadySuspected
        case ComparedPair(), Dismissed():
            raise DuplicateWasDismissed
        case DismissalBy(), Suspected():
            return [_dismissed(command, duplicate)]
        case DismissalBy(), Dismissed():
            raise DuplicateWasDismissed
        case DismissalBy(), NotSuspected():
            raise NotOnFile
        case _:
            raise AssertionError(command)


def evolve(duplicate: Duplicate, event: DuplicateSuspected | DuplicateDismissed) -> Duplicate:
    match event:
        case DuplicateSuspected():
            return Suspected(event.first, event.second, event.division)
        case DuplicateDismissed():
            return Dismissed(event.first, event.second, division_of(duplicate))
        case _:
            assert_never(event)


def division_of(duplicate: Duplicate) -> str | None:
    """Where a command on this pair takes effect."""
    return None if isinstance(duplicate, NotSuspected) else duplicate.division


def _suspected(command: ComparedPair) -> DuplicateSuspected:
    first, second = sorted((command.one, command.other))
    if first == second:
        raise SameFile
    if not command.alike:
        raise FilesNotAlike
    return DuplicateSuspected(
        duplicate=duplicate_of(first, second),
        first=first,
        second=second,
        division=command.division,
        score=command.score,
        rule=command.rule,
        reasons=command.reasons,
    )


def _dismissed(command: DismissalBy, pair: Suspected) -> DuplicateDismissed:
    if command.person in command.registered_by:
        raise ReviewerIsRegistrar
    return DuplicateDismissed(
        duplicate=command.duplicate,
        first=pair.first,
        second=pair.second,
        reason=command.reason,
        dismissed_by=command.person,
    )


DUPLICATE = Aggregate[Duplicate](NotSuspected(), evolve, decide)
