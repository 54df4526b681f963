"""Where an import is kept while it is at work: how far it has come, and its rows, sealed, as long as is asked.

``imports``: one document a batch, with nothing personal in it.
``import_parts``: the file in chunks until it has been checked, and the rows in pieces; each sealed with AES-GCM under a
key of the vault that is the batch's own. Codes, columns and row numbers stand beside them in the clear.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import ReplaceOne, ReturnDocument, WriteConcern
from pymongo.errors import DuplicateKeyError

from services.registry.imports.checked_row import CheckedRow
from shared.privacy.cipher import Aes256Gcm
from shared.privacy.port import KeyVault

SETTLED: Final = timedelta(hours=1)
"""A file that is younger may be one that is being received."""
CHUNK: Final = 4 * 1024 * 1024
FILE, ROWS = "file", "rows"

Document = dict[str, Any]


class ImportStore:
    """``names`` are those of the two collections, where they are not those of imports."""

    def __init__(
        self,
        database: AsyncIOMotorDatabase[Document],
        vault: KeyVault,
        names: tuple[str, str] = ("imports", "import_parts"),
    ) -> None:
        durable = WriteConcern("majority", j=True)
        self._imports = database.get_collection(names[0], write_concern=durable)
        # A durable write to ``imports`` follows each of these before anybody builds on it, and makes it durable too.
        self._parts = database.get_collection(names[1], write_concern=WriteConcern(1))
        self._vault = vault
        self._cipher = Aes256Gcm()

    async def prepare(self) -> None:
        """The index by which MongoDB itself deletes what is too old."""
        await self._parts.create_index("expires_at", expireAfterSeconds=0)
        await self._parts.create_index([("batch", 1), ("kind", 1), ("n", 1)])
        await self._imports.create_index([("state", 1), ("asked_at", 1)])
        await self._imports.create_index([("person", 1), ("asked_at", -1)])

    async def find(self, batch: str) -> Document | None:
        return await self._imports.find_one({"_id": batch})

    async def of_person(self, person: str, limit: int) -> list[Document]:
        """The imports of one person, the latest first."""
        return await self._imports.find({"person": person}, sort=[("asked_at", -1)], limit=limit).to_list(limit)

    async def next_at(self, states: Sequence[str]) -> Document | None:
        """The batch that has waited longest in one of the states."""
        return await self._imports.find_one({"state": {"$in": list(states)}}, sort=[("asked_at", 1)])

    async def begin(self, batch: str, states: Sequence[str], values: Mapping[str, Any]) -> Document:
        """A new document, or one of these states begun anew; what another has moved on meanwhile stays as it is."""
        try:
            found: Document = await self._imports.find_one_and_update(
                {"_id": batch, "state": {"$in": list(states)}},
                {"$set": dict(values), "$inc": {"check": 1}},
                upsert=True,
                return_document=ReturnDocument.AFTER,
            )
        except DuplicateKeyError:
            return await self.find(batch) or {}
        return found

    async def move(self, batch: str, states: Sequence[str], values: Mapping[str, Any]) -> Document | None:
        """Changes the document if it is in one of the states; None when it is not."""
        found: Document | None = await self._imports.find_one_and_update(
            {"_id": batch, "state": {"$in": list(states)}},
            {"$set": dict(values)},
            return_document=ReturnDocument.AFTER,
        )
        return found

    async def tidy(self, now: datetime) -> None:
        """Deletes the files of imports that were checked by a process that did not live to delete them."""
        old = {"kind": FILE, "kept_at": {"$lt": now - SETTLED}}
        for batch in await self._parts.distinct("batch", old):
            if not await self._imports.find_one({"_id": batch, "state": "received"}):
                await self.drop_file(batch)

    async def keep_file(self, batch: str, content: bytes, now: datetime, until: datetime) -> None:
        chunks = [content[start : start + CHUNK] for start in range(0, len(content), CHUNK)]
        for n, chunk in enumerate(chunks):
            await self._keep(batch, FILE, n, chunk, {"kept_at": now, "expires_at": until})

    async def file(self, batch: str) -> bytes:
        return b"".join([chunk async for _, chunk in self._kept(batch, FILE)])

    async def keep_rows(self, batch: str, number: int, rows: list[CheckedRow], until: datetime) -> None:
        clear = {
            "expires_at": until,
            "last": rows[-1].number,
            "found": [[row.number, row.verdict, row.findings] for row in rows],
        }
        await self._keep(batch, ROWS, number, _encoder.encode(rows), clear)

    async def rows(self, batch: str, number: int) -> list[CheckedRow] | None:
        """The rows of one piece as they were checked; None when they are no longer kept."""
        found = await self._parts.find_one({"_id": _place(batch, ROWS, number)})
        return None if found is None else _rows.decode(await self._open(batch, ROWS, number, found["sealed"]))

    async def pieces(self, batch: str, after: int = 0) -> AsyncIterator[tuple[int, list[Any]]]:
        """What was found in each piece, in order: its number and ``[row, verdict, [(code, column)…]]``."""
        wanted = {"batch": batch, "kind": ROWS, "last": {"$gt": after}}
        async for part in self._parts.find(wanted, {"n": 1, "found": 1}, sort=[("n", 1)]):
            yield part["n"], part["found"]

    async def note_committed(self, batch: str, number: int, found: list[Any]) -> None:
        await self._parts.update_one({"_id": _place(batch, ROWS, number)}, {"$set": {"found": found}})

    async def keep_only(self, batch: str, number: int, rows: list[CheckedRow]) -> None:
        """Forgets the other rows of a piece: who was taken over has a file of their own, which can be erased."""
        place = _place(batch, ROWS, number)
        sealed = self._cipher.encrypt(await self._key(batch), _encoder.encode(rows), place.encode())
        await self._parts.update_one({"_id": place}, {"$set": {"sealed": sealed}})

    async def drop_file(self, batch: str) -> None:
        await self._parts.delete_many({"batch": batch, "kind": FILE})

    async def drop_rows(self, batch: str, since: int = 0) -> None:
        await self._parts.delete_many({"batch": batch, "kind": ROWS, "n": {"$gte": since}})

    async def _keep(self, batch: str, kind: str, n: int, content: bytes, clear: Document) -> None:
        place = _place(batch, kind, n)
        sealed = self._cipher.encrypt(await self._key(batch), content, place.encode())
        part = {"_id": place, "batch": batch, "kind": kind, "n": n, "sealed": sealed, **clear}
        await self._parts.bulk_write([ReplaceOne({"_id": place}, part, upsert=True)])

    async def _kept(self, batch: str, kind: str) -> AsyncIterator[tuple[int, bytes]]:
        async for part in self._parts.find({"batch": batch, "kind": kind}, sort=[("n", 1)]):
            yield part["n"], await self._open(batch, kind, part["n"], part["sealed"])

    async def _open(self, batch: str, kind: str, n: int, sealed: bytes) -> bytes:
        return self._cipher.decrypt(await self._key(batch), sealed, _place(batch, kind, n).encode())

    async def _key(self, batch: str) -> bytes:
        key = (await self._vault.keys_for_sealing([batch]))[batch].personal
        if key is None:
            raise AssertionError("a key for sealing is there")
        return key


def _place(batch: str, kind: str, n: int) -> str:
    return f"{batch}/{kind}/{n:06}"


_encoder: Final = msgspec.msgpack.Encoder()
_rows: Final = msgspec.msgpack.Decoder(list[CheckedRow])
