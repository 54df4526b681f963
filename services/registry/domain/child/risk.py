"""How much a child is at risk: a sheet filled in, scored by its own data, and overridden by hand only until a day."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import ClassVar

from services.registry.domain.child.states import OnFile
from shared.commands.command import Command
from shared.contracts.refusal import Refusal
from shared.contracts.risk import (
    InstrumentName,
    RiskAnswers,
    RiskAssessed,
    RiskInstrument,
    RiskLevelOverridden,
    RiskOutcome,
    Veto,
)
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import RISING, ChildId, Day, PersonId, RiskLevel, Text, ToldPersonId


class AssessRisk(Command):
    """``instrument`` names the sheet that was filled in, with its version."""

    child: ChildId
    instrument: InstrumentName
    answers: Personal[RiskAnswers]


class OverrideRisk(Command):
    """Told by who reviews it; ``asked_by`` is who wants it. ``until`` is the first day without it."""

    child: ChildId
    level: RiskLevel
    reason: Personal[Text]
    asked_by: ToldPersonId
    until: Day


class AssessmentBy(AssessRisk):
    """``in_force`` names the sheet that holds where the child lives on that day; ``sheet`` is its content."""

    person: PersonId
    in_force: InstrumentName
    sheet: RiskInstrument


class OverrideBy(OverrideRisk):
    person: PersonId


class RiskInstrumentNotInForce(Refusal):
    """instrument: another sheet is in force where the child lives on that day."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Fill in the sheet that is named, and assess by it."


class RiskAnswersDoNotFit(Refusal):
    """The answers are not those that the sheet asks for."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Answer each item of the sheet once, with one of its choices; or name the emergency."


class RiskNotAssessed(Refusal):
    """There is no assessment to override."""

    what_to_do: ClassVar[str] = "Assess the risk first."


class OverrideIsOver(Refusal):
    """until: an override must end, on a day that lies ahead."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Check the day."


class ReviewerAsks(Refusal):
    """An override is reviewed by another person than the one who asks for it."""

    status: ClassVar[int] = 403
    what_to_do: ClassVar[str] = "Ask somebody else of the county to review it."


def assessed(command: AssessmentBy) -> RiskAssessed:
    if command.instrument != command.in_force:
        raise RiskInstrumentNotInForce(f"instrument: {command.in_force} is in force there on that day")
    outcome, level = judged(command.sheet, command.answers.reveal())
    return RiskAssessed(
        child=command.child,
        instrument=command.instrument,
        answers=command.answers,
        outcome=Personal(outcome),
        level=Counted(level),
        assessed_by=command.person,
        next_due=next_due(command.sheet.months, command.occurred_on),
    )


def overridden(command: OverrideBy, file: OnFile) -> list[RiskLevelOverridden]:
    """Nothing when the level is the one that was assessed."""
    if file.risk is None:
        raise RiskNotAssessed
    if command.asked_by == command.person:
        raise ReviewerAsks
    if command.until <= command.occurred_on:
        raise OverrideIsOver
    if file.risk.get() is command.level:
        return []
    return [
        RiskLevelOverridden(
            child=command.child,
            assessed=file.risk,
            level=Counted(command.level),
            reason=command.reason,
            asked_by=command.asked_by,
            reviewed_by=command.person,
            until=command.until,
        )
    ]


def judged(instrument: RiskInstrument, told: RiskAnswers) -> tuple[RiskOutcome, RiskLevel]:
    """The score and the level of a sheet. Raises RiskAnswersDoNotFit, which names items and never an answer."""
    if unknown := set(told.emergencies) - set(instrument.emergencies):
        raise RiskAnswersDoNotFit(f"emergencies: the sheet does not know {len(unknown)} of these signs")
    if told.emergencies:
        return RiskOutcome(score=None), RiskLevel.HIGH
    answers = {answer.item: answer.choice for answer in told.answers}
    score = sum(_points(instrument, answers, told))
    vetoes = [veto for veto in instrument.vetoes if answers[veto.item] == veto.choice]
    level = max([_banded(instrument, score), *(veto.level for veto in vetoes)], key=RISING.index)
    return RiskOutcome(score=score, vetoes=_items(vetoes)), level


def next_due(months: Sequence[int], assessed_on: date) -> date:
    """The last day of the next month in which the sheet is due."""
    later = [month for month in sorted(months) if month > assessed_on.month]
    year, month = (assessed_on.year, later[0]) if later else (assessed_on.year + 1, min(months))
    return date(year, month, monthrange(year, month)[1])


def _points(instrument: RiskInstrument, answers: Mapping[str, str], told: RiskAnswers) -> Iterator[int]:
    asked = [item.code for item in instrument.items]
    if len(told.answers) != len(answers) or not answers.keys() <= set(asked):
        raise RiskAnswersDoNotFit("answers: an item is answered twice, or is not on the sheet")
    if missing := [code for code in asked if code not in answers]:
        raise RiskAnswersDoNotFit(f"answers: missing {', '.join(missing)}")
    for item in instrument.items:
        points = {choice.code: choice.points for choice in item.choices}
        if answers[item.code] not in points:
            raise RiskAnswersDoNotFit(f"answers: {item.code} has no such choice")
        yield points[answers[item.code]] * item.weight


def _banded(instrument: RiskInstrument, score: int) -> RiskLevel:
    reached = [band for band in instrument.bands if band.at_least <= score]
    return max(reached or instrument.bands[:1], key=lambda band: band.at_least).level


def _items(vetoes: Sequence[Veto]) -> tuple[str, ...]:
    return tuple(veto.item for veto in vetoes)
