"""Runs pairing: ``python -m services.pairing``."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from motor.motor_asyncio import AsyncIOMotorCollection

from services.pairing.pairs import PAIRS, Pairs
from services.pairing.policies import policies
from services.pairing.service import SERVICE, handlings
from shared.identity.directory import DirectoryModel
from shared.runtime.kernel import Kernel
from shared.runtime.log_service import LogService
from shared.web.logs import configure_logs
from shared.web.serve import serve
from shared.web.settings import ServiceSettings


def build(settings: ServiceSettings) -> LogService:
    """pairing with all its parts, opened by nobody yet."""
    kernel = Kernel(settings, SERVICE)
    service = LogService(kernel, [DirectoryModel(), Pairs()])

    async def pairs() -> AsyncIOMotorCollection[dict[str, Any]]:
        return await kernel.live.collection(Pairs.name, PAIRS)

    service.handles(handlings())
    service.reacts(policies(pairs), ["registry"])
    return service


def application(settings: ServiceSettings) -> FastAPI:
    return build(settings).app("Guanhu pairing: helpers and children")


def main() -> None:
    settings = ServiceSettings()
    configure_logs(SERVICE)
    serve(application(settings), settings.port, settings.host)


if __name__ == "__main__":
    main()
