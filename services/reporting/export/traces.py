"""In which streams of which services something is told of a child: where an export looks. Ids, and nothing else.

The child's own stream is not among them: its name is the child's id.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar, Final

from shared.contracts.catalogue import MODULES
from shared.contracts.clear import CLEAR
from shared.contracts.registry import SubjectKeyDestroyed
from shared.contracts.sealed import Kind
from shared.eventlog.record import Record
from shared.projection.read_model import Index, Occurred, ReadModel, Workspace

TRACES: Final = "traces"
CHILD_ID: Final = re.compile(rb'"(child-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"')


def names_children(event: str) -> bool:
    """Whether an event says in the clear which child it is about."""
    return any(field.split(".")[-1] in ("child", "children", "about") for field in CLEAR[event])


class Traces(ReadModel):
    """One document per child and stream: ``{_id: child/stream, child, service, stream}``.

    Of an erased child ``{_id: child, erased}`` alone, so that a late event brings nothing back.
    """

    name: ClassVar[str] = "traces"
    services: ClassVar[tuple[str, ...]] = tuple(MODULES)
    events: ClassVar[frozenset[str]] = frozenset(filter(names_children, CLEAR))
    opens: ClassVar[frozenset[Kind]] = frozenset()
    collections: ClassVar[dict[str, tuple[Index, ...]]] = {TRACES: (Index((("child", 1),)),)}

    def pause(self, written: int) -> timedelta:
        """An export is rare, and says up to when it is complete."""
        return timedelta(milliseconds=500)

    async def prepare(self, batch: Sequence[Occurred], work: Workspace) -> None:
        """Of what is there only that somebody was erased is asked; a trace is written again as it is."""
        await work.load(TRACES, {child for occurred in batch for child in _children_in(occurred.record)})

    def fold(self, occurred: Occurred, work: Workspace) -> None:
        record, event = occurred
        if isinstance(event, SubjectKeyDestroyed):
            work.delete_where(TRACES, "child", event.child)
            work.put(TRACES, {"_id": event.child, "erased": True})
            return
        for child in _children_in(record) - {record.stream}:
            if work.get(TRACES, child) is None:
                place = f"{child}/{record.stream}"
                work.put(TRACES, {"_id": place, "child": child, "service": record.service, "stream": record.stream})


def _children_in(record: Record) -> set[str]:
    return {found.decode() for found in CHILD_ID.findall(bytes(record.data))}
