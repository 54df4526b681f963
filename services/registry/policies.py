"""What registry does about events: it destroys the key of who is erased, and proposes what a visit found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, Final

from services.registry.domain.child import ProposeChange
from shared.commands.policies import Policy, Wanted
from shared.contracts.registry import SubjectKeyDestroyed
from shared.contracts.visits import ChildFinding, VisitAmended, VisitLogged
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

    return [
        Policy("destroy_key", "SubjectKeyDestroyed", destroy_key),
        Policy(FINDS, "VisitLogged", on_visit_logged),
        Policy(FINDS, "VisitAmended", on_visit_amended),
    ]


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
