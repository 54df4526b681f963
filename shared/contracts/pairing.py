"""pairing's events (domain section 4.3)."""

from __future__ import annotations

from typing import ClassVar

from shared.contracts.event import Event
from shared.contracts.sealed import Personal
from shared.contracts.values import ChildId, Day, PairEndReason, PairId, PairKind, PersonId, Text, VillageCode


class PairFormed(Event):
    pair: PairId
    child: ChildId
    helper: PersonId
    kind: PairKind
    village: VillageCode
    starts: Day


class PairEnded(Event):
    """``ends`` is the first day without the pair. Without a note it needs no key of the child: it ends when that is
    destroyed."""

    schema_version: ClassVar[int] = 2
    subject: ClassVar[str | None] = "child"

    pair: PairId
    child: ChildId
    kind: PairKind
    ends: Day
    reason: PairEndReason
    note: Personal[Text] | None = None
