"""Runs registry: ``python -m services.registry``."""

from __future__ import annotations

from services.registry.service import SERVICE, handlings
from shared.identity.directory import DirectoryModel
from shared.runtime.kernel import Kernel
from shared.runtime.log_service import LogService
from shared.web.logs import configure_logs
from shared.web.serve import serve
from shared.web.settings import ServiceSettings


def build(settings: ServiceSettings) -> LogService:
    """registry with all its parts, opened by nobody yet."""
    service = LogService(Kernel(settings, SERVICE), [DirectoryModel()])
    service.handles(handlings(service.log))
    return service


def main() -> None:
    settings = ServiceSettings()
    configure_logs(SERVICE)
    serve(build(settings).app("Guanhu registry: who and where"), settings.port, settings.host)


if __name__ == "__main__":
    main()
