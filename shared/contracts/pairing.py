"""pairing's events (domain section 4.3)."""

from __future__ import annotations

from shared.contracts.event import Event
from shared.contracts.values import ChildId, Day, PairId, PairKind, PersonId, VillageCode


class PairFormed(Event):
    pair: PairId
    child: ChildId
    helper: PersonId
    kind: PairKind
    village: VillageCode
    starts: Day


class PairEnded(Event):
    pair: PairId
    child: ChildId
    ends: Day
    reason: str
