"""The key vault, used as one would use a KMS. Adapters: ``mongo.MongoVault``, ``memory.MemoryVault``."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple, Protocol


class SubjectErasedError(Exception):
    """The subject's personal key was destroyed: nothing may be sealed for it any more."""

    def __init__(self, subject: str) -> None:
        super().__init__(f"{subject} has been erased")
        self.subject = subject


class SubjectKeys(NamedTuple):
    """A subject's two data keys (32 bytes each), in the clear; None once destroyed."""

    personal: bytes | None
    counted: bytes | None


class KeyVault(Protocol):
    async def keys_for_sealing(self, subjects: Collection[str], new: Collection[str] = ()) -> Mapping[str, SubjectKeys]:
        """Gets or creates the keys of all subjects in one step; those ``new`` are not expected to have any.

        Raises SubjectErasedError.
        """

    async def keys_for_opening(self, subjects: Collection[str]) -> Mapping[str, SubjectKeys]:
        """The keys that exist; a destroyed or unknown key is None."""

    async def destroy(self, subject: str) -> None:
        """Destroys the personal key for ever; idempotent. The subject stays listed as erased."""

    async def erased(self) -> frozenset[str]:
        """Every subject that was erased."""
