"""What the stack tells its services, and what it keeps to itself."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest

from deploy.local.settings import SERVICES, Settings, kept_secrets

_ROOT = Path(__file__).parents[2]


def _environment(home: Path) -> dict[str, str]:
    return Settings(home=home).environment(SERVICES[0], home, kept_secrets(home))


def test_secrets_are_made_once_and_are_for_their_owner_alone(tmp_path: Path) -> None:
    made = kept_secrets(tmp_path)
    assert kept_secrets(tmp_path) == made
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert {len(base64.b64decode(made[name])) for name in ("GUANHU_MASTER_KEY", "GUANHU_CLAIM_KEY")} == {32}


def test_every_service_learns_its_own_port_and_folder(tmp_path: Path) -> None:
    told = [Settings().environment(service, tmp_path, {}) for service in SERVICES]
    assert [each["GUANHU_PORT"] for each in told] == ["8701", "8702", "8703", "8700", "8704"]
    assert told[3]["GUANHU_DATA"] == told[4]["GUANHU_DATA"] == str(tmp_path / "data" / "reporting")


def test_a_port_can_be_moved_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GUANHU_REPORTING_PORT", "9000")
    assert _environment(tmp_path)["GUANHU_ISSUER_URL"] == "http://127.0.0.1:9000/issuer"


def test_another_process_reads_the_same_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = Settings.on_free_ports(home=tmp_path, partitions=4)
    for name, value in settings.variables.items():
        monkeypatch.setenv(name, value)
    assert Settings() == settings


def test_stacks_on_free_ports_give_no_port_twice() -> None:
    ports = Settings.on_free_ports().ports
    assert len(set(ports.values())) == len(ports) == 7


def test_containers_are_told_nothing_a_service_does_not_read(tmp_path: Path) -> None:
    told = set(re.findall(r"^ +(GUANHU_\w+):", (_ROOT / "docker-compose.yml").read_text(), re.MULTILINE))
    assert told == {name for name in _environment(tmp_path) if name.startswith("GUANHU_")}
