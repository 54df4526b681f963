"""From whatever a topic brings to gapless ordered runs: the decisions, without any input or output.

A message is judged by the number and the hashes in its record, never by its offset. Whatever does not fit is asked of
the owner of the log, who alone decides what the next record is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from shared.eventlog.port import Head
from shared.eventlog.record import MalformedRecordError, Record, decode, hash_of
from shared.messaging.run import Mark, Run, Source

AHEAD_PATIENCE: Final = 5
"""How often an owner's head may lie behind what was taken in: a new primary may know its own past a moment late."""


class BrokenChainError(Exception):
    """What was taken in and what the owner holds do not follow on each other; nothing more is taken in.

    Either bytes that were not the owner's were taken for its record, or the owner's log was changed. Run
    ``guanhu audit verify`` on the owner; when its log is sound, build again what this consumer has written.
    """

    def __init__(self, source: Source, seq: int, why: str) -> None:
        super().__init__(f"{source}/{seq}: {why}")
        self.source = source
        self.seq = seq


class Message(NamedTuple):
    """What Kafka brought for one partition: its offset, the record in it (None: it holds none) and its bytes' hash."""

    offset: int
    record: Record | None
    hash: str

    @classmethod
    def of(cls, offset: int, value: bytes) -> Message:
        try:
            return cls(offset, decode(value), hash_of(value))
        except MalformedRecordError:
            return cls(offset, None, "")


class Followed(NamedTuple):
    """The run that could be read off, and what is left: ``rest`` starts with what only the owner can explain."""

    run: Run | None
    rest: Sequence[Message]


@dataclass
class Counters:
    """What became of the messages and records of a consumer, since it was made."""

    taken: int = 0
    """Records handed on, from Kafka or from the owner."""
    seen: int = 0
    """Messages whose record had been taken in before. Many after each start: no offset hint was kept."""
    healed: int = 0
    """Records fetched from the owner. Growing steadily: Kafka loses messages, or is down."""
    not_records: int = 0
    """Messages that are no record of the owner. Not zero: somebody else writes to the topic."""
    mismatches: int = 0
    """Records whose number was next and whose ``prev`` was not: the owner was asked for the true one."""
    put_off: int = 0
    """Messages left to be fetched from the owner later, because it could not be reached when it was needed."""


class Line:
    """The records of one partition, in order. ``mark`` is how far it has come."""

    def __init__(self, source: Source, mark: Mark, counters: Counters | None = None) -> None:
        self.source = source
        self.mark = mark
        self.counters = counters or Counters()
        self._ahead = 0

    def follow(self, messages: Sequence[Message]) -> Followed:
        """Reads off what follows on the mark, and moves it.

        What has been seen or is no record is counted and passed over. It stops before a record with a later number.
        At a record with the next number that does not chain it gives up the whole run: the one before it may be the
        forged one, and the owner tells.
        """
        seq, previous, records = self.mark.seq, self.mark.hash, list[Record]()
        for index, message in enumerate(messages):
            record = self._own(message)
            if record is None:
                self.counters.not_records += 1
            elif record.seq <= seq:
                self.counters.seen += 1
            elif record.seq > seq + 1:
                return Followed(self._advance(records, previous, messages[:index]), messages[index:])
            elif record.prev != previous:
                self.counters.mismatches += 1
                return Followed(None, messages[index:])
            else:
                seq, previous = record.seq, message.hash
                records.append(record)
        return Followed(self._advance(records, previous, messages), ())

    def heal(self, raws: Sequence[bytes]) -> Run | None:
        """The owner's records after the mark. None when it has none. Raises BrokenChainError."""
        previous, records = self.mark.hash, list[Record]()
        for seq, raw in enumerate(raws, self.mark.seq + 1):
            message = Message.of(0, raw)
            record = self._own(message)
            if record is None or record.seq != seq:
                raise BrokenChainError(self.source, seq, "the owner gave something else than its next record")
            if record.prev != previous:
                raise BrokenChainError(self.source, seq, "the owner's record does not follow on the one taken in")
            previous = message.hash
            records.append(record)
        self.counters.healed += len(records)
        return self._advance(records, previous, ())

    def pass_over(self, messages: Sequence[Message]) -> None:
        """The owner has nothing after the mark: these are not its records."""
        self.counters.not_records += len(messages)
        self._advance([], self.mark.hash, messages)

    def put_off(self, messages: Sequence[Message]) -> None:
        """The owner could not be asked; it will be, once its head is known again."""
        self.counters.put_off += len(messages)

    def compare(self, head: Head, asked_at: Mark) -> None:
        """Sets the owner's head against the mark as it was before the owner was asked. Raises BrokenChainError.

        This finds bytes that had the next number and the right ``prev`` and yet were not the owner's.
        """
        if head.seq == asked_at.seq and head.hash != asked_at.hash:
            raise BrokenChainError(self.source, head.seq, "the owner holds another record than the one taken in")
        self._ahead = self._ahead + 1 if head.seq < asked_at.seq else 0
        if self._ahead >= AHEAD_PATIENCE:
            raise BrokenChainError(self.source, asked_at.seq, f"the owner's log ends at {head.seq}")

    def _own(self, message: Message) -> Record | None:
        record = message.record
        if record is None:
            return None
        own = record.partition == self.source.partition and record.service == self.source.service and record.seq > 0
        return record if own else None

    def _advance(self, records: list[Record], last_hash: str, passed: Sequence[Message]) -> Run | None:
        after = self.mark
        offset = passed[-1].offset + 1 if passed else after.offset
        self.mark = Mark(after.seq + len(records), last_hash, offset)
        self.counters.taken += len(records)
        return Run(self.source, after, self.mark, tuple(records)) if records else None
