"""The mapping of one village in one campaign, with all its doors: no group, no household is left out (domain 1b, 3.1).

``planned -> started -> concluded``, and back to ``started`` by a reopening. A mapping keeps the village's code under
which it began, also when the village goes by another one before it is done.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import ClassVar, Final, NamedTuple, assert_never

from pydantic import Field

from services.registry.domain.division import Node
from services.registry.domain.mapping_campaign import Campaign, CampaignIsClosed, CampaignNotBegun, Opened
from shared.commands.command import Aggregate, Command, DivisionEnded, NothingToRecord, NotOnFile, UnknownDivision
from shared.contracts.mapping import (
    Confirmation,
    GroupCode,
    HouseholdAddedToRoster,
    HouseholdMapped,
    HouseholdRosterFixed,
    Informant,
    MappingResult,
    ReopeningReason,
    RosterHousehold,
    Tries,
    VillageMappingConcluded,
    VillageMappingReopened,
    VillageMappingStarted,
)
from shared.contracts.refusal import Refusal
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import CampaignId, ChildId, HouseholdId, ToldPersonId, VillageCode

_NAMESPACE: Final = uuid.UUID("6f0a8f0e-2a51-5f3b-9d3c-5b0d2f6f7c1e")

MOST_HOUSEHOLDS: Final = 300
"""Of a group; their record stays well below what the log takes."""


class AbsencePolicy(NamedTuple):
    """From its first day on, how often nobody must have been met, and whether a third must have been asked (prop)."""

    starts: date
    tries: int
    word: bool


ABSENCE: Final = (AbsencePolicy(date.min, tries=2, word=True),)
"""Policy data, in order of the first days; the last that has begun holds."""


@lru_cache(maxsize=4096)
def mapping_stream(campaign: str, village: str) -> str:
    """One stream for each village of a campaign, derived from the code under which it began there."""
    return f"mapping-{uuid.uuid5(_NAMESPACE, f'{campaign}/{village}')}"


class OnAVillage(Command):
    """``village`` is the code under which its mapping began."""

    campaign: CampaignId
    village: VillageCode

    @property
    def mapping(self) -> str:
        return mapping_stream(self.campaign, self.village)


class FixHouseholdRoster(OnAVillage):
    """All households of one group. A household without a file gets a new id, under which a file may be opened."""

    group: GroupCode
    households: tuple[RosterHousehold, ...] = Field(min_length=1, max_length=MOST_HOUSEHOLDS)


class StartVillageMapping(OnAVillage):
    team: tuple[ToldPersonId, ...] = Field(min_length=1, max_length=20)


class AddHouseholdToRoster(OnAVillage):
    """For a household that turned up and is on no roster."""

    group: GroupCode
    household: RosterHousehold


class MapHousehold(OnAVillage):
    """What was found at a door. ``children`` are the files of the minors there; ``word`` whose word was taken."""

    household: HouseholdId
    result: MappingResult
    tries: Tries = 1
    children: tuple[ChildId, ...] = Field((), max_length=20)
    word: Informant | None = None
    confirmation: Confirmation | None = None


class ConcludeVillageMapping(OnAVillage):
    pass


class ReopenVillageMapping(OnAVillage):
    reason: ReopeningReason


MappingCommand = (
    FixHouseholdRoster
    | StartVillageMapping
    | AddHouseholdToRoster
    | MapHousehold
    | ConcludeVillageMapping
    | ReopenVillageMapping
)
MappingEvent = (
    HouseholdRosterFixed
    | HouseholdAddedToRoster
    | VillageMappingStarted
    | HouseholdMapped
    | VillageMappingConcluded
    | VillageMappingReopened
)


@dataclass(frozen=True)
class VillageAround:
    """The village on the map: itself, its groups that are there, and another code of it under which it is mapped.

    ``elsewhere`` are the groups that came with a merged village which has a mapping of its own.
    """

    node: Node | None = None
    groups: frozenset[str] = frozenset()
    elsewhere: frozenset[str] = frozenset()
    mapped_as: str | None = None


class Learned(Command):
    """A command on a village's mapping, with its campaign, and what else its decision needs.

    ``around`` is learned before a mapping may begin and before it ends. ``on_file`` are those of the children named
    whose open file stands in the household named.
    """

    wish: MappingCommand
    campaign: Campaign
    around: VillageAround = VillageAround()
    on_file: frozenset[str] = frozenset()


class VillageOutsideCampaign(Refusal):
    """The village lies outside the division of the campaign."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Choose the campaign of the village's own county or city."


class MappedUnderOtherCode(Refusal):
    """The mapping of this village began under another of its codes."""

    what_to_do: ClassVar[str] = "Go on under the code with which it began."


class GroupNotOfVillage(Refusal):
    """group: the village has no such group."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Check the code; a group that is missing in the division tree is added there first."


class GroupHasNoRoster(Refusal):
    """group: its roster has not been fixed."""

    what_to_do: ClassVar[str] = "Fix the roster of the group; the household can stand on it."


class HouseholdListedTwice(Refusal):
    """A household stands on the rosters of a village once, and its number once in its group."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Take out one of the two, or give it a number of its own."


class RosterInUse(Refusal):
    """Doors of this group have been mapped, so its roster is not replaced."""

    what_to_do: ClassVar[str] = "Add the households that are missing one by one."


class MappingNotStarted(Refusal):
    """The mapping of this village has not been started."""

    what_to_do: ClassVar[str] = "Start it with its team, then send this again."


class MappingAlreadyStarted(Refusal):
    """The mapping of this village has been started."""

    what_to_do: ClassVar[str] = "Nothing: go on with it."


class MappingIsConcluded(Refusal):
    """The mapping of this village has been concluded."""

    what_to_do: ClassVar[str] = "Reopen it with a reason, then send this again."


class MappingNotConcluded(Refusal):
    """Only a concluded mapping is reopened."""

    what_to_do: ClassVar[str] = "Nothing: it is open."


class NotOnRoster(Refusal):
    """The household is on no roster of this village."""

    what_to_do: ClassVar[str] = "Check the id; a household that turned up is added to its group's roster first."


class AbsenceNotEstablished(Refusal):
    """A household is absent when nobody was met several times, and a neighbour or the school has said so too."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = (
        "Go there again, ask a neighbour or the school, and send the number of tries and the word."
    )


class ChildrenDoNotFit(Refusal):
    """children: left_behind names at least one, each once; results that tell of no minor name none."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Name the file of every minor of the household, or choose another result."


class ChildNotOnFileHere(Refusal):
    """children: somebody named has no open file in this household."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Register the child in this household first, then send the result again."


class FormNotConfirmed(Refusal):
    """confirmation: the form of a left-behind child is confirmed by a parent or the caregiver, on or before the day."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Let it be signed, or confirmed by phone, and say by whom and on which day."


class VillageIsNotDone(Refusal):
    """A village is concluded when each of its groups has a roster and each door a result."""

    what_to_do: ClassVar[str] = "Fix the rosters and map the doors that are open."


class VillageHasNoGroups(Refusal):
    """The division tree has no group of this village, so nobody can say that none was left out."""

    what_to_do: ClassVar[str] = "Have the village's groups added to the division tree, then fix their rosters."


class Phase(StrEnum):
    PLANNED = "planned"
    STARTED = "started"
    CONCLUDED = "concluded"


@dataclass(frozen=True)
class VillageMapping:
    """Rosters and what was added to them, by group; by household, the result that holds."""

    phase: Phase = Phase.PLANNED
    village: str | None = None
    rosters: Mapping[str, tuple[RosterHousehold, ...]] = field(default_factory=dict)
    added: Mapping[str, tuple[RosterHousehold, ...]] = field(default_factory=dict)
    results: Mapping[str, HouseholdMapped] = field(default_factory=dict)

    def doors(self, group: str) -> tuple[RosterHousehold, ...]:
        return self.rosters.get(group, ()) + self.added.get(group, ())

    def households(self) -> Iterator[str]:
        return (door.household for group in self.rosters for door in self.doors(group))


def decide(told: Learned, mapping: VillageMapping) -> list[MappingEvent]:
    _check_day(told)
    match told.wish:
        case FixHouseholdRoster() as command:
            _check_beginning(told, mapping)
            return [_fixed(command, mapping, told.around.groups)]
        case StartVillageMapping() as command:
            _check_beginning(told, mapping)
            return [_started(command, mapping)]
        case AddHouseholdToRoster() as command:
            return [_added(command, mapping)]
        case MapHousehold() as command:
            return [_mapped(command, mapping, told.on_file)]
        case ConcludeVillageMapping() as command:
            return [_concluded(command, mapping, told.around)]
        case ReopenVillageMapping() as command:
            if mapping.phase is not Phase.CONCLUDED:
                raise MappingNotConcluded
            return [
                VillageMappingReopened(mapping=command.mapping, reopened_on=command.occurred_on, reason=command.reason)
            ]
        case _:
            assert_never(told.wish)


def _check_day(told: Learned) -> None:
    """What is told late is taken by its own day. Rosters are fixed before the campaign begins."""
    campaign, day = told.campaign, told.wish.occurred_on
    if not isinstance(campaign, Opened):
        raise NotOnFile
    if campaign.closed_on is not None and day > campaign.closed_on:
        raise CampaignIsClosed
    if day < campaign.starts and not isinstance(told.wish, FixHouseholdRoster):
        raise CampaignNotBegun(f"the campaign begins on {campaign.starts}")


def _check_beginning(told: Learned, mapping: VillageMapping) -> None:
    """What has begun goes on, whatever becomes of the village's code."""
    node, campaign = told.around.node, told.campaign
    if mapping.village is not None:
        return
    if node is None:
        raise UnknownDivision(f"village: {told.wish.village} is not in the division tree")
    if not isinstance(campaign, Opened) or campaign.division not in node.above:
        raise VillageOutsideCampaign
    if told.around.mapped_as is not None:
        raise MappedUnderOtherCode(f"the mapping of this village began under {told.around.mapped_as}")
    if node.valid_to is not None:
        raise DivisionEnded(node.code, node.valid_to, node.successors)


def _fixed(command: FixHouseholdRoster, mapping: VillageMapping, groups: Collection[str]) -> HouseholdRosterFixed:
    if mapping.phase is Phase.CONCLUDED:
        raise MappingIsConcluded
    if command.group not in groups and command.group not in mapping.rosters:
        raise GroupNotOfVillage
    standing = mapping.rosters.get(command.group)
    if standing == command.households:
        raise NothingToRecord
    if standing and any(door.household in mapping.results for door in standing):
        raise RosterInUse
    others = replace(mapping, rosters={**mapping.rosters, command.group: ()})
    _check_listed_once(command.group, command.households, others)
    return HouseholdRosterFixed(
        mapping=command.mapping,
        campaign=command.campaign,
        village=command.village,
        group=command.group,
        households=command.households,
    )


def _check_listed_once(group: str, doors: Collection[RosterHousehold], mapping: VillageMapping) -> None:
    households = [*mapping.households(), *(door.household for door in doors)]
    numbers = [door.number for door in (*mapping.doors(group), *doors)]
    if len({*households}) < len(households) or len({*numbers}) < len(numbers):
        raise HouseholdListedTwice


def _started(command: StartVillageMapping, mapping: VillageMapping) -> VillageMappingStarted:
    match mapping.phase:
        case Phase.PLANNED:
            return VillageMappingStarted(
                mapping=command.mapping, campaign=command.campaign, village=command.village, team=command.team
            )
        case Phase.STARTED:
            raise MappingAlreadyStarted
        case Phase.CONCLUDED:
            raise MappingIsConcluded


def _check_under_way(mapping: VillageMapping) -> None:
    if mapping.phase is Phase.PLANNED:
        raise MappingNotStarted
    if mapping.phase is Phase.CONCLUDED:
        raise MappingIsConcluded


def _added(command: AddHouseholdToRoster, mapping: VillageMapping) -> HouseholdAddedToRoster:
    _check_under_way(mapping)
    if command.group not in mapping.rosters:
        raise GroupHasNoRoster
    _check_listed_once(command.group, [command.household], mapping)
    return HouseholdAddedToRoster(mapping=command.mapping, group=command.group, household=command.household)


def _mapped(command: MapHousehold, mapping: VillageMapping, on_file: Collection[str]) -> HouseholdMapped:
    _check_under_way(mapping)
    if command.household not in mapping.households():
        raise NotOnRoster
    _check_result(command)
    if missing := {*command.children} - {*on_file}:
        raise ChildNotOnFileHere(f"children: {', '.join(sorted(missing))} have no open file in this household")
    mapped = HouseholdMapped(
        mapping=command.mapping,
        household=command.household,
        mapped_on=command.occurred_on,
        result=Counted(command.result),
        tries=Counted(command.tries),
        children=Counted(tuple(sorted(command.children))),
        word=Personal(command.word) if command.word else None,
        confirmation=Personal(command.confirmation) if command.confirmation else None,
    )
    if mapping.results.get(command.household) == mapped:
        raise NothingToRecord
    return mapped


def _check_result(command: MapHousehold) -> None:
    asked = [policy for policy in ABSENCE if policy.starts <= command.occurred_on][-1]
    if command.result is MappingResult.ABSENT and (
        command.tries < asked.tries or (asked.word and command.word is None)
    ):
        raise AbsenceNotEstablished
    with_minors = (MappingResult.LEFT_BEHIND, MappingResult.MINORS_NOT_LEFT_BEHIND)
    if (
        len({*command.children}) < len(command.children)
        or (command.children and command.result not in with_minors)
        or (not command.children and command.result is MappingResult.LEFT_BEHIND)
    ):
        raise ChildrenDoNotFit
    confirmed = command.confirmation
    if (confirmed is None and command.result is MappingResult.LEFT_BEHIND) or (
        confirmed is not None and confirmed.on > command.occurred_on
    ):
        raise FormNotConfirmed


def _concluded(
    command: ConcludeVillageMapping, mapping: VillageMapping, around: VillageAround
) -> VillageMappingConcluded:
    _check_under_way(mapping)
    if not around.groups and not around.elsewhere:
        raise VillageHasNoGroups
    _check_done(mapping, around.groups)
    added = sum(map(len, mapping.added.values()))
    return VillageMappingConcluded(
        mapping=command.mapping,
        concluded_on=command.occurred_on,
        groups=len(mapping.rosters),
        households=len([*mapping.households()]),
        added=added,
    )


def _check_done(mapping: VillageMapping, groups: Collection[str]) -> None:
    without_roster = {*groups} - mapping.rosters.keys()
    open_doors = {
        group: n
        for group in mapping.rosters
        if (n := sum(door.household not in mapping.results for door in mapping.doors(group)))
    }
    if without_roster or open_doors:
        raise VillageIsNotDone(
            f"{len(without_roster)} groups have no roster ({', '.join(sorted(without_roster)) or 'none'}); "
            f"{sum(open_doors.values())} doors are open in {len(open_doors)} groups"
            f" ({', '.join(sorted(open_doors)) or 'none'})"
        )


def evolve(mapping: VillageMapping, event: MappingEvent) -> VillageMapping:
    match event:
        case HouseholdRosterFixed():
            rosters = {**mapping.rosters, event.group: event.households}
            return replace(mapping, village=event.village, rosters=rosters)
        case HouseholdAddedToRoster():
            doors = (*mapping.added.get(event.group, ()), event.household)
            return replace(mapping, added={**mapping.added, event.group: doors})
        case VillageMappingStarted():
            return replace(mapping, village=event.village, phase=Phase.STARTED)
        case HouseholdMapped():
            return replace(mapping, results={**mapping.results, event.household: _later(mapping, event)})
        case VillageMappingConcluded():
            return replace(mapping, phase=Phase.CONCLUDED)
        case VillageMappingReopened():
            return replace(mapping, phase=Phase.STARTED)
        case _:
            assert_never(event)


def _later(mapping: VillageMapping, event: HouseholdMapped) -> HouseholdMapped:
    """Of two results that of the later day holds, and of two of one day that which was told later."""
    standing = mapping.results.get(event.household)
    return standing if standing is not None and standing.mapped_on > event.mapped_on else event


MAPPING = Aggregate[VillageMapping](VillageMapping(), evolve, decide)
