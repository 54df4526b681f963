"""Risk assessment (风险评估): instruments as data, and the events of an assessment (domain 3.1, RiskAssessment; 5.3).

An instrument is a name and its content: items with the points of each choice, bands, vetoes and an emergency filter.
What stands under a name does not change: another version has another name. An authority adopts a sheet of its own by
an event; where none was adopted, the shipped one is used.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, ClassVar, Final

from pydantic import StringConstraints

from shared.contracts.adoption import Adoption, Content, PolicyName
from shared.contracts.event import Event, Fact
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import ChildId, Day, PersonId, RiskLevel, Text

InstrumentName = PolicyName
Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,40}$")]


EMERGENCIES: Final = ("violence_now", "trafficked", "missing", "no_livelihood", "danger_to_life")
"""The signs of an emergency that a sheet may filter by (domain 3.1, RiskAssessment)."""


class Direction(StrEnum):
    """What points are for."""

    DANGER = "danger"
    SAFETY = "safety"


class Choice(Fact):
    code: Code
    points: int


class RiskItem(Fact):
    """The points of its choices count ``weight`` times. ``label`` is what a form shows."""

    code: Code
    choices: tuple[Choice, ...]
    weight: int = 1
    label: Text | None = None


class Band(Fact):
    """The level of a score from ``at_least`` to ``at_most`` points; the last band may have no upper end.

    ``name`` is what the authority calls it, where its grades are others than the four levels.
    """

    at_least: int
    at_most: int | None = None
    level: RiskLevel
    name: Text | None = None


class Veto(Fact):
    """An answer that makes the level at least this one, whatever the score."""

    item: Code
    choice: Code
    level: RiskLevel


class RiskInstrument(Fact):
    """``emergencies`` are signs that skip scoring: the level is high at once. ``months`` are those in which the sheet
    is due."""

    direction: Direction
    items: tuple[RiskItem, ...]
    bands: tuple[Band, ...]
    vetoes: tuple[Veto, ...] = ()
    emergencies: tuple[Code, ...] = ()
    months: tuple[int, ...]


class RiskInstrumentAdopted(Adoption):
    """From its first day on risk is assessed with this sheet in a division and all below it."""

    instrument: InstrumentName
    content: RiskInstrument

    @property
    def adopted(self) -> Content:
        return Content(self.instrument, self.content)


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
        direction=Direction.DANGER,
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
            Band(at_least=0, at_most=19, level=RiskLevel.LOW),
            Band(at_least=20, at_most=39, level=RiskLevel.MEDIUM),
            Band(at_least=40, at_most=79, level=RiskLevel.MEDIUM_HIGH),
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
        emergencies=EMERGENCIES,
        months=(3, 9),
    ),
}
"""The sheets that are shipped. The first one is used where none has been adopted."""

DEFAULT_INSTRUMENT: Final = next(iter(INSTRUMENTS))
