"""The record: an event with its envelope, as the exact bytes that are stored, hashed and sent.

It is serialised once, when it is appended. Nobody serialises it a second time, so there is no question of a
canonical form: the hash covers the bytes as they are.
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from typing import NamedTuple

import msgspec

GENESIS = "0" * 64
"""What the first record of a partition names as the record before it."""

MAX_RECORD_BYTES = 256 * 1024

_POSITION = re.compile(r"([a-z]+)/([0-9]{1,5})/([0-9]{1,15})")


class MalformedRecordError(ValueError):
    """The bytes are not a record."""


class Actor(msgspec.Struct, frozen=True):
    """Who caused the event; ids and codes only, never a name."""

    id: str
    role: str
    division: str | None = None


class SealedPart(msgspec.Struct, frozen=True):
    """The sealed fields of one kind of one subject: ``ct`` is base64 of nonce + ciphertext + tag."""

    subject: str
    kind: str
    key: str
    ct: str


class Record(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of the log. ``data`` is the event's clear JSON; ``prev`` the hash of the record before it."""

    id: str
    service: str
    partition: int
    seq: int
    stream: str
    version: int
    type: str
    schema: int
    occurred_at: datetime
    recorded_at: datetime
    actor: Actor
    command_id: str
    data: msgspec.Raw
    prev: str
    sealed: tuple[SealedPart, ...] = ()
    source: str | None = None
    device: str | None = None
    policy_version: str | None = None
    causation_id: str | None = None
    correlation_id: str | None = None
    traceparent: str | None = None

    @property
    def position(self) -> Position:
        return Position(self.service, self.partition, self.seq)


class Position(NamedTuple):
    """The only kind of position in this system."""

    service: str
    partition: int
    seq: int

    def __str__(self) -> str:
        return f"{self.service}/{self.partition}/{self.seq}"

    @classmethod
    def parse(cls, text: str) -> Position:
        """Reads ``registry/3/88213``. Raises ValueError when it is something else."""
        if (found := _POSITION.fullmatch(text)) is None:
            raise ValueError("not a position")
        service, partition, seq = found.groups()
        return cls(service, int(partition), int(seq))


class Draft(msgspec.Struct, frozen=True):
    """An event that wants to be appended: sealed already, its place in the log not known yet."""

    id: str
    type: str
    schema: int
    occurred_at: datetime
    actor: Actor
    data: msgspec.Raw
    sealed: tuple[SealedPart, ...] = ()
    source: str | None = None
    device: str | None = None
    policy_version: str | None = None
    causation_id: str | None = None
    correlation_id: str | None = None
    traceparent: str | None = None


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Record)


def encode(record: Record) -> bytes:
    return _encoder.encode(record)


def decode(raw: bytes) -> Record:
    """Raises MalformedRecordError when the bytes are no record."""
    try:
        return _decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedRecordError(str(error)) from None


def hash_of(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()
