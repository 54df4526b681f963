from __future__ import annotations

from pathlib import Path

import pytest

from shared.identity.issuer import Issuer
from tests.unit.identity.clock import Clock

ISSUER_URL = "http://issuer/issuer"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def issuer(tmp_path: Path, clock: Clock) -> Issuer:
    return Issuer(tmp_path / "issuer", ISSUER_URL, clock)
