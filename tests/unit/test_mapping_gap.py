"""A child that the mapping missed: told once, settled once, and forgotten then."""

from __future__ import annotations

from datetime import date

import pytest

from services.registry.domain.mapping_gap import (
    MAPPING_GAP,
    FindBy,
    FindNamesNotOneChild,
    GapIds,
    MappingGapAlreadyFound,
    MappingGapAlreadySettled,
    RecordMappingGap,
    SettleMappingGap,
    SettlementBy,
    SettlementNamesNoFile,
)
from services.registry.duplicates.files import Files
from services.registry.handlings.mapping_gaps import handlings
from services.registry.policies import policies
from shared.commands.command import HappensLater, NotOnFile
from shared.commands.handler import Handler
from shared.contracts.mapping_gap import MappingGapFound, MappingGapSettled
from shared.contracts.sealed import Personal
from shared.contracts.values import GapOutcome, GapSource, Role
from shared.eventlog.placement import new_id
from shared.identity.access import OutOfScope
from shared.identity.scope import Scope
from tests.support.builders import TOLD, VILLAGE, a_registration
from tests.support.figure_histories import told
from tests.support.offices import Offices
from tests.support.registry import NOW
from tests.support.specification import given

IDS = GapIds(b"k" * 32)
FIND = RecordMappingGap(
    village=VILLAGE,
    source=GapSource.SCHOOL,
    found_on=date(2026, 8, 13),
    name=Personal("测甲一"),
    birth_month=Personal("2016-03"),
    occurred_at=TOLD,
)
GAP = IDS.of(FIND)
CHILD = new_id("child")
FOUND = MappingGapFound(
    gap=GAP,
    village=VILLAGE,
    source=GapSource.SCHOOL,
    found_on=date(2026, 8, 13),
    found_by="cadre-1",
    name=Personal("测甲一"),
    birth_month=Personal("2016-03"),
)
SETTLED = MappingGapSettled(
    gap=GAP, village=VILLAGE, outcome=GapOutcome.REGISTERED, child=CHILD, settled_by="supervisor-1"
)


def find(**changes) -> FindBy:
    wish = FIND.model_copy(update=changes)
    return FindBy(**dict(wish), person="cadre-1", gap=IDS.of(wish))


def settle(outcome: GapOutcome = GapOutcome.REGISTERED, child: str | None = CHILD) -> SettlementBy:
    return SettlementBy(gap=GAP, outcome=outcome, child=child, person="supervisor-1", occurred_at=TOLD)


def test_a_child_that_was_missed_is_recorded_with_who_found_it():
    given(MAPPING_GAP).when(find()).then(FOUND)


def test_a_missed_child_that_has_a_file_by_now_is_named_by_its_file():
    wish = find(child=CHILD, name=None, birth_month=None)
    known = {"name": None, "birth_month": None, "child": CHILD, "gap": wish.gap}
    given(MAPPING_GAP).when(wish).then(FOUND.model_copy(update=known))


def test_the_same_find_is_one_gap_whoever_tells_it_and_however_the_name_is_spaced():
    again = FIND.model_copy(update={"source": GapSource.CLINIC, "name": Personal("测 甲一")})
    assert IDS.of(again) == GAP
    given(MAPPING_GAP, FOUND).when(find(source=GapSource.CLINIC)).then_refused(MappingGapAlreadyFound)
    given(MAPPING_GAP, FOUND, SETTLED).when(find()).then_refused(MappingGapAlreadyFound)


@pytest.mark.parametrize(
    "changes",
    [{"name": Personal("测甲二")}, {"birth_month": Personal("2016-04")}, {"village": "520303105202"}],
    ids=["name", "month", "village"],
)
def test_another_child_is_another_gap(changes):
    assert IDS.of(FIND.model_copy(update=changes)) != GAP


def test_a_gap_is_named_under_the_secret_of_the_installation():
    assert GapIds(b"x" * 32).of(FIND) != GAP


@pytest.mark.parametrize(
    "changes",
    [{"name": None, "birth_month": None}, {"child": CHILD}, {"child": CHILD, "name": None}],
    ids=["nobody", "both", "a file and a month of birth"],
)
def test_a_find_tells_of_one_child(changes):
    given(MAPPING_GAP).when(find(**changes)).then_refused(FindNamesNotOneChild)


def test_nobody_is_found_tomorrow():
    given(MAPPING_GAP).when(find(found_on=date(2026, 8, 15))).then_refused(HappensLater)


def test_a_gap_is_settled_with_the_file_it_was_registered_as():
    given(MAPPING_GAP, FOUND).when(settle()).then(SETTLED)


@pytest.mark.parametrize("outcome", [GapOutcome.NOT_LEFT_BEHIND, GapOutcome.OTHER_VILLAGE, GapOutcome.NO_SUCH_CHILD])
def test_a_gap_may_turn_out_to_be_none(outcome):
    none = SETTLED.model_copy(update={"outcome": outcome, "child": None})
    given(MAPPING_GAP, FOUND).when(settle(outcome, None)).then(none)


def test_a_file_is_named_with_the_outcome_registered_alone():
    given(MAPPING_GAP, FOUND).when(settle(child=None)).then_refused(SettlementNamesNoFile)
    given(MAPPING_GAP, FOUND).when(settle(GapOutcome.NO_SUCH_CHILD)).then_refused(SettlementNamesNoFile)


def test_a_gap_is_settled_once():
    given(MAPPING_GAP, FOUND, SETTLED).when(settle()).then_refused(MappingGapAlreadySettled)


def test_what_nobody_found_is_not_settled():
    given(MAPPING_GAP).when(settle()).then_refused(NotOnFile)


class Gaps(Offices):
    """registry's handler with the commands on gaps."""

    def __init__(self) -> None:
        super().__init__()
        files = Files(self.log, self.sealer, self.directory)
        bound = [*self.handlings, *handlings(files, Scope(self.directory, self._nobody, lambda: NOW), IDS)]
        self.handler = Handler(self.log, self.sealer, self.directory, bound, b"k" * 32, lambda: NOW)
        self.directory.add_division("520303106", "520303")
        self.directory.add_division("520303106201", "520303106")
        self.directory.add_grant("supervisor-3", Role.CHILD_SUPERVISOR, "520303106", date(2026, 1, 1))

    async def _nobody(self):
        raise AssertionError("no list of villages is asked for")


async def test_who_works_with_children_records_a_gap_and_the_township_settles_it():
    gaps, registration = Gaps(), a_registration()
    await gaps.tell(registration, "director-1")
    await gaps.tell(FIND, "director-1")
    await gaps.tell(SettleMappingGap(gap=GAP, outcome=GapOutcome.REGISTERED, child=registration.child), "supervisor-1")
    found, settled = await gaps.events(GAP)
    assert found == FOUND.model_copy(update={"found_by": "director-1"})
    assert settled == SETTLED.model_copy(update={"child": registration.child})


async def test_a_gap_is_settled_with_no_file_of_another_scope_nor_by_another_scope():
    gaps, elsewhere = Gaps(), a_registration(residence="520303106201", hukou="520303")
    await gaps.tell(elsewhere, "county-1")
    await gaps.tell(FIND, "director-1")
    wish = SettleMappingGap(gap=GAP, outcome=GapOutcome.REGISTERED, child=elsewhere.child)
    for person in ("supervisor-1", "supervisor-3"):
        with pytest.raises(NotOnFile):
            await gaps.tell(wish, person)
    with pytest.raises(NotOnFile):
        await gaps.tell(
            FIND.model_copy(update={"child": elsewhere.child, "name": None, "birth_month": None}), "director-1"
        )
    with pytest.raises(OutOfScope):
        await gaps.tell(FIND.model_copy(update={"village": "520303106201"}), "supervisor-1")


async def test_a_settled_gap_tells_nobodys_name_any_more():
    gaps = Gaps()
    await gaps.tell(FIND, "director-1")
    await gaps.tell(SettleMappingGap(gap=GAP, outcome=GapOutcome.NO_SUCH_CHILD), "supervisor-1")
    [policy] = [one for one in policies(gaps.vault, gaps.households) if one.event == "MappingGapSettled"]
    record, event = told(SETTLED, date(2026, 8, 14), date(2026, 8, 14))
    assert await policy.react(record, event) == ()
    found, _ = await gaps.events(GAP)
    assert found.name.erased
    assert found.birth_month.erased
    with pytest.raises(MappingGapAlreadyFound):
        await gaps.tell(FIND, "director-1")
