"""What visits does about events: a fact on file that demands a protection report opens one, if none is open; concerns
follow their child.

A child moves, and a concern about it is raised, in the same moment, in two services. So both are answered to: whichever
comes later finds the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from services.visits.domain.concern import FOLLOWER, MoveConcern
from services.visits.domain.danger import may_live_alone
from services.visits.domain.demand import CARE, demanded
from services.visits.domain.protection_report import RaiseProtectionReport
from services.visits.followed import ConcernLookUp
from shared.commands.command import business_day
from shared.commands.policies import AnyPolicy, Policy, PolicyOfMany, Wanted
from shared.contracts.child_file import ChildTransferred
from shared.contracts.concerns import ConcernRaised
from shared.contracts.file_keeping import ChildFilesMerged, ChildMergeUndone
from shared.contracts.registry import CareSituationRecorded, ChildRegistered
from shared.contracts.risk import RiskAssessed
from shared.contracts.sealed import Counted
from shared.eventlog.record import Record
from shared.standing.look_up import StandingLookUp

RAISES: Final = "raise_demanded_report"
RAISER: Final = f"visits/{RAISES}"
"""Who gives the commands of these policies."""
FOLLOWS: Final = FOLLOWER.removeprefix("visits/")


def raising(standings: StandingLookUp) -> list[AnyPolicy]:
    """Of a thousand registrations hardly one demands a report: no more is asked about the others."""

    async def on_facts(occurred: Sequence[tuple[Record, Any]]) -> Sequence[Sequence[Wanted]]:
        return [await _wanted(record, event, standings) if demanded(event) else () for record, event in occurred]

    return [
        PolicyOfMany(RAISES, CARE, on_facts, opens=frozenset({"counted"})),
        # The signs of an emergency are personal.
        PolicyOfMany(RAISES, frozenset({"RiskAssessed"}), on_facts, opens=frozenset({"personal"})),
    ]


async def _wanted(
    record: Record, event: ChildRegistered | CareSituationRecorded | RiskAssessed, standings: StandingLookUp
) -> list[Wanted]:
    """Raises StandingUnknown: then the event comes again."""
    day = business_day(record.occurred_at)
    if record.type in CARE and may_live_alone(await _birth_month(event, standings), day):
        return []
    standing = (await standings.on(day, [event.child]))[event.child]
    if standing is None or standing.erased:
        return []
    return [
        Wanted(
            situation,
            RaiseProtectionReport(
                occurred_at=record.occurred_at,
                child=event.child,
                village=standing.village,
                situation=Counted(situation),
                reporter=record.actor.id,
            ),
        )
        for situation in sorted(demanded(event))
    ]


async def _birth_month(event: ChildRegistered | CareSituationRecorded | RiskAssessed, standings: StandingLookUp) -> Any:
    """As a registration tells it itself; of a file that is longer there registry is asked."""
    return event.birth_month.get() if isinstance(event, ChildRegistered) else await standings.birth_month(event.child)


def following(standings: StandingLookUp, concerns: ConcernLookUp) -> list[AnyPolicy]:
    """Those that wait for a look-up of concerns."""

    async def on_transferred(record: Record, event: ChildTransferred) -> Sequence[Wanted]:
        return _moves(record, await concerns.about(event.child), event.to_village)

    async def on_merged(record: Record, event: ChildFilesMerged) -> Sequence[Wanted]:
        return _moves(record, await concerns.about(event.child), event.village)

    async def on_undone(record: Record, event: ChildMergeUndone) -> Sequence[Wanted]:
        village = await standings.lives_in(event.child, business_day(record.recorded_at))
        return [] if village is None else _moves(record, await concerns.about(event.child), village)

    async def on_raised(record: Record, event: ConcernRaised) -> Sequence[Wanted]:
        """Of a child that has moved meanwhile."""
        if not event.about.startswith("child-"):
            return []
        village = await standings.lives_in(event.about, business_day(record.recorded_at))
        return [] if village is None else _moves(record, [event.concern], village)

    return [
        Policy(FOLLOWS, "ChildTransferred", on_transferred),
        Policy(FOLLOWS, "ChildFilesMerged", on_merged),
        Policy(FOLLOWS, "ChildMergeUndone", on_undone),
        Policy(FOLLOWS, "ConcernRaised", on_raised),
    ]


def _moves(record: Record, concerns: Sequence[str], village: str) -> list[Wanted]:
    return [
        Wanted(concern, MoveConcern(occurred_at=record.occurred_at, concern=concern, village=village))
        for concern in concerns
    ]
