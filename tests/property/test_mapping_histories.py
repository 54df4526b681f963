"""Random histories of a village's mapping: it can be concluded exactly when a list kept by hand says so."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import reduce
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.registry.domain.village_mapping import (
    MAPPING,
    AddHouseholdToRoster,
    ConcludeVillageMapping,
    FixHouseholdRoster,
    MapHousehold,
    ReopenVillageMapping,
    StartVillageMapping,
    VillageAround,
    VillageMapping,
)
from services.reporting.read_models.mappings import DOORS, VILLAGES, Mappings
from shared.contracts.event import Event
from shared.contracts.mapping import Informant, MappingResult, ReopeningReason, RosterHousehold
from shared.contracts.refusal import Refusal
from shared.contracts.values import HouseholdId
from shared.eventlog.placement import new_id
from tests.support.builders import TOLD, VILLAGE
from tests.support.workspace import fold_all
from tests.unit.test_mapping import CAMPAIGN_ID, NODE, learned

GROUPS = tuple(f"{VILLAGE}-{number}" for number in range(1, 4))
HOUSEHOLDS: list[HouseholdId] = [new_id("household") for _ in range(5)]
RESULTS = st.sampled_from(["no_minor", "minors_not_left_behind", "absent", "refused", "vacant"])
groups = st.sampled_from(GROUPS)
households = st.sampled_from(HOUSEHOLDS)


class MappedVillage(RuleBasedStateMachine):
    """``rosters`` and ``mapped`` are the list by hand; it follows what was accepted, and judges alone."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[Event] = []
        self.state: VillageMapping = MAPPING.initial
        self.on_map = set(GROUPS[:2])
        self.rosters: dict[str, set[str]] = {}
        self.added: dict[str, set[str]] = {}
        self.mapped: dict[str, tuple[int, str]] = {}
        self.started = self.concluded = False

    def _tell(self, command: type[Any], day: int = 5, **fields: Any) -> bool:
        moment = TOLD + timedelta(days=day - 5)
        wish = command(campaign=CAMPAIGN_ID, village=VILLAGE, occurred_at=moment, **fields)
        around = VillageAround(NODE, frozenset(self.on_map))
        try:
            events = MAPPING.decide(learned(wish, around=around), self.state)
        except Refusal:
            return False
        self.told += events
        self.state = reduce(MAPPING.evolve, events, self.state)
        return True

    @initialize(one_each=st.booleans())
    def begin(self, one_each: bool) -> None:
        """Half of the villages begin with a door in each group that is on the map."""
        if one_each:
            self.start()
            for group, door in zip(GROUPS[:2], HOUSEHOLDS, strict=False):
                self.fix(group=group, doors=[door])

    @rule(group=groups, doors=st.lists(households, min_size=1, max_size=3, unique=True))
    def fix(self, group: str, doors: list[str]) -> None:
        listed = tuple(RosterHousehold(household=door, number=str(HOUSEHOLDS.index(door))) for door in doors)
        if self._tell(FixHouseholdRoster, group=group, households=listed):
            self.rosters[group] = set(doors)

    @rule(group=groups, door=households)
    def add(self, group: str, door: str) -> None:
        household = RosterHousehold(household=door, number=str(HOUSEHOLDS.index(door)))
        if self._tell(AddHouseholdToRoster, group=group, household=household):
            self.added.setdefault(group, set()).add(door)

    @rule()
    def start(self) -> None:
        self.started |= self._tell(StartVillageMapping, team=("cadre-1",))

    @rule(door=households, result=RESULTS, day=st.integers(0, 9))
    def map(self, door: str, result: str, day: int) -> None:
        told = {"household": door, "result": MappingResult(result), "tries": 2, "word": Informant.SCHOOL}
        if self._tell(MapHousehold, day, **told) and self.mapped.get(door, (0, ""))[0] <= day:
            self.mapped[door] = day, result

    @rule()
    def conclude(self) -> None:
        self.concluded |= self._tell(ConcludeVillageMapping)

    @rule()
    def reopen(self) -> None:
        if self._tell(ReopenVillageMapping, reason=ReopeningReason.OTHER):
            self.concluded = False

    @rule()
    def add_group_to_the_map(self) -> None:
        self.on_map.add(GROUPS[2])

    @invariant()
    def it_can_be_concluded_exactly_when_the_list_says_so(self) -> None:
        conclude = ConcludeVillageMapping(campaign=CAMPAIGN_ID, village=VILLAGE, occurred_at=TOLD)
        try:
            MAPPING.decide(learned(conclude, around=VillageAround(NODE, frozenset(self.on_map))), self.state)
        except Refusal:
            assert not self._may_be_concluded()
        else:
            assert self._may_be_concluded()

    def _may_be_concluded(self) -> bool:
        doors = set[str]().union(*self.rosters.values(), *self.added.values())
        return (
            self.started and not self.concluded and self.on_map <= self.rosters.keys() and doors <= self.mapped.keys()
        )

    @invariant()
    def no_door_is_on_two_rosters(self) -> None:
        doors = list(self.state.households())
        assert len(doors) == len(set(doors))

    def teardown(self) -> None:
        """The read model counts what the list by hand holds, however its events were cut into batches."""
        for size in (1, 3, 100):
            batches = [self.told[at : at + size] for at in range(0, len(self.told), size)]
            store = asyncio.run(fold_all(Mappings(), batches))
            doors = {door["household"]: door for door in store[DOORS].values()}
            assert {door: doors[door]["result"] for door in doors if doors[door]["result"]} == {
                door: result for door, (_, result) in self.mapped.items()
            }
            for village in store[VILLAGES].values():
                assert village["doors"] == len(doors) == len(list(self.state.households()))
                assert village["done"] == sum(village["results"].values()) == len(self.mapped)
                assert village["state"] == _shown(self.concluded, self.started, self.told)


def _shown(concluded: bool, started: bool, told: list[Event]) -> str:
    if concluded:
        return "concluded"
    reopened = any(type(event).__name__ == "VillageMappingReopened" for event in told)
    return "reopened" if reopened else "started" if started else "planned"


TestMappedVillage = MappedVillage.TestCase
