"""Runs registry: ``python -m services.registry``."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter, FastAPI

from services.registry.division_map import DivisionMap, LiveDocuments, TakenOver
from services.registry.duplicates.parts import blind_keys, parts_of, policy_of, routes_of
from services.registry.duplicates.read_model import Duplicates
from services.registry.duplicates.service import handlings as duplicate_handlings
from services.registry.held_places import LiveHoldings, PlaceLearning
from services.registry.household_learning import HouseholdLearning
from services.registry.imports.parts import LIMITS, import_desk
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
    service = LogService(Kernel(settings, SERVICE), [DirectoryModel(), Duplicates(blind_keys(settings))])
    documents = LiveDocuments(service.kernel.live, service.log)
    taken_over, sealer = TakenOver(documents.taken_over), service.kernel.sealer
    households = HouseholdLearning(service.log, sealer, service.kernel.directory, taken_over)
    holdings = LiveHoldings(service.kernel.live, service.log)
    places = PlaceLearning(holdings.now, holdings.level)
    duplicates = parts_of(service)
    service.handles(
        [
            *handlings(service.log, sealer, DivisionMap(documents), taken_over, places, households),
            *duplicate_handlings(duplicates.files, duplicates.scope),
        ]
    )
    service.reacts(policies(service.kernel.vault, households), ["registry", "visits"])
    # A line of its own: it waits for a look-up, and nobody's erasure is to wait with it.
    service.reacts([policy_of(service, duplicates)], ["registry"], line="duplicates")
    return service


def routers(service: LogService) -> list[APIRouter]:
    kernel = service.kernel
    collections = partial(kernel.live.collection, DirectoryModel.name)
    return [
        roster_routes(collections, kernel.directory, kernel.caller),
        place_routes(collections, Streams(service.log, kernel.sealer), kernel.directory, kernel.caller),
        routes_of(service, parts_of(service)),
        import_desk(service),
    ]


def application(settings: ServiceSettings) -> FastAPI:
    service = build(settings)
    return service.app("Guanhu registry: who and where", routers(service), body_limits=LIMITS)


if __name__ == "__main__":
    run(SERVICE, application)
