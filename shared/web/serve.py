"""Runs an application until it is told to stop, letting requests under way finish first."""

from __future__ import annotations

from typing import Final

import uvicorn
from fastapi import FastAPI

GRACE_SECONDS: Final = 10
KEEP_ALIVE_SECONDS: Final = 75
"""Longer than clients and proxies keep an idle connection: who reuses one must not find it just being closed."""


def serve(app: FastAPI, port: int, host: str = "127.0.0.1") -> None:
    """Blocks until SIGTERM or SIGINT."""
    server(app, port, host).run()


def server(app: FastAPI, port: int, host: str = "127.0.0.1") -> uvicorn.Server:
    """For a process that runs more than the application: ``await server(...).serve()``."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            loop="uvloop",
            http="httptools",
            # An access log would hold raw paths and queries; the request's own line holds its template.
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
    )
