"""A household moves, within its village or to another one, and the children who live with it follow."""

from __future__ import annotations

from datetime import date

import pytest

from services.registry.division_map import TakenOver
from services.registry.domain.child import (
    CHILD,
    CloseChildFile,
    FollowHousehold,
    HoldsFromTheFuture,
    OfferTransfer,
    TakeOverChild,
)
from services.registry.domain.household import (
    HOUSEHOLD,
    HouseholdInOtherVillage,
    HouseholdLivesThere,
    HouseholdTakeOverBy,
    MoveBy,
    MoveHousehold,
    NoMoveOffered,
    OfferHouseholdMove,
    TakeOverHousehold,
)
from services.registry.household_learning import GroupOutsideVillage
from shared.commands.command import DivisionEnded, NotOnFile, UnknownDivision
from shared.contracts.child_file import ChildTransferOffered, ChildTransferred
from shared.contracts.households import ChildJoinedHousehold, HouseholdMoved, HouseholdMoveOffered
from shared.contracts.registry import ChildFileClosed, SubjectKeyDestroyed
from shared.contracts.sealed import Personal
from shared.contracts.values import CloseReason
from shared.eventlog.placement import new_id
from tests.support.builders import TOLD, VILLAGE, a_registered_child, a_registration
from tests.support.households import (
    ENDED_GROUP,
    FAR,
    GROUP,
    NEIGHBOUR,
    NEIGHBOURS_GROUP,
    Township,
    an_opened_household,
    an_opening,
)
from tests.support.specification import given

MOVED, TODAY, TOMORROW = date(2026, 8, 10), date(2026, 8, 14), date(2026, 8, 15)
KNOWN = an_opened_household()
WHO = {"household": KNOWN.household}
CHILD_ID = new_id("child", beside=KNOWN.household)
JOINED = ChildJoinedHousehold(**WHO, child=CHILD_ID)
OFFERED = HouseholdMoveOffered(**WHO, to_village=FAR, reason=Personal("建房迁居"))
OFFER = OfferHouseholdMove(**WHO, to_village=FAR, reason="建房迁居", occurred_at=TOLD)
TAKE_OVER = HouseholdTakeOverBy(**WHO, person="supervisor-far", moved_on=MOVED, address="远村9号", occurred_at=TOLD)
GONE = HouseholdMoved(
    **WHO,
    from_village=VILLAGE,
    to_village=FAR,
    moved_on=MOVED,
    moved_by="supervisor-far",
    address=Personal("远村9号"),
    children=(CHILD_ID,),
)
MOVE = MoveBy(**WHO, person="director-1", group=GROUP, occurred_at=TOLD)
WITHIN = HouseholdMoved(
    **WHO, from_village=VILLAGE, to_village=VILLAGE, moved_on=TODAY, moved_by="director-1", group=GROUP
)


def test_a_household_moves_within_its_village_at_once():
    given(HOUSEHOLD, KNOWN, JOINED).when(MOVE).then(WITHIN)
    address = MOVE.model_copy(update={"group": None, "address": Personal("测村4号"), "moved_on": MOVED})
    given(HOUSEHOLD, KNOWN, WITHIN).when(address).then(
        WITHIN.model_copy(update={"group": None, "address": Personal("测村4号"), "moved_on": MOVED})
    )


def test_a_household_that_lives_there_has_not_moved():
    given(HOUSEHOLD, KNOWN, WITHIN).when(MOVE).then()
    given(HOUSEHOLD, KNOWN).when(MOVE.model_copy(update={"group": None, "address": KNOWN.address})).then()


def test_a_household_is_offered_and_taken_over_with_its_children():
    given(HOUSEHOLD, KNOWN, JOINED).when(OFFER).then(OFFERED)
    given(HOUSEHOLD, KNOWN, JOINED, OFFERED).when(TAKE_OVER).then(GONE)


def test_what_is_not_said_of_the_new_place_is_not_known():
    after = HOUSEHOLD.initial
    for event in (KNOWN, JOINED, WITHIN, OFFERED, GONE.model_copy(update={"address": None})):
        after = HOUSEHOLD.evolve(after, event)
    assert (after.village, after.group, after.address, after.offered_to) == (FAR, None, None, None)
    assert after.head == KNOWN.head


def test_a_household_is_not_offered_to_the_village_it_lives_in():
    given(HOUSEHOLD, KNOWN).when(OFFER.model_copy(update={"to_village": VILLAGE})).then_refused(HouseholdLivesThere)


def test_nobody_takes_over_a_household_that_was_not_offered():
    given(HOUSEHOLD, KNOWN).when(TAKE_OVER).then_refused(NoMoveOffered)
    given(HOUSEHOLD, KNOWN, OFFERED, GONE).when(TAKE_OVER).then_refused(NoMoveOffered)


def test_a_move_is_told_once_it_has_happened():
    ahead = {"moved_on": TOMORROW}
    given(HOUSEHOLD, KNOWN).when(MOVE.model_copy(update=ahead)).then_refused(HoldsFromTheFuture, "moved_on")
    given(HOUSEHOLD, KNOWN, OFFERED).when(TAKE_OVER.model_copy(update=ahead)).then_refused(HoldsFromTheFuture)


FILE = a_registered_child()
OF_CHILD = {"child": FILE.child}
FOLLOW = FollowHousehold(
    **OF_CHILD,
    villages=frozenset({VILLAGE}),
    to_village=FAR,
    moved_on=MOVED,
    moved_by="supervisor-far",
    occurred_at=TOLD,
)
FOLLOWED = ChildTransferred(
    **OF_CHILD, from_village=VILLAGE, to_village=FAR, taken_over_by="supervisor-far", moved_on=MOVED
)


def test_a_child_follows_the_household_it_lives_in():
    given(CHILD, FILE).when(FOLLOW).then(FOLLOWED)
    given(CHILD, FILE, FOLLOWED).when(FOLLOW).then()


def test_a_child_with_a_way_of_its_own_does_not_follow():
    elsewhere = FOLLOWED.model_copy(update={"to_village": NEIGHBOUR})
    offered = ChildTransferOffered(**OF_CHILD, to_village=NEIGHBOUR, reason=Personal("随外婆"))
    closed = ChildFileClosed(**OF_CHILD, reason=CloseReason.ADOPTED, closed_on=MOVED)
    erased = SubjectKeyDestroyed(**OF_CHILD, approved_by="officer-1")
    for history in ([elsewhere], [offered], [closed], [erased]):
        given(CHILD, FILE, *history).when(FOLLOW).then()
    given(CHILD).when(FOLLOW).then_refused(NotOnFile)


async def moved_household(township: Township):
    """A household with a child who lives with it, one who was taken over by the neighbour, and one whose file is
    closed."""
    opening = an_opening()
    await township.tell(opening, "director-1")
    children = [a_registration(household=opening.household) for _ in range(3)]
    for registration in children:
        await township.tell(registration, "director-1")
    stays, leaves, closed = (registration.child for registration in children)
    await township.tell(OfferTransfer(child=leaves, to_village=NEIGHBOUR, reason="随外婆"), "supervisor-1")
    await township.tell(TakeOverChild(child=leaves), "supervisor-1")
    await township.tell(CloseChildFile(child=closed, reason=CloseReason.ADOPTED), "director-1")
    return opening.household, stays, leaves, closed


async def residence(township: Township, child: str) -> str:
    for event in reversed(await township.events(child)):
        if isinstance(event, ChildTransferred):
            return event.to_village
    return VILLAGE


async def test_the_children_who_live_with_a_household_follow_it():
    township = Township()
    household, stays, leaves, closed = await moved_household(township)
    await township.tell(OfferHouseholdMove(household=household, to_village=FAR, reason="建房"), "supervisor-1")
    await township.tell(TakeOverHousehold(household=household), "supervisor-far")
    await township.react()
    await township.react()
    assert [await residence(township, child) for child in (stays, leaves, closed)] == [FAR, NEIGHBOUR, VILLAGE]
    assert township.items == []
    [transferred] = [event for event in await township.events(stays) if isinstance(event, ChildTransferred)]
    assert transferred.taken_over_by == "supervisor-far"


async def test_one_village_goes_by_all_the_codes_it_had():
    async def ended():
        codes = [("520303105298", VILLAGE), (VILLAGE, "520303105299")]
        return [{"_id": code, "ends": ["2026-08-01", "recoded", [later]]} for code, later in codes]

    taken_over, all_codes = TakenOver(ended), {"520303105298", VILLAGE, "520303105299"}
    assert [await taken_over.one_with(code) for code in sorted(all_codes)] == [all_codes] * 3
    assert await taken_over.one_with(FAR) == {FAR}


async def test_a_child_is_registered_where_its_household_went():
    township = Township()
    household, *_ = await moved_household(township)
    await township.tell(OfferHouseholdMove(household=household, to_village=FAR, reason="建房"), "supervisor-1")
    await township.tell(TakeOverHousehold(household=household), "supervisor-far")
    with pytest.raises(HouseholdInOtherVillage):
        await township.tell(a_registration(household=household), "director-1")
    await township.tell(a_registration(household=household, residence=FAR), "supervisor-far")


async def test_a_household_is_taken_over_where_it_comes_to_and_offered_where_it_lives():
    township = Township()
    household, *_ = await moved_household(township)
    offer = OfferHouseholdMove(household=household, to_village=FAR, reason="建房")
    for person in ("supervisor-far", "director-1"):
        with pytest.raises(NotOnFile):
            await township.tell(offer, person)
    with pytest.raises(NotOnFile):
        await township.tell(TakeOverHousehold(household=household), "supervisor-far")
    await township.tell(offer, "supervisor-1")
    with pytest.raises(NotOnFile):
        await township.tell(TakeOverHousehold(household=household), "supervisor-1")


async def test_the_divisions_that_a_move_names_are_there():
    township = Township()
    household, *_ = await moved_household(township)
    who = {"household": household}
    township.directory.add_division("520303105209", "520303105")
    township.directory.end_division("520303105209", date(2026, 1, 1), FAR)
    with pytest.raises(DivisionEnded, match=FAR):
        await township.tell(OfferHouseholdMove(**who, to_village="520303105209", reason="建房"), "supervisor-1")
    with pytest.raises(UnknownDivision, match="to_village"):
        await township.tell(OfferHouseholdMove(**who, to_village="520303105999", reason="建房"), "supervisor-1")
    with pytest.raises(GroupOutsideVillage):
        await township.tell(MoveHousehold(**who, group=NEIGHBOURS_GROUP), "director-1")
    with pytest.raises(DivisionEnded):
        await township.tell(MoveHousehold(**who, group=ENDED_GROUP), "director-1")
    await township.tell(OfferHouseholdMove(**who, to_village=FAR, reason="建房"), "supervisor-1")
    with pytest.raises(GroupOutsideVillage):
        await township.tell(TakeOverHousehold(**who, group=GROUP), "supervisor-far")


async def test_nobody_but_the_policy_lets_a_child_follow():
    township = Township()
    _, stays, *_ = await moved_household(township)
    with pytest.raises(NotOnFile):
        await township.tell(FOLLOW.model_copy(update={"child": stays}), "supervisor-1")
