"""A small read model that counts: enough to see whether an event was folded never, once or twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from shared.contracts.registry import ChildFileClosed
from shared.contracts.sealed import Kind
from shared.projection.read_model import Index, Occurred, ReadModel, Workspace

CHILDREN, TOTALS, SEEN = "children", "totals", "seen"


class Closings(ReadModel):
    """A document per child, a sum per reason, and an inserted line per event (a second time would be refused)."""

    name: ClassVar[str] = "closings"
    services: ClassVar[tuple[str, ...]] = ("registry",)
    events: ClassVar[frozenset[str]] = frozenset({"ChildFileClosed"})
    opens: ClassVar[frozenset[Kind]] = frozenset()
    collections: ClassVar[Mapping[str, tuple[Index, ...]]] = {
        CHILDREN: (Index((("reason", 1),)),),
        TOTALS: (),
        SEEN: (Index((("child", 1),)),),
    }

    def __init__(self) -> None:
        self.forgotten = 0

    async def prepare(self, batch: Sequence[Occurred], work: Workspace) -> None:
        await work.load(CHILDREN, {one.event.child for one in batch})  # type: ignore[attr-defined]

    def fold(self, occurred: Occurred, work: Workspace) -> None:
        event = occurred.event
        assert isinstance(event, ChildFileClosed)
        child: dict[str, Any] = work.get(CHILDREN, event.child) or {"_id": event.child, "closed": 0}
        child["closed"] += 1
        child["reason"] = event.reason.value
        work.put(CHILDREN, child)
        work.increment(TOTALS, "all", f"reasons.{event.reason.value}", 1, {"since": "2026"})
        work.insert(SEEN, {"_id": occurred.record.id, "child": event.child})

    def forget(self) -> None:
        self.forgotten += 1


class Refusing(Closings):
    """Cannot fold closings of one child."""

    def __init__(self, refused: str) -> None:
        super().__init__()
        self.refused = refused

    def fold(self, occurred: Occurred, work: Workspace) -> None:
        if occurred.event.child == self.refused:  # type: ignore[attr-defined]
            raise KeyError("村")
        super().fold(occurred, work)
