"""Ids that say where their stream lives: their last two bytes choose the partition.

A thing that belongs to another (a child to a household, a visit to a child) takes over its two bytes,
so that both stand in one partition and can be appended to in one step.
"""

from __future__ import annotations

import uuid

import uuid_utils

_PLACEMENT_BYTES = 2


def new_id(kind: str, beside: str | None = None) -> str:
    """A fresh sortable id such as ``child-0192…``; ``beside`` is the id whose placement it takes over."""
    return _placed(kind, uuid_utils.uuid7().bytes, beside)


def derived_id(command_id: str, kind: str, beside: str | None = None) -> str:
    """The id a command gives to what it creates: the same for every retry of the command."""
    return _placed(kind, uuid.uuid5(uuid.NAMESPACE_OID, f"{command_id}/{kind}").bytes, beside)


def placement_of(stream: str) -> int:
    """The two bytes at the end of an id, 0 to 65,535. Raises ValueError when the id is malformed."""
    return int(stream[-2 * _PLACEMENT_BYTES :], 16)


def partition_of(stream: str, partitions: int) -> int:
    return placement_of(stream) % partitions


def _placed(kind: str, raw: bytes, beside: str | None) -> str:
    if beside is not None:
        raw = raw[:-_PLACEMENT_BYTES] + placement_of(beside).to_bytes(_PLACEMENT_BYTES, "big")
    return f"{kind}-{uuid.UUID(bytes=raw)}"
