"""Rebuild: the next version of a read model is built beside the live one, compared with it, and made live.

Until the pointer is switched nobody reads the new version. It can be stopped at any time and goes on where it stood. If
it dies, the live version works on: what keeps its writer waiting runs out by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import msgspec

from shared.eventlog.lease import Leases, Tenure
from shared.messaging.run import Source
from shared.privacy.sealing import Sealer
from shared.projection.checkpoint import Checkpoint, ModelVersion
from shared.projection.projector import MAX_BATCH, ConsumerFrom, Projector
from shared.projection.read_model import ReadModel
from shared.projection.store import Digest, ProjectionStore

CLOSE: Final = 2_000
"""So many records behind, the live writer is stopped for the rest: less than a second's work."""
FREEZE: Final = timedelta(seconds=60)
"""How long the live writer waits for a rebuild that died; a living one prolongs it."""
PROGRESS_SECONDS: Final = 0.5
GRACE_SECONDS: Final = 5.0
"""Readers keep the pointer for a second, and what they ask then takes its time."""


class RebuildError(Exception):
    """Why a rebuild cannot go on. The live version is as it was.

    RebuildError
      +- NothingLive        the read model has never been written here: its projector builds the first version
      +- AlreadyRebuilding  another process is at it
      +- FreezeLost         it took so long that the live writer went on; start again, it goes on where it stood
    """


class NothingLive(RebuildError):
    pass


class AlreadyRebuilding(RebuildError):
    pass


class FreezeLost(RebuildError):
    pass


class Progress(NamedTuple):
    """Records taken in, of how many the live version had when last asked."""

    taken: int
    wanted: int


class Difference(NamedTuple):
    """A collection whose documents are not the same in the two versions."""

    collection: str
    old: Digest
    new: Digest


class Report(NamedTuple):
    """What came of it. Not switched: both versions are there for whoever wants to look at the differences."""

    old: ModelVersion
    new: ModelVersion
    records: int
    differences: tuple[Difference, ...]
    switched: bool


class Rebuild:
    """One rebuild of one read model; ``model`` is an instance of its own, which no projector uses.

    ``accept_difference`` switches also when the versions differ, as they should after a fold was corrected. ``fresh``
    drops what an earlier attempt has built, as one must when the fold was changed since. ``grace`` is in seconds.
    """

    def __init__(
        self,
        model: ReadModel,
        store: ProjectionStore,
        sealer: Sealer,
        consumer_from: ConsumerFrom,
        leases: Leases,
        holder: str,
        *,
        partitions: int,
        accept_difference: bool = False,
        fresh: bool = False,
        progress: Callable[[Progress], None] = lambda _: None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        grace: float = GRACE_SECONDS,
        max_batch: int = MAX_BATCH,
    ) -> None:
        self._model = model
        self._store = store
        self._sealer = sealer
        self._consumer_from = consumer_from
        self._leases = leases
        self._holder = holder
        self._partitions = partitions
        self._accept_difference = accept_difference
        self._fresh = fresh
        self._progress = progress
        self._clock = clock
        self._grace = grace
        self._max_batch = max_batch

    async def run(self) -> Report:
        """Builds, compares and, if it may, switches.

        Raises RebuildError, FoldFailedError, StoreUnavailableError, and what the consumer raises.
        """
        live = await self._store.live(self._model.name)
        old, new = ModelVersion(self._model.name, live), ModelVersion(self._model.name, live + 1)
        if not (await self._store.checkpoint(old)).revision:
            raise NothingLive(f"{old} has never been written; its projector builds it")
        tenure = Tenure(self._leases, str(new), self._holder)
        try:
            report = await self._rebuild(old, new, tenure)
        finally:
            await tenure.release()
        if report.switched:
            await asyncio.sleep(self._grace)
            await self._store.drop(self._model, old)
        return report

    async def _rebuild(self, old: ModelVersion, new: ModelVersion, tenure: Tenure) -> Report:
        await self._hold(tenure)
        await self._store.drop(self._model, ModelVersion(old.name, old.version - 1))  # a rebuild may have died before
        if self._fresh:
            await self._store.drop(self._model, new)
        projector = Projector(
            self._model,
            new,
            self._store,
            self._sealer,
            partitions=self._partitions,
            indexed=False,
            clock=self._clock,
            max_batch=self._max_batch,
        )
        while await self._behind(old, new) > CLOSE:
            await self._advance(projector, tenure, await self._store.checkpoint(old))
        await self._store.prepare(self._model, new)
        async with self._frozen(old) as freeze:
            await self._advance(projector, tenure, freeze.checkpoint)
            differences = await self._differences(old, new, freeze.checkpoint, projector.checkpoint)
            switched = self._accept_difference or not differences
            if switched:
                await freeze.switch_to(new.version)
        return Report(old, new, _records(projector.checkpoint), differences, switched)

    async def _behind(self, old: ModelVersion, new: ModelVersion) -> int:
        return _records(await self._store.checkpoint(old)) - _records(await self._store.checkpoint(new))

    async def _advance(self, projector: Projector, tenure: Tenure, target: Checkpoint) -> None:
        """Brings the new version exactly to where the old one stands."""
        until = {source: mark.seq for source, mark in target.marks.items()}
        telling = asyncio.create_task(self._tell(projector, until))
        try:
            while not projector.has_reached(until):
                await projector.follow(self._consumer_from, tenure, await self._hold(tenure), until)
        finally:
            telling.cancel()
        self._progress(Progress(_records(projector.checkpoint), sum(until.values())))

    async def _tell(self, projector: Projector, until: Mapping[Source, int]) -> None:
        while True:
            await asyncio.sleep(PROGRESS_SECONDS)
            self._progress(Progress(_records(projector.checkpoint), sum(until.values())))

    async def _hold(self, tenure: Tenure) -> int:
        if (epoch := await tenure.hold()) is None:
            raise AlreadyRebuilding(f"another process builds {tenure.name}")
        return epoch

    async def _differences(
        self, old: ModelVersion, new: ModelVersion, was: Checkpoint, now: Checkpoint
    ) -> tuple[Difference, ...]:
        counted = was.counted | now.counted
        before = await self._store.digests(self._model, old, counted)
        after = await self._store.digests(self._model, new, counted)
        return tuple(Difference(name, before[name], after[name]) for name in before if before[name] != after[name])

    @asynccontextmanager
    async def _frozen(self, of: ModelVersion) -> AsyncIterator[_Freeze]:
        """Nobody writes the version meanwhile; however it is left, its writer goes on, with it or with the next."""
        freeze = _Freeze(self._store, of, self._clock)
        await freeze.begin()
        keeping = asyncio.create_task(freeze.keep())
        try:
            yield freeze
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            await freeze.end()


class _Freeze:
    """The live version's checkpoint, moved by the rebuild: its writer's next commit fails, and it waits."""

    def __init__(self, store: ProjectionStore, of: ModelVersion, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._of = of
        self._clock = clock
        self._turn = asyncio.Lock()
        self._over = False
        self.checkpoint = Checkpoint()

    async def begin(self) -> None:
        while not self.checkpoint.revision:
            stored = await self._store.checkpoint(self._of)
            after = self._after(stored, frozen_until=self._clock() + FREEZE)
            if await self._store.commit(self._of, {}, stored, after):
                self.checkpoint = after

    async def keep(self) -> None:
        """Prolongs it until it is over. The turn is not given up half-way: the revision must stay known."""
        while True:
            await asyncio.sleep(FREEZE.total_seconds() / 3)
            await asyncio.shield(self._prolong())

    async def _prolong(self) -> None:
        async with self._turn:
            after = self._after(self.checkpoint, frozen_until=self._clock() + FREEZE)
            if not self._over and await self._store.commit(self._of, {}, self.checkpoint, after):
                self.checkpoint = after

    async def switch_to(self, version: int) -> None:
        """Raises FreezeLost."""
        async with self._turn:
            if not await self._store.switch(self._of, self.checkpoint, self._thawed(), version):
                raise FreezeLost(f"{self._of} was written meanwhile; nothing was switched")
            self._over = True

    async def end(self) -> None:
        """Lets the writer go on; when it has done so already, nothing."""
        async with self._turn:
            if not self._over:
                self._over = True
                await self._store.commit(self._of, {}, self.checkpoint, self._thawed())

    def _thawed(self) -> Checkpoint:
        return self._after(self.checkpoint, frozen_until=None)

    def _after(self, before: Checkpoint, **changes: Any) -> Checkpoint:
        return msgspec.structs.replace(before, revision=before.revision + 1, **changes)


def _records(checkpoint: Checkpoint) -> int:
    return sum(mark.seq for mark in checkpoint.marks.values())
