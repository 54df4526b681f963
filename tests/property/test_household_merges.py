"""Whatever two households' files hold: merged and parted again, both are as they were."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.registry.domain.household import (
    HOUSEHOLD,
    ClosingWith,
    GiveBackHousehold,
    Household,
    HouseholdErasureRequestBy,
    HouseholdTakeOverBy,
    MergeBy,
    MoveBy,
    OfferHouseholdMove,
    ReopenHouseholdFile,
    TakeInHousehold,
    UndoingBy,
    children_of,
    village_of,
)
from shared.commands.command import Command
from shared.contracts.refusal import Refusal
from shared.contracts.values import HouseholdCloseReason, HouseholdPoverty
from shared.eventlog.placement import new_id
from tests.support.builders import TOLD, VILLAGE, a_registration
from tests.support.households import FAR, GROUP, an_opening, an_update

ONE, OTHER, THIRD = (new_id("household") for _ in range(3))


def commands(household: str) -> st.SearchStrategy[Command]:
    who: dict[str, Any] = {"household": household, "occurred_at": TOLD}
    texts = st.sampled_from(["测甲", "测乙", "测丙"])
    third = {**who, "merged": THIRD}
    return st.one_of(
        texts.map(lambda head: an_update(household, head=head)),
        texts.map(lambda housing: an_update(household, details={"housing": housing})),
        st.sampled_from(HouseholdPoverty).map(lambda poverty: an_update(household, poverty=poverty)),
        texts.map(lambda address: MoveBy(**who, person="director-1", group=GROUP, address=address)),
        st.builds(lambda: a_registration(household=household)),
        st.just(OfferHouseholdMove(**who, to_village=FAR, reason="迁居")),
        st.just(HouseholdTakeOverBy(**who, person="supervisor-far")),
        st.just(ClosingWith(**who, reason=HouseholdCloseReason.MOVED_AWAY, open_children=frozenset())),
        st.just(ReopenHouseholdFile(**who, reason="返乡")),
        st.just(TakeInHousehold(**third, children=(new_id("child", beside=THIRD),))),
        st.just(GiveBackHousehold(**third)),
        st.just(HouseholdErasureRequestBy(**who, basis="要求", person="director-1", open_children=frozenset())),
    )


def after(household: Household, told: Sequence[Command]) -> Household:
    for command in told:
        with suppress(Refusal):
            for event in HOUSEHOLD.decide(command, household):
                household = HOUSEHOLD.evolve(household, event)
    return household


def held(household: Household) -> tuple[type, dict[str, Any]]:
    return type(household), vars(household)


@given(st.lists(commands(ONE), max_size=12), st.lists(commands(OTHER), max_size=12), st.booleans())
def test_merged_and_parted_again_both_are_as_they_were(
    of_one: list[Command], of_other: list[Command], told_twice: bool
) -> None:
    one = after(HOUSEHOLD.initial, [an_opening(household=ONE), *of_one])
    other = after(HOUSEHOLD.initial, [an_opening(household=OTHER), *of_other])
    who: dict[str, Any] = {"household": ONE, "person": "supervisor-1", "reason": "同一户", "occurred_at": TOLD}
    heard: dict[str, Any] = {"household": OTHER, "merged": ONE, "occurred_at": TOLD}
    villages = frozenset({village_of(one) or VILLAGE})

    merged = after(one, [MergeBy(**who, into=OTHER, goes_on=other, villages=villages)])
    if held(merged) == held(one):
        return  # it was refused: one of them is closed, takes in another, or lives elsewhere
    take_in = TakeInHousehold(**heard, children=tuple(children_of(one)))
    took_in = after(other, [take_in] * (1 + told_twice))
    assert children_of(took_in) == children_of(other) | children_of(one)
    assert held(after(merged, of_one)) == held(merged) or any("Erasure" in type(told).__name__ for told in of_one)

    assert held(after(merged, [UndoingBy(**who)])) == held(one)
    assert held(after(took_in, [GiveBackHousehold(**heard)])) == held(other)
