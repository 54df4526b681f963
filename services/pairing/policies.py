"""What pairing does about events: when a child's file closes, or the child is erased, its pairs end.

A closing and a pair may be told in the same moment, to two services. So both are answered to: at a closing pairing asks
its own log for the pairs formed until then, at a new pair it asks registry whether the file has closed. Whichever of
the two comes later finds the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from services.pairing.domain.pair import EndPair
from services.pairing.pairs import ActivePair, PairLookUp
from shared.commands.command import business_day
from shared.commands.policies import Policy, Wanted
from shared.contracts.pairing import PairFormed
from shared.contracts.registry import ChildFileClosed, SubjectKeyDestroyed
from shared.contracts.values import PairEndReason
from shared.eventlog.record import Record
from shared.standing.look_up import StandingLookUp


def policies(pairs: PairLookUp, standings: StandingLookUp) -> list[Policy]:
    async def on_child_file_closed(record: Record, event: ChildFileClosed) -> Sequence[Wanted]:
        active = await pairs.active(event.child)
        return [_end(record, pair, event.closed_on, PairEndReason.CHILD_FILE_CLOSED) for pair in active]

    async def on_child_erased(record: Record, event: SubjectKeyDestroyed) -> Sequence[Wanted]:
        active = await pairs.active(event.child)
        return [_end(record, pair, business_day(record.occurred_at), PairEndReason.CHILD_ERASED) for pair in active]

    async def on_pair_formed(record: Record, event: PairFormed) -> Sequence[Wanted]:
        over = await standings.over_since(event.child)
        if over is None:
            return []
        reason = PairEndReason.CHILD_ERASED if over.erased else PairEndReason.CHILD_FILE_CLOSED
        return [_end(record, ActivePair(event.pair, event.starts), over.day, reason)]

    return [
        Policy("end_pairs_of_closed_file", "ChildFileClosed", on_child_file_closed),
        Policy("end_pairs_of_erased_child", "SubjectKeyDestroyed", on_child_erased),
        Policy("end_pair_with_closed_file", "PairFormed", on_pair_formed),
    ]


def _end(record: Record, pair: ActivePair, since: date, reason: PairEndReason) -> Wanted:
    """A pair that was to begin after that has no day at all."""
    ends = max(since, pair.starts)
    return Wanted(pair.pair, EndPair(occurred_at=record.occurred_at, pair=pair.pair, ends=ends, reason=reason))
