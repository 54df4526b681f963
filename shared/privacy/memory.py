"""A key vault in memory, for the simulation and unit tests. It passes ``tests/contract/test_key_vault.py``."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Collection, Mapping

from shared.contracts.sealed import KINDS
from shared.privacy.port import SubjectErasedError, SubjectKeys

_NO_KEYS = SubjectKeys(None, None)


class MemoryVault:
    """Keys follow from the seed, so that two vaults of one seed open each other's records."""

    def __init__(self, seed: bytes | None = None) -> None:
        self._seed = seed or os.urandom(32)
        self._keys: dict[str, SubjectKeys] = {}
        self._erased: set[str] = set()

    async def keys_for_sealing(self, subjects: Collection[str], new: Collection[str] = ()) -> Mapping[str, SubjectKeys]:
        for subject in subjects:
            if subject in self._erased:
                raise SubjectErasedError(subject)
        return {subject: self._keys.setdefault(subject, self._derive(subject)) for subject in subjects}

    async def keys_for_opening(self, subjects: Collection[str]) -> Mapping[str, SubjectKeys]:
        return {subject: self._keys.get(subject, _NO_KEYS) for subject in subjects}

    async def destroy(self, subject: str) -> None:
        self._erased.add(subject)
        self._keys[subject] = self._keys.get(subject, _NO_KEYS)._replace(personal=None)

    async def erased(self) -> frozenset[str]:
        return frozenset(self._erased)

    def _derive(self, subject: str) -> SubjectKeys:
        return SubjectKeys(
            *(hmac.new(self._seed, f"{subject}|{kind}".encode(), hashlib.sha256).digest() for kind in KINDS)
        )
