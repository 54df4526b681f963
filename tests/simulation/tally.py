"""A read model that shows whether every event was folded once, and each stream in order."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from shared.contracts.sealed import Kind
from shared.eventlog.record import Record
from shared.projection.checkpoint import ModelVersion
from shared.projection.memory import MemoryProjectionStore
from shared.projection.read_model import Index, Occurred, ReadModel, Workspace

OF = ModelVersion("tally", 1)


class Tally(ReadModel):
    """How often each event was folded, and a digest of each stream that depends on the order. It caches the digests."""

    name = "tally"
    services = ("registry",)
    events = frozenset({"ChildFileClosed"})
    opens: ClassVar[frozenset[Kind]] = frozenset()
    collections: ClassVar[Mapping[str, tuple[Index, ...]]] = {"events": (), "streams": ()}

    def __init__(self) -> None:
        self._digests: dict[str, str] = {}

    async def prepare(self, batch: Sequence[Occurred], work: Workspace) -> None:
        unknown = {one.record.stream for one in batch} - self._digests.keys()
        await work.load("streams", sorted(unknown))
        for stream in unknown:
            self._digests[stream] = (work.get("streams", stream) or {"digest": ""})["digest"]

    def fold(self, occurred: Occurred, work: Workspace) -> None:
        record = occurred.record
        digest = self._digests[record.stream] = digest_after(self._digests[record.stream], record)
        work.put("streams", {"_id": record.stream, "digest": digest})
        work.increment("events", record.id, "times", 1)

    def forget(self) -> None:
        self._digests.clear()


def digest_after(digest: str, record: Record) -> str:
    return hashlib.sha256(f"{digest}/{record.id}".encode()).hexdigest()


def tally_of(records: Iterable[Record]) -> dict[str, Any]:
    """What the read model must hold: the log folded from its beginning, once."""
    digests: dict[str, str] = {}
    events: dict[str, int] = {}
    for record in records:
        if record.type not in Tally.events:
            continue
        digests[record.stream] = digest_after(digests.get(record.stream, ""), record)
        events[record.id] = 1
    return {"streams": digests, "events": events}


def tally_in(store: MemoryProjectionStore) -> dict[str, Any]:
    streams, events = (store.collections[OF.collection(name)] for name in ("streams", "events"))
    return {
        "streams": {key: document["digest"] for key, document in streams.items()},
        "events": {key: document["times"] for key, document in events.items()},
    }
