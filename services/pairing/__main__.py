"""Runs pairing: ``python -m services.pairing``."""

from __future__ import annotations

from services.pairing.service import SERVICE, handlings
from shared.identity.directory import DirectoryModel
from shared.runtime.kernel import Kernel
from shared.runtime.log_service import LogService
from shared.web.logs import configure_logs
from shared.web.serve import serve
from shared.web.settings import ServiceSettings


def build(settings: ServiceSettings) -> LogService:
    """pairing with all its parts, opened by nobody yet."""
    service = LogService(Kernel(settings, SERVICE), [DirectoryModel()])
    service.handles(handlings())
    return service


def main() -> None:
    settings = ServiceSettings()
    configure_logs(SERVICE)
    serve(build(settings).app("Guanhu pairing: helpers and children"), settings.port, settings.host)


if __name__ == "__main__":
    main()
