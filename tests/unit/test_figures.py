"""The definitions of the figures, one rule at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from services.reporting.figures.counting_rules import BRIEF_0_14
from services.reporting.figures.indicators import share
from services.reporting.figures.read_model import FiguresModel
from services.reporting.figures.steps import positive, product, step
from shared.contracts.divisions import DivisionRecoded, DivisionsMerged, DivisionSplit, SplitPart
from shared.contracts.registry import ChildFileReopened, ParentsSituation
from shared.contracts.sealed import ERASED, Counted, Personal
from shared.contracts.values import DivisionKind, ParentState, VisitPurpose
from shared.projection.read_model import Occurred
from tests.support.figure_histories import (
    a_child_of,
    a_closing,
    a_division,
    a_parent,
    a_posting,
    a_visit_in,
    a_withdrawal,
    an_id,
    folded,
    new_parents,
    sum_at,
    told,
)

VILLAGE, OTHER = "529901101201", "529901101202"
TOWNSHIP, COUNTY = "529901101", "529901"
AUG_1, AUG_14 = date(2026, 8, 1), date(2026, 8, 14)
AWAY, HOME = ParentState.AWAY, ParentState.HOME
CHILDREN, WITH_POSTING = "children@BRIEF-0-14", "children_with_posting@BRIEF-0-14"
VILLAGES, VILLAGES_WITH_POSTING = "villages@BRIEF-0-14", "villages_with_posting@BRIEF-0-14"


def pair(father: ParentState = AWAY, mother: ParentState = AWAY, since: date | None = None) -> ParentsSituation:
    return ParentsSituation(father=a_parent(father, since), mother=a_parent(mother, since))


def registered(number: int = 1, on: date = AUG_1, born: str = "2016-03", known: date | None = None) -> Occurred:
    return told(a_child_of(number, VILLAGE, born, pair()), on, known or on)


async def summed(
    history: Sequence[Occurred], measure: str, as_of: date, known_at: date | None = None, node: str = VILLAGE
) -> int:
    return sum_at(await folded([history]), measure, node, as_of, known_at or date(2030, 1, 1))


@pytest.mark.parametrize(
    ("father", "mother", "counts"),
    [
        ("away", "away", True),
        ("away", "lost_contact", True),
        ("away", "incapable", True),
        ("dead", "away", True),
        ("lost_contact", "dead", True),
        ("away", "home", False),
        ("away", "unknown", False),
        ("dead", "incapable", False),
        ("home", "home", False),
        ("away", None, False),
    ],
)
def test_both_parents_away_or_one_away_and_the_other_unable_is_left_behind(
    father: str, mother: str | None, counts: bool
) -> None:
    assert BRIEF_0_14.left_behind(father, mother) is counts
    assert BRIEF_0_14.left_behind(mother, father) is counts


@pytest.mark.parametrize(("born", "day"), [("2011-07", "20260731"), ("2013-02", "20280229"), ("2011-12", "20261231")])
def test_a_birthday_counts_as_the_last_day_of_its_month(born: str, day: str) -> None:
    assert BRIEF_0_14.first_day_too_old(born) == day


async def test_a_child_leaves_the_count_on_the_last_day_of_the_month_it_turns_fifteen() -> None:
    history = [registered(on=date(2026, 7, 1), born="2011-07")]
    assert await summed(history, CHILDREN, date(2026, 7, 30)) == 1
    assert await summed(history, CHILDREN, date(2026, 7, 31)) == 0


async def test_a_child_counts_from_the_day_it_was_registered_whenever_that_was_told() -> None:
    history = [registered(on=AUG_1, known=AUG_14)]
    assert await summed(history, CHILDREN, AUG_1 - timedelta(days=1)) == 0
    assert await summed(history, CHILDREN, AUG_1) == 1
    assert await summed(history, CHILDREN, AUG_14, known_at=AUG_14 - timedelta(days=1)) == 0


async def test_the_day_is_the_day_in_china() -> None:
    """00:30 in China is still the day before in UTC."""
    history = [told(a_child_of(1, VILLAGE, "2016-03", pair()), AUG_14, AUG_14, hour=0)]
    assert await summed(history, CHILDREN, AUG_14 - timedelta(days=1)) == 0
    assert await summed(history, CHILDREN, AUG_14, known_at=AUG_14) == 1


async def test_a_parent_who_came_home_ends_the_count_on_the_day_it_happened() -> None:
    came_home = told(new_parents(1, pair(father=HOME, since=date(2026, 8, 5))), AUG_14, AUG_14, version=2)
    history = [registered(), came_home]
    assert await summed(history, CHILDREN, date(2026, 8, 4)) == 1
    assert await summed(history, CHILDREN, date(2026, 8, 5)) == 0
    assert await summed(history, CHILDREN, date(2026, 8, 5), known_at=date(2026, 8, 13)) == 1


async def test_of_two_facts_told_on_one_day_the_later_one_holds() -> None:
    changed = told(new_parents(1, pair(father=HOME)), AUG_14, AUG_14, version=2)
    put_right = told(new_parents(1, pair(father=AWAY)), AUG_14, AUG_14, version=3)
    assert await summed([registered(), changed, put_right], CHILDREN, AUG_14) == 1
    assert await summed([registered(), changed], CHILDREN, AUG_14) == 0


async def test_a_closed_file_does_not_count_until_it_is_reopened() -> None:
    closed = told(a_closing(1, date(2026, 8, 5)), AUG_14, AUG_14, version=2)
    reopening = ChildFileReopened(child=an_id("child", 1), reason=Personal("核实"), reopened_on=AUG_14)
    history = [registered(), closed, told(reopening, AUG_14, AUG_14, version=3)]
    assert [await summed(history, CHILDREN, date(2026, 8, day)) for day in (4, 5, 13, 14)] == [1, 0, 0, 1]


async def test_a_file_closed_for_a_day_before_its_registration_never_counts() -> None:
    closed = told(a_closing(1, date(2026, 7, 1)), AUG_14, AUG_14, version=2)
    assert await summed([registered(), closed], CHILDREN, AUG_14) == 0
    assert await summed([registered(), closed], CHILDREN, AUG_14, known_at=date(2026, 8, 13)) == 1


async def test_a_child_has_a_posting_while_one_is_active_in_its_village() -> None:
    posted = told(a_posting(1, VILLAGE, date(2026, 8, 3)), AUG_1, AUG_1)
    withdrawn = told(a_withdrawal(1, VILLAGE, date(2026, 8, 10)), AUG_14, AUG_14, version=2)
    second = told(a_posting(2, VILLAGE, date(2026, 8, 12)), AUG_14, AUG_14)
    elsewhere = told(a_posting(3, OTHER, AUG_1), AUG_1, AUG_1)
    history = [registered(), posted, withdrawn, second, elsewhere]
    found = [await summed(history, WITH_POSTING, date(2026, 8, day)) for day in (2, 3, 9, 10, 12)]
    assert found == [0, 1, 1, 0, 1]
    assert await summed(history, WITH_POSTING, date(2026, 8, 10), known_at=AUG_1) == 1


async def test_a_village_counts_once_however_many_children_live_there() -> None:
    posted = told(a_posting(1, VILLAGE, date(2026, 8, 3)), AUG_1, AUG_1)
    gone = [told(a_closing(number, day), AUG_14, AUG_14, version=2) for number, day in ((1, AUG_1), (2, AUG_14))]
    history = [registered(1), registered(2), posted, *gone]
    assert [await summed(history, VILLAGES, date(2026, 8, day)) for day in (1, 13, 14)] == [1, 1, 0]
    assert [await summed(history, VILLAGES_WITH_POSTING, date(2026, 8, day)) for day in (1, 3, 14)] == [0, 1, 0]


async def test_a_late_visit_counts_on_the_day_it_happened_once_it_is_known() -> None:
    history = [told(a_visit_in(VILLAGE, AUG_1), AUG_1, AUG_14)]
    assert await summed(history, "visits", AUG_1, known_at=date(2026, 8, 13)) == 0
    assert await summed(history, "visits", AUG_1, known_at=AUG_14) == 1


async def test_a_visit_counts_once_and_once_in_each_of_its_purposes() -> None:
    both = told(a_visit_in(VILLAGE, AUG_1, VisitPurpose.POVERTY, VisitPurpose.MASS_CONTACT), AUG_1, AUG_1)
    one = told(a_visit_in(VILLAGE, AUG_1, VisitPurpose.POVERTY), AUG_1, AUG_1)
    measures = {"visits": 2, "visits-poverty": 2, "visits-mass_contact": 1, "visits-left_behind": 0}
    for measure, counted in measures.items():
        assert await summed([both, one], measure, AUG_14) == counted


async def test_a_division_has_what_lies_below_it_though_the_tree_was_told_last() -> None:
    late = [told(a_division(VILLAGE, TOWNSHIP), AUG_14, AUG_14), told(a_division(TOWNSHIP, COUNTY), AUG_14, AUG_14)]
    for batches in ([[registered(), *late]], [[registered()], late], [[registered()], late[1:], late[:1]]):
        held = await folded(batches)
        assert [sum_at(held, CHILDREN, node, AUG_14, AUG_1) for node in (VILLAGE, TOWNSHIP, COUNTY)] == [1, 1, 1]


async def test_a_division_that_moves_takes_its_figures_along() -> None:
    first = told(a_division(TOWNSHIP, COUNTY), AUG_1, AUG_1)
    moved = told(a_division(TOWNSHIP, "529902", valid_from=AUG_1), AUG_14, AUG_14, version=2)
    held = await folded([[told(a_division(VILLAGE, TOWNSHIP), AUG_1, AUG_1), first], [registered()], [moved]])
    assert [sum_at(held, CHILDREN, node, AUG_14, AUG_14) for node in (COUNTY, "529902")] == [0, 1]
    assert not [row for row in held["sums"].values() if row["node"] == COUNTY]


MOVED = date(2026, 8, 10)
PLACES = [
    told(a_division(code, parent), AUG_1, AUG_1)
    for code, parent in (("5299", None), (COUNTY, "5299"), (TOWNSHIP, COUNTY), (VILLAGE, TOWNSHIP), (OTHER, TOWNSHIP))
]


@pytest.mark.parametrize("map_first", [True, False])
async def test_a_recoded_division_counts_under_its_new_code_what_was_told_under_the_old_one(map_first: bool) -> None:
    recoded = DivisionRecoded(
        division=an_id("division", 1),
        code="529901109",
        former=(TOWNSHIP,),
        name="新",
        kind=DivisionKind.TOWNSHIP,
        parent=COUNTY,
        valid_from=MOVED,
    )
    history = [*PLACES, told(recoded, MOVED, MOVED)]
    history = [*history, registered()] if map_first else [registered(), *reversed(history)]
    for node in (TOWNSHIP, "529901109", COUNTY, "5299"):
        assert await summed(history, CHILDREN, AUG_14, node=node) == 1


@pytest.mark.parametrize("map_first", [True, False])
async def test_what_is_merged_counts_where_it_was_merged_into_and_once_above(map_first: bool) -> None:
    merged = DivisionsMerged(division=an_id("division", 1), code=OTHER, merged=(VILLAGE,), valid_from=MOVED)
    history = [*PLACES, told(merged, MOVED, MOVED)]
    history = [*history, registered()] if map_first else [registered(), *reversed(history)]
    for node in (VILLAGE, OTHER, TOWNSHIP, COUNTY):
        assert await summed(history, CHILDREN, AUG_14, node=node) == 1


async def test_the_children_of_a_split_division_count_below_its_parts() -> None:
    part = "529901109"
    split = DivisionSplit(
        division=an_id("division", 1),
        code=TOWNSHIP,
        parts=(SplitPart(code=part, children=(VILLAGE,)), SplitPart(code="529901110", children=(OTHER,))),
        valid_from=MOVED,
    )
    history = [*PLACES, told(a_division(part, COUNTY), AUG_1, AUG_1), registered(), told(split, MOVED, MOVED)]
    found = [await summed(history, CHILDREN, AUG_14, node=node) for node in (part, "529901110", TOWNSHIP, COUNTY)]
    assert found == [1, 0, 0, 1]


async def test_a_child_that_was_counted_by_mistake_leaves_no_row() -> None:
    held = await folded([[registered()], [told(a_closing(1, AUG_1), AUG_1, AUG_1, version=2)]])
    assert held["sums"] == {}
    assert held["villages"] == {}


async def test_a_child_whose_counted_key_is_gone_counts_nowhere_and_stops_nothing() -> None:
    event = a_child_of(1, VILLAGE, "2016-03", pair()).model_copy(update={"birth_month": Counted(ERASED)})
    assert await summed([told(event, AUG_1, AUG_1)], CHILDREN, AUG_14) == 0


async def test_nothing_that_was_cached_is_needed() -> None:
    tree = [told(a_division(VILLAGE, TOWNSHIP), AUG_1, AUG_1), told(a_division(TOWNSHIP, COUNTY), AUG_1, AUG_1)]
    batches = [tree, [registered(1)], [told(a_posting(1, VILLAGE, AUG_1), AUG_1, AUG_1)], [registered(2)]]
    held = await folded(batches, forgetful=True)
    assert held == await folded(batches)
    assert sum_at(held, WITH_POSTING, COUNTY, AUG_14, AUG_14) == 2


def test_a_figure_needs_nothing_that_an_erasure_destroys() -> None:
    assert FiguresModel.opens == {"counted"}
    assert "SubjectKeyDestroyed" not in FiguresModel.events


@pytest.mark.parametrize(
    ("numerator", "denominator", "rate"),
    [
        (85_149, 154_000, "55.3"),
        (8_515, 15_400, "55.3"),
        (1, 2_000, "0.1"),
        (1, 2_001, "0.0"),
        (0, 7, "0.0"),
        (7, 7, "100.0"),
        (0, 0, "-"),
    ],
)
def test_a_share_is_rounded_half_up_from_the_integers(numerator: int, denominator: int, rate: str) -> None:
    assert share(numerator, denominator) == rate


def test_the_product_of_two_steps_stands_where_and_when_the_later_one_does() -> None:
    assert product(step("20260801", "20260810"), step("20260805", "20260803")) == {"20260810": {"20260805": 1}}


def test_a_count_is_positive_from_its_first_until_its_last() -> None:
    counts = {"20260801": {"20260701": 2, "20260705": -1}, "20260802": {"20260705": -1}}
    assert positive(counts) == {"20260801": {"20260701": 1}, "20260802": {"20260705": -1}}
    assert positive(counts, since="20260802") == {"20260802": {"20260705": -1}}


async def test_a_later_look_at_a_door_corrects_an_earlier_one_also_for_the_days_in_between() -> None:
    seen_home = told(a_child_of(1, VILLAGE, "2016-03", pair(mother=HOME)), AUG_1, AUG_1)
    looked_again = told(new_parents(1, pair(since=date(2026, 3, 1))), AUG_14, AUG_14, version=2)
    history = [seen_home, looked_again]
    assert await summed(history, CHILDREN, date(2026, 8, 7)) == 1
    assert await summed(history, CHILDREN, date(2026, 8, 7), known_at=date(2026, 8, 13)) == 0


async def test_a_look_that_is_told_late_does_not_undo_a_later_look() -> None:
    seen_away = told(a_child_of(1, VILLAGE, "2016-03", pair()), AUG_14, AUG_14)
    told_late = told(new_parents(1, pair(mother=HOME)), AUG_1, date(2026, 8, 20), version=2)
    assert await summed([seen_away, told_late], CHILDREN, date(2026, 8, 16)) == 1
