"""A map that changes: what each change does to codes, children, scopes and days, and when it is refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.registry.domain.child import RegisterChild
from services.registry.domain.division import (
    AddDivision,
    AddVillageGroup,
    ChildrenNotDivided,
    CodeInUse,
    DivisionAlreadyAdded,
    DivisionHasChildren,
    DivisionHasEnded,
    KindDoesNotFit,
    MergeDivisions,
    NamedTwice,
    NotYetInForce,
    NotYetThere,
    OfAnotherParent,
    OutOfOrder,
    RecodeDivision,
    RenameDivision,
    SplitDivision,
    WithdrawDivision,
    division_stream,
)
from services.registry.domain.household import HouseholdInOtherVillage
from shared.commands.command import Command, DivisionEnded, NothingToRecord, NotOnFile, Told, UnknownDivision
from shared.contracts.divisions import (
    DivisionRecoded,
    DivisionRenamed,
    DivisionsMerged,
    DivisionSplit,
    DivisionWithdrawn,
    SplitPart,
    VillageGroupAdded,
)
from shared.contracts.refusal import Refusal
from shared.contracts.values import DivisionKind
from shared.eventlog.port import ClaimTaken
from shared.identity.access import Place
from shared.identity.directory import DIVISIONS, DirectoryModel, MemoryDirectory
from shared.identity.map import place_of
from shared.projection.read_model import Document
from tests.support.builders import a_registration
from tests.support.registry import Registry
from tests.support.workspace import fold_all

TOLD = datetime(2026, 8, 14, 2, tzinfo=UTC)
BEGAN, DAY, TODAY = date(2023, 6, 30), date(2026, 8, 1), date(2026, 8, 14)
KINDS = {2: DivisionKind.PROVINCE, 4: DivisionKind.CITY, 6: DivisionKind.COUNTY, 9: DivisionKind.TOWNSHIP}
COUNTY, OTHER_COUNTY = "529901", "529902"
EAST, WEST, FAR = "529901001", "529901002", "529902001"
NEW = "529901009"
E1, E2, W1 = "529901001001", "529901001002", "529901002001"


def an_addition(code: str, parent: str | None, **changes: Any) -> AddDivision:
    kind = KINDS.get(len(code), DivisionKind.VILLAGE)
    return AddDivision(**{"code": code, "name": "测", "kind": kind, "parent": parent, "valid_from": BEGAN} | changes)


class FoldedDirectory(MemoryDirectory):
    """Places as the real directory folds them from the log."""

    def __init__(self, folded: Callable[[], Awaitable[dict[str, Document]]]) -> None:
        super().__init__()
        self._folded = folded

    async def places(self, divisions: Collection[str]) -> Mapping[str, Place]:
        nodes = await self._folded()
        return {code: place_of(nodes[code]) for code in divisions if code in nodes and nodes[code]["path"]}


class Map(Registry):
    """registry, told by its own right, and its directory without delay."""

    def __init__(self) -> None:
        super().__init__(FoldedDirectory(self.folded))

    async def tell(self, *commands: Command) -> None:
        for command in commands:
            await self.handler.handle(Told(command, str(uuid4()), "operator", own_right=True))

    async def refused(self, command: Command, refusal: type[Exception], saying: str = "") -> None:
        before = await self.log.heads()
        with pytest.raises(refusal) as caught:
            await self.tell(command)
        if isinstance(caught.value, Refusal):
            assert saying in caught.value.detail
        assert await self.log.heads() == before

    async def told_of(self, code: str) -> Any:
        """The last event in the stream of the node that began under this code."""
        return (await self.events(division_stream(code)))[-1]

    async def folded(self) -> dict[str, Document]:
        return (await fold_all(DirectoryModel(), [await self.everything()]))[DIVISIONS]

    async def path(self, code: str) -> list[str]:
        return (await self.folded())[code]["path"]


@pytest.fixture
async def tree() -> Map:
    found = Map()
    await found.tell(
        an_addition("52", None),
        an_addition("5299", "52"),
        an_addition(COUNTY, "5299"),
        an_addition(OTHER_COUNTY, "5299"),
        an_addition(EAST, COUNTY),
        an_addition(WEST, COUNTY),
        an_addition(FAR, OTHER_COUNTY),
        an_addition(E1, EAST),
        an_addition(E2, EAST),
        an_addition(W1, WEST),
    )
    return found


def node(code: str) -> str:
    return division_stream(code)


# Adding


@pytest.mark.parametrize(
    ("code", "parent", "changes"),
    [
        ("529909", "52", {"kind": DivisionKind.TOWNSHIP}),
        ("529901003001", COUNTY, {}),
        ("529901003", "52", {}),
        ("5298", COUNTY, {}),
        ("529901001003", E1, {}),
    ],
    ids=["digits", "village below county", "township below province", "city below county", "village below village"],
)
async def test_kind_digits_and_parent_fit_together(tree: Map, code: str, parent: str, changes: dict[str, Any]) -> None:
    await tree.refused(an_addition(code, parent, **changes), KindDoesNotFit)


async def test_a_child_does_not_begin_before_its_parent(tree: Map) -> None:
    early = an_addition(NEW, COUNTY, valid_from=BEGAN - timedelta(days=1))
    await tree.refused(early, NotYetThere)


async def test_a_county_may_stand_directly_below_a_province(tree: Map) -> None:
    await tree.tell(an_addition("529021", "52"))
    assert await tree.path("529021") == ["52", "529021"]


async def test_a_village_group_is_a_node_below_its_village_with_a_number_of_its_own(tree: Map) -> None:
    group = AddVillageGroup(village=E1, number="3", name="三组", valid_from=BEGAN)
    await tree.tell(group)
    assert await tree.told_of(f"{E1}-3") == VillageGroupAdded(
        division=node(f"{E1}-3"), code=f"{E1}-3", village=E1, number="3", name="三组", valid_from=BEGAN
    )
    assert await tree.path(f"{E1}-3") == ["52", "5299", COUNTY, EAST, E1, f"{E1}-3"]
    await tree.refused(group, DivisionAlreadyAdded)
    await tree.refused(group.model_copy(update={"village": "529901001999"}), UnknownDivision, "village")
    await tree.refused(group.model_copy(update={"number": "4", "valid_from": date(2020, 1, 1)}), NotYetThere)


# Renaming


async def test_a_division_is_renamed(tree: Map) -> None:
    rename = RenameDivision(division=node(EAST), name="东乡", valid_from=DAY)
    await tree.tell(rename)
    assert await tree.told_of(EAST) == DivisionRenamed(division=node(EAST), code=EAST, name="东乡", valid_from=DAY)
    assert (await tree.folded())[EAST]["name"] == "东乡"
    await tree.refused(rename, NothingToRecord)


async def test_what_is_not_in_the_tree_does_not_change(tree: Map) -> None:
    await tree.refused(RenameDivision(division=node("529909"), name="某", valid_from=DAY), NotOnFile)


@pytest.mark.parametrize(
    ("day", "refusal"), [(TODAY + timedelta(days=1), NotYetInForce), (BEGAN - timedelta(days=1), OutOfOrder)]
)
async def test_a_change_is_told_once_its_day_has_come_and_not_before_the_division_began(
    tree: Map, day: date, refusal: type[Refusal]
) -> None:
    await tree.refused(RenameDivision(division=node(EAST), name="东乡", valid_from=day), refusal)


async def test_changes_of_a_division_are_told_in_their_order(tree: Map) -> None:
    await tree.tell(RenameDivision(division=node(EAST), name="东乡", valid_from=DAY))
    earlier = RenameDivision(division=node(EAST), name="东镇", valid_from=DAY - timedelta(days=1))
    await tree.refused(earlier, OutOfOrder)


# Recoding


async def test_a_recoded_division_keeps_its_id_and_both_codes_stand_in_every_path_below_it(tree: Map) -> None:
    await tree.tell(RecodeDivision(division=node(EAST), code=NEW, valid_from=DAY))
    assert await tree.told_of(EAST) == DivisionRecoded(
        division=node(EAST),
        code=NEW,
        former=(EAST,),
        name="测",
        kind=DivisionKind.TOWNSHIP,
        parent=COUNTY,
        valid_from=DAY,
    )
    await tree.tell(an_addition("529901009003", NEW, valid_from=DAY))
    scope = ["52", "5299", COUNTY, EAST, NEW]
    assert await tree.path(EAST) == await tree.path(NEW) == scope
    assert await tree.path(E1) == [*scope, E1]
    assert await tree.path("529901009003") == [*scope, "529901009003"]


async def test_a_division_recoded_twice_stands_under_all_its_codes(tree: Map) -> None:
    await tree.tell(
        RecodeDivision(division=node(EAST), code=NEW, valid_from=DAY),
        RecodeDivision(division=node(EAST), code="529901010", valid_from=TODAY),
    )
    scope = ["52", "5299", COUNTY, EAST, NEW, "529901010"]
    assert [await tree.path(code) for code in (EAST, NEW, "529901010")] == [scope] * 3
    assert await tree.path(E1) == [*scope, E1]


@pytest.mark.parametrize("code", [WEST, EAST, FAR])
async def test_a_code_that_was_ever_used_is_not_used_again(tree: Map, code: str) -> None:
    await tree.refused(RecodeDivision(division=node(EAST), code=code, valid_from=DAY), CodeInUse)


async def test_a_code_that_a_division_was_recoded_to_is_not_added(tree: Map) -> None:
    await tree.tell(RecodeDivision(division=node(EAST), code=NEW, valid_from=DAY))
    await tree.refused(an_addition(NEW, COUNTY), ClaimTaken)
    await tree.refused(an_addition(EAST, COUNTY), DivisionAlreadyAdded)


async def test_a_new_code_has_the_digits_of_its_kind(tree: Map) -> None:
    await tree.refused(RecodeDivision(division=node(EAST), code="529909", valid_from=DAY), KindDoesNotFit)


# Merging


async def test_what_is_merged_comes_to_stand_below_what_it_was_merged_into(tree: Map) -> None:
    await tree.tell(an_addition(NEW, COUNTY, valid_from=DAY))
    await tree.tell(MergeDivisions(division=node(NEW), merged=(EAST, WEST), valid_from=DAY))
    merged = DivisionsMerged(division=node(NEW), code=NEW, merged=(EAST, WEST), valid_from=DAY)
    assert await tree.told_of(NEW) == merged
    assert await tree.path(E1) == ["52", "5299", COUNTY, NEW, EAST, E1]
    assert await tree.path(W1) == ["52", "5299", COUNTY, NEW, WEST, W1]


@pytest.mark.parametrize(
    ("merged", "refusal"),
    [
        ((FAR,), OfAnotherParent),
        ((E1,), KindDoesNotFit),
        ((EAST,), NamedTwice),
        ((WEST, WEST), NamedTwice),
        (("529901099",), UnknownDivision),
    ],
)
async def test_only_living_neighbours_of_one_kind_are_merged(
    tree: Map, merged: tuple[str, ...], refusal: type[Refusal]
) -> None:
    await tree.refused(MergeDivisions(division=node(EAST), merged=merged, valid_from=DAY), refusal)


async def test_a_division_ends_once(tree: Map) -> None:
    await tree.tell(MergeDivisions(division=node(EAST), merged=(WEST,), valid_from=DAY))
    await tree.tell(an_addition(NEW, COUNTY))
    told_again = (
        MergeDivisions(division=node(NEW), merged=(WEST,), valid_from=DAY),
        RecodeDivision(division=node(WEST), code="529901010", valid_from=DAY),
        RenameDivision(division=node(WEST), name="西", valid_from=DAY),
        MergeDivisions(division=node(WEST), merged=(NEW,), valid_from=DAY),
    )
    for command in told_again:
        await tree.refused(command, DivisionHasEnded, EAST)


async def test_nothing_is_merged_before_the_last_that_happened_below_it(tree: Map) -> None:
    await tree.tell(an_addition("529901002009", WEST, valid_from=DAY))
    merge = MergeDivisions(division=node(EAST), merged=(WEST,), valid_from=DAY - timedelta(days=1))
    await tree.refused(merge, OutOfOrder)
    await tree.tell(merge.model_copy(update={"valid_from": DAY}))


# Splitting


def a_split(*children: tuple[str, ...], into: tuple[str, ...] = (NEW, "529901010")) -> SplitDivision:
    parts = tuple(SplitPart(code=code, children=some) for code, some in zip(into, children, strict=True))
    return SplitDivision(division=node(EAST), parts=parts, valid_from=DAY)


async def test_the_children_of_a_split_division_go_to_its_parts(tree: Map) -> None:
    await tree.tell(an_addition(NEW, COUNTY), an_addition("529901010", COUNTY), a_split((E1,), (E2,)))
    split = DivisionSplit(division=node(EAST), code=EAST, parts=a_split((E1,), (E2,)).parts, valid_from=DAY)
    assert await tree.told_of(EAST) == split
    assert await tree.path(E1) == ["52", "5299", COUNTY, NEW, E1]
    assert await tree.path(E2) == ["52", "5299", COUNTY, "529901010", E2]
    assert await tree.path(EAST) == ["52", "5299", COUNTY, EAST]
    await tree.refused(a_split((), ()), DivisionHasEnded, f"{NEW}, 529901010")


@pytest.mark.parametrize("children", [((E1,), ()), ((E1, E2), (E2,)), ((E1, E2), (W1,))])
async def test_every_child_of_a_split_division_goes_to_one_part(
    tree: Map, children: tuple[tuple[str, ...], ...]
) -> None:
    await tree.tell(an_addition(NEW, COUNTY), an_addition("529901010", COUNTY))
    await tree.refused(a_split(*children), ChildrenNotDivided)


async def test_a_division_is_split_into_neighbours_that_are_there(tree: Map) -> None:
    await tree.refused(a_split((E1,), (E2,)), UnknownDivision, "parts")
    await tree.refused(a_split((E1,), (E2,), into=(WEST, FAR)), OfAnotherParent)
    await tree.tell(an_addition(NEW, COUNTY, valid_from=TODAY))
    await tree.refused(a_split((E1,), (E2,), into=(WEST, NEW)), NotYetThere)


# Withdrawing


async def test_a_withdrawn_division_names_who_followed_it(tree: Map) -> None:
    withdraw = WithdrawDivision(division=node(E1), successors=(E2,), valid_to=DAY)
    await tree.tell(withdraw)
    assert await tree.told_of(E1) == DivisionWithdrawn(division=node(E1), code=E1, successors=(E2,), valid_to=DAY)
    assert await tree.path(E1) == ["52", "5299", COUNTY, EAST, E1]
    await tree.refused(withdraw, DivisionHasEnded, E2)


async def test_a_division_with_children_is_not_withdrawn_and_not_before_they_ended(tree: Map) -> None:
    await tree.refused(WithdrawDivision(division=node(WEST), successors=(EAST,), valid_to=DAY), DivisionHasChildren)
    await tree.tell(WithdrawDivision(division=node(W1), successors=(E1,), valid_to=DAY))
    withdraw = WithdrawDivision(division=node(WEST), successors=(EAST,), valid_to=DAY - timedelta(days=1))
    await tree.refused(withdraw, OutOfOrder)
    await tree.tell(withdraw.model_copy(update={"valid_to": DAY}))


@pytest.mark.parametrize("successors", [(E1,), (E2, E2), ("529901001999",), (EAST,)])
async def test_a_successor_is_another_living_division_of_the_kind(tree: Map, successors: tuple[str, ...]) -> None:
    withdraw = WithdrawDivision(division=node(E1), successors=successors, valid_to=DAY)
    await tree.refused(withdraw, Refusal)


# What is told of divisions that have ended


async def test_nothing_is_added_below_a_division_that_has_ended(tree: Map) -> None:
    await tree.tell(MergeDivisions(division=node(EAST), merged=(WEST,), valid_from=DAY))
    await tree.refused(an_addition("529901002009", WEST), DivisionEnded, EAST)


# Households in a village that was taken over


def a_home_in(residence: str, **changes: Any) -> RegisterChild:
    return a_registration(residence=residence, occurred_at=TOLD, hukou=COUNTY, **changes)


async def test_a_household_goes_on_in_the_village_that_took_its_own_over(tree: Map) -> None:
    first = a_home_in(E1)
    await tree.tell(first)
    await tree.tell(MergeDivisions(division=node(E2), merged=(E1,), valid_from=DAY))
    await tree.tell(RecodeDivision(division=node(E2), code="529901001009", valid_from=TODAY))
    sibling = a_home_in("529901001009", household=first.household)
    await tree.tell(sibling)
    assert (await tree.events(sibling.child))[0].residence == "529901001009"
    await tree.refused(a_home_in(E1, household=first.household), DivisionEnded, E2)
    await tree.refused(a_home_in(W1, household=first.household), HouseholdInOtherVillage)
