"""What the decisions on a village's mapping need beyond its own stream: campaign, map, and the files of children.

All of it is read from registry's own log; the map from its directory, once that has come to the end of the log.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence, Set
from functools import reduce

import msgspec

from services.registry.division_map import DivisionMap
from services.registry.domain.division import GROUP, Node
from services.registry.domain.mapping_campaign import CAMPAIGN, Campaign
from services.registry.domain.village_mapping import (
    AddHouseholdToRoster,
    Learned,
    MapHousehold,
    MappingCommand,
    ReopenVillageMapping,
    VillageAround,
    mapping_stream,
)
from shared.eventlog.port import Log
from shared.eventlog.record import decode
from shared.privacy.sealing import Sealer


class MappingLearning:
    def __init__(self, log: Log, sealer: Sealer, divisions: DivisionMap) -> None:
        self._log = log
        self._sealer = sealer
        self._map = divisions

    async def __call__(self, command: MappingCommand, person: str) -> Learned:
        """Raises MapIsBehind, LogUnavailableError."""
        campaign = await self._campaign(command.campaign)
        match command:
            case MapHousehold():
                on_file = await self._on_file(command.household, command.children)
                return Learned(occurred_at=command.occurred_at, wish=command, campaign=campaign, on_file=on_file)
            case AddHouseholdToRoster() | ReopenVillageMapping():
                return Learned(occurred_at=command.occurred_at, wish=command, campaign=campaign)
            case _:
                around = await self._around(command.campaign, command.village)
                return Learned(occurred_at=command.occurred_at, wish=command, campaign=campaign, around=around)

    async def _campaign(self, campaign: str) -> Campaign:
        events = await self._sealer.open([decode(raw) for raw in await self._log.load(campaign)], ())
        return reduce(CAMPAIGN.evolve, events, CAMPAIGN.initial)

    async def _on_file(self, household: str, children: Collection[str]) -> frozenset[str]:
        """Those of the children whose file is open and was begun in this household, or in one that was merged into it;
        the events stay sealed."""
        if not children:
            return frozenset()
        found = dict((await self._log.look_up(sorted({household, *children}), ())).histories)
        households = {household, *_taken_in(found.pop(household, ()))}
        return frozenset(child for child, history in found.items() if _open_in(households, history))

    async def _around(self, campaign: str, village: str) -> VillageAround:
        nodes = await self._map.history(village)
        if not nodes:
            return VillageAround()
        other = [node.code for node in nodes if node.code != village]
        begun = await self._begun(campaign, other)
        groups = await self._groups(nodes)
        merged = await self._begun(campaign, {*groups.values()} - {node.code for node in nodes})
        return VillageAround(
            node=next(node for node in nodes if node.code == village),
            groups=frozenset(group for group, above in groups.items() if above not in merged),
            elsewhere=frozenset(group for group, above in groups.items() if above in merged),
            mapped_as=next(iter(sorted(begun)), None),
        )

    async def _groups(self, nodes: Sequence[Node]) -> dict[str, str | None]:
        """The groups that are there, each with the code of the village that it was told for."""
        below = await self._map.below(nodes[-1].code)
        return {node.code: node.parent for node in below if node.kind == GROUP and node.valid_to is None}

    async def _begun(self, campaign: str, villages: Collection[str | None]) -> frozenset[str]:
        """The codes under which a mapping of the campaign has begun."""
        streams = {mapping_stream(campaign, village): village for village in villages if village is not None}
        found = (await self._log.look_up(sorted(streams), ())).histories if streams else {}
        return frozenset(streams[stream] for stream in found)


def _taken_in(history: Collection[bytes]) -> set[str]:
    """The households that go on as this one."""
    merged = set[str]()
    for record in map(decode, history):
        match record.type:
            case "HouseholdTakenIn":
                merged.add(msgspec.json.decode(record.data)["merged"])
            case "HouseholdGivenBack":
                merged.discard(msgspec.json.decode(record.data)["merged"])
            case _:
                pass
    return merged


def _open_in(households: Set[str], history: Collection[bytes]) -> bool:
    is_open = False
    for record in map(decode, history):
        match record.type:
            case "ChildRegistered":
                is_open = msgspec.json.decode(record.data)["household"] in households
                if not is_open:
                    return False
            case "ChildFileClosed" | "SubjectKeyDestroyed":
                is_open = False
            case "ChildFileReopened":
                is_open = True
            case _:
                pass
    return is_open
