"""What registry does about events: it destroys the key of who is erased, proposes what a visit found, and forgets who
a settled gap of the mapping told of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from services.registry.domain.child import ProposeChange
from shared.commands.policies import Policy, Wanted
from shared.contracts.mapping_gap import MappingGapSettled
from shared.contracts.registry import SubjectKeyDestroyed
from shared.contracts.visits import VisitLogged
from shared.eventlog.placement import derived_id
from shared.eventlog.record import Record
from shared.privacy.port import KeyVault

FINDS: Final = "propose_what_a_visit_found"
FINDER: Final = f"registry/{FINDS}"
"""Who gives the commands of that policy."""


def policies(vault: KeyVault) -> list[Policy]:
    async def destroy_key(record: Record, event: SubjectKeyDestroyed) -> Sequence[Wanted]:
        await vault.destroy(event.child)
        return ()

    async def forget_gap(record: Record, event: MappingGapSettled) -> Sequence[Wanted]:
        """Whoever it was has a file by now, or is nobody of ours: a name is kept no longer than it is asked for."""
        await vault.destroy(event.gap)
        return ()

    return [
        Policy("destroy_key", "SubjectKeyDestroyed", destroy_key),
        Policy("forget_gap", "MappingGapSettled", forget_gap),
        Policy(FINDS, "VisitLogged", on_visit_logged),
    ]


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
