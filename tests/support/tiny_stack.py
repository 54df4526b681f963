"""A supervisor whose services are two tiny ones."""

from __future__ import annotations

import sys

from deploy.local import supervisor
from deploy.local.settings import Service

SERVICES = (
    Service("registry", "tests.support.tiny_service", "registry"),
    Service("visits", "tests.support.tiny_service", "visits"),
)

if __name__ == "__main__":
    sys.exit(supervisor.main(SERVICES))
