"""What registry does about events: it destroys the key of who is erased, proposes what a visit found, forgets who a
settled gap of the mapping told of, and carries on what a household's move or merge means for its children and for the
file that goes on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, Final

from services.registry.domain.child import FollowHousehold, ProposeChange
from services.registry.domain.household import EraseLeftHousehold, GiveBackHousehold, TakeInHousehold
from services.registry.household_learning import HouseholdLearning
from shared.commands.policies import Policy, Wanted
from shared.contracts.households import (
    HouseholdKeyDestroyed,
    HouseholdMergeUndone,
    HouseholdMoved,
    HouseholdsMerged,
)
from shared.contracts.mapping_gap import MappingGapSettled
from shared.contracts.registry import SubjectKeyDestroyed
from shared.contracts.visits import ChildFinding, VisitAmended, VisitLogged
from shared.eventlog.placement import derived_id
from shared.eventlog.record import Record
from shared.privacy.port import KeyVault

FINDS: Final = "propose_what_a_visit_found"
FINDER: Final = f"registry/{FINDS}"
"""Who gives the commands of that policy."""


def policies(vault: KeyVault, households: HouseholdLearning) -> list[Policy]:
    async def destroy_key(record: Record, event: SubjectKeyDestroyed) -> Sequence[Wanted]:
        """Of a child; the household goes with the last one, since its file names the family."""
        await vault.destroy(event.child)
        return [
            Wanted(
                household,
                EraseLeftHousehold(
                    occurred_at=record.occurred_at,
                    household=household,
                    children=children,
                    approved_by=event.approved_by,
                ),
            )
            for household, children in (await households.left_by(event.child)).items()
        ]

    async def destroy_household_key(record: Record, event: HouseholdKeyDestroyed) -> Sequence[Wanted]:
        await vault.destroy(event.household)
        return ()

    async def on_household_moved(record: Record, event: HouseholdMoved) -> Sequence[Wanted]:
        """Those of its children who live with it move along; in their own streams, whatever their partition."""
        villages = await households.codes_of(event.from_village) if event.children else ()
        return [
            Wanted(
                child,
                FollowHousehold(
                    occurred_at=record.occurred_at,
                    child=child,
                    villages=frozenset(villages),
                    to_village=event.to_village,
                    moved_on=event.moved_on,
                    moved_by=event.moved_by,
                ),
            )
            for child in event.children
        ]

    async def forget_gap(record: Record, event: MappingGapSettled) -> Sequence[Wanted]:
        """Whoever it was has a file by now, or is nobody of ours: a name is kept no longer than it is asked for."""
        await vault.destroy(event.gap)
        return ()

    return [
        Policy("forget_gap", "MappingGapSettled", forget_gap),
        Policy("destroy_key", "SubjectKeyDestroyed", destroy_key),
        Policy("destroy_household_key", "HouseholdKeyDestroyed", destroy_household_key),
        Policy(FINDS, "VisitLogged", on_visit_logged),
        Policy("children_follow", "HouseholdMoved", on_household_moved),
        Policy("take_in", "HouseholdsMerged", on_households_merged),
        Policy("give_back", "HouseholdMergeUndone", on_household_merge_undone),
        Policy(FINDS, "VisitAmended", on_visit_amended),
    ]


async def on_households_merged(record: Record, event: HouseholdsMerged) -> Sequence[Wanted]:
    """The file that goes on may stand in another partition: it hears of it here."""
    command = TakeInHousehold(
        occurred_at=record.occurred_at, household=event.into, merged=event.household, children=event.children
    )
    return [Wanted(event.into, command)]


async def on_household_merge_undone(record: Record, event: HouseholdMergeUndone) -> Sequence[Wanted]:
    command = GiveBackHousehold(occurred_at=record.occurred_at, household=event.into, merged=event.household)
    return [Wanted(event.into, command)]


async def on_visit_logged(record: Record, event: VisitLogged) -> Sequence[Wanted]:
    """What was found to be otherwise than the file says is proposed for review, each block for itself; the file changes
    only when a reviewer takes it over."""
    finder, day = record.actor.id, event.visited_on
    return [one for finding in event.findings for one in _proposals(record, event.visit, finding, finder, day)]


async def on_visit_amended(record: Record, event: VisitAmended) -> Sequence[Wanted]:
    """What an amendment tells anew is proposed; what the visit has told before is proposed already."""
    return list(_proposals(record, event.visit, event.finding, event.amended_by, None))


def _proposals(
    record: Record, visit: str, finding: ChildFinding, found_by: str, found_on: date | None
) -> Iterator[Wanted]:
    """An erased finding is left: there is nothing to review."""
    child, care, parents, schooling = finding.child, finding.care_found, finding.parents_found, finding.schooling_found
    told: dict[str, dict[str, Any]] = {
        child: {} if care is None or care.kind.erased else {"care": care},
        f"{child}/parents": {} if parents is None or parents.father.state.erased else {"parents": parents},
        f"{child}/schooling": {} if schooling is None or schooling.erased else {"schooling": schooling},
    }
    for target, block in told.items():
        if block:
            yield Wanted(
                target,
                ProposeChange(
                    occurred_at=record.occurred_at,
                    proposal=derived_id(f"{record.id}/{target}", "proposal", beside=child),
                    child=child,
                    visit=visit,
                    found_by=found_by,
                    found_on=found_on,
                    **block,
                ),
            )
