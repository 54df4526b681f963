"""The household's card, folded from events in whichever order two partitions give them."""

from __future__ import annotations

from datetime import date

import pytest

from services.reporting.read_models.households import CARDS, ENTRIES, Households
from shared.contracts.households import (
    HouseholdDetails,
    HouseholdErasureRequested,
    HouseholdFileClosed,
    HouseholdFileReopened,
    HouseholdFileUpdated,
    HouseholdKeyDestroyed,
    HouseholdMergeUndone,
    HouseholdMoved,
    HouseholdMoveOffered,
    HouseholdsMerged,
)
from shared.contracts.sealed import ERASED, Personal
from shared.contracts.values import HouseholdCloseReason
from tests.support.builders import VILLAGE, a_registered_child
from tests.support.households import FAR, GROUP, an_opened_household
from tests.support.workspace import fold_all

KNOWN, OTHER = an_opened_household(group=GROUP), an_opened_household()
WHO = {"household": KNOWN.household}
MOVED = date(2026, 8, 10)
MERGED = HouseholdsMerged(**WHO, into=OTHER.household, children=(), merged_by="supervisor-1", reason=Personal("同一户"))
UNDONE = HouseholdMergeUndone(**WHO, into=OTHER.household, undone_by="county-1", reason=Personal("两户"))
CLOSED = HouseholdFileClosed(**WHO, reason=HouseholdCloseReason.MOVED_AWAY, closed_on=MOVED)


async def cards_of(*events):
    """Each event comes in a batch of its own."""
    return (await fold_all(Households(), [[event] for event in events]))[CARDS]


async def card_of(*events):
    return (await cards_of(*events))[KNOWN.household]


async def test_a_card_holds_what_was_told_with_the_children():
    child = a_registered_child(household=KNOWN.household)
    card = await card_of(KNOWN, child)
    assert (card["village"], card["state"], card["children"]) == (VILLAGE, "open", [child.child])
    assert card["file"]["members"][1] == {"name": "测甲一", "relation": "grandchild"}
    assert (card["file"]["group"], card["file"]["poverty"]) == (GROUP, "lifted")


async def test_an_update_takes_the_place_of_what_it_says():
    update = HouseholdFileUpdated(
        **WHO, phone=Personal("13900000002"), details=Personal(HouseholdDetails(allowances=()))
    )
    before, after = await card_of(KNOWN), await card_of(KNOWN, update)
    assert after["file"] == before["file"] | {"phone": "13900000002", "allowances": []}


async def test_a_move_is_shown_when_it_is_offered_and_when_it_is_done():
    offered = HouseholdMoveOffered(**WHO, to_village=FAR, reason=Personal("建房"))
    gone = HouseholdMoved(**WHO, from_village=VILLAGE, to_village=FAR, moved_on=MOVED, moved_by="supervisor-far")
    assert (await card_of(KNOWN, offered))["offered_to"] == FAR
    card = await card_of(KNOWN, offered, gone)
    assert (card["village"], card["moved_on"], "offered_to" in card) == (FAR, "2026-08-10", False)
    assert not {"group", "address"} & card["file"].keys()
    within = gone.model_copy(update={"to_village": VILLAGE, "address": Personal("测村4号")})
    file = (await card_of(KNOWN, within))["file"]
    assert (file["group"], file["address"]) == (GROUP, "测村4号")


async def test_a_file_that_ended_says_so_until_it_is_opened_again():
    card = await card_of(KNOWN, CLOSED)
    assert (card["state"], card["closed_on"], card["closed_for"]) == ("closed", "2026-08-10", "moved_away")
    reopened = HouseholdFileReopened(**WHO, reason=Personal("返乡"), reopened_on=MOVED)
    assert await card_of(KNOWN, CLOSED, reopened) == await card_of(KNOWN)


@pytest.mark.parametrize(
    "history",
    [(KNOWN, MERGED, OTHER), (KNOWN, OTHER, MERGED), (OTHER, KNOWN, MERGED)],
    ids=["before", "between", "after"],
)
async def test_a_merge_is_shown_on_both_cards_in_whichever_order_their_partitions_come(history):
    cards = await cards_of(*history)
    one, other = cards[KNOWN.household], cards[OTHER.household]
    assert (one["state"], one["merged_into"]) == ("merged", OTHER.household)
    assert (other["state"], other["merged"]) == ("open", [KNOWN.household])
    assert await cards_of(*history, UNDONE) == await cards_of(KNOWN, OTHER)


async def test_both_households_of_a_merge_have_it_in_their_time_line():
    entries = (await fold_all(Households(), [[KNOWN, OTHER, MERGED]]))[ENTRIES].values()
    assert {entry["household"]: entry["type"] for entry in entries} == dict.fromkeys(
        (KNOWN.household, OTHER.household), "HouseholdsMerged"
    )


async def test_an_erased_household_leaves_a_tombstone():
    requested = HouseholdErasureRequested(**WHO, basis=Personal("户主要求"), requested_by="director-1")
    erased = HouseholdKeyDestroyed(**WHO, approved_by="officer-1")
    store = await fold_all(Households(), [[KNOWN, CLOSED, requested], [erased], [CLOSED, MERGED]])
    assert store[CARDS][KNOWN.household] == {"_id": KNOWN.household, "erased": True}
    assert [entry["household"] for entry in store[ENTRIES].values()] == [OTHER.household]


async def test_a_rebuild_after_an_erasure_comes_to_the_same():
    gone = KNOWN.model_copy(update={name: Personal(ERASED) for name in ("head", "address", "phone", "details")})
    erased = HouseholdKeyDestroyed(**WHO, approved_by="officer-1")
    assert await cards_of(gone, erased) == await cards_of(KNOWN, erased)
