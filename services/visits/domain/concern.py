"""A concern (domain 3.2): raised, worked on by its owner, resolved, and closed by somebody else.

What a visit finds has one concern for each child and kind: found again while it is open it is the same concern, found
again after its closing it is raised again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import ClassVar, Final, assert_never

from services.visits.domain.visit import JudgedAmendment, JudgedVisit
from shared.commands.command import Aggregate, Command, NothingToRecord, NotOnFile
from shared.contracts.concerns import (
    ConcernAssigned,
    ConcernClosureVerified,
    ConcernEscalated,
    ConcernFound,
    ConcernMoved,
    ConcernProgressed,
    ConcernRaised,
    ConcernReferred,
    ConcernReopened,
    ConcernResolved,
    ReferralAnswered,
    Severity,
)
from shared.contracts.event import Event
from shared.contracts.refusal import Refusal
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import (
    Body,
    ChildId,
    ConcernId,
    ConcernKind,
    Day,
    HouseholdId,
    PersonId,
    Text,
    ToldPersonId,
    VillageCode,
)
from shared.eventlog.placement import derived_id, placement_of
from shared.standing.standing import Standing, check_standing

DAYS: Final[Mapping[int, int]] = {1: 30, 2: 7, 3: 1}
"""Until when a concern is to be settled, by its severity (prop)."""

ROUTES: Final[Mapping[ConcernKind, Body]] = {
    ConcernKind.NO_REGISTRATION: Body.POLICE,
    ConcernKind.DROPOUT: Body.EDUCATION,
}
"""Lists that are passed on to one body and to no other (domain 3.2)."""

FOLLOWER: Final = "visits/concerns_follow_their_child"
"""Who moves concerns."""

_OWNERS: Final[Mapping[int, Body]] = {1: Body.VILLAGE, 2: Body.TOWNSHIP, 3: Body.CIVIL_AFFAIRS}
_ABOVE: Final[Mapping[Body, Body]] = {Body.VILLAGE: Body.TOWNSHIP, Body.TOWNSHIP: Body.CIVIL_AFFAIRS}


class RaiseConcern(Command):
    """About a child, a household, or with neither about the village."""

    concern: ConcernId
    village: VillageCode
    child: ChildId | None = None
    household: HouseholdId | None = None
    kind: Counted[ConcernKind]
    severity: Counted[Severity]
    text: Personal[Text]


class JudgedConcern(RaiseConcern):
    """``standing`` is that of the child on that day; None where it is unknown, or the concern is about no child."""

    person: PersonId
    standing: Standing | None


class AssignConcern(Command):
    """``due`` is the last day; without it what the severity gives."""

    concern: ConcernId
    owner: Body
    assignee: ToldPersonId | None = None
    due: Day | None = None


class ProgressConcern(Command):
    concern: ConcernId
    text: Personal[Text]


class ResolveConcern(Command):
    concern: ConcernId
    text: Personal[Text]


class VerifyConcernClosure(Command):
    concern: ConcernId


class ReopenConcern(Command):
    concern: ConcernId
    reason: Personal[Text]


class EscalateConcern(Command):
    concern: ConcernId


class ReferConcern(Command):
    concern: ConcernId
    body: Body
    due: Day | None = None


class AnswerReferral(Command):
    concern: ConcernId
    body: Body
    answer: Personal[Text]


class MoveConcern(Command):
    """By the policy that follows children alone."""

    concern: ConcernId
    village: VillageCode


class MoveBy(MoveConcern):
    person: PersonId


class AssignmentBy(AssignConcern):
    person: PersonId


class ProgressBy(ProgressConcern):
    person: PersonId


class ResolutionBy(ResolveConcern):
    person: PersonId


class ClosureBy(VerifyConcernClosure):
    person: PersonId


class ReopeningBy(ReopenConcern):
    person: PersonId


class EscalationBy(EscalateConcern):
    person: PersonId


class ReferralBy(ReferConcern):
    person: PersonId


class ReferralAnswerBy(AnswerReferral):
    person: PersonId


class ConcernAlreadyRaised(Refusal):
    """This concern is on record already."""

    what_to_do: ClassVar[str] = "Give a new concern an id of its own; tell what has become of a known one."


class ConcernStandsElsewhere(Refusal):
    """The id of a concern must end in the same two bytes as the child's or the household's."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Make the concern's id beside whom it is about, so that both stand in one partition."


class NotMovedByHand(Refusal):
    """A concern follows its child by itself."""

    status: ClassVar[int] = 403
    what_to_do: ClassVar[str] = "Transfer the child's file; its concerns come along."


class ConcernIsClosed(Refusal):
    """The concern is closed."""

    what_to_do: ClassVar[str] = "Reopen it first, or raise a new one."


class ConcernNotResolved(Refusal):
    """Nobody has said yet that the concern is settled."""

    what_to_do: ClassVar[str] = "Resolve it first; somebody else then verifies that."


class ConcernIsUnresolved(NothingToRecord):
    """The concern is open as it is."""


class ResolverVerifies(Refusal):
    """Who resolved a concern does not close it."""

    status: ClassVar[int] = 403
    what_to_do: ClassVar[str] = "Let somebody else look whether it is settled."


class NothingAbove(Refusal):
    """The concern lies with the county already."""

    what_to_do: ClassVar[str] = "Refer it to another body, or assign it to a person."


class WrongRoute(Refusal):
    """Concerns of this kind are passed on to one body alone."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "no_registration goes to the police, dropout goes to education."


class NotReferred(Refusal):
    """The concern was not passed on to this body, or the body has answered."""

    what_to_do: ClassVar[str] = "Refer it to the body first."


class DueBeforeToday(Refusal):
    """due: this day has passed."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Name a day that is to come, or leave it out."


class Stage(StrEnum):
    RAISED = "raised"
    ASSIGNED = "assigned"
    IN_PROGRESS = "in_progress"
    RESOLVED = "resolved"
    CLOSED = "closed"


@dataclass(frozen=True)
class NotRaised:
    pass


@dataclass(frozen=True, repr=False)
class Raised:
    """``referred`` are the bodies whose answer is awaited."""

    about: str
    village: str
    kind: Counted[ConcernKind]
    severity: Counted[int]
    owner: Body
    stage: Stage = Stage.RAISED
    resolved_by: str = ""
    referred: frozenset[Body] = frozenset()

    @property
    def days(self) -> timedelta:
        return timedelta(days=DAYS[self.severity.get() or 1])


Concern = NotRaised | Raised
OnConcern = (
    AssignmentBy | ProgressBy | ResolutionBy | ClosureBy | ReopeningBy | EscalationBy | ReferralBy | ReferralAnswerBy
)


def village_of(concern: Concern) -> str | None:
    """Where a command on this concern takes effect."""
    return concern.village if isinstance(concern, Raised) else None


def found_stream(child: str, kind: ConcernKind) -> str:
    """The concern of this kind that visits find for a child."""
    return derived_id(f"{child}/{kind}", "concern", beside=child)


def found(child: str, kind: ConcernKind, severity: int) -> Aggregate[Concern]:
    """The concern that a visit to the child finds, as a target of that visit."""

    def decide_found(visit: JudgedVisit | JudgedAmendment, concern: Concern) -> Sequence[Event]:
        stream = found_stream(child, kind)
        if isinstance(concern, Raised) and concern.stage is not Stage.CLOSED:
            return [ConcernFound(concern=stream, found_at=visit.visit, child=child)]
        return _raised(
            RaiseConcern(
                occurred_at=visit.occurred_at,
                concern=stream,
                village=visit.village,
                child=child,
                kind=Counted(kind),
                severity=Counted(severity),
                text=Personal(""),
            ),
            visit.person,
            found_at=visit.visit,
        )

    return Aggregate(NotRaised(), evolve, decide_found)


def decide(command: JudgedConcern | MoveBy | OnConcern, concern: Concern) -> Sequence[Event]:
    match command, concern:
        case JudgedConcern(), NotRaised():
            _check_placement(command)
            if command.child is not None:
                check_standing(command.standing, command.village)
            return _raised(command, command.person)
        case JudgedConcern(), _:
            raise ConcernAlreadyRaised
        case _, NotRaised():
            raise NotOnFile
        case MoveBy(), Raised():
            return _moved(command, concern)
        case _, Raised():
            return [_on_raised(command, concern)]
        case _:
            raise AssertionError(command)


def _raised(command: RaiseConcern, person: str, found_at: str | None = None) -> Sequence[Event]:
    severity = command.severity.reveal()
    due = command.occurred_on + timedelta(days=DAYS[severity])
    raised = ConcernRaised(
        concern=command.concern,
        about=command.child or command.household or command.concern,
        village=command.village,
        kind=command.kind,
        severity=command.severity,
        text=command.text if command.text.reveal() else None,
        raised_by=person,
        raised_on=command.occurred_on,
        owner=_OWNERS[severity],
        due=due,
        found_at=found_at,
    )
    body = ROUTES.get(command.kind.reveal())
    return [raised] if body is None else [raised, _referred(command.concern, body, person, due)]


def _referred(concern: str, body: Body, person: str, due: Day) -> ConcernReferred:
    return ConcernReferred(concern=concern, body=body, referred_by=person, due=due)


def _check_placement(command: RaiseConcern) -> None:
    about = command.child or command.household
    if about is not None and placement_of(about) != placement_of(command.concern):
        raise ConcernStandsElsewhere


def _moved(command: MoveBy, concern: Raised) -> list[Event]:
    if command.person != FOLLOWER:
        raise NotMovedByHand
    if command.village == concern.village:
        return []
    return [ConcernMoved(concern=command.concern, about=concern.about, village=command.village)]


def _on_raised(command: OnConcern, concern: Raised) -> Event:
    if concern.stage is Stage.CLOSED and not isinstance(command, ReopeningBy):
        raise ConcernIsClosed
    match command:
        case AssignmentBy():
            return ConcernAssigned(
                concern=command.concern,
                owner=command.owner,
                assignee=command.assignee,
                assigned_by=command.person,
                due=_due(command.due, command, concern),
            )
        case ProgressBy():
            return ConcernProgressed(concern=command.concern, about=concern.about, text=command.text, by=command.person)
        case ResolutionBy():
            return ConcernResolved(
                concern=command.concern,
                about=concern.about,
                text=command.text,
                resolved_by=command.person,
                resolved_on=command.occurred_on,
            )
        case ClosureBy():
            return _closed(command, concern)
        case ReopeningBy():
            return _reopened(command, concern)
        case EscalationBy():
            if concern.owner not in _ABOVE:
                raise NothingAbove
            return ConcernEscalated(
                concern=command.concern,
                owner=_ABOVE[concern.owner],
                escalated_by=command.person,
                due=_due(None, command, concern),
            )
        case ReferralBy():
            if ROUTES.get(concern.kind.get() or ConcernKind.OTHER, command.body) is not command.body:
                raise WrongRoute
            return _referred(command.concern, command.body, command.person, _due(command.due, command, concern))
        case ReferralAnswerBy():
            if command.body not in concern.referred:
                raise NotReferred
            return ReferralAnswered(
                concern=command.concern,
                about=concern.about,
                body=command.body,
                answer=command.answer,
                recorded_by=command.person,
            )
        case _:
            assert_never(command)


def _closed(command: ClosureBy, concern: Raised) -> ConcernClosureVerified:
    if concern.stage is not Stage.RESOLVED:
        raise ConcernNotResolved
    if concern.resolved_by == command.person:
        raise ResolverVerifies
    return ConcernClosureVerified(concern=command.concern, verified_by=command.person)


def _reopened(command: ReopeningBy, concern: Raised) -> ConcernReopened:
    if concern.stage not in (Stage.RESOLVED, Stage.CLOSED):
        raise ConcernIsUnresolved
    return ConcernReopened(
        concern=command.concern,
        about=concern.about,
        reason=command.reason,
        reopened_by=command.person,
        due=_due(None, command, concern),
    )


def _due(told: Day | None, command: Command, concern: Raised) -> Day:
    if told is not None and told < command.occurred_on:
        raise DueBeforeToday
    return told or command.occurred_on + concern.days


def evolve(concern: Concern, event: Event) -> Concern:
    if isinstance(event, ConcernRaised):
        return Raised(event.about, event.village, event.kind, event.severity, event.owner)
    if not isinstance(concern, Raised):
        raise AssertionError(event)
    match event:
        case ConcernMoved():
            return replace(concern, village=event.village)
        case ConcernAssigned():
            return replace(concern, owner=event.owner, stage=_not_back(concern, Stage.ASSIGNED))
        case ConcernProgressed():
            return replace(concern, stage=_not_back(concern, Stage.IN_PROGRESS))
        case ConcernResolved():
            return replace(concern, stage=Stage.RESOLVED, resolved_by=event.resolved_by)
        case ConcernClosureVerified():
            return replace(concern, stage=Stage.CLOSED)
        case ConcernReopened():
            return replace(concern, stage=Stage.IN_PROGRESS)
        case ConcernEscalated():
            return replace(concern, owner=event.owner)
        case ConcernReferred():
            return replace(concern, referred=concern.referred | {event.body})
        case ReferralAnswered():
            return replace(concern, referred=concern.referred - {event.body})
        case _:
            return concern


def _not_back(concern: Raised, stage: Stage) -> Stage:
    """A device may tell of work after its resolution is known: only a reopening takes that back."""
    return concern.stage if concern.stage is Stage.RESOLVED else stage


CONCERN = Aggregate[Concern](NotRaised(), evolve, decide)
