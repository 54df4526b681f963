"""How every process of this system begins: its settings, its logs, its memory, and then it serves."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import FastAPI

from shared.runtime.memory import collect_rarely
from shared.web.logs import configure_logs
from shared.web.serve import serve
from shared.web.settings import ServiceSettings


def run(name: str, application: Callable[[ServiceSettings], FastAPI]) -> None:
    """Blocks until SIGTERM or SIGINT. ``name`` is who the log lines are from."""
    settings = ServiceSettings()
    configure_logs(name)
    collect_rarely()
    serve(application(settings), settings.port, settings.host)
