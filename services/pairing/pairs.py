"""The pairs of each child, as pairing's own log tells them: a private look-up for its policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from shared.contracts.pairing import PairEnded, PairFormed
from shared.contracts.sealed import Kind
from shared.projection.read_model import Index, Occurred, ReadModel, Workspace

PAIRS = "pairs"


class Pairs(ReadModel):
    """One document per pair: ``{_id: pair, child, active}``."""

    name: ClassVar[str] = "pairs"
    services: ClassVar[tuple[str, ...]] = ("pairing",)
    events: ClassVar[frozenset[str]] = frozenset({"PairFormed", "PairEnded"})
    opens: ClassVar[frozenset[Kind]] = frozenset()
    collections: ClassVar[Mapping[str, tuple[Index, ...]]] = {PAIRS: (Index((("child", 1), ("active", 1))),)}

    async def prepare(self, batch: Sequence[Occurred], work: Workspace) -> None:
        """A pair's document is written whole by each of its events."""

    def fold(self, occurred: Occurred, work: Workspace) -> None:
        event: Any = occurred.event
        match event:
            case PairFormed() | PairEnded():
                work.put(PAIRS, {"_id": event.pair, "child": event.child, "active": isinstance(event, PairFormed)})
