"""Runs visits: ``python -m services.visits``."""

from __future__ import annotations

from fastapi import FastAPI

from services.visits.service import SERVICE, handlings
from shared.identity.directory import DirectoryModel
from shared.runtime.kernel import Kernel
from shared.runtime.log_service import LogService
from shared.runtime.process import run
from shared.standing.look_up import StandingLookUp, Standings
from shared.web.settings import ServiceSettings


def build(settings: ServiceSettings) -> LogService:
    """visits with all its parts, opened by nobody yet."""
    kernel = Kernel(settings, SERVICE)
    service = LogService(kernel, [DirectoryModel(), Standings()])
    standings = StandingLookUp(kernel.live, kernel.owner("registry"), kernel.sealer, kernel.directory)
    service.handles(handlings(standings))
    return service


def application(settings: ServiceSettings) -> FastAPI:
    return build(settings).app("Guanhu visits: who was seen")


if __name__ == "__main__":
    run(SERVICE, application)
