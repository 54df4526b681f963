"""What a command on a household can not say itself: who tells it, what its divisions are, what became of its children.

It is read off registry's own log and its directory. What changes in the household between this reading and the append
makes the append fail on the stream's version, and the command is decided again.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from functools import reduce
from typing import ClassVar, Final

from services.registry.division_map import TakenOver
from services.registry.domain.child import ReopenChildFile
from services.registry.domain.household import (
    HOUSEHOLD,
    ApproveHouseholdErasure,
    Closed,
    CloseHouseholdFile,
    ClosingWith,
    Household,
    HouseholdErasureApprovalBy,
    HouseholdErasureRequestBy,
    HouseholdFileIsClosed,
    HouseholdTakeOverBy,
    MergeBy,
    Merged,
    MergeHouseholds,
    MoveBy,
    MoveHousehold,
    OfferHouseholdMove,
    OpenHouseholdFile,
    RequestHouseholdErasure,
    TakeOverHousehold,
    UndoHouseholdMerge,
    UndoingBy,
    UpdateHouseholdFile,
    children_of,
    offered_to,
    village_of,
)
from shared.commands.command import DivisionEnded, UnknownDivision
from shared.contracts.refusal import Refusal
from shared.contracts.registry import ChildRegistered
from shared.eventlog.port import Log
from shared.eventlog.record import decode
from shared.identity.access import Directory, Place
from shared.privacy.sealing import Sealer

_OPENS: Final = frozenset({"ChildRegistered", "ChildFileReopened"})
_CLOSES: Final = frozenset({"ChildFileClosed", "SubjectKeyDestroyed"})


class GroupOutsideVillage(Refusal):
    """group: it is no village group of the household's village."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Choose a group of that village, or leave the group out."


class HouseholdLearning:
    """Divisions that a command names raise UnknownDivision, DivisionEnded, GroupOutsideVillage."""

    def __init__(self, log: Log, sealer: Sealer, directory: Directory, taken_over: TakenOver) -> None:
        self._log = log
        self._sealer = sealer
        self._directory = directory
        self._taken_over = taken_over

    async def opened(self, command: OpenHouseholdFile, person: str) -> OpenHouseholdFile:
        await self._check_group(command.group, command.village, command.occurred_on)
        return command

    async def updated(self, command: UpdateHouseholdFile, person: str) -> UpdateHouseholdFile:
        if command.group is not None:
            village = village_of(await self._household(command.household))
            await self._check_group(command.group, village, command.occurred_on)
        return command

    async def moved(self, command: MoveHousehold, person: str) -> MoveBy:
        if command.group is not None:
            village = village_of(await self._household(command.household))
            await self._check_group(command.group, village, command.occurred_on)
        return MoveBy(**dict(command), person=person)

    async def offered(self, command: OfferHouseholdMove, person: str) -> OfferHouseholdMove:
        await self._place("to_village", command.to_village, command.occurred_on)
        return command

    async def taken_over(self, command: TakeOverHousehold, person: str) -> HouseholdTakeOverBy:
        if command.group is not None:
            village = offered_to(await self._household(command.household))
            await self._check_group(command.group, village, command.occurred_on)
        return HouseholdTakeOverBy(**dict(command), person=person)

    async def closing(self, command: CloseHouseholdFile, person: str) -> ClosingWith:
        return ClosingWith(**dict(command), open_children=await self._open_children(command.household))

    async def child_reopened(self, command: ReopenChildFile, person: str) -> ReopenChildFile:
        """Raises HouseholdFileIsClosed: no closed household has a child whose file is open."""
        if isinstance(await self._household(await self._household_of(command.child)), Closed):
            raise HouseholdFileIsClosed
        return command

    async def merging(self, command: MergeHouseholds, person: str) -> MergeBy:
        village = village_of(await self._household(command.household))
        return MergeBy(
            **dict(command),
            person=person,
            goes_on=await self._household(command.into),
            villages=frozenset() if village is None else await self._taken_over.one_with(village),
        )

    async def undoing(self, command: UndoHouseholdMerge, person: str) -> UndoingBy:
        return UndoingBy(**dict(command), person=person)

    async def erasure_requested(self, command: RequestHouseholdErasure, person: str) -> HouseholdErasureRequestBy:
        open_children = await self._open_children(command.household)
        return HouseholdErasureRequestBy(**dict(command), person=person, open_children=open_children)

    async def erasure_approved(self, command: ApproveHouseholdErasure, person: str) -> HouseholdErasureApprovalBy:
        open_children = await self._open_children(command.household)
        return HouseholdErasureApprovalBy(**dict(command), person=person, open_children=open_children)

    async def codes_of(self, village: str) -> frozenset[str]:
        """All codes that work goes on of under the same one."""
        return await self._taken_over.one_with(village)

    async def left_by(self, child: str) -> dict[str, frozenset[str]]:
        """The child's household, and the one it was merged into, with its children: where all of them are erased."""
        own = await self._household_of(child)
        state = await self._household(own)
        candidates = {own: state}
        if isinstance(state, Merged):
            candidates[state.into] = await self._household(state.into)
        families = {household: children_of(one) for household, one in candidates.items()}
        return {
            household: children
            for household, children in families.items()
            if child in children and await self._all_erased(children)
        }

    async def _household_of(self, child: str) -> str:
        """Where the child was registered, which stands in the clear."""
        first = [decode(raw) for raw in (await self._log.load(child))[:1]]
        opened = await self._sealer.open(first, ())
        return next((event.household for event in opened if isinstance(event, ChildRegistered)), "")

    async def _all_erased(self, children: Collection[str]) -> bool:
        found = (await self._log.look_up(children, ())).histories
        return all(decode(found[child][-1]).type == "SubjectKeyDestroyed" for child in children)

    async def _check_group(self, group: str | None, village: str | None, day: date) -> None:
        if group is None or village is None:
            return
        place = await self._place("group", group, day)
        if group == village or village not in place.path:
            raise GroupOutsideVillage(f"group: {group} is no village group of {village}")

    async def _place(self, field: str, division: str, day: date) -> Place:
        place = (await self._directory.places([division])).get(division)
        if place is None:
            raise UnknownDivision(f"{field}: {division} is not in the division tree")
        if place.ending is not None and place.ending.on <= day:
            raise DivisionEnded(division, place.ending.on, place.ending.successors)
        return place

    async def _household(self, household: str) -> Household:
        """Its state; what is sealed in it stays sealed."""
        records = [decode(raw) for raw in await self._log.load(household)]
        return reduce(HOUSEHOLD.evolve, await self._sealer.open(records, ()), HOUSEHOLD.initial)

    async def _open_children(self, household: str) -> frozenset[str]:
        """Of its children, and of those of the households that were merged into it, whose files are open."""
        return await self._open_files(children_of(await self._household(household)))

    async def _open_files(self, children: Collection[str]) -> frozenset[str]:
        found = (await self._log.look_up(children, ())).histories if children else {}
        turns = {
            child: [told for told in (decode(raw).type for raw in history) if told in _OPENS | _CLOSES]
            for child, history in found.items()
        }
        return frozenset(child for child, told in turns.items() if told and told[-1] in _OPENS)
