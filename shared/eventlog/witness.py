"""The witness: signs where each partition ends, and keeps that outside the database.

Whoever can rewrite the whole log, head and chain and all, can not rewrite what was signed before. A folder holds one
file for each service, ``registry.jsonl``, a signed checkpoint a line, only ever appended to. Keep it on another disk.
"""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import structlog
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from shared.eventlog.port import Log
from shared.eventlog.verification import Checkpoint

EVERY_SECONDS: Final = 60.0
PATIENCE_SECONDS: Final = 5.0
"""So long a store that does not answer may keep a process from stopping."""

_PURPOSE: Final = "guanhu checkpoint 1"
"""Part of what is signed, so that no signature made for something else passes for a checkpoint."""

_log = structlog.get_logger()


class LogEvent(StrEnum):
    """What this module logs."""

    WITNESS_FAILING = "witness_failing"
    """No checkpoint could be written: the exception's class. Look at the folder's disk; the next round tries again."""


class KeyFileError(Exception):
    """The file is no Ed25519 key in PEM, or can not be read."""


class Statement(msgspec.Struct, frozen=True):
    """A line of a checkpoint file; ``signature`` is base64 of Ed25519 over the checkpoint's text."""

    checkpoint: Checkpoint
    signature: str


class Testimony(NamedTuple):
    """What a checkpoint file holds, and the numbers of the lines that are not signed by this key."""

    checkpoints: list[Checkpoint]
    forged: list[int]


class Witness:
    """For the one process or every process of a service: more witnesses do no harm."""

    def __init__(self, log: Log, folder: Path, key: Ed25519PrivateKey) -> None:
        self._log = log
        self._file = checkpoint_file(folder, log.service)
        self._key = key
        self._written: dict[int, int] = {}

    async def run(self, every: float = EVERY_SECONDS) -> None:
        """A checkpoint of each partition that moved, every so many seconds and once more when it is cancelled."""
        try:
            while True:
                await asyncio.sleep(every)
                await self._try()
        finally:
            await self._try()

    async def step(self) -> int:
        """How many checkpoints were written; they are on the disk when it returns. Raises OSError, LogError."""
        heads = [h for h in await self._log.heads() if h.seq > self._written.get(h.partition, 0)]
        checkpoints = [Checkpoint(self._log.service, h.partition, h.seq, h.hash, h.time) for h in heads]
        if checkpoints:
            await asyncio.to_thread(append, self._file, [sign(checkpoint, self._key) for checkpoint in checkpoints])
            self._written |= {c.partition: c.seq for c in checkpoints}
        return len(checkpoints)

    async def _try(self) -> None:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self.step()
        except Exception as error:
            _log.warning(LogEvent.WITNESS_FAILING, service=self._log.service, exception=type(error).__name__)


def checkpoint_file(folder: Path, service: str) -> Path:
    return folder / f"{service}.jsonl"


def sign(checkpoint: Checkpoint, key: Ed25519PrivateKey) -> Statement:
    return Statement(checkpoint, base64.b64encode(key.sign(_text(checkpoint))).decode())


def append(file: Path, statements: Iterable[Statement]) -> None:
    """Durable when it returns."""
    lines = b"".join(msgspec.json.encode(statement) + b"\n" for statement in statements)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("ab") as output:
        if output.tell() and not _ends_a_line(file):  # a crash left half a line: it must not spoil this one
            lines = b"\n" + lines
        output.write(lines)
        output.flush()
        os.fsync(output.fileno())


def read(file: Path, key: Ed25519PublicKey) -> Testimony:
    """What the file testifies; a file that is not there testifies nothing. Raises OSError."""
    testimony = Testimony([], [])
    if not file.exists():
        return testimony
    for number, line in enumerate(file.read_bytes().splitlines(), 1):
        checkpoint = _checked(line, key)
        if checkpoint is not None and checkpoint.service == file.stem:
            testimony.checkpoints.append(checkpoint)
        elif line:
            testimony.forged.append(number)
    return testimony


def _checked(line: bytes, key: Ed25519PublicKey) -> Checkpoint | None:
    try:
        statement = msgspec.json.decode(line, type=Statement)
        key.verify(base64.b64decode(statement.signature, validate=True), _text(statement.checkpoint))
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError, InvalidSignature):
        return None
    return statement.checkpoint


def _text(checkpoint: Checkpoint) -> bytes:
    place = f"{checkpoint.service}/{checkpoint.partition}/{checkpoint.seq}"
    return "\n".join((_PURPOSE, place, checkpoint.hash, checkpoint.time.isoformat())).encode()


def _ends_a_line(file: Path) -> bool:
    with file.open("rb") as written:
        written.seek(-1, os.SEEK_END)
        return written.read() == b"\n"


def make_keys(private: Path, public: Path) -> None:
    """A new pair in PEM; the private key is readable by its owner alone. Raises FileExistsError."""
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    private.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as output:
        output.write(pem)
    public.write_bytes(
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def private_key(file: Path) -> Ed25519PrivateKey:
    """Raises KeyFileError."""
    try:
        key = serialization.load_pem_private_key(file.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise KeyFileError(f"{file}: {type(error).__name__}") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileError(f"{file} is no Ed25519 key")
    return key


def public_key(file: Path) -> Ed25519PublicKey:
    """Raises KeyFileError."""
    try:
        key = serialization.load_pem_public_key(file.read_bytes())
    except (OSError, ValueError, TypeError) as error:
        raise KeyFileError(f"{file}: {type(error).__name__}") from None
    if not isinstance(key, Ed25519PublicKey):
        raise KeyFileError(f"{file} is no Ed25519 key")
    return key
