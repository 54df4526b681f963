"""The parts of duplicates put together over registry's log and look-ups."""

from __future__ import annotations

from typing import Any, NamedTuple

from fastapi import APIRouter
from motor.motor_asyncio import AsyncIOMotorCollection

from services.registry.duplicates.files import Files
from services.registry.duplicates.keys import BlindKeys
from services.registry.duplicates.look_up import DuplicateLookUp
from services.registry.duplicates.policy import caught_up_with, suspecting
from services.registry.duplicates.read_model import Duplicates
from services.registry.duplicates.routes import Level, duplicate_routes
from shared.commands.policies import PolicyOfMany
from shared.eventlog.record import Position
from shared.identity.directory import DIVISIONS, DirectoryModel
from shared.identity.scope import Divisions, Scope
from shared.runtime.kernel import now
from shared.runtime.log_service import LogService
from shared.web.settings import ServiceSettings


class Parts(NamedTuple):
    files: Files
    scope: Scope
    look_up: DuplicateLookUp
    divisions: Divisions


def blind_keys(settings: ServiceSettings) -> BlindKeys:
    return BlindKeys(settings.claim_key.get_secret_value())


def parts_of(service: LogService) -> Parts:
    kernel = service.kernel

    async def collection(name: str) -> AsyncIOMotorCollection[dict[str, Any]]:
        return await kernel.live.collection(Duplicates.name, name)

    async def divisions() -> AsyncIOMotorCollection[dict[str, Any]]:
        return await kernel.live.collection(DirectoryModel.name, DIVISIONS)

    files = Files(service.log, kernel.sealer, kernel.directory)
    scope = Scope(kernel.directory, divisions, now)
    return Parts(files, scope, DuplicateLookUp(collection, files, blind_keys(kernel.settings)), divisions)


def policy_of(service: LogService, parts: Parts) -> PolicyOfMany:
    return suspecting(parts.look_up, caught_up_with(service.kernel.live))


def level_of(service: LogService) -> Level:
    live, log = service.kernel.live, service.log

    async def level() -> bool:
        ends = [Position(log.service, head.partition, head.seq) for head in await log.heads()]
        return await live.wait_for_all(Duplicates.name, ends)

    return level


def routes_of(service: LogService, parts: Parts) -> APIRouter:
    return duplicate_routes(parts.look_up, parts.scope, level_of(service), service.kernel.caller)
