"""The check of a file in two steps: the village submits, the township reviews, the county verifies (domain 3.1).

Who entered what is to be checked does not check it, and nobody takes both steps. What changes after a check opens the
file for both steps again: after the county's, parents, care and hukou; between the two, everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import ClassVar, Final

from services.registry.domain.child.identity import BLOCKING, doubts_of
from services.registry.domain.child.situation import HoldsFromTheFuture
from services.registry.domain.child.states import OnFile, Open, Stage, missing
from shared.commands.command import Command
from shared.contracts.child_file import (
    CaregiverEntrusted,
    ChildFileReturned,
    ChildFileReviewConfirmed,
    ChildFileReviewed,
    ChildFileReviewOpened,
    ChildFileSubmitted,
    ChildFileVerified,
    ChildIdentityCorrected,
    ChildIdentityRecorded,
    EntrustmentEnded,
    HealthRecorded,
    KeyGroupCleared,
    KeyGroupMarked,
    RegistrationStatusRecorded,
    SchoolingRecorded,
    WelfareRecorded,
)
from shared.contracts.event import Event
from shared.contracts.file_keeping import GuardianConfirmation, GuardianConfirmed
from shared.contracts.refusal import Refusal
from shared.contracts.registry import CareSituationRecorded, ChildRegistered, ParentSituationRecorded
from shared.contracts.sealed import Personal
from shared.contracts.values import CheckLevel, ChildId, Day, PersonId, Text

CHECKED: Final = (
    ChildRegistered,
    ParentSituationRecorded,
    CareSituationRecorded,
    RegistrationStatusRecorded,
    ChildIdentityRecorded,
    ChildIdentityCorrected,
    SchoolingRecorded,
    HealthRecorded,
    WelfareRecorded,
    CaregiverEntrusted,
    EntrustmentEnded,
    KeyGroupMarked,
    KeyGroupCleared,
)
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
    """The half-yearly look: the file holds as it stands. What has changed is recorded before; a change of parents, care
    or hukou opens a review itself. ``as_of`` is the day of the look; without it the day it is told."""

    child: ChildId
    as_of: Day | None = None


class ConfirmByGuardian(Command):
    """A parent or caregiver says that the file is right. Without ``confirmed_on`` on the day it is told."""

    child: ChildId
    confirmation: Personal[GuardianConfirmation]
    confirmed_on: Day | None = None


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


class IdentityIsInDoubt(Refusal):
    """The birth date of the file is another than that of the citizen number."""

    what_to_do: ClassVar[str] = "Return the file; let one of the two be corrected after the document."


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
    if lacking := missing(file):
        raise ChildFileIncomplete(f"the file lacks {', '.join(lacking)}")
    if not BLOCKING.isdisjoint(doubts_of(file)):
        raise IdentityIsInDoubt
    return ChildFileVerified(child=command.child, verified_by=command.person)


def returned(command: ReturnBy, file: Open) -> ChildFileReturned:
    level = _WAITS_FOR.get(file.stage)
    if level is None:
        raise NoCheckIsWaiting
    return ChildFileReturned(child=command.child, level=level, returned_by=command.person, reason=command.reason)


def confirmed(command: ConfirmChildFileReview, file: Open) -> ChildFileReviewConfirmed:
    if file.stage is not Stage.COUNTY_VERIFIED:
        raise ChildFileNotVerified
    return ChildFileReviewConfirmed(
        child=command.child,
        as_of=_past(command.as_of, "as_of", command),
        changed=tuple(sorted(file.changed)),
        guardian_on=file.guardian_on,
    )


def guardian_confirmed(command: ConfirmByGuardian) -> GuardianConfirmed:
    confirmed_on = _past(command.confirmed_on, "confirmed_on", command)
    return GuardianConfirmed(child=command.child, confirmation=command.confirmation, confirmed_on=confirmed_on)


def _past(day: date | None, field: str, command: Command) -> date:
    if day is not None and day > command.occurred_on:
        raise HoldsFromTheFuture(f"{field}: this day lies ahead")
    return day or command.occurred_on


def review_opened(child: str, before: OnFile, after: OnFile, events: Sequence[Event]) -> list[ChildFileReviewOpened]:
    """What these changes mean for the check that the file had passed before."""
    match before.stage:
        case Stage.COUNTY_VERIFIED:
            opened = _is_another_situation(before, after)
        case Stage.TOWNSHIP_REVIEWED:
            opened = any(isinstance(event, CHECKED) for event in events)
        case _:
            opened = False
    return [ChildFileReviewOpened(child=child)] if opened else []


def _is_another_situation(before: OnFile, after: OnFile) -> bool:
    return (before.parents, before.care, before.hukou) != (after.parents, after.care, after.hukou)
