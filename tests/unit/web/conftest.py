from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest
import structlog

from shared.web.logs import configure_logs


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """What the process logs while the test runs, as it would stand on stdout."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = io.StringIO()
    configure_logs("trial", stream)
    yield stream
    structlog.reset_defaults()
    root.handlers, root.level = handlers, level
