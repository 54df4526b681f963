"""What a service is told by its environment (``GUANHU_…``). Secrets print as ``***`` and stay out of errors."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, SecretBytes
from pydantic_settings import BaseSettings, SettingsConfigDict

KEY_BYTES: Final = 32


def _decoded(value: Any) -> Any:
    """A key as it stands in the environment: base64 of 32 bytes."""
    if not isinstance(value, str):
        return value
    try:
        key = base64.b64decode(value, validate=True)
    except binascii.Error:
        raise ValueError("must be base64") from None
    if len(key) != KEY_BYTES:
        raise ValueError(f"must be base64 of {KEY_BYTES} bytes")
    return key


Key = Annotated[SecretBytes, BeforeValidator(_decoded)]
"""32 bytes; ``get_secret_value()`` gives them."""

Secret = Annotated[SecretBytes, Field(min_length=KEY_BYTES)]
"""Any text that nobody guesses; ``get_secret_value()`` gives its bytes."""


class ServiceSettings(BaseSettings):
    """One service's process. ``master_key`` wraps the vault's keys, ``claim_key`` hides unique values,
    ``service_secret`` signs the credentials that services show each other. ``checkpoints`` is the folder outside the
    database where the ends of the log are kept, signed with the Ed25519 key in the file ``witness_key``.
    """

    model_config = SettingsConfigDict(env_prefix="GUANHU_", frozen=True, hide_input_in_errors=True, extra="ignore")

    mongo_url: str = "mongodb://127.0.0.1:27017/?replicaSet=rs0"
    kafka: str = "127.0.0.1:9092"
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    data: Path = Path("data")

    registry_url: str = "http://127.0.0.1:8001"
    visits_url: str = "http://127.0.0.1:8002"
    pairing_url: str = "http://127.0.0.1:8003"
    reporting_url: str = "http://127.0.0.1:8004"

    issuer: Literal["embedded", "external"] = "embedded"
    issuer_url: str = "http://127.0.0.1:8004/issuer"

    master_key: Key
    claim_key: Key
    service_secret: Secret

    checkpoints: Path | None = None
    witness_key: Path | None = None

    partitions: int = Field(default=8, ge=1, le=1024)
