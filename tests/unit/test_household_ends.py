"""A household's file is closed and opened again, merged into another one and parted from it, and erased."""

from __future__ import annotations

from datetime import date

import pytest

from services.registry.domain.child import (
    ApproveErasure,
    ApproverIsRequester,
    CloseChildFile,
    ClosedBeforeItBegan,
    ErasureNotRequested,
    ReopenChildFile,
    RequestErasure,
)
from services.registry.domain.household import (
    HOUSEHOLD,
    ApproveHouseholdErasure,
    CloseHouseholdFile,
    ClosingWith,
    EraseLeftHousehold,
    GiveBackHousehold,
    HouseholdErasureApprovalBy,
    HouseholdErasureRequestBy,
    HouseholdFileIsClosed,
    HouseholdFileIsOpen,
    HouseholdHasOpenChild,
    HouseholdHasTakenIn,
    HouseholdInOtherVillage,
    HouseholdIsErased,
    HouseholdIsMerged,
    HouseholdNotMerged,
    MergeBy,
    MergedIntoItself,
    MergeHouseholds,
    NoSuchHouseholdInVillage,
    OfferHouseholdMove,
    ReopenHouseholdFile,
    RequestHouseholdErasure,
    TakeInHousehold,
    TakeOverHousehold,
    UndoHouseholdMerge,
    UndoingBy,
    children_of,
)
from shared.commands.command import NotOnFile
from shared.contracts.households import (
    ChildJoinedHousehold,
    HouseholdErasureRequested,
    HouseholdFileClosed,
    HouseholdFileReopened,
    HouseholdGivenBack,
    HouseholdKeyDestroyed,
    HouseholdMergeUndone,
    HouseholdsMerged,
    HouseholdTakenIn,
)
from shared.contracts.sealed import Personal
from shared.contracts.values import CloseReason, HouseholdCloseReason
from shared.eventlog.placement import new_id
from shared.eventlog.port import ClaimTaken
from tests.support.builders import TOLD, VILLAGE, a_registration
from tests.support.households import FAR, NEIGHBOUR, Township, an_opened_household, an_opening, an_update
from tests.support.specification import given

TODAY = date(2026, 8, 14)
KNOWN, OTHER = an_opened_household(), an_opened_household()
WHO = {"household": KNOWN.household}
CHILD_ID = new_id("child", beside=KNOWN.household)
JOINED = ChildJoinedHousehold(**WHO, child=CHILD_ID)
NO_CHILD: frozenset[str] = frozenset()
CLOSE = ClosingWith(**WHO, reason=HouseholdCloseReason.MOVED_AWAY, open_children=NO_CHILD, occurred_at=TOLD)
CLOSED = HouseholdFileClosed(**WHO, reason=HouseholdCloseReason.MOVED_AWAY, closed_on=TODAY)
REOPEN = ReopenHouseholdFile(**WHO, reason="返乡", occurred_at=TOLD)
REOPENED = HouseholdFileReopened(**WHO, reason=Personal("返乡"), reopened_on=TODAY)
MERGE = MergeBy(
    **WHO,
    into=OTHER.household,
    reason="同一户",
    person="supervisor-1",
    goes_on=HOUSEHOLD.evolve(HOUSEHOLD.initial, OTHER),
    villages=frozenset({VILLAGE}),
    occurred_at=TOLD,
)
MERGED = HouseholdsMerged(
    **WHO, into=OTHER.household, children=(CHILD_ID,), merged_by="supervisor-1", reason=Personal("同一户")
)
UNDO = UndoingBy(**WHO, reason="两户", person="county-1", occurred_at=TOLD)
UNDONE = HouseholdMergeUndone(**WHO, into=OTHER.household, undone_by="county-1", reason=Personal("两户"))
TAKE_IN = TakeInHousehold(household=OTHER.household, merged=KNOWN.household, children=(CHILD_ID,), occurred_at=TOLD)
TAKEN_IN = HouseholdTakenIn(household=OTHER.household, merged=KNOWN.household, children=(CHILD_ID,))
GIVE_BACK = GiveBackHousehold(household=OTHER.household, merged=KNOWN.household, occurred_at=TOLD)
GIVEN_BACK = HouseholdGivenBack(household=OTHER.household, merged=KNOWN.household)
REQUEST = HouseholdErasureRequestBy(
    **WHO, basis="户主要求", person="director-1", open_children=NO_CHILD, occurred_at=TOLD
)
REQUESTED = HouseholdErasureRequested(**WHO, basis=Personal("户主要求"), requested_by="director-1")
APPROVE = HouseholdErasureApprovalBy(**WHO, person="officer-1", open_children=NO_CHILD, occurred_at=TOLD)
DESTROYED = HouseholdKeyDestroyed(**WHO, approved_by="officer-1")


def state(*events):
    found = HOUSEHOLD.initial
    for event in events:
        found = HOUSEHOLD.evolve(found, event)
    return found


def test_a_household_file_is_closed_and_opened_again():
    given(HOUSEHOLD, KNOWN).when(CLOSE).then(CLOSED)
    given(HOUSEHOLD, KNOWN, CLOSED).when(REOPEN).then(REOPENED)
    given(HOUSEHOLD, KNOWN, CLOSED, REOPENED).when(CLOSE).then(CLOSED)


def test_a_household_file_is_not_closed_over_an_open_child():
    closing = CLOSE.model_copy(update={"open_children": frozenset({CHILD_ID})})
    given(HOUSEHOLD, KNOWN, JOINED).when(closing).then_refused(HouseholdHasOpenChild, CHILD_ID)


def test_a_file_is_closed_and_opened_in_the_order_of_days():
    early = {"closed_on": date(2026, 8, 13), "reopened_on": date(2026, 8, 13)}
    given(HOUSEHOLD, KNOWN, CLOSED, REOPENED).when(CLOSE.model_copy(update=early)).then_refused(ClosedBeforeItBegan)
    given(HOUSEHOLD, KNOWN, CLOSED).when(REOPEN.model_copy(update=early)).then_refused(ClosedBeforeItBegan)


def test_what_is_closed_takes_no_command_but_to_be_opened_again():
    file = given(HOUSEHOLD, KNOWN, CLOSED)
    for command in (CLOSE, an_update(KNOWN.household, head="测户主二"), a_registration(**WHO), MERGE):
        file.when(command).then_refused(HouseholdFileIsClosed)
    given(HOUSEHOLD, KNOWN).when(REOPEN).then_refused(HouseholdFileIsOpen)


def test_who_registers_in_another_village_learns_nothing_of_what_became_of_the_household():
    for ended in (CLOSED, MERGED):
        elsewhere = a_registration(**WHO, residence=NEIGHBOUR)
        given(HOUSEHOLD, KNOWN, ended).when(elsewhere).then_refused(HouseholdInOtherVillage)


def test_a_household_is_merged_into_another_one_with_its_children():
    given(HOUSEHOLD, KNOWN, JOINED).when(MERGE).then(MERGED)


def test_what_is_merged_says_under_which_id_it_goes_on():
    commands = (CLOSE, REOPEN, MERGE, an_update(KNOWN.household, head="测户主二"), a_registration(**WHO))
    for command in commands:
        given(HOUSEHOLD, KNOWN, JOINED, MERGED).when(command).then_refused(HouseholdIsMerged, OTHER.household)


def test_a_merge_is_undone():
    given(HOUSEHOLD, KNOWN, JOINED, MERGED).when(UNDO).then(UNDONE)
    given(HOUSEHOLD, KNOWN, JOINED).when(UNDO).then_refused(HouseholdNotMerged)
    assert vars(state(KNOWN, JOINED, MERGED, UNDONE)) == vars(state(KNOWN, JOINED))


def test_a_household_is_not_merged_into_itself():
    given(HOUSEHOLD, KNOWN).when(MERGE.model_copy(update={"into": KNOWN.household})).then_refused(MergedIntoItself)


@pytest.mark.parametrize(
    ("goes_on", "refusal"),
    [
        (state(), NoSuchHouseholdInVillage),
        (state(an_opened_household(village=NEIGHBOUR)), NoSuchHouseholdInVillage),
        (state(KNOWN, DESTROYED), NoSuchHouseholdInVillage),
        (state(KNOWN, CLOSED), HouseholdFileIsClosed),
        (state(KNOWN, MERGED), HouseholdIsMerged),
    ],
    ids=["unknown", "elsewhere", "erased", "closed", "merged"],
)
def test_what_goes_on_is_an_open_file_of_the_same_village(goes_on, refusal):
    given(HOUSEHOLD, KNOWN).when(MERGE.model_copy(update={"goes_on": goes_on})).then_refused(refusal)


def test_what_goes_on_hears_of_the_merge_and_of_its_end_once():
    given(HOUSEHOLD, OTHER).when(TAKE_IN).then(TAKEN_IN)
    given(HOUSEHOLD, OTHER, TAKEN_IN).when(TAKE_IN).then()
    given(HOUSEHOLD, OTHER, TAKEN_IN).when(GIVE_BACK).then(GIVEN_BACK)
    given(HOUSEHOLD, OTHER, TAKEN_IN, GIVEN_BACK).when(GIVE_BACK).then()
    assert children_of(state(OTHER, TAKEN_IN)) == {CHILD_ID}
    assert children_of(state(OTHER, TAKEN_IN, GIVEN_BACK)) == frozenset()


def test_what_was_merged_itself_takes_nothing_in():
    merged = MERGED.model_copy(update={"household": OTHER.household, "into": KNOWN.household})
    given(HOUSEHOLD, OTHER, merged).when(TAKE_IN).then_refused(HouseholdIsMerged)


def test_what_goes_on_for_another_is_not_merged_itself():
    taken_in = TAKEN_IN.model_copy(update={"household": KNOWN.household, "merged": OTHER.household})
    given(HOUSEHOLD, KNOWN, taken_in).when(MERGE).then_refused(HouseholdHasTakenIn)


def test_an_erasure_is_asked_for_by_one_and_approved_by_another():
    given(HOUSEHOLD, KNOWN).when(REQUEST).then(REQUESTED)
    given(HOUSEHOLD, KNOWN, REQUESTED).when(APPROVE).then(DESTROYED)
    given(HOUSEHOLD, KNOWN).when(APPROVE).then_refused(ErasureNotRequested)
    own = APPROVE.model_copy(update={"person": "director-1"})
    given(HOUSEHOLD, KNOWN, REQUESTED).when(own).then_refused(ApproverIsRequester)


def test_a_household_with_an_open_child_is_not_erased():
    for command in (REQUEST, APPROVE):
        with_child = command.model_copy(update={"open_children": frozenset({CHILD_ID})})
        given(HOUSEHOLD, KNOWN, JOINED, REQUESTED).when(with_child).then_refused(HouseholdHasOpenChild, CHILD_ID)


def test_what_ended_is_erased_all_the_same():
    for ended in (CLOSED, MERGED):
        given(HOUSEHOLD, KNOWN, ended, REQUESTED).when(APPROVE).then(DESTROYED)


def test_nothing_is_recorded_of_an_erased_household():
    for command in (an_update(KNOWN.household, head="测户主二"), a_registration(**WHO), REQUEST, REOPEN, UNDO, MERGE):
        given(HOUSEHOLD, KNOWN, DESTROYED).when(command).then_refused(HouseholdIsErased)


@pytest.mark.parametrize(
    "command", [CLOSE, REOPEN, MERGE, UNDO, TAKE_IN, GIVE_BACK, REQUEST, APPROVE], ids=lambda told: type(told).__name__
)
def test_what_is_not_on_file_does_not_end(command):
    given(HOUSEHOLD).when(command).then_refused(NotOnFile)


class Family(Township):
    """Two files of one household, in different partitions, each with a child."""

    async def open(self) -> None:
        first = an_opening(household=f"{new_id('household')[:-4]}0000")
        second = an_opening(household=f"{new_id('household')[:-4]}0001")
        self.kept, self.twin = first.household, second.household
        children = [a_registration(household=household) for household in (self.kept, self.twin)]
        for command in (first, second, *children):
            await self.tell(command, "director-1")
        self.child, self.twin_child = (registration.child for registration in children)

    async def merge(self, **changes) -> None:
        command = MergeHouseholds(household=self.twin, into=self.kept, reason="同一户")
        await self.tell(command.model_copy(update=changes), "supervisor-1")


@pytest.fixture
async def family() -> Family:
    found = Family()
    await found.open()
    return found


async def close(township: Township, child: str) -> None:
    await township.tell(CloseChildFile(child=child, reason=CloseReason.ADOPTED), "director-1")


async def test_a_file_is_closed_once_the_last_childs_file_is(family):
    command = CloseHouseholdFile(household=family.kept, reason=HouseholdCloseReason.NO_CHILD_LEFT)
    with pytest.raises(HouseholdHasOpenChild, match=family.child):
        await family.tell(command, "director-1")
    await close(family, family.child)
    await family.tell(ReopenChildFile(child=family.child, reason="返乡"), "director-1")
    with pytest.raises(HouseholdHasOpenChild):
        await family.tell(command, "director-1")
    await close(family, family.child)
    await family.tell(command, "director-1")
    reopen = ReopenChildFile(child=family.child, reason="返乡")
    with pytest.raises(HouseholdFileIsClosed):
        await family.tell(reopen, "director-1")
    await family.tell(ReopenHouseholdFile(household=family.kept, reason="返乡"), "director-1")
    await family.tell(reopen, "director-1")


async def test_the_children_of_a_merged_file_hang_on_the_one_that_goes_on(family):
    await family.merge()
    await family.react()
    await close(family, family.child)
    command = CloseHouseholdFile(household=family.kept, reason=HouseholdCloseReason.NO_CHILD_LEFT)
    with pytest.raises(HouseholdHasOpenChild, match=family.twin_child):
        await family.tell(command, "director-1")
    undo = UndoHouseholdMerge(household=family.twin, reason="两户")
    await family.tell(undo, "county-1")
    await family.react()
    await family.tell(command, "director-1")
    assert family.items == []


async def test_the_children_of_a_merged_file_move_along_from_their_own_partition(family):
    await family.merge()
    await family.react()
    await family.tell(OfferHouseholdMove(household=family.kept, to_village=FAR, reason="建房"), "supervisor-1")
    await family.tell(TakeOverHousehold(household=family.kept), "supervisor-far")
    await family.react()
    for child in (family.child, family.twin_child):
        assert (await family.events(child))[-1].to_village == FAR


async def test_two_files_are_not_merged_both_ways(family):
    await family.merge()
    with pytest.raises(HouseholdIsMerged):
        await family.merge(household=family.kept, into=family.twin)
    claimed = HouseholdsMerged(
        household=family.twin, into=family.kept, children=(), merged_by="supervisor-1", reason=Personal("同一户")
    )
    [handling] = [one for one in family.handlings if one.command is MergeHouseholds]
    other_way = claimed.model_copy(update={"household": family.kept, "into": family.twin})
    assert handling.claims([claimed]).taken.keys() == handling.claims([other_way]).taken.keys()


async def test_a_merge_that_was_undone_may_be_told_the_other_way_round(family):
    await family.merge()
    await family.react()
    await family.tell(UndoHouseholdMerge(household=family.twin, reason="两户"), "county-1")
    await family.react()
    try:
        await family.merge(household=family.kept, into=family.twin)
    except ClaimTaken:
        pytest.fail("the claim of the first merge was not given up")


async def test_households_are_merged_by_those_who_review(family):
    for person in ("director-1", "supervisor-far", "office-1"):
        with pytest.raises(NotOnFile):
            await family.tell(MergeHouseholds(household=family.twin, into=family.kept, reason="同一户"), person)
    for command in (TAKE_IN, GIVE_BACK):
        with pytest.raises(NotOnFile):
            await family.tell(command.model_copy(update={"household": family.kept}), "supervisor-1")


async def test_an_erased_household_is_without_names_and_its_child_stays(family):
    await close(family, family.child)
    await family.tell(RequestHouseholdErasure(household=family.kept, basis="户主要求"), "director-1")
    await family.tell(ApproveHouseholdErasure(household=family.kept), "officer-1")
    await family.react()
    opened, *_ = await family.events(family.kept)
    assert (opened.head.erased, opened.details.erased, opened.poverty.erased) == (True, True, False)
    registered, *_ = await family.events(family.child)
    assert not registered.name.erased
    with pytest.raises(HouseholdIsErased):
        await family.tell(an_update(family.kept, head="测户主二"), "director-1")


async def test_a_household_with_an_open_child_is_not_asked_to_be_erased(family):
    with pytest.raises(HouseholdHasOpenChild):
        await family.tell(RequestHouseholdErasure(household=family.kept, basis="户主要求"), "director-1")


async def erase(family, child):
    await family.tell(RequestErasure(child=child, basis="监护人要求"), "director-1")
    await family.tell(ApproveErasure(child=child), "officer-1")
    await family.react()


async def test_a_household_is_erased_with_the_last_of_its_children(family):
    sibling = a_registration(household=family.kept)
    await family.tell(sibling, "director-1")
    await erase(family, family.child)
    opened, *_ = await family.events(family.kept)
    assert not opened.head.erased
    await erase(family, sibling.child)
    await family.react()
    opened, *_, destroyed = await family.events(family.kept)
    assert (opened.head.erased, destroyed) == (
        True,
        HouseholdKeyDestroyed(household=family.kept, approved_by="officer-1"),
    )
    assert family.items == []


async def test_a_household_that_goes_on_is_erased_with_the_last_child_of_both_files(family):
    await family.merge()
    await family.react()
    await erase(family, family.child)
    assert (await family.events(family.kept))[-1] == HouseholdTakenIn(
        household=family.kept, merged=family.twin, children=(family.twin_child,)
    )
    await erase(family, family.twin_child)
    for household in (family.kept, family.twin):
        assert isinstance((await family.events(household))[-1], HouseholdKeyDestroyed)
    assert family.items == []


def test_a_child_who_came_meanwhile_keeps_the_household():
    left = EraseLeftHousehold(**WHO, children=frozenset({CHILD_ID}), approved_by="officer-1", occurred_at=TOLD)
    given(HOUSEHOLD, KNOWN, JOINED).when(left).then(DESTROYED)
    given(HOUSEHOLD, KNOWN, JOINED, JOINED.model_copy(update={"child": new_id("child")})).when(left).then()
    given(HOUSEHOLD, KNOWN, JOINED, DESTROYED).when(left).then()


def test_a_file_that_may_not_know_all_its_children_is_not_erased_with_one():
    of_version_1 = KNOWN.model_copy(update={"details": None})
    left = EraseLeftHousehold(**WHO, children=frozenset({CHILD_ID}), approved_by="officer-1", occurred_at=TOLD)
    given(HOUSEHOLD, of_version_1, JOINED).when(left).then()
