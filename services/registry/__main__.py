"""Runs registry: ``python -m services.registry``."""

from __future__ import annotations

from functools import partial

from fastapi import FastAPI

from services.registry.division_map import DivisionMap, LiveDocuments, TakenOver
from services.registry.held_places import LiveHoldings, PlaceLearning
from services.registry.places import Streams, place_routes
from services.registry.policies import policies
from services.registry.roster import roster_routes
from services.registry.service import SERVICE, handlings
from shared.identity.directory import DirectoryModel
from shared.runtime.kernel import Kernel
from shared.runtime.log_service import LogService
from shared.runtime.process import run
from shared.web.settings import ServiceSettings


def build(settings: ServiceSettings) -> LogService:
    """registry with all its parts, opened by nobody yet."""
    service = LogService(Kernel(settings, SERVICE), [DirectoryModel()])
    documents = LiveDocuments(service.kernel.live, service.log)
    taken_over = TakenOver(documents.taken_over)
    holdings = LiveHoldings(service.kernel.live, service.log)
    places = PlaceLearning(holdings.now, holdings.level)
    service.handles(handlings(service.log, service.kernel.sealer, DivisionMap(documents), taken_over, places))
    service.reacts(policies(service.kernel.vault), ["registry", "visits"])
    return service


def application(settings: ServiceSettings) -> FastAPI:
    service = build(settings)
    kernel = service.kernel
    collections = partial(kernel.live.collection, DirectoryModel.name)
    return service.app(
        "Guanhu registry: who and where",
        [
            roster_routes(collections, kernel.directory, kernel.caller),
            place_routes(collections, Streams(service.log, kernel.sealer), kernel.directory, kernel.caller),
        ],
    )


if __name__ == "__main__":
    run(SERVICE, application)
