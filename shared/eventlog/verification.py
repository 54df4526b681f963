"""Verification: is the log what it was? Pure, in one pass, with no more memory than one record of a partition.

The hash chain shows whatever was changed inside a partition, its head shows a cut, and checkpoints that were signed and
kept outside show what chain and head can not: a log cut together with its head, or a whole partition written anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

import msgspec

from shared.eventlog.port import Head
from shared.eventlog.record import GENESIS, MalformedRecordError, Record, decode, hash_of

MAX_FINDINGS = 20
"""Kept of one partition: what follows the first is mostly its echo."""


class Fault(StrEnum):
    """What can be wrong; the words are for the auditor."""

    MALFORMED = "is no record"
    MISPLACED = "says that it belongs elsewhere"
    COLUMNS_DIFFER = "stands beside columns that say something else"
    ALTERED = "is not what the record after it was chained to"
    MISSING = "is missing"
    REPEATED = "is there twice, or out of order"
    CUT = "is where the log ends, before its head"
    PAST_HEAD = "stands after the head"
    HEAD_MISSING = "has no head that vouches for it"
    HEAD_DIFFERS = "is not what the head was chained to"
    CUT_BEFORE_CHECKPOINT = "was witnessed, and the log ends before it"
    REWRITTEN = "is not what was witnessed"


class Finding(NamedTuple):
    seq: int
    fault: Fault
    detail: str = ""

    def __str__(self) -> str:
        return f"record {self.seq} {self.fault}" + (f": {self.detail}" if self.detail else "")


class Row(NamedTuple):
    """A record as it is stored: its bytes, the columns beside it, and the place where the store keeps it.

    In an exported file there are no columns, and no place but what the record says itself.
    """

    raw: bytes
    columns: Mapping[str, object] = {}
    seq: int | None = None


class Checkpoint(msgspec.Struct, frozen=True):
    """At ``time`` the record ``seq`` of the partition was the last and had this hash."""

    service: str
    partition: int
    seq: int
    hash: str
    time: datetime


class Findings(NamedTuple):
    """What was looked at, and what is wrong with it, the first bad record first."""

    service: str
    partition: int
    records: int
    last_seq: int
    checkpoints: int
    found: tuple[Finding, ...]


def verify(
    service: str, partition: int, rows: Iterable[Row], head: Head | None, checkpoints: Iterable[Checkpoint] = ()
) -> Findings:
    """``rows`` in the store's order of seq; ``checkpoints`` of this partition, their signatures checked already."""
    verification = Verification(service, partition, checkpoints)
    for row in rows:
        verification.take(row)
    return verification.end(head)


class _Seen(NamedTuple):
    """The record before this one."""

    seq: int
    hash: str


class Verification:
    """One partition, record by record: ``take`` each, then ``end``."""

    def __init__(self, service: str, partition: int, checkpoints: Iterable[Checkpoint] = ()) -> None:
        self._service = service
        self._partition = partition
        self._witnessed: dict[int, list[Checkpoint]] = {}
        for checkpoint in checkpoints:
            self._witnessed.setdefault(checkpoint.seq, []).append(checkpoint)
        self._checkpoints = sum(map(len, self._witnessed.values()))
        self._records = 0
        self._last = _Seen(0, GENESIS)
        self._unclear: int | None = None
        self._found: list[Finding] = []

    def take(self, row: Row) -> None:
        self._records += 1
        expected = self._last.seq + 1
        try:
            record = decode(row.raw)
        except MalformedRecordError:
            record = None
        seq = row.seq or (record.seq if record else expected)
        self._compare(seq, row, record)
        if seq < expected:
            self._find(seq, Fault.REPEATED)
            return
        if seq > expected:
            self._find(expected, Fault.MISSING, f"as far as {seq - 1}" if seq > expected + 1 else "")
        self._follow(seq, record.prev if record and seq == expected else None, row.raw)

    def end(self, head: Head | None) -> Findings:
        last = self._last
        if head is None:
            if last.seq or self._witnessed:
                self._find(last.seq, Fault.HEAD_MISSING)
        elif last.seq < head.seq:
            self._find(last.seq, Fault.CUT, f"the head is at {head.seq}")
        elif last.seq > head.seq:
            self._find(head.seq + 1, Fault.PAST_HEAD, f"the log ends with {last.seq}")
        self._settle(confirmed=head is not None and head.seq == last.seq and head.hash == last.hash)
        if head is not None and head.seq == last.seq and head.hash != last.hash:
            self._find(last.seq, Fault.HEAD_DIFFERS)
        for seq in sorted(seq for seq in self._witnessed if seq > last.seq):
            self._find(seq, Fault.CUT_BEFORE_CHECKPOINT, f"the log ends with {last.seq}")
        found = tuple(sorted(self._found, key=lambda finding: finding.seq))
        return Findings(self._service, self._partition, self._records, last.seq, self._checkpoints, found)

    def _compare(self, seq: int, row: Row, record: Record | None) -> None:
        if record is None:
            self._find(seq, Fault.MALFORMED)
            return
        if (record.service, record.partition, record.seq) != (self._service, self._partition, seq):
            self._find(seq, Fault.MISPLACED, str(record.position))
        differ = [name for name, value in row.columns.items() if value != getattr(record, name, None)]
        if differ:
            self._find(seq, Fault.COLUMNS_DIFFER, ", ".join(differ))

    def _follow(self, seq: int, prev: str | None, raw: bytes) -> None:
        """``prev`` is None when the record can not say anything about the one before it."""
        holds = prev is None or prev == self._last.hash
        self._settle(confirmed=prev is not None and holds)
        if not holds:
            self._unclear = seq
        self._last = _Seen(seq, hash_of(raw))
        for checkpoint in self._witnessed.get(seq, ()):
            if checkpoint.hash != self._last.hash:
                self._find(seq, Fault.REWRITTEN, f"at {checkpoint.time:%Y-%m-%d %H:%M:%SZ}")

    def _settle(self, confirmed: bool) -> None:
        """A broken link says that one of two records was altered: the later one, unless the next vouches for it."""
        if self._unclear is not None:
            self._find(self._unclear - 1 if confirmed and self._unclear > 1 else self._unclear, Fault.ALTERED)
            self._unclear = None

    def _find(self, seq: int, fault: Fault, detail: str = "") -> None:
        finding = Finding(seq, fault, detail)
        if len(self._found) < MAX_FINDINGS and finding not in self._found:
            self._found.append(finding)
