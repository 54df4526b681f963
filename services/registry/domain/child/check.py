"""The check of a file in two steps: the village submits, the township reviews, the county verifies (domain 3.1).

Who entered what is to be checked does not check it, and nobody takes both steps. What changes after a check opens the
file for both steps again: after the county's, parents, care and hukou; between the two, everything.
"""

from __future__ import annotations

from typing import ClassVar, Final

from services.registry.domain.child.states import Block, OnFile, Open, Stage
from shared.commands.command import Command
from shared.contracts.child_file import (
    ChildFileReturned,
    ChildFileReviewConfirmed,
    ChildFileReviewed,
    ChildFileReviewOpened,
    ChildFileSubmitted,
    ChildFileVerified,
    HealthRecorded,
    SchoolingRecorded,
)
from shared.contracts.event import Event
from shared.contracts.refusal import Refusal
from shared.contracts.registry import CareSituationRecorded, ChildRegistered, ParentSituationRecorded
from shared.contracts.sealed import Personal
from shared.contracts.values import CheckLevel, ChildId, PersonId, Text

CHECKED_AGAIN: Final = (ParentSituationRecorded, CareSituationRecorded)
"""A change of these in a file that the county verified opens a review."""

CHECKED: Final = (ChildRegistered, *CHECKED_AGAIN, SchoolingRecorded, HealthRecorded)
"""What a check looks at."""

_WAITS_FOR: Final = {
    Stage.SUBMITTED: CheckLevel.TOWNSHIP,
    Stage.UNDER_REVIEW: CheckLevel.TOWNSHIP,
    Stage.TOWNSHIP_REVIEWED: CheckLevel.COUNTY,
}


class SubmitChildFile(Command):
    child: ChildId


class ReviewChildFile(Command):
    """The township's check."""

    child: ChildId


class VerifyChildFile(Command):
    """The county's check."""

    child: ChildId


class ReturnChildFile(Command):
    """Back to the village, from the check that the file waits for."""

    child: ChildId
    reason: Personal[Text]


class ConfirmChildFileReview(Command):
    """The half-yearly look: nothing has changed. What has changed is recorded instead, and opens a review itself."""

    child: ChildId


class SubmissionBy(SubmitChildFile):
    person: PersonId


class ReviewBy(ReviewChildFile):
    """``authors`` are those who entered what is to be checked."""

    person: PersonId
    authors: frozenset[PersonId]


class VerificationBy(VerifyChildFile):
    person: PersonId
    authors: frozenset[PersonId]


class ReturnBy(ReturnChildFile):
    person: PersonId


class ChildFileIsSubmitted(Refusal):
    """The file has been submitted already."""

    what_to_do: ClassVar[str] = "Nothing: its check goes on. What changes is recorded as it is."


class ChildFileNotSubmitted(Refusal):
    """The file does not wait for the township's check."""

    what_to_do: ClassVar[str] = "Let the village submit it first; a file that is checked needs no second review."


class ChildFileNotReviewed(Refusal):
    """The file does not wait for the county's check."""

    what_to_do: ClassVar[str] = "Let the township review it first."


class NoCheckIsWaiting(Refusal):
    """The file waits for no check, so it can not be returned from one."""

    what_to_do: ClassVar[str] = "Record what has changed; that opens a review where one is needed."


class ChildFileNotVerified(Refusal):
    """Only a file that the county has verified, and that is under no review, is confirmed half-yearly."""

    what_to_do: ClassVar[str] = "Let the file be reviewed and verified; that confirms it."


class AuthorChecks(Refusal):
    """Who entered what is to be checked does not check it, and who reviewed a file does not verify it."""

    status: ClassVar[int] = 403
    what_to_do: ClassVar[str] = "Ask somebody else of the same office to check the file."


class ChildFileIncomplete(Refusal):
    """Blocks of the file are missing."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = (
        "Return the file with this list. Identity needs the status of the citizen number; a parent of whom nobody "
        "knows anything is one with whom contact is lost."
    )


def submitted(command: SubmissionBy, file: Open) -> ChildFileSubmitted:
    if file.stage not in (Stage.DRAFT, Stage.RETURNED):
        raise ChildFileIsSubmitted
    return ChildFileSubmitted(child=command.child, submitted_by=command.person)


def reviewed(command: ReviewBy, file: Open) -> ChildFileReviewed:
    if _WAITS_FOR.get(file.stage) is not CheckLevel.TOWNSHIP:
        raise ChildFileNotSubmitted
    if command.person in command.authors:
        raise AuthorChecks
    return ChildFileReviewed(child=command.child, reviewed_by=command.person)


def verified(command: VerificationBy, file: Open) -> ChildFileVerified:
    if _WAITS_FOR.get(file.stage) is not CheckLevel.COUNTY:
        raise ChildFileNotReviewed
    if command.person in command.authors or command.person == file.reviewed_by:
        raise AuthorChecks
    if missing := [block.value for block in Block if block not in file.told]:
        raise ChildFileIncomplete(f"missing: {', '.join(missing)}")
    return ChildFileVerified(child=command.child, verified_by=command.person)


def returned(command: ReturnBy, file: Open) -> ChildFileReturned:
    level = _WAITS_FOR.get(file.stage)
    if level is None:
        raise NoCheckIsWaiting
    return ChildFileReturned(child=command.child, level=level, returned_by=command.person, reason=command.reason)


def confirmed(command: ConfirmChildFileReview, file: Open) -> ChildFileReviewConfirmed:
    if file.stage is not Stage.COUNTY_VERIFIED:
        raise ChildFileNotVerified
    return ChildFileReviewConfirmed(child=command.child, as_of=command.occurred_on)


def review_opened(child: str, file: OnFile, events: list[Event]) -> list[ChildFileReviewOpened]:
    """What these changes mean for the check that the file has passed."""
    watched = {Stage.COUNTY_VERIFIED: CHECKED_AGAIN, Stage.TOWNSHIP_REVIEWED: CHECKED}.get(file.stage, ())
    return [ChildFileReviewOpened(child=child)] if any(isinstance(event, watched) for event in events) else []
