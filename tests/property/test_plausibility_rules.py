"""What the rules find equals what somebody finds who compares every visit with every other."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import combinations
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from services.reporting.sample import Candidate, draw, seed_of
from services.visits.plausibility.rules import Made, findings
from shared.commands.command import CHINA, business_day
from shared.contracts.oversight import PlausibilityRule

START: Final = datetime(2026, 4, 1, 0, 0, tzinfo=CHINA)
QUARTER: Final = (date(2026, 4, 1), date(2026, 6, 30))
KNOWN_ON: Final = date(2026, 8, 5)

MOMENTS = {
    "a minute": st.integers(0, 70),
    "a morning": st.integers(0, 3_000),
    "a quarter": st.integers(0, 91 * 24).map(lambda hours: hours * 3600),
    "a last day": st.integers(90 * 24, 91 * 24 - 1).map(lambda hours: hours * 3600 + 5),
}
"""Seconds from the start, by how near to one another."""


@st.composite
def visits(draw: st.DrawFn) -> list[Made]:
    near = draw(st.sampled_from(["a minute", "a morning", "a last day", "all"]))
    seconds = MOMENTS[near] if near in MOMENTS else st.one_of(*MOMENTS.values())
    answers = draw(st.sampled_from([[{1}], [{1}, {1}, {1}, {1, 2}, ()]]))
    return [
        Made(
            visit=f"visit-{number:02}",
            village=draw(st.sampled_from("AB")),
            household=draw(st.sampled_from("bcdefghijklmnopqrstuvw")),
            at=START + timedelta(seconds=draw(seconds)),
            at_place=draw(st.booleans()),
            told=draw(st.sampled_from([True, True, True, False])),
            notes=draw(st.frozensets(st.integers(1, 3), max_size=2)),
            answers=frozenset(draw(st.sampled_from(answers))),
        )
        for number in range(draw(st.integers(0, 26)))
    ]


def of_rule(found: Sequence[Made], rule: PlausibilityRule) -> list[tuple[Made, ...]]:
    return [one.visits for one in findings(found, KNOWN_ON) if one.rule is rule]


def has_time(one: Made) -> bool:
    return (one.at.hour, one.at.minute, one.at.second) != (0, 0, 0)


@given(visits(), st.randoms())
def test_the_order_in_which_visits_are_told_changes_nothing(made, random):
    shuffled = random.sample(made, len(made))
    assert findings(made, KNOWN_ON) == findings(shuffled, KNOWN_ON)


@given(visits())
def test_every_finding_is_true_and_names_visits_in_order(made):
    for rule, found in findings(made, KNOWN_ON):
        assert list(found) == sorted(found, key=lambda one: (one.at, one.visit))
        assert len({one.visit for one in found}) == len(found)
        match rule:
            case PlausibilityRule.TWO_VILLAGES:
                assert len({one.village for one in found}) == 2
                assert found[1].at - found[0].at <= timedelta(minutes=10)
            case PlausibilityRule.MANY_IN_A_MINUTE:
                assert len(found) >= 10
                assert found[-1].at - found[0].at < timedelta(minutes=1)
            case PlausibilityRule.SAME_NOTE:
                assert frozenset.intersection(*(one.notes for one in found))
                assert len({one.household for one in found}) == len(found) >= 3
            case PlausibilityRule.SAME_ANSWERS:
                assert len({one.answers for one in found}) == 1
                assert len({one.household for one in found}) == len(found) >= 10


@given(visits())
def test_two_villages_are_found_whenever_any_two_visits_are_so_near_in_time(made):
    there = [one for one in made if one.at_place and has_time(one)]
    near = any(
        one.village != other.village and abs(one.at - other.at) <= timedelta(minutes=10)
        for one, other in combinations(there, 2)
    )
    assert bool(of_rule(made, PlausibilityRule.TWO_VILLAGES)) == near


@given(visits())
def test_many_are_found_whenever_any_minute_holds_ten(made):
    told = [one for one in made if one.told and has_time(one)]
    many = any(sum(timedelta(0) <= other.at - one.at < timedelta(minutes=1) for other in told) >= 10 for one in told)
    assert bool(of_rule(made, PlausibilityRule.MANY_IN_A_MINUTE)) == many


@given(visits())
def test_a_note_is_found_whenever_three_households_have_it(made):
    told = [one for one in made if one.told]
    copied = any(len({one.household for one in told if note in one.notes}) >= 3 for note in range(1, 4))
    assert bool(of_rule(made, PlausibilityRule.SAME_NOTE)) == copied


@given(visits())
def test_answers_are_found_whenever_a_row_of_visits_has_them_at_ten_households(made):
    answered = sorted((one for one in made if one.told and one.answers), key=lambda one: (one.at, one.visit))
    rows = [answered[start:end] for start in range(len(answered)) for end in range(start + 1, len(answered) + 1)]
    alike = any(len({one.answers for one in row}) == 1 and len({one.household for one in row}) >= 10 for row in rows)
    assert bool(of_rule(made, PlausibilityRule.SAME_ANSWERS)) == alike


@given(visits())
def test_a_quarter_is_found_when_all_its_visits_are_of_its_last_day(made):
    days = [business_day(one.at) for one in made if one.told]
    within = [day for day in days if QUARTER[0] <= day <= QUARTER[1]]
    only = len(within) >= 5 and set(within) == {QUARTER[1]}
    assert bool(of_rule(made, PlausibilityRule.LAST_DAY_OF_QUARTER)) == only


CANDIDATES = st.lists(
    st.builds(Candidate, st.uuids().map(str), st.booleans(), st.booleans()), unique_by=lambda one: one.visit
)
SHARES = st.fractions(min_value=0, max_value=1)


@given(CANDIDATES, SHARES, st.randoms())
def test_a_draw_can_be_repeated_from_its_seed_and_has_the_share_that_was_asked_for(candidates, share, random):
    drawn = draw(candidates, share, seed_of("520303", "2026-08"))
    assert drawn == draw(random.sample(candidates, len(candidates)), share, seed_of("520303", "2026-08"))
    verified = {one.visit for one in candidates if one.verified}
    assert not verified & set(drawn)
    left = len(candidates) - len(verified)
    assert len(drawn) == min(left, max(0, -(-share.numerator * len(candidates) // share.denominator) - len(verified)))


@given(CANDIDATES, SHARES)
def test_what_is_doubted_or_flagged_is_drawn_before_anything_else(candidates, share):
    drawn = draw(candidates, share, "seed")
    preferred = {one.visit: one.preferred for one in candidates}
    assert [preferred[visit] for visit in drawn] == sorted((preferred[visit] for visit in drawn), reverse=True)
    if any(not preferred[visit] for visit in drawn):
        assert all(one.visit in drawn for one in candidates if one.preferred and not one.verified)


@given(CANDIDATES, SHARES)
def test_verifying_what_was_drawn_leaves_the_rest_of_the_draw_as_it_was(candidates, share):
    first, *rest = draw(candidates, share, "seed") or [None]
    after = [one._replace(verified=one.verified or one.visit == first) for one in candidates]
    assert draw(after, share, "seed") == rest
