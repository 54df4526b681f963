"""Runs registry: ``python -m services.registry``."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter, FastAPI

from services.registry.attachments import parts as attachments
from services.registry.division_map import DivisionMap, LiveDocuments, TakenOver, until_level
from services.registry.domain.mapping_gap import GapIds
from services.registry.duplicates.parts import blind_keys, parts_of, policy_of, routes_of
from services.registry.duplicates.read_model import Duplicates
from services.registry.duplicates.service import handlings as duplicate_handlings
from services.registry.handlings import mapping_gaps
from services.registry.held_places import LiveHoldings, PlaceLearning
from services.registry.household_learning import HouseholdLearning
from services.registry.imports.parts import LIMITS, import_desk
from services.registry.matching.parts import LIMITS as MATCHING_LIMITS
from services.registry.matching.parts import matching_desk
from services.registry.places import Streams, place_routes
from services.registry.policies import policies
from services.registry.policies_in_force import PolicyLearning, policy_routes
from services.registry.roster import roster_routes
from services.registry.service import SERVICE, handlings
from shared.adoption.read_model import Adoptions, AdoptionsModel, live_documents
from shared.commands.sync import sync_routes
from shared.identity.directory import DirectoryModel
from shared.runtime.kernel import Kernel
from shared.runtime.log_service import LogService
from shared.runtime.process import run
from shared.web.request import BULK_BODY_LIMIT
from shared.web.settings import ServiceSettings


def build(settings: ServiceSettings) -> LogService:
    """registry with all its parts, opened by nobody yet."""
    models = [DirectoryModel(), AdoptionsModel(), Duplicates(blind_keys(settings))]
    service = LogService(Kernel(settings, SERVICE), models)
    documents = LiveDocuments(service.kernel.live, service.log)
    taken_over, sealer = TakenOver(documents.taken_over), service.kernel.sealer
    households = HouseholdLearning(service.log, sealer, service.kernel.directory, taken_over)
    holdings = LiveHoldings(service.kernel.live, service.log)
    places = PlaceLearning(holdings.now, holdings.level)
    duplicates = parts_of(service)
    service.handles(
        [
            *handlings(service.log, sealer, DivisionMap(documents), taken_over, places, households, _policies(service)),
            *duplicate_handlings(duplicates.files, duplicates.scope),
            *mapping_gaps.handlings(duplicates.files, duplicates.scope, GapIds(settings.claim_key.get_secret_value())),
        ]
    )
    service.reacts(
        [*policies(service.kernel.vault, households), *attachments.policies_of(service)], ["registry", "visits"]
    )
    # A line of its own: it waits for a look-up, and nobody's erasure is to wait with it.
    service.reacts([policy_of(service, duplicates)], ["registry"], line="duplicates")
    return service


def _adoptions(service: LogService) -> Adoptions:
    return Adoptions(live_documents(service.kernel.live))


def _policies(service: LogService) -> PolicyLearning:
    level = partial(until_level, service.kernel.live, service.log, AdoptionsModel.name)
    return PolicyLearning(service.log, _adoptions(service), service.kernel.directory, level)


def routers(service: LogService) -> list[APIRouter]:
    kernel = service.kernel
    collections = partial(kernel.live.collection, DirectoryModel.name)
    return [
        roster_routes(collections, kernel.directory, kernel.caller),
        policy_routes(_adoptions(service), kernel.directory, kernel.caller),
        place_routes(collections, Streams(service.log, kernel.sealer), kernel.directory, kernel.caller),
        routes_of(service, parts_of(service)),
        import_desk(service),
        *attachments.attachment_desk(service),
        sync_routes(service.handler, kernel.caller),
        matching_desk(service, parts_of(service)),
    ]


def application(settings: ServiceSettings) -> FastAPI:
    service = build(settings)
    limits = {**LIMITS, **MATCHING_LIMITS, **attachments.LIMITS, "/sync": BULK_BODY_LIMIT}
    return service.app("Guanhu registry: who and where", routers(service), body_limits=limits)


if __name__ == "__main__":
    run(SERVICE, application)
