"""The bytes of attachments: one document each, sealed with AES-GCM under the personal key of the child.

The collection ``attachments`` lies outside the log, so that bytes can be deleted; an erasure makes them unreadable
before they are. An id holds the child's, so that nobody learns what ids another file has.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, NamedTuple

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import WriteConcern
from pymongo.errors import DuplicateKeyError

from shared.privacy.cipher import Cipher
from shared.privacy.port import KeyVault

Document = dict[str, Any]


class Kept(NamedTuple):
    child: str
    attachment: str
    sealed: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.sealed).hexdigest()


class AttachmentStore:
    """``told`` in a document says that the log is known to tell of it; ``photo`` that its time is limited."""

    def __init__(self, database: AsyncIOMotorDatabase[Document], vault: KeyVault, cipher: Cipher) -> None:
        # Durable before the event that tells of it.
        self._kept = database.get_collection("attachments", write_concern=WriteConcern("majority", j=True))
        self._vault = vault
        self._cipher = cipher

    async def prepare(self) -> None:
        await self._kept.create_index("child")
        await self._kept.create_index([("told", 1), ("stored_at", 1)])
        await self._kept.create_index([("photo", 1), ("stored_at", 1)])

    async def seal(self, child: str, attachment: str, data: bytes) -> Kept:
        """Raises SubjectErasedError."""
        key = (await self._vault.keys_for_sealing([child]))[child].personal
        if key is None:
            raise AssertionError("a key for sealing is there")
        return Kept(child, attachment, self._cipher.encrypt(key, data, _place(child, attachment).encode()))

    async def keep(self, kept: Kept, now: datetime, *, photo: bool) -> bool:
        """False when something is kept under this id."""
        document = {"_id": _place(kept.child, kept.attachment), **kept._asdict(), "stored_at": now}
        try:
            await self._kept.insert_one(document | {"photo": photo, "told": False})
        except DuplicateKeyError:
            return False
        return True

    async def find(self, child: str, attachment: str) -> Kept | None:
        found = await self._kept.find_one({"_id": _place(child, attachment)})
        return None if found is None else _kept(found)

    async def open(self, kept: Kept) -> bytes | None:
        """The bytes in the clear; None when the child is erased. Raises DecryptionError."""
        keys = (await self._vault.keys_for_opening([kept.child]))[kept.child]
        if keys.personal is None:
            return None
        return self._cipher.decrypt(keys.personal, kept.sealed, _place(kept.child, kept.attachment).encode())

    async def note_told(self, child: str, attachment: str) -> None:
        await self._kept.update_one({"_id": _place(child, attachment)}, {"$set": {"told": True}})

    async def drop(self, child: str, attachment: str) -> None:
        await self._kept.delete_one({"_id": _place(child, attachment)})

    async def drop_all(self, child: str) -> None:
        await self._kept.delete_many({"child": child})

    def untold(self, before: datetime) -> AsyncIterator[Kept]:
        """Stored before that moment, by somebody of whom it is not known that they told the log."""
        return self._found({"told": False, "stored_at": {"$lt": before}})

    def photos(self, before: datetime) -> AsyncIterator[Kept]:
        return self._found({"photo": True, "stored_at": {"$lt": before}})

    async def _found(self, query: Document) -> AsyncIterator[Kept]:
        async for document in self._kept.find(query, {"sealed": 0}):
            yield _kept(document | {"sealed": b""})


def _place(child: str, attachment: str) -> str:
    return f"{child}/{attachment}"


def _kept(document: Document) -> Kept:
    return Kept(document["child"], document["attachment"], bytes(document["sealed"]))
