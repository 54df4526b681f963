"""Runs visits: ``python -m services.visits``."""

from __future__ import annotations

from fastapi import FastAPI

from services.visits.demands import DemandLookUp, Demands
from services.visits.followed import ChildConcerns, ConcernLookUp
from services.visits.forms import form_routes
from services.visits.plausibility.look_up import NoteKeys, VisitsMade, visits_of
from services.visits.plausibility.policy import LINE, caught_up_with, flagging
from services.visits.policies import following, raising
from services.visits.registry_items import RegistryItems
from services.visits.service import SERVICE, handlings
from services.visits.watch import ProtectionWatch
from shared.commands.sync import sync_routes
from shared.identity.directory import DirectoryModel
from shared.runtime.kernel import Kernel, now
from shared.runtime.log_service import LogService
from shared.runtime.process import run
from shared.standing.look_up import StandingLookUp, Standings
from shared.web.request import BULK_BODY_LIMIT
from shared.web.settings import ServiceSettings


def build(settings: ServiceSettings) -> LogService:
    """visits with all its parts, opened by nobody yet."""
    kernel = Kernel(settings, SERVICE)
    note_keys = NoteKeys(settings.claim_key.get_secret_value())
    look_ups = [DirectoryModel(), Standings(), VisitsMade(note_keys), Demands(), ChildConcerns()]
    service = LogService(kernel, look_ups)
    standings = StandingLookUp(kernel.live, kernel.owner("registry"), kernel.sealer, kernel.directory)
    service.handles(handlings(standings, kernel.directory))
    service.reacts(raising(standings), ["registry"])
    # Lines of their own: they wait for a look-up, and no protection report is to wait with them.
    service.reacts([flagging(visits_of(kernel.live), caught_up_with(kernel.live))], [SERVICE], line=LINE)
    concerns = ConcernLookUp(kernel.live, service.log)
    service.reacts(following(standings, concerns), ["registry", SERVICE], line="concerns")
    watch = ProtectionWatch(DemandLookUp(kernel.live.of(Demands.name)), standings, service.handler, now)
    service.works("protection watch", watch.run)
    return service


def application(settings: ServiceSettings) -> FastAPI:
    service = build(settings)
    kernel = service.kernel
    routers = [
        sync_routes(service.handler, kernel.caller, RegistryItems(settings.registry_url, kernel.http)),
        form_routes(kernel.caller),
    ]
    return service.app("Guanhu visits: who was seen", routers, body_limits={"/sync": BULK_BODY_LIMIT})


if __name__ == "__main__":
    run(SERVICE, application)
