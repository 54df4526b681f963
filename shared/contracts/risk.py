"""Risk assessment (风险评估): instruments as data, and the events of an assessment (domain 3.1, RiskAssessment; 5.3).

An instrument is a name and its content: items with the points of each choice, bands, vetoes and an emergency filter.
What was shipped under a name does not change; another sheet is one more entry.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Final

from pydantic import StringConstraints

from shared.contracts.event import Event, Fact
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import ChildId, Day, PersonId, RiskLevel, Text

InstrumentName = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9-]{1,32}$")]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,40}$")]


class Choice(Fact):
    code: Code
    points: int


class RiskItem(Fact):
    code: Code
    choices: tuple[Choice, ...]


class Band(Fact):
    """The level of a score of ``at_least`` so many points, up to the next band."""

    at_least: int
    level: RiskLevel


class Veto(Fact):
    """An answer that makes the level at least this one, whatever the score."""

    item: Code
    choice: Code
    level: RiskLevel


class RiskInstrument(Fact):
    """Whether points are for danger or for safety follows from the bands. ``emergencies`` are signs that skip scoring:
    the level is high at once. ``months`` are those in which the sheet is due."""

    items: tuple[RiskItem, ...]
    bands: tuple[Band, ...]
    vetoes: tuple[Veto, ...]
    emergencies: tuple[Code, ...]
    months: tuple[int, ...]


class RiskAnswer(Fact):
    item: Code
    choice: Code


class RiskAnswers(Fact):
    """A filled-in sheet; with a sign of an emergency it needs no answers."""

    answers: tuple[RiskAnswer, ...] = ()
    emergencies: tuple[Code, ...] = ()


class RiskOutcome(Fact):
    """``score`` is None where an emergency skipped the scoring; vetoes are named by their item."""

    score: int | None
    vetoes: tuple[Code, ...] = ()


class RiskAssessed(Event):
    """``next_due`` is the last day for the next assessment."""

    subject: ClassVar[str | None] = "child"

    child: ChildId
    instrument: InstrumentName
    answers: Personal[RiskAnswers]
    outcome: Personal[RiskOutcome]
    level: Counted[RiskLevel]
    assessed_by: PersonId
    next_due: Day


class RiskLevelOverridden(Event):
    """By hand, for a reason, reviewed, and only until a day: on ``until`` the assessed level holds again."""

    subject: ClassVar[str | None] = "child"

    child: ChildId
    assessed: Counted[RiskLevel]
    level: Counted[RiskLevel]
    reason: Personal[Text]
    asked_by: PersonId
    reviewed_by: PersonId
    until: Day


def _item(code: str, **points: int) -> RiskItem:
    return RiskItem(code=code, choices=tuple(Choice(code=choice, points=n) for choice, n in points.items()))


INSTRUMENTS: Final[Mapping[str, RiskInstrument]] = {
    # A proposal after the typical cases of each level (domain 5.3); points are for danger.
    "SHEET-1": RiskInstrument(
        items=(
            _item("lives", with_adult=0, alone=60),
            _item("care_quality", good=0, fair=20, poor=40),
            _item("caregiver", able=0, old_or_ill=20),
            _item("parents", in_touch=0, seldom_heard_of=10, lost=20, incapable=40),
            _item("school", attends=0, dropout=40),
            _item("health", healthy=0, disabled_or_ill=40),
            _item("registration", registered=0, none=40),
            _item("income", enough=0, low=20),
            _item("mind_and_behaviour", calm=0, signs=10, grave_signs=40),
            _item("home_dangers", none=0, some=10, grave=40),
        ),
        bands=(
            Band(at_least=0, level=RiskLevel.LOW),
            Band(at_least=20, level=RiskLevel.MEDIUM),
            Band(at_least=40, level=RiskLevel.MEDIUM_HIGH),
            Band(at_least=80, level=RiskLevel.HIGH),
        ),
        vetoes=(
            Veto(item="lives", choice="alone", level=RiskLevel.HIGH),
            Veto(item="mind_and_behaviour", choice="grave_signs", level=RiskLevel.HIGH),
            Veto(item="care_quality", choice="poor", level=RiskLevel.MEDIUM_HIGH),
            Veto(item="parents", choice="incapable", level=RiskLevel.MEDIUM_HIGH),
            Veto(item="school", choice="dropout", level=RiskLevel.MEDIUM_HIGH),
            Veto(item="health", choice="disabled_or_ill", level=RiskLevel.MEDIUM_HIGH),
            Veto(item="registration", choice="none", level=RiskLevel.MEDIUM_HIGH),
        ),
        emergencies=("violence_now", "trafficked", "missing", "no_livelihood", "danger_to_life"),
        months=(3, 9),
    ),
}
"""The sheets that an assessment may be made with."""
