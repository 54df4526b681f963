"""The counting rules, term by term: what each asks, and that nothing unknown is ever true."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

import pytest
from pydantic import ValidationError

from services.registry.domain.adoption import (
    ADOPTED,
    AdoptCountingRule,
    CountingRuleAlreadyBegins,
    CountingRuleUnknown,
    adoption_stream,
)
from services.reporting.figures.counting_rules import CountingRule, UnknownCountingRule, shipped
from services.reporting.figures.facts import add_child_facts, child_counts
from services.reporting.figures.indicators import UnknownIndicator, indicator_named
from services.reporting.figures.rules_in_force import RulesInForce
from shared.adoption.read_model import Adoptions
from shared.commands.command import UnknownDivision
from shared.contracts.counting import DEFAULT_RULE, RULES, CountingRuleAdopted, CountingTerms, ParentsTerm
from shared.contracts.registry import ParentSituation, ParentsSituation
from shared.contracts.values import CareKind, HukouKind, ParentState, SchoolState
from shared.identity.access import NotPermitted
from shared.projection.read_model import Document, Occurred
from tests.support.builders import TOLD
from tests.support.figure_histories import (
    a_child_of,
    a_parent,
    a_transfer,
    folded,
    new_birth_month,
    new_care,
    new_hukou,
    new_parents,
    new_schooling,
    sum_at,
    told,
)
from tests.support.offices import Offices
from tests.support.specification import given

VILLAGE = "529901101201"
SEEN, LATER, LAST = date(2026, 3, 1), date(2026, 8, 14), date(2030, 12, 31)
LEFT = date(2026, 2, 10)
HALF_A_YEAR_ON = date(2026, 8, 10)
AWAY, LOST, DEAD, HOME = ParentState.AWAY, ParentState.LOST_CONTACT, ParentState.DEAD, ParentState.HOME


def away(state: ParentState = AWAY, since: date | None = LEFT, across: bool | None = True) -> ParentSituation:
    return a_parent(state, since, across)


def a_child(
    father: ParentSituation | None = None,
    mother: ParentSituation | None = None,
    hukou: HukouKind | None = HukouKind.RURAL,
    kind: CareKind = CareKind.GRANDPARENT,
    born: str = "2016-03",
) -> Occurred:
    parents = ParentsSituation(father=father or away(), mother=mother or away())
    return told(a_child_of(1, VILLAGE, born, parents, hukou, kind), SEEN, SEEN)


async def counts(rule: str, history: Sequence[Occurred], *days: date) -> list[int]:
    held = await folded([history])
    return [sum_at(held, f"children@{rule}", VILLAGE, day, LAST) for day in days]


async def test_mca_2016_asks_for_a_rural_child_that_does_not_live_with_its_parents() -> None:
    assert await counts("MCA-2016", [a_child()], LATER) == [1]
    assert await counts("MCA-2016", [a_child(hukou=HukouKind.URBAN)], LATER) == [0]
    assert await counts("MCA-2016", [a_child(hukou=None)], LATER) == [0]
    assert await counts("MCA-2016", [a_child(kind=CareKind.PARENT)], LATER) == [0]


async def test_mca_2016_counts_until_sixteen_and_the_brief_until_fifteen() -> None:
    history = [a_child(born="2016-03")]
    days = date(2031, 3, 30), date(2031, 3, 31), date(2032, 3, 30), date(2032, 3, 31)
    assert await counts("BRIEF-0-14", history, *days) == [1, 0, 0, 0]
    assert await counts("MCA-2016", history, *days) == [1, 1, 1, 0]


async def test_mca_2024_asks_for_six_months_without_a_break() -> None:
    days = date(2026, 8, 9), HALF_A_YEAR_ON
    assert await counts("MCA-2024", [a_child()], *days) == [0, 1]
    at_home = ParentsSituation(father=away(HOME, date(2026, 5, 1)), mother=away())
    was_home = told(new_parents(1, at_home), date(2026, 5, 1), date(2026, 5, 1), version=2)
    assert await counts("MCA-2024", [a_child(), was_home], *days) == [0, 0]
    still_away = ParentsSituation(father=away(), mother=away())
    seen_again = told(new_parents(1, still_away), date(2026, 7, 1), date(2026, 7, 1), version=2)
    assert await counts("MCA-2024", [a_child(), seen_again], *days) == [0, 1]


async def test_mca_2024_asks_for_away_across_the_countys_border() -> None:
    assert await counts("MCA-2024", [a_child(father=away(across=False))], HALF_A_YEAR_ON) == [0]


@pytest.mark.parametrize("father", [away(across=None), away(since=None)], ids=["whether across", "since when"])
async def test_what_mca_2024_asks_for_and_nobody_told_is_never_true(father: ParentSituation) -> None:
    assert await counts("MCA-2024", [a_child(father=father)], LAST) == [0]
    assert await counts("MCA-2016", [a_child(father=father)], LATER) == [1]


async def test_a_parent_who_is_lost_is_away_for_mca_2016_and_unable_for_mca_2024() -> None:
    lost = away(LOST, None, None)
    for mother, mca_2016, mca_2024 in ((away(), 1, 1), (lost, 1, 0), (away(DEAD), 1, 0)):
        history = [a_child(father=lost, mother=mother)]
        assert await counts("MCA-2016", history, LATER) == [mca_2016]
        assert await counts("MCA-2024", history, LATER) == [mca_2024]


async def test_the_census_counts_a_child_until_eighteen_with_one_parent_away_for_half_a_year() -> None:
    history = [a_child(mother=away(HOME), hukou=None, kind=CareKind.PARENT)]
    days = date(2026, 8, 9), HALF_A_YEAR_ON, date(2034, 3, 30), date(2034, 3, 31)
    assert await counts("CENSUS-WIDE", history, *days) == [0, 1, 1, 0]
    assert await counts("CENSUS-WIDE", [a_child(father=away(since=None), mother=away(HOME))], LATER) == [0]


async def test_education_counts_pupils_in_compulsory_education_whatever_their_age() -> None:
    primary = told(new_schooling(1, SchoolState.PRIMARY, date(2026, 3, 10)), LATER, LATER, version=2)
    senior = told(new_schooling(1, SchoolState.SENIOR, date(2026, 9, 1)), date(2026, 9, 1), date(2026, 9, 1), version=3)
    history = [a_child(born="2005-03"), primary, senior]
    days = date(2026, 3, 9), date(2026, 3, 10), date(2026, 8, 31), date(2026, 9, 1)
    assert await counts("EDU", history, *days) == [0, 1, 1, 0]
    assert await counts("EDU", [a_child()], LATER) == [0]
    assert await counts("EDU", [a_child(mother=away(DEAD)), primary], LATER) == [0]


async def test_who_cares_and_where_a_child_is_registered_changes_a_verdict_from_its_day() -> None:
    with_parents = told(new_care(1, CareKind.PARENT, date(2026, 8, 3)), LATER, LATER, version=2)
    assert await counts("MCA-2016", [a_child(), with_parents], date(2026, 8, 2), date(2026, 8, 3)) == [1, 0]
    urban = told(new_hukou(1, HukouKind.URBAN), LATER, LATER, version=2)
    assert await counts("MCA-2016", [a_child(), urban], date(2026, 8, 13), LATER) == [1, 0]
    assert await counts("BRIEF-0-14", [a_child(), with_parents, urban], LATER) == [1]


async def test_a_corrected_birth_month_holds_from_the_beginning_once_it_is_known() -> None:
    corrected = told(new_birth_month(1, "2009-01"), LATER, LATER, version=2)
    held = await folded([[a_child(), corrected]])
    known_before = sum_at(held, "children@BRIEF-0-14", VILLAGE, LATER, date(2026, 8, 13))
    assert (known_before, sum_at(held, "children@BRIEF-0-14", VILLAGE, SEEN, LATER)) == (1, 0)


@pytest.mark.parametrize(
    ("left", "day"),
    [("20260210", "20260810"), ("20250831", "20260228"), ("20230831", "20240229"), ("20250701", "20260101")],
)
def test_six_months_end_on_the_same_day_of_the_month_or_its_last(left: str, day: str) -> None:
    assert shipped("MCA-2024").first_day_long_enough(left) == day


def test_a_further_rule_needs_no_code_where_its_terms_exist() -> None:
    terms = CountingTerms(max_age=5, parents=ParentsTerm.ANY_AWAY, away=(AWAY,), hukou_kinds=(HukouKind.URBAN,))
    rule = CountingRule.of("UNDER-6-URBAN", terms)
    facts: dict[str, list[list[object]]] = {}
    add_child_facts(facts, *a_child(mother=away(HOME), hukou=HukouKind.URBAN, born="2021-03"))
    steps = {"20260301": {"20260301": 1, "20270331": -1}}
    assert child_counts(facts, [rule]) == {(VILLAGE, "UNDER-6-URBAN"): steps}


def test_what_was_shipped_under_a_name_does_not_change() -> None:
    asked = {name: terms.model_dump(mode="json", exclude_defaults=True) for name, terms in RULES.items()}
    gone, unable = ["away", "lost_contact"], ["incapable", "dead"]
    elsewhere = ["grandparent", "other_relative", "friend_neighbour", "boarding_school", "institution", "nobody"]
    both_or_unable = {"parents": "both_away_or_one_unable"}
    half_a_year_far_away = {"months_away": 6, "across_county": True}
    rural = {"max_age": 15, "hukou_kinds": ["rural"], "care_kinds": elsewhere} | both_or_unable
    assert asked == {
        "BRIEF-0-14": {"max_age": 14, "away": gone, "unable": unable} | both_or_unable,
        "MCA-2016": {"away": gone, "unable": unable} | rural,
        "MCA-2024": {"away": ["away"], "unable": [*unable, "lost_contact"]} | rural | half_a_year_far_away,
        "CENSUS-WIDE": {"max_age": 17, "parents": "any_away", "away": gone, "months_away": 6},
        "EDU": {"parents": "both_away", "away": gone, "school_states": ["primary", "junior"]},
    }
    assert DEFAULT_RULE == "BRIEF-0-14"


async def _nothing(ids: Collection[str]) -> list[Document]:
    return []


async def test_a_rule_or_an_indicator_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UnknownCountingRule):
        await RulesInForce(Adoptions(_nothing)).named("MCA-1999")
    with pytest.raises(UnknownIndicator):
        indicator_named("I99", DEFAULT_RULE)


# -- adopting

ADOPT = AdoptCountingRule(division="520303", rule="MCA-2024", starts=date(2026, 9, 1), occurred_at=TOLD)
ADOPTION = CountingRuleAdopted(
    adoption=adoption_stream("520303"),
    division="520303",
    rule="MCA-2024",
    terms=RULES["MCA-2024"],
    starts=date(2026, 9, 1),
)


def test_a_county_adopts_a_rule_with_its_terms_from_a_day() -> None:
    given(ADOPTED).when(ADOPT).then(ADOPTION)
    later = ADOPT.model_copy(update={"rule": "MCA-2016", "starts": date(2027, 1, 1)})
    given(ADOPTED, ADOPTION).when(later).then(
        ADOPTION.model_copy(update={"rule": "MCA-2016", "starts": date(2027, 1, 1), "terms": RULES["MCA-2016"]})
    )


def test_a_rule_that_does_not_exist_is_not_adopted() -> None:
    given(ADOPTED).when(ADOPT.model_copy(update={"rule": "MCA-1999"})).then_refused(CountingRuleUnknown)


def test_two_rules_do_not_begin_on_one_day() -> None:
    given(ADOPTED, ADOPTION).when(ADOPT).then_refused(CountingRuleAlreadyBegins)


@pytest.mark.parametrize("division", ["520303105", VILLAGE])
def test_no_township_and_no_village_adopts_a_rule(division: str) -> None:
    with pytest.raises(ValidationError):
        AdoptCountingRule(division=division, rule="MCA-2024", starts=date(2026, 9, 1))


async def test_the_county_adopts_for_itself_and_nobody_else() -> None:
    offices = Offices()
    command = AdoptCountingRule(division="520303", rule="MCA-2024", starts=date(2026, 9, 1))
    await offices.tell(command, "county-1")
    assert await offices.events(adoption_stream("520303")) == [ADOPTION]
    for division, person in (("5203", "county-1"), ("520303", "director-1")):
        with pytest.raises(NotPermitted):
            await offices.tell(command.model_copy(update={"division": division}), person)
    with pytest.raises(UnknownDivision):
        await offices.tell(command.model_copy(update={"division": "520399"}), "county-1")


async def test_a_child_counts_in_the_village_it_lives_in_on_the_day() -> None:
    there = "529901101202"
    moved = told(a_transfer(1, there, date(2026, 8, 3)), LATER, LATER, version=2)
    for batches in ([[a_child(), moved]], [[a_child()], [moved]], [[moved], [a_child()]]):
        held = await folded(batches)
        found = [
            [sum_at(held, "children@BRIEF-0-14", village, date(2026, 8, day), LAST) for day in (2, 3)]
            for village in (VILLAGE, there)
        ]
        assert found == [[1, 0], [0, 1]]
