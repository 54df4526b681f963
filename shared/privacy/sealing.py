"""Sealing of events when they are appended, opening of records when they are read.

The sealed values of one kind of one subject in an event are encrypted together, with event id, subject and kind as
additional data, so that no part can be moved to another event or person.
"""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

import msgspec

from shared.contracts.catalogue import CATALOGUE, newer_than_code, upcast
from shared.contracts.event import Event
from shared.contracts.sealed import Kind
from shared.eventlog.record import MalformedRecordError, Record, SealedPart
from shared.privacy.cipher import Cipher, DecryptionError
from shared.privacy.plan import Parts, encoder, plan_of
from shared.privacy.port import KeyVault, SubjectKeys


class UnknownEventError(LookupError):
    """The event or its schema is newer than this code. Readers pass it over and count it."""

    def __init__(self, record: Record) -> None:
        super().__init__(f"{record.type} of schema {record.schema} at {record.position}")
        self.record = record


class TamperedRecordError(Exception):
    """A sealed part does not belong to this event, subject and kind, or was changed."""

    def __init__(self, record: Record) -> None:
        super().__init__(f"{record.type} {record.id} at {record.position}")


class UnknownCipherError(Exception):
    """A part was sealed with a cipher that is not set."""


class Sealing(NamedTuple):
    """An event ready to be appended: its clear JSON and its sealed parts."""

    data: msgspec.Raw
    sealed: tuple[SealedPart, ...]


class Sealer:
    """Seals with ``cipher``; opens what it or one of the ``former`` ciphers sealed."""

    def __init__(self, vault: KeyVault, cipher: Cipher, *former: Cipher) -> None:
        self._vault = vault
        self._cipher = cipher
        self._ciphers = {one.id: one for one in (cipher, *former)}

    async def seal(self, events: Sequence[tuple[str, Event]], new: Collection[str] = ()) -> list[Sealing]:
        """One sealing for each (event id, event), in order. All keys are fetched in one call.

        ``new`` are subjects of whom nothing is on record yet: their keys are made, not looked for.

        Raises SubjectErasedError, ErasedError when a value is itself erased, UnsealableFieldError.
        """
        taken = [_take_apart(event) for _, event in events]
        subjects = {subject for _, parts in taken for subject, _ in parts}
        keys = await self._vault.keys_for_sealing(subjects, new) if subjects else {}
        return [
            Sealing(msgspec.Raw(encoder.encode(clear)), self._encrypt(event_id, parts, keys))
            for (event_id, _), (clear, parts) in zip(events, taken, strict=True)
        ]

    async def open(self, records: Sequence[Record], kinds: Collection[Kind]) -> list[Event]:
        """One event for each record, in order, as today's class. Only parts of ``kinds`` are decrypted.

        A sealed value whose key is destroyed, or whose kind was not asked for, comes as erased.
        Raises UnknownEventError, TamperedRecordError, MalformedRecordError, UnknownCipherError.
        """
        wanted = {part.subject for record in records for part in record.sealed if part.kind in kinds}
        keys = await self._vault.keys_for_opening(wanted) if wanted else {}
        return self.open_with(keys, records, kinds)

    def open_with(
        self, keys: Mapping[str, SubjectKeys], records: Sequence[Record], kinds: Collection[Kind]
    ) -> list[Event]:
        """``open`` with keys already fetched: no I/O, so that it can run in another thread or process."""
        return [self._open(record, keys, frozenset(kinds)) for record in records]

    def _encrypt(self, event_id: str, parts: Parts, keys: Mapping[str, SubjectKeys]) -> tuple[SealedPart, ...]:
        return tuple(
            SealedPart(subject, kind, self._cipher.id, self._ciphertext(event_id, subject, kind, values, keys[subject]))
            for (subject, kind), values in parts.items()
        )

    def _ciphertext(self, event_id: str, subject: str, kind: Kind, values: dict[str, Any], keys: SubjectKeys) -> str:
        key: bytes = getattr(keys, kind)
        sealed = self._cipher.encrypt(key, encoder.encode(values), _associated(event_id, subject, kind))
        return b2a_base64(sealed, newline=False).decode("ascii")

    def _open(self, record: Record, keys: Mapping[str, SubjectKeys], kinds: frozenset[Kind]) -> Event:
        if newer_than_code(record.type, record.schema):
            raise UnknownEventError(record)
        event = CATALOGUE[record.type]
        try:
            data = _decoder.decode(record.data)
            for part in record.sealed:
                if part.kind in kinds and part.subject in keys and (key := getattr(keys[part.subject], part.kind)):
                    _merge(data, self._decrypt(record, part, key))
            if record.schema != event.schema_version:
                data = upcast(record.type, record.schema, data)
            return plan_of(event).put_together(data)  # type: ignore[return-value]
        except (LookupError, TypeError, ValueError, msgspec.MsgspecError):
            # The cause may quote values.
            raise MalformedRecordError(f"{record.type} {record.id} at {record.position}") from None

    def _decrypt(self, record: Record, part: SealedPart, key: bytes) -> dict[str, Any]:
        cipher = self._ciphers.get(part.key)
        if cipher is None:
            raise UnknownCipherError(f"{part.key} at {record.position}")
        try:
            plaintext = cipher.decrypt(key, a2b_base64(part.ct), _associated(record.id, part.subject, part.kind))
        except (DecryptionError, ValueError):  # ValueError: no base64
            raise TamperedRecordError(record) from None
        return _decoder.decode(plaintext)  # type: ignore[no-any-return]


def _take_apart(event: Event) -> tuple[dict[str, Any], Parts]:
    parts: Parts = {}
    return plan_of(type(event)).take_apart(event, parts), parts


def _associated(event_id: str, subject: str, kind: str) -> bytes:
    return f"{event_id}|{subject}|{kind}".encode()


def _merge(data: Any, values: dict[str, Any]) -> None:
    """Puts the values of one part where they belong in ``data``."""
    for path, value in values.items():
        way, last = _steps(path)
        place = data
        for step in way:
            place = place[step]
        place[last] = value


@lru_cache(maxsize=4096)
def _steps(path: str) -> tuple[tuple[str | int, ...], str]:
    """``findings.0.life`` is the item ``life`` at the end of the way ``findings``, 0."""
    *way, last = path.split(".")
    return tuple(int(step) if step.isdigit() else step for step in way), last


_decoder: Final = msgspec.json.Decoder()
