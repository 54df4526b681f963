"""What divisions adopt: a policy from a day on, a name with one content; what makes no sense is refused by place."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from services.registry.domain.adoption import (
    ADOPTED,
    AdoptCountingRule,
    AdoptRetention,
    AdoptRiskInstrument,
    DefineOwnFields,
    NameHasOtherContent,
    NameIsNotOnesOwn,
    OverrideNotAllowed,
    PolicyAlreadyBegins,
    PolicyMakesNoSense,
    RiskSheetUnknown,
    adoption_stream,
)
from services.registry.domain.child import AssessRisk, RiskInstrumentNotInForce
from services.registry.policies_in_force import retention_in
from shared.adoption.read_model import Adoptions
from shared.contracts.counting import CountingRuleAdopted, CountingTerms
from shared.contracts.own_fields import FieldKind, OwnFields, OwnFieldsDefined
from shared.contracts.retention import RetentionAdopted, RetentionPeriods
from shared.contracts.risk import INSTRUMENTS, RiskAnswer, RiskAnswers, RiskInstrument, RiskInstrumentAdopted
from shared.contracts.sealed import Personal
from shared.contracts.values import ParentState, RiskLevel
from shared.identity.access import NotPermitted
from tests.support.adopted import FIELDS, SAFETY, YOUNG
from tests.support.builders import COUNTY, TOLD, VILLAGE, a_registration
from tests.support.offices import Offices
from tests.support.specification import given

STARTS, LATER = date(2026, 8, 1), date(2027, 1, 1)
IT: dict[str, Any] = {"division": COUNTY, "starts": STARTS, "occurred_at": TOLD}
TOLD_OF: dict[str, Any] = {"adoption": adoption_stream(COUNTY), "division": COUNTY, "starts": STARTS}
SHEET = AdoptRiskInstrument(**IT, instrument=f"{COUNTY}-SAFE-1", content=SAFETY)
SHEET_ADOPTED = RiskInstrumentAdopted(**TOLD_OF, instrument=f"{COUNTY}-SAFE-1", content=SAFETY)
RULE = AdoptCountingRule(**IT, rule=f"{COUNTY}-YOUNG", terms=YOUNG)
RULE_ADOPTED = CountingRuleAdopted(**TOLD_OF, rule=f"{COUNTY}-YOUNG", terms=YOUNG)
PERIODS = RetentionPeriods(closed_file_years=5)
KEEPING = AdoptRetention(**IT, periods=PERIODS)
KEPT = RetentionAdopted(**TOLD_OF, version=f"{COUNTY}-RETENTION-1", periods=PERIODS)
ASKING = DefineOwnFields(**IT, fields=FIELDS)
ASKED = OwnFieldsDefined(**TOLD_OF, version=f"{COUNTY}-FIELDS-1", content=OwnFields(fields=FIELDS))


@pytest.mark.parametrize(
    ("command", "event"),
    [(SHEET, SHEET_ADOPTED), (RULE, RULE_ADOPTED), (KEEPING, KEPT), (ASKING, ASKED)],
    ids=["sheet", "rule", "periods", "fields"],
)
def test_a_county_adopts_a_policy_with_its_whole_content_from_a_day(command, event):
    given(ADOPTED).when(command).then(event)
    strict = command.model_copy(update={"may_override": False})
    given(ADOPTED).when(strict).then(event.model_copy(update={"may_override": False}))


@pytest.mark.parametrize(
    ("command", "event"), [(SHEET, SHEET_ADOPTED), (KEEPING, KEPT), (ASKING, ASKED)], ids=["sheet", "periods", "fields"]
)
def test_two_policies_of_a_kind_do_not_begin_on_one_day(command, event):
    given(ADOPTED, event).when(command).then_refused(PolicyAlreadyBegins)
    given(ADOPTED, RULE_ADOPTED).when(command).then(event)


def test_versions_that_nobody_names_are_counted():
    given(ADOPTED, KEPT, ASKED).when(KEEPING.model_copy(update={"starts": LATER})).then(
        KEPT.model_copy(update={"starts": LATER, "version": f"{COUNTY}-RETENTION-2"})
    )


def test_a_name_of_ones_own_is_adopted_again_without_its_content_and_never_with_another():
    again = {"starts": LATER}
    without = RULE.model_copy(update=again | {"terms": None})
    given(ADOPTED, RULE_ADOPTED).when(without).then(RULE_ADOPTED.model_copy(update=again))
    other = RULE.model_copy(update=again | {"terms": YOUNG.model_copy(update={"max_age": 6})})
    given(ADOPTED, RULE_ADOPTED).when(other).then_refused(NameHasOtherContent)
    shipped = RULE.model_copy(update={"rule": "MCA-2016"})
    given(ADOPTED).when(shipped).then_refused(NameHasOtherContent)
    changed = SHEET.model_copy(update=again | {"content": SAFETY.model_copy(update={"months": (3,)})})
    given(ADOPTED, SHEET_ADOPTED).when(changed).then_refused(NameHasOtherContent)


@pytest.mark.parametrize("name", ["YOUNG", "520304-YOUNG", "5203-YOUNG"])
def test_a_name_of_ones_own_begins_with_the_code_of_its_division(name):
    given(ADOPTED).when(RULE.model_copy(update={"rule": name})).then_refused(NameIsNotOnesOwn, f"{COUNTY}-")
    given(ADOPTED).when(SHEET.model_copy(update={"instrument": name})).then_refused(NameIsNotOnesOwn)


def test_a_sheet_that_nobody_knows_needs_its_content_and_the_shipped_one_does_not():
    given(ADOPTED).when(SHEET.model_copy(update={"content": None})).then_refused(RiskSheetUnknown)
    shipped = SHEET.model_copy(update={"instrument": "SHEET-1", "content": None})
    given(ADOPTED).when(shipped).then(
        SHEET_ADOPTED.model_copy(update={"instrument": "SHEET-1", "content": INSTRUMENTS["SHEET-1"]})
    )


def band(at_least: int, at_most: int | None, level: str) -> dict[str, Any]:
    return {"at_least": at_least, "at_most": at_most, "level": level}


def item(code: str, **points: int) -> dict[str, Any]:
    return {"code": code, "choices": [{"code": choice, "points": n} for choice, n in points.items()]}


HOME = item("home", unsafe=0, safe=10)
TWO = [band(0, 4, "high"), band(5, None, "low")]


@pytest.mark.parametrize(
    ("changes", "saying"),
    [
        ({"items": []}, "items: the sheet asks nothing"),
        ({"items": [HOME, HOME]}, "items: home stands twice"),
        ({"items": [HOME | {"weight": 0}]}, "items.home.weight: 0"),
        ({"items": [item("home", safe=1)]}, "items.home.choices: fewer"),
        ({"items": [HOME | {"choices": HOME["choices"] * 2}]}, "items.home.choices: unsafe stands twice"),
        ({"items": [item("home", unsafe=-1, safe=10)]}, "items.home.choices.unsafe.points: -1 is negative"),
        ({"bands": []}, "bands: there is none"),
        ({"bands": [band(1, 4, "high"), band(5, None, "low")]}, "bands[0]: begins at 1"),
        ({"bands": [band(0, 4, "high"), band(5, 9, "low")]}, "bands[1]: ends at 9, a sheet may have 10"),
        ({"bands": [band(0, 4, "high"), band(6, None, "low")]}, "bands[1]: leaves a gap after bands[0]"),
        ({"bands": [band(0, 4, "high"), band(4, None, "low")]}, "bands[1]: overlaps bands[0]"),
        ({"bands": [band(0, None, "high"), band(5, None, "low")]}, "bands[1]: overlaps bands[0]"),
        ({"bands": [band(0, -1, "high"), band(0, None, "low")]}, "bands[0]: ends before it begins"),
        ({"bands": [band(0, 4, "low"), band(5, None, "high")]}, "bands[1]: points for safety do not lead from low"),
        ({"direction": "danger"}, "bands[1]: points for danger do not lead from high"),
        ({"vetoes": [{"item": "home", "choice": "on_fire", "level": "high"}]}, "vetoes[0]: home has no choice on_fire"),
        ({"emergencies": ["rain"]}, "emergencies: rain is no known sign"),
        ({"months": []}, "months"),
        ({"months": [13]}, "months"),
    ],
    ids=lambda case: case if isinstance(case, str) else "",
)
def test_a_sheet_that_contradicts_itself_is_refused_by_place(changes, saying):
    told = {"direction": "safety", "items": [HOME], "bands": TWO, "months": [3]} | changes
    command = SHEET.model_copy(update={"content": RiskInstrument.model_validate(told)})
    given(ADOPTED).when(command).then_refused(PolicyMakesNoSense, saying)


def test_a_veto_to_a_level_that_does_not_exist_is_no_sheet():
    with pytest.raises(ValidationError, match=r"vetoes\.0\.level"):
        RiskInstrument.model_validate(
            {"direction": "safety", "items": [HOME], "bands": TWO, "months": [3]}
            | {"vetoes": [{"item": "home", "choice": "safe", "level": "purple"}]}
        )


@pytest.mark.parametrize(
    ("changes", "saying"),
    [
        ({"max_age": 18}, "terms.max_age: 18"),
        ({"away": ()}, "terms.away"),
        ({"unable": (ParentState.DEAD,)}, "terms.unable: does not go with parents both_away"),
        ({"parents": "both_away_or_one_unable"}, "terms.unable"),
        ({"parents": "both_away_or_one_unable", "unable": (ParentState.AWAY,)}, "terms.unable: away counts as away"),
    ],
    ids=lambda case: case if isinstance(case, str) else "",
)
def test_terms_that_contradict_themselves_are_refused_by_place(changes, saying):
    terms = CountingTerms.model_validate(dict(YOUNG) | changes)
    given(ADOPTED).when(RULE.model_copy(update={"terms": terms})).then_refused(PolicyMakesNoSense, saying)


@pytest.mark.parametrize(
    ("fields", "saying"),
    [
        ((FIELDS[0], FIELDS[0]), "fields: wifi stands twice"),
        ((FIELDS[4].model_copy(update={"options": ()}),), "fields.way.options"),
        ((FIELDS[4].model_copy(update={"options": ("步行", "步行")}),), "fields.way.options: 步行 stands twice"),
        ((FIELDS[4].model_copy(update={"kind": FieldKind.TEXT}),), "fields.way.options: go with a choice"),
    ],
    ids=lambda case: case if isinstance(case, str) else "",
)
def test_fields_that_contradict_themselves_are_refused_by_place(fields, saying):
    given(ADOPTED).when(ASKING.model_copy(update={"fields": fields})).then_refused(PolicyMakesNoSense, saying)


@pytest.mark.parametrize("periods", [{"closed_file_years": 0}, {"protected_until_age": 17}, {"access_log_years": 0}])
def test_a_period_that_no_law_allows_is_none(periods):
    with pytest.raises(ValidationError, match=next(iter(periods))):
        RetentionPeriods(**periods)


@pytest.mark.parametrize("division", ["520303105", "520303105201"])
def test_no_township_and_no_village_adopts(division):
    with pytest.raises(ValidationError, match="division"):
        AdoptRetention(division=division, starts=STARTS, periods=PERIODS)


@pytest.mark.parametrize("command", [SHEET, KEEPING, ASKING], ids=["sheet", "periods", "fields"])
async def test_the_county_adopts_for_itself_and_nobody_else(command):
    offices = Offices()
    await offices.tell(command, "county-1")
    for person in ("director-1", "supervisor-1"):
        with pytest.raises(NotPermitted):
            await offices.tell(command, person)
    with pytest.raises(NotPermitted):
        await offices.tell(command.model_copy(update={"division": "5203"}), "county-1")


async def test_where_a_city_lets_nobody_override_a_county_adopts_for_days_before_and_after_it_alone():
    offices = Offices()
    city = {"division": "5203", "may_override": False, "rule": "MCA-2016", "terms": None}
    await offices.tell(RULE.model_copy(update=city), "office-1")
    with pytest.raises(OverrideNotAllowed) as refused:
        await offices.tell(RULE, "county-1")
    assert "MCA-2016 of 5203" in refused.value.detail
    await offices.tell(RULE.model_copy(update={"starts": date(2026, 7, 31)}), "county-1")
    await offices.tell(KEEPING, "county-1")
    freed = city | {"may_override": True, "starts": LATER}
    await offices.tell(RULE.model_copy(update=freed), "office-1")
    await offices.tell(RULE.model_copy(update={"starts": LATER, "terms": None}), "county-1")


def an_assessment(child: str, instrument: str, **answers: str) -> AssessRisk:
    told = tuple(RiskAnswer(item=item, choice=choice) for item, choice in answers.items())
    return AssessRisk(child=child, instrument=instrument, answers=Personal(RiskAnswers(answers=told)))


@pytest.mark.parametrize(
    ("age", "home", "score", "level"),
    [
        ("to_5", "unsafe", 3, RiskLevel.HIGH),
        ("to_5", "safe", 33, RiskLevel.MEDIUM_HIGH),
        ("to_10", "safe", 35, RiskLevel.MEDIUM),
        ("to_15", "safe", 40, RiskLevel.LOW),
    ],
)
async def test_a_child_is_assessed_by_the_sheet_of_its_county_which_needs_no_code(age, home, score, level):
    offices, registration = Offices(), a_registration()
    await offices.tell(registration, "director-1")
    await offices.tell(SHEET, "county-1")
    with pytest.raises(RiskInstrumentNotInForce) as refused:
        await offices.tell(an_assessment(registration.child, "SHEET-1"), "director-1")
    assert f"{COUNTY}-SAFE-1 is in force" in refused.value.detail
    await offices.tell(an_assessment(registration.child, f"{COUNTY}-SAFE-1", age=age, home=home), "director-1")
    *_, assessed = await offices.events(registration.child)
    outcome = assessed.outcome.reveal()
    assert (outcome.score, assessed.level.reveal()) == (score, level)
    assert outcome.vetoes == (("home",) if home == "unsafe" else ())
    assert (assessed.instrument, assessed.next_due) == (f"{COUNTY}-SAFE-1", date(2027, 6, 30))


async def test_until_the_sheet_of_the_county_begins_the_shipped_one_is_in_force():
    offices, registration = Offices(), a_registration()
    await offices.tell(registration, "director-1")
    await offices.tell(SHEET.model_copy(update={"starts": LATER}), "county-1")
    emergency = AssessRisk(
        child=registration.child, instrument="SHEET-1", answers=Personal(RiskAnswers(emergencies=("missing",)))
    )
    await offices.tell(emergency, "director-1")


async def test_how_long_an_import_is_kept_follows_from_where_its_sender_works():
    offices = Offices()
    await offices.tell(KEEPING.model_copy(update={"periods": RetentionPeriods(import_file_days=5)}), "county-1")
    for division, on, days in ((VILLAGE, STARTS, 5), (VILLAGE, date(2026, 7, 31), 30), ("5203", STARTS, 30)):
        periods = await retention_in(Adoptions(offices.adoptions), offices.directory, division, on)
        assert periods.import_file_days == days
