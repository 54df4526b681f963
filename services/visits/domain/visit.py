"""A visit (domain 3.2): who was seen, when, what was found for each child; its amendments, and its check by another.

It is judged by the child's standing at the moment it happened: a visit made before a file was closed is accepted late.
What a device told later is kept where something had changed meanwhile, and waits for a supervisor's eye.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import ClassVar, Final

from pydantic import Field

from services.visits.domain.danger import dangers_found
from services.visits.domain.form import FormUnknown, check_answers, form_of
from shared.commands.command import Aggregate, Command, NothingToRecord, NotOnFile
from shared.contracts.event import Event
from shared.contracts.refusal import Refusal
from shared.contracts.sealed import Counted
from shared.contracts.values import (
    AmendReason,
    ChildId,
    Day,
    HouseholdId,
    PersonId,
    Present,
    ReturnReason,
    ToldPersonId,
    VerifyMethod,
    VillageCode,
    VisitDoubt,
    VisitId,
    VisitKind,
    VisitPurpose,
)
from shared.contracts.visits import (
    ChildFinding,
    FormName,
    VisitAmended,
    VisitAttempted,
    VisitLogged,
    VisitReturned,
    VisitVerified,
)
from shared.eventlog.placement import placement_of
from shared.standing.standing import ChildFileWasClosed, Standing, check_standing

SAME_FOR_ALL: Final = 3
"""So many children with one and the same answer are not seen one by one."""

_AT_THE_DOOR: Final = frozenset({VisitKind.HOME, VisitKind.CONDOLENCE, VisitKind.MAPPING})
_IN_PERSON: Final = frozenset({Present.CHILD, Present.CAREGIVER, Present.OTHER_ADULT})


class LogVisit(Command):
    """One visit to one household, with a finding for each child that was seen. ``visitors`` are those who came along;
    whoever tells it is one in any case."""

    visit: VisitId
    household: HouseholdId
    village: VillageCode
    kind: VisitKind
    purposes: tuple[VisitPurpose, ...] = Field(min_length=1)
    findings: tuple[ChildFinding, ...] = Field(min_length=1, max_length=20)
    form: FormName | None = None
    visitors: tuple[ToldPersonId, ...] = Field((), max_length=20)
    next_on: Day | None = None


class LaterVisit(LogVisit):
    """A visit that a device told later, and what had changed meanwhile."""

    doubts: tuple[VisitDoubt, ...] = ()


class Finds(Command):
    """What a find is judged by: ``unborn`` and ``of_age`` are the children that were not born, or 16, on that day."""

    person: PersonId
    unborn: frozenset[ChildId] = frozenset()
    of_age: frozenset[ChildId] = frozenset()


class JudgedVisit(LaterVisit, Finds):
    """The visit, with the standing of its children on that day; None where the child is unknown everywhere.
    ``later`` says that a device told it."""

    standings: dict[ChildId, Standing | None]
    later: bool = False


class AttemptVisit(Command):
    """Nobody was at home."""

    visit: VisitId
    household: HouseholdId
    village: VillageCode
    children: tuple[ChildId, ...] = Field(min_length=1, max_length=20)
    next_on: Day | None = None


class JudgedAttempt(AttemptVisit):
    standings: dict[ChildId, Standing | None]


class AmendVisit(Command):
    """What was found for one child, as a whole. ``amends`` is the number of the last amendment its author has seen."""

    visit: VisitId
    village: VillageCode
    amends: int = Field(ge=0)
    form: FormName | None = None
    finding: ChildFinding
    reason: AmendReason


class JudgedAmendment(AmendVisit, Finds):
    pass


class VerifyVisit(Command):
    visit: VisitId
    method: VerifyMethod


class ReturnVisit(Command):
    visit: VisitId
    reason: ReturnReason


class VisitVerification(VerifyVisit):
    person: PersonId


class VisitReturn(ReturnVisit):
    person: PersonId


class VisitAlreadyLogged(Refusal):
    """This visit is on record already."""

    what_to_do: ClassVar[str] = "Give a new visit an id of its own; correct a visit by amending it."


class VisitStandsElsewhere(Refusal):
    """The id of a visit, and of its children, must end in the same two bytes as the household's."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Make the visit's id beside the household's, so that both stand in one partition."


class ChildNamedTwice(Refusal):
    """A visit has one finding for each child."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Put what was found for a child into one finding."


class ChildWithoutAnswer(Refusal):
    """findings: nothing is said of a child in life, learning or psychology."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Say of each child what was found; if it was not met, record an attempt."


class OneAnswerForAll(Refusal):
    """findings: several children have one and the same answer."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Say of each child what was found for it."


class VisitBeforeBirth(Refusal):
    """occurred_at: a child was not born then."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Check the day, and which child it was."


class NobodyMet(Refusal):
    """kind: nobody was met in person, so this was no visit at the door."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Choose phone or video as kind; if nobody was at home, record an attempt."


class NextVisitPassed(Refusal):
    """next_on: the next visit is to come after this one."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Name a later day, or leave it out."


class NotYourVisit(Refusal):
    """Only those who were there amend a visit."""

    status: ClassVar[int] = 403
    what_to_do: ClassVar[str] = "Ask the visitor; a supervisor can return the visit."


class ChildNotInVisit(Refusal):
    """finding.child: the visit has no finding for this child."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Log a visit of its own for this child."


class AmendmentOutOfDate(Refusal):
    """amends: the visit was amended since."""

    status: ClassVar[int] = 412
    what_to_do: ClassVar[str] = "Look at the last amendment, and amend that."


class VisitorVerifies(Refusal):
    """Who was there does not check the visit."""

    status: ClassVar[int] = 403
    what_to_do: ClassVar[str] = "Let a supervisor who was not there check it."


class VisitIsReturned(Refusal):
    """The visit was returned, and waits for its visitor."""

    what_to_do: ClassVar[str] = "Wait until it has been amended."


class AlreadyVerified(NothingToRecord):
    """The visit is verified."""


class Stage(StrEnum):
    RECORDED = "recorded"
    RETURNED = "returned"
    VERIFIED = "verified"


@dataclass(frozen=True)
class NotLogged:
    pass


@dataclass(frozen=True)
class Attempted:
    village: str


@dataclass(frozen=True)
class Logged:
    village: str
    kind: VisitKind
    form: str | None
    visitors: tuple[str, ...]
    children: frozenset[str]
    amended: int = 0
    stage: Stage = Stage.RECORDED


Visit = NotLogged | Attempted | Logged
VisitCommand = JudgedVisit | JudgedAttempt | JudgedAmendment | VisitVerification | VisitReturn


def village_of(visit: Visit) -> str | None:
    """Where a command on this visit takes effect."""
    return None if isinstance(visit, NotLogged) else visit.village


def decide(command: VisitCommand, visit: Visit) -> Sequence[Event]:
    match command, visit:
        case JudgedVisit(), NotLogged():
            return [_logged(command)]
        case JudgedAttempt(), NotLogged():
            return [_attempted(command)]
        case ((JudgedVisit() | JudgedAttempt()), _):
            raise VisitAlreadyLogged
        case JudgedAmendment(), Logged():
            return [_amended(command, visit)]
        case VisitVerification(), Logged():
            _check_other(command.person, visit)
            if visit.stage is Stage.VERIFIED:
                raise AlreadyVerified
            return [VisitVerified(visit=command.visit, verified_by=command.person, method=command.method)]
        case VisitReturn(), Logged():
            _check_other(command.person, visit)
            return [
                VisitReturned(
                    visit=command.visit,
                    village=visit.village,
                    visitors=visit.visitors,
                    returned_by=command.person,
                    reason=command.reason,
                )
            ]
        case _:
            raise NotOnFile


def _logged(command: JudgedVisit) -> VisitLogged:
    children = [finding.child for finding in command.findings]
    _check_placement(command.household, command.visit, children)
    if len(set(children)) < len(children):
        raise ChildNamedTwice
    if command.next_on is not None and command.next_on <= command.occurred_on:
        raise NextVisitPassed
    _check_findings(command.findings, command.kind, command.form, command.unborn)
    return VisitLogged(
        visit=command.visit,
        household=command.household,
        village=command.village,
        kind=command.kind,
        purposes=tuple(dict.fromkeys(command.purposes)),
        visited_on=command.occurred_on,
        findings=tuple(_with_dangers(finding, command.form) for finding in command.findings),
        on_stale_standing=not all(standing and standing.fresh for standing in command.standings.values()),
        form=command.form,
        next_on=command.next_on,
        visitors=tuple(dict.fromkeys((command.person, *command.visitors))),
        doubts=(*command.doubts, *doubted(children, command.standings, command.village, command.later)),
    )


def doubted(
    children: Iterable[str], standings: Mapping[str, Standing | None], village: str, later: bool
) -> Iterator[VisitDoubt]:
    """What a device could not know is no reason to lose its visit. Raises ChildNotOnFile or ChildFileWasClosed."""
    closed = False
    for child in children:
        try:
            check_standing(standings.get(child), village)
        except ChildFileWasClosed:
            if not later:
                raise
            closed = True
    if closed:
        yield VisitDoubt.FILE_WAS_CLOSED


def _attempted(command: JudgedAttempt) -> VisitAttempted:
    _check_placement(command.household, command.visit, command.children)
    if command.next_on is not None and command.next_on < command.occurred_on:
        raise NextVisitPassed
    for child in command.children:
        check_standing(command.standings.get(child), command.village)
    return VisitAttempted(
        visit=command.visit,
        household=command.household,
        village=command.village,
        children=tuple(dict.fromkeys(command.children)),
        attempted_on=command.occurred_on,
        next_on=command.next_on,
    )


def _amended(command: JudgedAmendment, visit: Logged) -> VisitAmended:
    if command.village != visit.village:
        raise NotOnFile
    if visit.visitors and command.person not in visit.visitors:
        raise NotYourVisit
    if command.finding.child not in visit.children:
        raise ChildNotInVisit
    if command.amends != visit.amended:
        raise AmendmentOutOfDate
    if command.form != visit.form:
        raise FormUnknown(f"form: the visit was told by {visit.form or 'no form'}")
    _check_findings([command.finding], visit.kind, visit.form, command.unborn)
    return VisitAmended(
        visit=command.visit,
        number=visit.amended + 1,
        finding=_with_dangers(command.finding, visit.form),
        reason=command.reason,
        amended_by=command.person,
    )


def _check_other(person: str, visit: Logged) -> None:
    if person in visit.visitors:
        raise VisitorVerifies
    if visit.stage is Stage.RETURNED:
        raise VisitIsReturned


def _check_placement(household: str, visit: str, children: Iterable[str]) -> None:
    place = placement_of(household)
    if any(placement_of(thing) != place for thing in (visit, *children)):
        raise VisitStandsElsewhere


def _check_findings(
    findings: Sequence[ChildFinding], kind: VisitKind, form: str | None, unborn: frozenset[str]
) -> None:
    for finding in findings:
        if finding.child in unborn:
            raise VisitBeforeBirth
        _check_met(finding, kind)
        if form is not None:
            check_answers(form_of(form, kind), finding.answers.reveal() if finding.answers else {})
        elif not any(_said(finding)):
            raise ChildWithoutAnswer
    if len(findings) >= SAME_FOR_ALL and all(_said(finding) == _said(findings[0]) for finding in findings):
        raise OneAnswerForAll


def _check_met(finding: ChildFinding, kind: VisitKind) -> None:
    if kind in _AT_THE_DOOR and finding.met is not None and not _IN_PERSON.intersection(finding.met.reveal()):
        raise NobodyMet


def _said(finding: ChildFinding) -> tuple[object, ...]:
    """What is said of a child in the three blocks."""
    return (finding.life, finding.learning, finding.psychology, finding.answers, finding.care_found)


def _with_dangers(finding: ChildFinding, form: str | None) -> ChildFinding:
    """Whoever reads the event need not know the form."""
    dangers = dangers_found(finding, form)
    return finding.model_copy(update={"dangers": Counted(dangers)}) if dangers else finding


def evolve(visit: Visit, event: Event) -> Visit:
    match event:
        case VisitLogged():
            children = frozenset(finding.child for finding in event.findings)
            return Logged(event.village, event.kind, event.form, event.visitors, children)
        case VisitAttempted():
            return Attempted(event.village)
        case VisitAmended() if isinstance(visit, Logged):
            return replace(visit, amended=event.number, stage=Stage.RECORDED)
        case VisitVerified() if isinstance(visit, Logged):
            return replace(visit, stage=Stage.VERIFIED)
        case VisitReturned() if isinstance(visit, Logged):
            return replace(visit, stage=Stage.RETURNED)
        case _:
            raise AssertionError(event)


VISIT = Aggregate[Visit](NotLogged(), evolve, decide)
