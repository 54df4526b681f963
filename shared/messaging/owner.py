"""The owner of a log as a consumer needs it: whom to ask for what Kafka did not bring."""

from __future__ import annotations

from typing import Protocol

from shared.eventlog.port import Head


class Owner(Protocol):
    """``MemoryLog`` and ``MongoLog`` are one; over HTTP it is ``shared.eventlog.client.OwnerClient``."""

    async def read(self, partition: int, after: int, limit: int) -> list[bytes]:
        """Records with seq > after, in order, without a hole, majority-committed."""

    async def heads(self) -> list[Head]:
        """One for each partition; an empty partition has seq 0 and GENESIS."""
