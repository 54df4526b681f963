"""How much a child is at risk: sheets are data, vetoes and emergencies come before points, overrides expire."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given as over
from hypothesis import strategies as st

from services.registry.domain.child import (
    CHILD,
    AssessmentBy,
    AssessRisk,
    OverrideBy,
    OverrideIsOver,
    OverrideRisk,
    ReviewerAsks,
    RiskAnswersDoNotFit,
    RiskInstrumentNotInForce,
    RiskNotAssessed,
)
from services.registry.domain.child.risk import judged, next_due
from shared.commands.command import NotOnFile
from shared.contracts.risk import (
    INSTRUMENTS,
    Band,
    Choice,
    Direction,
    RiskAnswer,
    RiskAnswers,
    RiskAssessed,
    RiskInstrument,
    RiskItem,
    RiskLevelOverridden,
    RiskOutcome,
)
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import RiskLevel
from tests.support.builders import TOLD, a_registered_child, a_registration
from tests.support.child_cards import card_and_entries
from tests.support.offices import Offices
from tests.support.specification import given

SHEET = INSTRUMENTS["SHEET-1"]
RISING = [RiskLevel.LOW, RiskLevel.MEDIUM, RiskLevel.MEDIUM_HIGH, RiskLevel.HIGH]
KNOWN = a_registered_child()
IT = {"child": KNOWN.child, "occurred_at": TOLD}
UNTIL = date(2026, 10, 1)


def answers(**other: str) -> RiskAnswers:
    """The sheet of a child at no risk, but for the answers given."""
    told = {item.code: item.choices[0].code for item in SHEET.items} | other
    return RiskAnswers(answers=tuple(RiskAnswer(item=item, choice=choice) for item, choice in told.items()))


def assess(told: RiskAnswers, instrument: str = "SHEET-1") -> AssessmentBy:
    by = {"person": "director-1", "in_force": "SHEET-1", "sheet": SHEET}
    return AssessmentBy(**IT, instrument=instrument, answers=Personal(told), **by)


def an_assessment(told: RiskAnswers, level: RiskLevel, score: int | None, *vetoes: str) -> RiskAssessed:
    return RiskAssessed(
        child=KNOWN.child,
        instrument="SHEET-1",
        answers=Personal(told),
        outcome=Personal(RiskOutcome(score=score, vetoes=vetoes)),
        level=Counted(level),
        assessed_by="director-1",
        next_due=date(2026, 9, 30),
    )


LOW = an_assessment(answers(), RiskLevel.LOW, 0)
OVERRIDE = OverrideBy(
    **IT,
    level=RiskLevel.MEDIUM,
    reason=Personal("奶奶住院"),
    asked_by="director-1",
    until=UNTIL,
    person="county-1",
)
OVERRIDDEN = RiskLevelOverridden(
    child=KNOWN.child,
    assessed=Counted(RiskLevel.LOW),
    level=Counted(RiskLevel.MEDIUM),
    reason=Personal("奶奶住院"),
    asked_by="director-1",
    reviewed_by="county-1",
    until=UNTIL,
)


@pytest.mark.parametrize(
    ("told", "level", "score", "vetoes"),
    [
        (answers(), RiskLevel.LOW, 0, ()),
        (answers(income="low", parents="seldom_heard_of"), RiskLevel.MEDIUM, 30, ()),
        (answers(income="low", caregiver="old_or_ill"), RiskLevel.MEDIUM_HIGH, 40, ()),
        (answers(school="dropout"), RiskLevel.MEDIUM_HIGH, 40, ("school",)),
        (answers(lives="alone"), RiskLevel.HIGH, 60, ("lives",)),
        (answers(school="dropout", health="disabled_or_ill"), RiskLevel.HIGH, 80, ("school", "health")),
    ],
)
def test_a_sheet_is_scored_and_a_veto_lifts_its_level(told, level, score, vetoes):
    given(CHILD, KNOWN).when(assess(told)).then(an_assessment(told, level, score, *vetoes))


def test_a_sign_of_an_emergency_skips_the_scoring():
    told = RiskAnswers(emergencies=("violence_now",))
    given(CHILD, KNOWN).when(assess(told)).then(an_assessment(told, RiskLevel.HIGH, None))


@pytest.mark.parametrize(
    ("told", "saying"),
    [
        (RiskAnswers(), "missing lives, care_quality"),
        (answers(weather="fine"), "not on the sheet"),
        (RiskAnswers(answers=(*answers().answers, RiskAnswer(item="lives", choice="alone"))), "answered twice"),
        (answers(lives="on_the_moon"), "lives has no such choice"),
        (RiskAnswers(emergencies=("rain",)), "1 of these signs"),
    ],
    ids=lambda case: case if isinstance(case, str) else "",
)
def test_answers_that_do_not_fit_the_sheet_are_refused_by_item(told, saying):
    given(CHILD, KNOWN).when(assess(told)).then_refused(RiskAnswersDoNotFit, saying)


def test_another_sheet_than_the_one_in_force_is_refused():
    given(CHILD, KNOWN).when(assess(answers(), "SHEET-99")).then_refused(
        RiskInstrumentNotInForce, "SHEET-1 is in force"
    )


@pytest.mark.parametrize(
    ("on", "due"),
    [
        (date(2026, 1, 5), date(2026, 3, 31)),
        (date(2026, 3, 5), date(2026, 9, 30)),
        (date(2026, 9, 30), date(2027, 3, 31)),
        (date(2026, 12, 1), date(2027, 3, 31)),
    ],
)
def test_a_sheet_is_due_by_the_end_of_the_next_march_or_september(on, due):
    assert next_due(SHEET.months, on) == due


@over(st.fixed_dictionaries({i.code: st.sampled_from([c.code for c in i.choices]) for i in SHEET.items}))
def test_no_answer_that_is_worse_makes_the_level_better(told):
    worst = {item.code: item.choices[-1].code for item in SHEET.items}
    _, level = judged(SHEET, answers(**told))
    for code in told:
        _, worse = judged(SHEET, answers(**told | {code: worst[code]}))
        assert RISING.index(worse) >= RISING.index(level)


def test_points_for_safety_are_another_sheet_and_no_other_code():
    item = RiskItem(code="home", choices=(Choice(code="safe", points=10), Choice(code="unsafe", points=0)))
    bands = (Band(at_least=0, at_most=4, level=RiskLevel.HIGH), Band(at_least=5, level=RiskLevel.LOW))
    sheet = RiskInstrument(direction=Direction.SAFETY, items=(item,), bands=bands, months=(3,))
    levels = [
        judged(sheet, RiskAnswers(answers=(RiskAnswer(item="home", choice=choice),)))[1]
        for choice in ("safe", "unsafe")
    ]
    assert levels == [RiskLevel.LOW, RiskLevel.HIGH]


@pytest.mark.parametrize("sheet", INSTRUMENTS.values(), ids=INSTRUMENTS)
def test_the_vetoes_of_a_sheet_are_about_its_own_items(sheet):
    choices = {(item.code, choice.code) for item in sheet.items for choice in item.choices}
    assert {(veto.item, veto.choice) for veto in sheet.vetoes} <= choices


def test_an_override_names_both_levels_and_its_end():
    given(CHILD, KNOWN, LOW).when(OVERRIDE).then(OVERRIDDEN)


def test_an_override_to_the_assessed_level_is_none():
    given(CHILD, KNOWN, LOW).when(OVERRIDE.model_copy(update={"level": RiskLevel.LOW})).then()


def test_an_override_needs_an_assessment_a_second_person_and_an_end_ahead():
    given(CHILD, KNOWN).when(OVERRIDE).then_refused(RiskNotAssessed)
    given(CHILD, KNOWN, LOW).when(OVERRIDE.model_copy(update={"asked_by": "county-1"})).then_refused(ReviewerAsks)
    given(CHILD, KNOWN, LOW).when(OVERRIDE.model_copy(update={"until": date(2026, 8, 14)})).then_refused(OverrideIsOver)


async def test_a_director_assesses_and_the_county_overrides():
    offices, registration = Offices(), a_registration()
    child = registration.child
    await offices.tell(registration, "director-1")
    assessment = AssessRisk(child=child, instrument="SHEET-1", answers=Personal(answers()))
    override = OverrideRisk(
        child=child, level=RiskLevel.HIGH, reason=Personal("访查"), asked_by="director-1", until=UNTIL
    )
    for command, person in ((assessment, "county-1"), (override, "director-1")):
        with pytest.raises(NotOnFile):
            await offices.tell(command, person)
    await offices.tell(assessment, "director-1")
    await offices.tell(override, "county-1")


async def test_the_card_shows_the_level_with_its_override_until_the_next_assessment():
    shown = {
        "level": "low",
        "score": 0,
        "vetoes": [],
        "instrument": "SHEET-1",
        "assessed_on": "2026-08-14",
        "next_due": "2026-09-30",
    }
    override = {"level": "medium", "until": "2026-10-01", "reason": "奶奶住院"}
    card, _ = await card_and_entries([KNOWN, LOW, OVERRIDDEN])
    assert card["file"]["risk"] == shown | {"override": override}
    card, _ = await card_and_entries([KNOWN, LOW, OVERRIDDEN, LOW])
    assert card["file"]["risk"] == shown
    urgent = an_assessment(RiskAnswers(emergencies=("missing",)), RiskLevel.HIGH, None)
    card, _ = await card_and_entries([KNOWN, urgent])
    assert card["file"]["risk"]["emergency"] is True
    assert "missing" not in str(card)
