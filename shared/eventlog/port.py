"""The log as its users see it: what can be appended, what is answered, what is refused.

Adapters: ``mongo.MongoLog`` for service, ``memory.MemoryLog`` for the simulation and unit tests. Both pass
``tests/contract/test_event_log.py``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple, Protocol

import msgspec

from shared.eventlog.record import Draft, Position


class LogError(Exception):
    """Root of what the log can answer instead of an append.

    LogError
      +- VersionConflict        the stream has moved on: load, decide and append again
      +- CommandAlreadyDone     the command id is in the log: its first answer is attached
      +- ClaimTaken             a unique value is held by another stream
      +- RecordTooLarge         a record is over 256 KiB
      +- LogUnavailableError    the store cannot be reached or has no primary: safe to repeat
      +- PartitionsDifferError  the store was made with another number of partitions
    """


class VersionConflict(LogError):
    def __init__(self, stream: str, expected: int) -> None:
        super().__init__(f"{stream} is no longer at version {expected}")
        self.stream = stream
        self.expected = expected


class CommandAlreadyDone(LogError):
    def __init__(self, answer: FirstAnswer) -> None:
        super().__init__(answer.command_id)
        self.answer = answer


class ClaimTaken(LogError):
    def __init__(self, claim: str) -> None:
        super().__init__(claim)
        self.claim = claim


class RecordTooLarge(LogError):
    def __init__(self, stream: str, size: int) -> None:
        super().__init__(f"a record of {stream} has {size} bytes")
        self.size = size


class LogUnavailableError(LogError):
    """Nothing is known to have been appended; repeat with the same command id."""


class PartitionsDifferError(LogError):
    """Refuses to start: the number of partitions is written into the store at its first start."""


class StreamAppend(msgspec.Struct, frozen=True):
    """Events for one stream, which must be at ``expected_version`` (0: it does not exist yet)."""

    stream: str
    expected_version: int
    drafts: tuple[Draft, ...]


class Append(msgspec.Struct, frozen=True):
    """All or nothing, over several streams of one partition.

    ``command_mac`` is a keyed hash of the command's payload, to tell a retry from another command under the same id.
    ``claims`` maps a unique value (keyed hash where it is personal) to the stream that takes it; ``releases`` are
    given up before, in the same transaction, where a stream of this append holds them: those of others stay.
    """

    partition: int
    streams: tuple[StreamAppend, ...]
    command_id: str
    command_mac: bytes = b""
    claims: Mapping[str, str] = {}
    releases: tuple[str, ...] = ()


class Appended(NamedTuple):
    """Where the last event of an append stands, and the version each of its streams has now."""

    position: Position
    versions: Mapping[str, int]


class FirstAnswer(NamedTuple):
    """What a command got when it was done the first time."""

    command_id: str
    command_mac: bytes
    actor: str
    appended: Appended


class Found(NamedTuple):
    """``histories`` by stream, for those that exist; ``answers`` by command id, for those that were done before."""

    histories: dict[str, list[bytes]]
    answers: dict[str, FirstAnswer]


class Head(NamedTuple):
    """The end of a partition; ``time`` says when it was last known to be the end."""

    partition: int
    seq: int
    hash: str
    time: datetime


class Log(Protocol):
    """The log of one service."""

    service: str
    partitions: int

    async def append(self, append: Append) -> Appended:
        """Durable when it returns. Raises any LogError."""

    async def load(self, stream: str) -> list[bytes]:
        """The records of a stream in order of version; empty when it does not exist."""

    async def look_up(self, streams: Collection[str], commands: Collection[tuple[int, str]]) -> Found:
        """Streams, and (partition, command id) pairs, in one question.

        Whoever is shown what a command has done is also shown that it was done.
        """

    async def read(self, partition: int, after: int, limit: int) -> list[bytes]:
        """Records with seq > after, in order, without a hole, majority-committed."""

    async def heads(self) -> list[Head]:
        """One for each partition, in order; an empty partition has seq 0 and GENESIS."""
