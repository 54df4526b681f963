"""The read models a process writes: each with its own consumer, lease and checkpoint."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from shared.eventlog.lease import MongoLeases, Tenure
from shared.projection.checkpoint import ModelVersion
from shared.projection.mongo import MongoProjectionStore
from shared.projection.opener import OpenedOnce
from shared.projection.projector import Projector
from shared.projection.read_model import ReadModel
from shared.runtime.kernel import Kernel
from shared.runtime.measures import ReadModelMeasures
from shared.runtime.tasks import Tasks
from shared.web.health import Unhealthy
from shared.web.metrics import Metrics


class Projections:
    """Writes the live version of each model; after a switch it goes on with the new one."""

    def __init__(self, kernel: Kernel, models: Sequence[ReadModel], tasks: Tasks, metrics: Metrics) -> None:
        self._kernel = kernel
        self._models = models
        self._tasks = tasks
        self._measures = ReadModelMeasures(metrics)
        self._store = MongoProjectionStore(kernel.client, kernel.database.name)
        self._opener = OpenedOnce(kernel.sealer, models)

    async def start(self) -> None:
        for model in self._models:
            self._tasks.start(f"read model {model.name}", self._writes(model))
        names = [model.name for model in self._models]
        self._tasks.start("read model measures", lambda: self._measures.keep(self._kernel.live, names), vital=False)

    def _writes(self, model: ReadModel) -> Callable[[], Awaitable[None]]:
        async def write() -> None:
            kernel = self._kernel
            while True:
                of = ModelVersion(model.name, await self._store.live(model.name))
                projector = Projector(model, of, self._store, self._opener, partitions=kernel.settings.partitions)
                tenure = Tenure(MongoLeases(kernel.database), str(of), kernel.holder)
                await projector.run(partial(kernel.consumer, model.services), tenure)

        return write

    async def fresh(self, name: str) -> dict[str, Any]:
        """For a health check, as JSON values. Raises Unhealthy when the read model has stopped."""
        freshness = await self._kernel.live.freshness(name)
        if freshness.stopped:
            raise Unhealthy(f"stopped before {freshness.stopped}: correct its fold, then restart the projector")
        complete = freshness.complete_up_to
        return {"complete_up_to": complete.isoformat() if complete else None, "waiting": freshness.waiting}
