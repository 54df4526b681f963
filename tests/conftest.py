"""Fixtures every test may ask for."""

from __future__ import annotations

import pytest

from tests.support.servers import Servers, ask

_SERVERS = pytest.StashKey[Servers]()


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # the main process, not a worker of pytest-xdist
        servers = config.stash[_SERVERS] = Servers()
        servers.open()


def pytest_unconfigure(config: pytest.Config) -> None:
    if servers := config.stash.get(_SERVERS, None):
        servers.close()


@pytest.fixture(scope="session")
def mongo_url() -> str:
    """The address of a MongoDB replica set. Take a database name of your own in it."""
    return ask("mongo")


@pytest.fixture(scope="session")
def kafka_address() -> str:
    """``127.0.0.1:port`` of a Kafka broker that creates no topic by itself. Take topic names of your own in it."""
    return ask("kafka")
