"""What registry does about events: it destroys the key of who is erased, proposes what a visit found, and carries on
what a household's move or merge means for its children and for the file that goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

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
from shared.contracts.registry import SubjectKeyDestroyed
from shared.contracts.visits import VisitLogged
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

    return [
        Policy("destroy_key", "SubjectKeyDestroyed", destroy_key),
        Policy("destroy_household_key", "HouseholdKeyDestroyed", destroy_household_key),
        Policy(FINDS, "VisitLogged", on_visit_logged),
        Policy("children_follow", "HouseholdMoved", on_household_moved),
        Policy("take_in", "HouseholdsMerged", on_households_merged),
        Policy("give_back", "HouseholdMergeUndone", on_household_merge_undone),
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
    """A care situation found at a visit is proposed for review; the file changes only when a reviewer takes it over.

    An erased finding is left: there is nothing to review.
    """
    return [
        Wanted(
            finding.child,
            ProposeChange(
                occurred_at=record.occurred_at,
                proposal=derived_id(f"{record.id}/{finding.child}", "proposal", beside=finding.child),
                child=finding.child,
                visit=event.visit,
                care=finding.care_found,
                found_by=record.actor.id,
                found_on=event.visited_on,
            ),
        )
        for finding in event.findings
        if finding.care_found is not None and not finding.care_found.kind.erased
    ]
