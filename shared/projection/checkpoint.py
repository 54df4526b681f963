"""How far a read model has come: one document, compared and set by every transaction of its writer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from shared.messaging.run import Mark, Source


class ModelVersion(NamedTuple):
    """A read model and the version of its collections; the next version is built beside the live one."""

    name: str
    version: int

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"

    def collection(self, name: str) -> str:
        return f"{self.name}_v{self.version}_{name}"


class Seen(msgspec.Struct, frozen=True):
    """The owner's head as last heard of: at ``time`` the partition ended with ``seq``."""

    seq: int
    time: datetime


class Stopped(msgspec.Struct, frozen=True):
    """The event that could not be folded, and the class of the error. Names and places only."""

    position: str
    type: str
    event: str
    error: str


class Checkpoint(msgspec.Struct, frozen=True):
    """``revision`` counts the writes, of whatever writer; ``epoch`` is the lease of the last one.

    ``complete`` is the time up to which each source is taken in. ``passed`` counts records newer than the code.
    ``counted`` names the collections that were ever incremented, in which a zero means the same as nothing. While
    ``frozen_until`` lies ahead, a rebuild compares, and no writer writes.
    """

    revision: int = 0
    epoch: int = 0
    marks: Mapping[Source, Mark] = {}
    heads: Mapping[Source, Seen] = {}
    complete: Mapping[Source, datetime] = {}
    stopped: Stopped | None = None
    passed: int = 0
    counted: frozenset[str] = frozenset()
    frozen_until: datetime | None = None

    @property
    def waiting(self) -> int:
        """How many records the owners had, when last heard of, that are not taken in."""
        return sum(max(0, head.seq - self.mark(source).seq) for source, head in self.heads.items())

    @property
    def complete_up_to(self) -> datetime | None:
        """The oldest of its sources' times; None while one of them has never been level."""
        sources = self.marks.keys() | self.heads.keys()
        if not sources or sources - self.complete.keys():
            return None
        return min(self.complete.values())

    def mark(self, source: Source) -> Mark:
        return self.marks.get(source, Mark())

    def document(self) -> dict[str, Any]:
        return {
            "revision": self.revision,
            "epoch": self.epoch,
            "positions": {str(s): [m.seq, m.hash, m.offset] for s, m in self.marks.items()},
            "heads": {str(s): [h.seq, h.time] for s, h in self.heads.items()},
            "complete": {str(s): time for s, time in self.complete.items()},
            "stopped": msgspec.structs.asdict(self.stopped) if self.stopped else None,
            "passed": self.passed,
            "counted": sorted(self.counted),
            "frozen_until": self.frozen_until,
        }

    @classmethod
    def of(cls, document: Mapping[str, Any] | None) -> Checkpoint:
        if document is None:
            return cls()
        return cls(
            revision=document["revision"],
            epoch=document["epoch"],
            marks={_source(key): Mark(*mark) for key, mark in document["positions"].items()},
            heads={_source(key): Seen(seq, _utc(time)) for key, (seq, time) in document["heads"].items()},
            complete={_source(key): _utc(time) for key, time in document["complete"].items()},
            stopped=Stopped(**document["stopped"]) if document["stopped"] else None,
            passed=document["passed"],
            counted=frozenset(document["counted"]),
            frozen_until=_utc(document["frozen_until"]) if document["frozen_until"] else None,
        )


def _source(key: str) -> Source:
    service, _, partition = key.rpartition("/")
    return Source(service, int(partition))


def _utc(time: datetime) -> datetime:
    """A client that was not told to be aware of zones gives naive times."""
    return time if time.tzinfo else time.replace(tzinfo=UTC)
