"""What registry does about a file that begins or changes: it suspects those it is alike to.

Two files may begin in the same moment, in two partitions, and be told to this policy in either order. It looks only
when the look-up has taken in the file that begins; the look-up takes in one after the other, so whichever of the two
came later there finds the other. That both find each other is no harm: a pair has one stream, and is suspected once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any, Final

from services.registry.domain.duplicate import SuspectDuplicate, duplicate_of
from services.registry.duplicates.look_up import DuplicateLookUp
from services.registry.duplicates.read_model import Duplicates
from shared.commands.policies import PolicyOfMany, Wanted
from shared.eventlog.record import Position, Record
from shared.projection.live import LiveModels

PATIENCE_SECONDS: Final = 10.0

EVENTS: Final = frozenset(
    {
        "ChildRegistered",
        "ChildIdentityRecorded",
        "ChildIdentityCorrected",
        "ChildTransferred",
        "ParentSituationRecorded",
        "ChildFileReopened",
    }
)
"""After which a file may be alike to another that it was not alike to before."""

CaughtUp = Callable[[Collection[Position]], Awaitable[bool]]


class DuplicatesBehindError(Exception):
    """The look-up has not taken in these files in time: ask again."""


def caught_up_with(live: LiveModels) -> CaughtUp:
    async def caught_up(positions: Collection[Position]) -> bool:
        return await live.wait_for_all(Duplicates.name, positions, PATIENCE_SECONDS)

    return caught_up


def suspecting(look_up: DuplicateLookUp, caught_up: CaughtUp) -> PolicyOfMany:
    async def on_files_changed(occurred: Sequence[tuple[Record, Any]]) -> Sequence[Sequence[Wanted]]:
        """Raises DuplicatesBehindError, LogUnavailableError."""
        if not await caught_up([record.position for record, _ in occurred]):
            raise DuplicatesBehindError
        alike = await look_up.alike({event.child for _, event in occurred})
        return [[_suspicion(event.child, other) for other in alike.get(event.child, ())] for _, event in occurred]

    return PolicyOfMany("suspect_duplicates", EVENTS, on_files_changed, opens=frozenset())


def _suspicion(one: str, other: str) -> Wanted:
    first, second = sorted((one, other))
    return Wanted(duplicate_of(first, second), SuspectDuplicate(one=first, other=second))
