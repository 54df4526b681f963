"""Runs visits: ``python -m services.visits``."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from fastapi import FastAPI
from motor.motor_asyncio import AsyncIOMotorCollection

from services.visits.service import SERVICE, handlings
from services.visits.standing import CHILDREN, StandingLookUp, Standings
from shared.identity.directory import DirectoryModel
from shared.runtime.kernel import Kernel, now
from shared.runtime.log_service import LogService
from shared.web.logs import configure_logs
from shared.web.serve import serve
from shared.web.settings import ServiceSettings

FRESH: Final = timedelta(seconds=10)
"""A standing known by a look-up that was last level longer ago is used, and the visit is flagged."""


def build(settings: ServiceSettings) -> LogService:
    """visits with all its parts, opened by nobody yet."""
    kernel = Kernel(settings, SERVICE)
    service = LogService(kernel, [DirectoryModel(), Standings()])

    async def children() -> AsyncIOMotorCollection[dict[str, Any]]:
        return await kernel.live.collection(Standings.name, CHILDREN)

    async def fresh() -> bool:
        known = (await kernel.live.freshness(Standings.name)).complete_up_to
        return known is not None and now() - known < FRESH

    service.handles(handlings(StandingLookUp(children, kernel.owner("registry"), kernel.sealer, fresh)))
    return service


def application(settings: ServiceSettings) -> FastAPI:
    return build(settings).app("Guanhu visits: who was seen")


def main() -> None:
    settings = ServiceSettings()
    configure_logs(SERVICE)
    serve(application(settings), settings.port, settings.host)


if __name__ == "__main__":
    main()
