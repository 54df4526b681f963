"""Runs on their way into a read model: cut to size, opened, and cut again to find the event that cannot be folded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from shared.contracts.catalogue import newer_than_code
from shared.eventlog.record import MalformedRecordError, Record
from shared.messaging.run import Mark, Run, Source
from shared.privacy.sealing import TamperedRecordError, UnknownCipherError, UnknownEventError
from shared.projection.opener import Opener
from shared.projection.read_model import Occurred, ReadModel

PIECE_RECORDS: Final = 1_000
PIECE_BYTES: Final = 4 * 1024 * 1024

_UNOPENABLE: Final = (MalformedRecordError, TamperedRecordError, UnknownCipherError, UnknownEventError)


class Piece(NamedTuple):
    """A short run and the bytes its records' contents have."""

    run: Run
    size: int


class Opened(NamedTuple):
    """A run with those of its events that the read model folds; ``fault`` when one of them cannot be opened.

    ``passed`` counts its records that are newer than the code.
    """

    run: Run
    size: int
    occurred: tuple[Occurred, ...]
    passed: int
    fault: Exception | None = None


class Batch:
    """What one transaction writes."""

    def __init__(self, opened: Sequence[Opened] = ()) -> None:
        self.opened: list[Opened] = []
        self.records = 0
        self.size = 0
        self.extend(opened)

    def extend(self, opened: Sequence[Opened]) -> None:
        self.opened += opened
        self.records += sum(len(one.run.records) for one in opened)
        self.size += sum(one.size for one in opened)

    @property
    def occurred(self) -> list[Occurred]:
        """Raises what made one of the records unopenable."""
        for one in self.opened:
            if one.fault is not None:
                raise one.fault
        return [occurred for one in self.opened for occurred in one.occurred]

    @property
    def marks(self) -> dict[Source, Mark]:
        """How far the batch leads."""
        return {one.run.source: one.run.upto for one in self.opened}

    @property
    def is_passed_over(self) -> bool:
        """Whether all its records are of types the read model does not fold. One newer than the code is counted."""
        return not any(one.occurred or one.passed or one.fault for one in self.opened)

    @property
    def passed(self) -> int:
        return sum(one.passed for one in self.opened)

    def halves(self) -> tuple[list[Run], list[Run]]:
        """In order, each with at least one record; a batch of one record has none."""
        runs = [one.run for one in self.opened]
        if len(runs) > 1:
            return runs[: len(runs) // 2], runs[len(runs) // 2 :]
        first, second = cut(runs[0], len(runs[0].records) // 2)
        return [first], [second]


class Opening:
    """Opens what one read model folds, and nothing else."""

    def __init__(self, model: ReadModel, opener: Opener) -> None:
        self._model = model
        self._opener = opener

    async def open(self, pieces: Sequence[Piece]) -> list[Opened]:
        """The keys of all pieces are fetched in one call."""
        wanted = [self._wanted(run.records) for run, _ in pieces]
        try:
            occurred = iter(await self._occurred([record for records, _ in wanted for record in records]))
        except _UNOPENABLE as fault:
            if len(pieces) == 1:
                return [Opened(*pieces[0], (), 0, fault)]
            return [opened for piece in pieces for opened in await self.open([piece])]
        return [
            Opened(run, size, tuple(next(occurred) for _ in records), passed)
            for (run, size), (records, passed) in zip(pieces, wanted, strict=True)
        ]

    def _wanted(self, records: Sequence[Record]) -> tuple[list[Record], int]:
        """Those the read model folds, and how many of all are newer than the code."""
        newer = [newer_than_code(record.type, record.schema) for record in records]
        events = self._model.events
        return [one for one, is_newer in zip(records, newer, strict=True) if one.type in events and not is_newer], sum(
            newer
        )

    async def _occurred(self, records: Sequence[Record]) -> list[Occurred]:
        events = await self._opener.open(records, self._model.opens) if records else []
        return [Occurred(record, event) for record, event in zip(records, events, strict=True)]


def cut(run: Run, count: int) -> tuple[Run, Run]:
    """The first ``count`` records and the rest. Only a run's end knows its offset: the middle keeps the old hint."""
    middle = Mark(run.records[count - 1].seq, run.records[count].prev, run.after.offset)
    return (
        Run(run.source, run.after, middle, run.records[:count]),
        Run(run.source, middle, run.upto, run.records[count:]),
    )


def up_to(run: Run, seqs: Mapping[Source, int]) -> Run | None:
    """What of the run is not beyond the source's seq."""
    count = min(len(run.records), seqs.get(run.source, 0) - run.after.seq)
    if count <= 0:
        return None
    return run if count == len(run.records) else cut(run, count)[0]


def pieces(run: Run) -> Iterator[Piece]:
    """The run in pieces of bounded length and size."""
    while run.records:
        count, size = _measured(run.records)
        if count == len(run.records):
            yield Piece(run, size)
            return
        first, run = cut(run, count)
        yield Piece(first, size)


def _measured(records: Sequence[Record]) -> tuple[int, int]:
    size = count = 0
    for record in records[:PIECE_RECORDS]:
        size += len(record.data) + sum(len(part.ct) for part in record.sealed)
        count += 1
        if size >= PIECE_BYTES:
            break
    return count, size
