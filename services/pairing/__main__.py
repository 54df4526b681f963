"""Runs pairing: ``python -m services.pairing``."""

from __future__ import annotations

from fastapi import FastAPI

from services.pairing.pairs import PairLookUp, Pairs
from services.pairing.policies import policies
from services.pairing.service import SERVICE, handlings
from shared.identity.directory import DirectoryModel
from shared.runtime.kernel import Kernel
from shared.runtime.log_service import LogService
from shared.runtime.process import run
from shared.standing.look_up import StandingLookUp, Standings
from shared.web.settings import ServiceSettings


def build(settings: ServiceSettings) -> LogService:
    """pairing with all its parts, opened by nobody yet."""
    kernel = Kernel(settings, SERVICE)
    service = LogService(kernel, [DirectoryModel(), Standings(), Pairs()])
    standings = StandingLookUp(kernel.live, kernel.owner("registry"), kernel.sealer, kernel.directory)
    service.handles(handlings(standings))
    service.reacts(policies(PairLookUp(kernel.live, service.log), standings), ["registry", SERVICE])
    return service


def application(settings: ServiceSettings) -> FastAPI:
    return build(settings).app("Guanhu pairing: helpers and children")


if __name__ == "__main__":
    run(SERVICE, application)
