"""What a local stack can be told from outside, and the environment it gives each of its services."""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from deploy.local import kafka, mongo
from deploy.local.port import free_ports
from shared.eventlog import witness

_CHECKOUT = Path(__file__).parents[2]


class Service(NamedTuple):
    """A process that is started with ``python -m <module>``. Processes of one ``folder`` share their files."""

    name: str
    module: str
    folder: str
    variables: Mapping[str, str] = {}


ONE_CHARACTER: Final = {"PYPINYIN_NO_PHRASES": "1"}
"""registry reads names character by character: the dictionary's phrases would only cost it 44 MB."""

SERVICES = (
    Service("registry", "services.registry", "registry", ONE_CHARACTER),
    Service("visits", "services.visits", "visits"),
    Service("pairing", "services.pairing", "pairing"),
    Service("reporting", "services.reporting", "reporting"),
    Service("projector", "services.reporting.projector", "reporting"),
)


MALLOC: Final = {"MALLOC_ARENA_MAX": "2"}
"""The driver's threads would each keep memory of their own that the others cannot use."""


class Settings(BaseSettings):
    """Read from variables with the prefix ``GUANHU_``, as in ``GUANHU_REPORTING_PORT=9000``."""

    model_config = SettingsConfigDict(env_prefix="GUANHU_", frozen=True)

    home: Path = _CHECKOUT / ".guanhu"
    partitions: int = Field(default=8, ge=1)
    cache_gb: float = Field(default=1.0, ge=0.25)

    reporting_port: int = 8700
    registry_port: int = 8701
    visits_port: int = 8702
    pairing_port: int = 8703
    projector_port: int = 8704
    mongodb_port: int = 27117
    kafka_port: int = 19092

    @classmethod
    def on_free_ports(cls, **given: object) -> Settings:
        """Settings for a stack that lives beside others: a demo, a test."""
        names = [name for name in cls.model_fields if name.endswith("_port")]
        return cls.model_validate({**dict(zip(names, free_ports(len(names)), strict=True)), **given})

    def port(self, name: str) -> int:
        port: int = getattr(self, f"{name}_port")
        return port

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port(name)}"

    @property
    def ports(self) -> dict[str, int]:
        """Every port the stack listens on, by process."""
        names = (name.removesuffix("_port") for name in type(self).model_fields if name.endswith("_port"))
        return {name: self.port(name) for name in names}

    @property
    def variables(self) -> dict[str, str]:
        """The variables from which another process reads the same settings."""
        return {f"GUANHU_{name.upper()}": str(value) for name, value in self.model_dump().items()}

    def environment(self, service: Service, home: Path, secret: dict[str, str]) -> dict[str, str]:
        """All the variables a service reads; ``secret`` is what ``kept_secrets`` gives."""
        return {
            "GUANHU_HOST": "127.0.0.1",
            "GUANHU_PORT": str(self.port(service.name)),
            "GUANHU_DATA": str(home / "data" / service.folder),
            "GUANHU_MONGO_URL": mongo.url(self.mongodb_port),
            "GUANHU_KAFKA": kafka.address(self.kafka_port),
            "GUANHU_REGISTRY_URL": self.url("registry"),
            "GUANHU_VISITS_URL": self.url("visits"),
            "GUANHU_PAIRING_URL": self.url("pairing"),
            "GUANHU_REPORTING_URL": self.url("reporting"),
            "GUANHU_ISSUER_URL": f"{self.url('reporting')}/issuer",
            "GUANHU_PARTITIONS": str(self.partitions),
            "GUANHU_CHECKPOINTS": str(checkpoint_folder(home)),
            "GUANHU_WITNESS_KEY": str(kept_witness_keys(home)[0]),
            **MALLOC,
            **service.variables,
            **secret,
        }


def checkpoint_folder(home: Path) -> Path:
    """Where the services put the signed ends of their logs."""
    return home / "data" / "checkpoints"


def witness_keys(home: Path) -> tuple[Path, Path]:
    """The files of the private and the public key that checkpoints are signed with."""
    return home / "data" / "witness.pem", home / "data" / "witness.pub"


def kept_witness_keys(home: Path) -> tuple[Path, Path]:
    """The same, made at the first start."""
    private, public = witness_keys(home)
    if not private.exists():
        witness.make_keys(private, public)
    return private, public


def kept_secrets(home: Path) -> dict[str, str]:
    """The secrets of this data folder, made at its first start and readable by their owner alone."""
    file = home / "secrets.json"
    if not file.exists():
        made = {
            "GUANHU_MASTER_KEY": _key(),  # 32 bytes in base64: wraps the keys of the vault
            "GUANHU_CLAIM_KEY": _key(),  # 32 bytes in base64: the keyed hash of claims on personal values
            "GUANHU_SERVICE_SECRET": secrets.token_urlsafe(32),  # what services show each other
        }
        partial = file.with_suffix(".new")
        partial.unlink(missing_ok=True)
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as output:
            json.dump(made, output, indent=2)
        partial.replace(file)
    kept: dict[str, str] = json.loads(file.read_text())
    return kept


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()
