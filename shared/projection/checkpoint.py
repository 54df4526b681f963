"""How far a read model has come: one document, compared and set by every transaction of its writer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
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
    """The event that could not be folded. Names and places only."""

    position: str
    type: str
    event: str
    error: str


class Checkpoint(msgspec.Struct, frozen=True):
    """``revision`` counts the writes, of whatever writer; ``epoch`` is the lease of the last one."""

    revision: int = 0
    epoch: int = 0
    marks: Mapping[Source, Mark] = {}
    heads: Mapping[Source, Seen] = {}
    stopped: Stopped | None = None
    passed: int = 0
    frozen_until: datetime | None = None

    def document(self) -> dict[str, Any]:
        return {
            "revision": self.revision,
            "epoch": self.epoch,
            "positions": {str(s): [m.seq, m.hash, m.offset] for s, m in self.marks.items()},
            "heads": {str(s): [h.seq, h.time] for s, h in self.heads.items()},
            "stopped": msgspec.structs.asdict(self.stopped) if self.stopped else None,
            "passed": self.passed,
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
            heads={_source(key): Seen(*head) for key, head in document["heads"].items()},
            stopped=Stopped(**document["stopped"]) if document["stopped"] else None,
            passed=document["passed"],
            frozen_until=document["frozen_until"],
        )


def _source(key: str) -> Source:
    service, _, partition = key.rpartition("/")
    return Source(service, int(partition))
