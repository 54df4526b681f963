"""The key vault in MongoDB: a small database of its own, its keys wrapped by a master key that is not in it.

One document a subject: ``{_id: subject, personal, counted, created_at, destroyed_at}``, the keys wrapped with subject
and kind as additional data. Erasure takes ``personal`` away and leaves the rest, so that the subject stays listed.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import ReadPreference, UpdateOne, WriteConcern
from pymongo.errors import BulkWriteError
from pymongo.read_concern import ReadConcern

from shared.contracts.sealed import KINDS, Kind
from shared.privacy import erasures
from shared.privacy.cipher import KEY_BYTES, Cipher, DecryptionError
from shared.privacy.port import SubjectErasedError, SubjectKeys

_BATCH: Final = 10_000  # subjects in one query: half a megabyte of ids
_DUPLICATE: Final = 11000
_NO_KEYS: Final = SubjectKeys(None, None)


class VaultError(Exception):
    """Root of what can be wrong with the vault itself.

    VaultError
      +- MasterKeyError         the master key is not 32 bytes, or not the one that wrapped the keys
      +- ErasureListUnsetError  a key is to be destroyed, but the list outside the database is not set
      +- KeysNotVisibleError    keys that another process is making did not become majority-committed in time
    """


class MasterKeyError(VaultError):
    pass


class ErasureListUnsetError(VaultError):
    pass


class KeysNotVisibleError(VaultError):
    pass


def _now() -> datetime:
    return datetime.now(UTC)


class MongoVault:
    """``erasure_list`` is the file outside the database; only the service that erases needs it.

    Keys are cached for ``ttl``, at most ``cached`` subjects: so long another process may go on sealing for a subject
    that was erased. In the process that erases it ends at once.
    """

    def __init__(
        self,
        client: AsyncIOMotorClient[Any],
        master_key: bytes,
        cipher: Cipher,
        database: str = "guanhu_keys",
        ttl: timedelta = timedelta(seconds=60),
        clock: Callable[[], datetime] = _now,
        erasure_list: Path | None = None,
        cached: int = 100_000,
    ) -> None:
        if len(master_key) != KEY_BYTES:
            raise MasterKeyError(f"the master key has {len(master_key)} bytes, not {KEY_BYTES}")
        # Majority reads: a key that a failover could still roll back must not seal anything.
        self._keys = client[database].get_collection(
            "keys",
            read_concern=ReadConcern("majority"),
            write_concern=WriteConcern("majority", j=True),
            read_preference=ReadPreference.PRIMARY,
        )
        self._master_key = master_key
        self._cipher = cipher
        self._clock = clock
        self._erasure_list = erasure_list
        self._cache = _Cache(ttl, cached, clock)

    async def keys_for_sealing(self, subjects: Collection[str], new: Collection[str] = ()) -> Mapping[str, SubjectKeys]:
        keys = self._cache.get(subjects)
        if missing := [subject for subject in subjects if subject not in keys]:
            keys |= await self._get_or_create(missing, new)
        for subject in subjects:
            if keys[subject].personal is None:
                raise SubjectErasedError(subject)
        return keys

    async def keys_for_opening(self, subjects: Collection[str]) -> Mapping[str, SubjectKeys]:
        keys = self._cache.get(subjects)
        if missing := [subject for subject in subjects if subject not in keys]:
            keys |= dict.fromkeys(missing, _NO_KEYS) | await self._find(missing)
        return keys

    async def destroy(self, subject: str) -> None:
        """Raises ErasureListUnsetError."""
        if self._erasure_list is None:
            raise ErasureListUnsetError("no erasure list is set")
        now = self._clock()
        # The list first: were the key gone and the list not written, a restore would bring the person back.
        await asyncio.to_thread(erasures.note, self._erasure_list, subject, now)
        await self._destroy({subject: now})

    async def reapply(self, path: Path) -> int:
        """Destroys again the keys of all on the list, after a restore; says how many subjects that are.

        Raises ErasureListDamagedError when a line cannot be read, after it has applied all others.
        """
        try:
            subjects = await asyncio.to_thread(erasures.noted, path)
        except erasures.ErasureListDamagedError as damage:
            await self._destroy(damage.subjects)
            raise
        await self._destroy(subjects)
        return len(subjects)

    async def erased(self) -> frozenset[str]:
        return frozenset([one["_id"] async for one in self._keys.find({"destroyed_at": {"$exists": True}}, {"_id": 1})])

    async def _destroy(self, subjects: Mapping[str, datetime]) -> None:
        self._cache.erase(subjects)
        for batch in _batches(subjects):
            await self._keys.bulk_write([_destruction(one, subjects[one]) for one in batch], ordered=False)

    async def _get_or_create(self, subjects: list[str], new: Collection[str]) -> dict[str, SubjectKeys]:
        keys = await self._find(known) if (known := [subject for subject in subjects if subject not in new]) else {}
        if missing := [subject for subject in subjects if subject not in keys]:
            keys |= await self._create(missing)
        return keys

    async def _find(self, subjects: list[str]) -> dict[str, SubjectKeys]:
        found: dict[str, SubjectKeys] = {}
        for batch in _batches(subjects):
            async for document in self._keys.find({"_id": {"$in": batch}}):
                found[document["_id"]] = self._unwrapped(document)
        return self._cache.put(found)

    async def _create(self, subjects: list[str]) -> dict[str, SubjectKeys]:
        """Makes keys; where another process was faster, its keys count."""
        made = {subject: SubjectKeys(os.urandom(KEY_BYTES), os.urandom(KEY_BYTES)) for subject in subjects}
        taken = set[str]()
        for batch in _batches(subjects):
            try:
                await self._keys.insert_many([self._wrapped(one, made[one]) for one in batch], ordered=False)
            except BulkWriteError as error:
                taken |= _taken(error)
        own = self._cache.put({subject: keys for subject, keys in made.items() if subject not in taken})
        return own | await self._find_soon(taken)

    async def _find_soon(self, subjects: set[str]) -> dict[str, SubjectKeys]:
        """The keys another process has just made: they exist, but may not be majority-committed yet."""
        found: dict[str, SubjectKeys] = {}
        patience = time.monotonic() + 10
        while missing := [subject for subject in subjects if subject not in found]:
            if time.monotonic() > patience:
                raise KeysNotVisibleError(f"{len(missing)} keys")
            found |= await self._find(missing)
            if len(found) < len(subjects):
                await asyncio.sleep(0.01)
        return found

    def _wrapped(self, subject: str, keys: SubjectKeys) -> dict[str, Any]:
        wrapped: dict[str, Any] = {
            kind: self._cipher.encrypt(self._master_key, key, _associated(subject, kind))
            for kind, key in zip(KINDS, keys, strict=True)
            if key is not None
        }
        return {"_id": subject, **wrapped, "created_at": self._clock()}

    def _unwrapped(self, document: Mapping[str, Any]) -> SubjectKeys:
        return SubjectKeys(*(self._unwrap(document, kind) for kind in KINDS))

    def _unwrap(self, document: Mapping[str, Any], kind: Kind) -> bytes | None:
        if (wrapped := document.get(kind)) is None:
            return None
        try:
            return self._cipher.decrypt(self._master_key, wrapped, _associated(document["_id"], kind))
        except DecryptionError:
            raise MasterKeyError(f"the {kind} key of {document['_id']} cannot be unwrapped") from None


def _associated(subject: str, kind: str) -> bytes:
    return f"{subject}|{kind}".encode()


def _destruction(subject: str, at: datetime) -> UpdateOne:
    """Takes the key away; what was erased before keeps its first date, who was never known is listed all the same."""
    first = {"$set": {field: {"$ifNull": [f"${field}", at]} for field in ("created_at", "destroyed_at")}}
    return UpdateOne({"_id": subject}, [{"$unset": "personal"}, first], upsert=True)


def _taken(error: BulkWriteError) -> set[str]:
    """The subjects whose keys exist already. Raises the error again when it says anything else."""
    details = error.details or {}
    failures = details.get("writeErrors", [])
    if details.get("writeConcernErrors") or any(failure["code"] != _DUPLICATE for failure in failures):
        raise error
    return {failure["op"]["_id"] for failure in failures}


def _batches(subjects: Iterable[str]) -> Iterator[list[str]]:
    every = list(subjects)
    return (every[start : start + _BATCH] for start in range(0, len(every), _BATCH))


class _Cache:
    """Keys by subject, for a brief time and in bounded number; the oldest go first."""

    def __init__(self, ttl: timedelta, size: int, clock: Callable[[], datetime]) -> None:
        self._ttl = ttl
        self._size = size
        self._clock = clock
        self._entries: dict[str, tuple[datetime, SubjectKeys]] = {}
        # A look-up under way while a key is destroyed would bring it back after its removal from the entries.
        self._erased: set[str] = set()

    def get(self, subjects: Iterable[str]) -> dict[str, SubjectKeys]:
        now, entries = self._clock(), self._entries
        return {
            subject: entry[1] for subject in subjects if (entry := entries.get(subject)) is not None and entry[0] > now
        }

    def put(self, keys: dict[str, SubjectKeys]) -> dict[str, SubjectKeys]:
        """Keeps the keys, and gives them back without those that were erased in the meantime."""
        ends = self._clock() + self._ttl
        for subject in keys.keys() & self._erased:
            keys[subject] = keys[subject]._replace(personal=None)
        for subject, one in keys.items():
            self._entries.pop(subject, None)  # so that it stands at the end, among the youngest
            self._entries[subject] = ends, one
        while len(self._entries) > self._size:
            del self._entries[next(iter(self._entries))]
        return keys

    def erase(self, subjects: Iterable[str]) -> None:
        for subject in subjects:
            self._erased.add(subject)
            self._entries.pop(subject, None)
