"""Takes papers and pictures into a child's file, and shows them to those who may see all of it.

The bytes are stored first, then the log is told: what a crash leaves between the two nobody can see, and it is deleted
after an hour. Somebody is shown an attachment once it is on record that they asked.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from services.registry.attachments.content import Content, cleaned
from services.registry.attachments.store import AttachmentStore, Kept
from services.registry.domain.child import CHILD, ChildIsErased, residence
from services.registry.domain.child.states import Erased
from services.registry.domain.privacy import (
    PRIVACY,
    AddAttachment,
    AttachmentIdTaken,
    NoSuchAttachment,
    OpenAttachment,
    PrivacyRecord,
    privacy_stream,
)
from services.registry.domain.privacy.attachment import check_place
from services.registry.handlings.privacy import KEEP, READ
from services.registry.places import Streams
from shared.commands.command import Answer, NotOnFile, Told, business_day
from shared.commands.handler import ErasedSubject, Handler
from shared.contracts.consent import AttachedFile, AttachmentKind, MediaType
from shared.contracts.refusal import Refusal
from shared.contracts.sealed import Personal
from shared.eventlog.placement import derived_id
from shared.identity.access import Directory, NotPermitted
from shared.privacy.cipher import DecryptionError
from shared.privacy.port import SubjectErasedError


class AttachmentDamaged(Refusal):
    """What is stored is not what was added: its bytes are lost or were changed."""

    status: ClassVar[int] = 500
    what_to_do: ClassVar[str] = "Tell the operator of this service; add the paper or picture anew under another id."


class AttachmentDesk:
    """``handler`` is one for the desk's own commands."""

    def __init__(
        self,
        store: AttachmentStore,
        handler: Handler,
        streams: Streams,
        directory: Directory,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._handler = handler
        self._streams = streams
        self._directory = directory
        self._clock = clock
        self._decoding = asyncio.Lock()  # one picture at a time: each may take 150 MB

    async def receive(self, person: str, child: str, attachment: str, kind: AttachmentKind, data: bytes) -> Answer:
        """Kept and on record when it returns; the same upload under the same id gets its first answer.

        Raises Refusal or LogError.
        """
        await self._village(person, KEEP, child)
        record = await self._record(child)
        if attachment in record.removed:
            raise AttachmentIdTaken
        if attachment not in record.attachments:
            check_place(kind, record)
        async with self._decoding:
            content = await asyncio.to_thread(cleaned, data, kind)
        kept, fresh = await self._stored(child, attachment, kind, content.data)
        try:
            answer = await self._handler.handle(_addition(person, kept, kind, content))
        except Refusal:
            if fresh:
                await self._store.drop(child, attachment)
            raise
        await self._store.note_told(child, attachment)
        return answer

    async def show(self, person: str, child: str, attachment: str, purpose: str) -> Content:
        """Raises NotOnFile, NoSuchAttachment, AttachmentDamaged or LogError."""
        village = await self._village(person, READ, child)
        attached = (await self._record(child)).attachments.get(attachment)
        if attached is None:
            raise NoSuchAttachment
        await self._note_opening(person, child, village, attachment, purpose)
        kept = await self._store.find(child, attachment)
        if kept is None or kept.sha256 != attached.sha256:
            raise AttachmentDamaged
        try:
            data = await self._store.open(kept)
        except DecryptionError:
            raise AttachmentDamaged from None
        if data is None:
            raise NotOnFile
        return Content(data, MediaType.PDF if data.startswith(b"%PDF-") else MediaType.JPEG)

    async def _village(self, person: str, action: str, child: str) -> str:
        """Where the child lives. Outside one's scope it looks like one that is not on file. Raises ChildIsErased."""
        found = await self._streams.state(child, CHILD)
        village = residence(found)
        if village is None:
            raise NotOnFile
        try:
            await self._directory.authorise(person, action, village, business_day(self._clock()))
        except NotPermitted:
            raise NotOnFile from None
        if isinstance(found, Erased):
            raise ChildIsErased
        return village

    async def _record(self, child: str) -> PrivacyRecord:
        found: PrivacyRecord = await self._streams.state(privacy_stream(child), PRIVACY)
        return found

    async def _stored(self, child: str, attachment: str, kind: AttachmentKind, data: bytes) -> tuple[Kept, bool]:
        """What is stored, and whether it was stored by this call. Raises AttachmentIdTaken, ErasedSubject."""
        try:
            kept = await self._store.seal(child, attachment, data)
        except SubjectErasedError:
            raise ErasedSubject from None
        if await self._store.keep(kept, self._clock(), photo=kind is AttachmentKind.PHOTO):
            return kept, True
        found = await self._store.find(child, attachment)
        if found is None or await self._store.open(found) != data:
            raise AttachmentIdTaken
        return found, False

    async def _note_opening(self, person: str, child: str, village: str, attachment: str, purpose: str) -> None:
        command_id = str(uuid.uuid4())
        opening = OpenAttachment(
            opening=derived_id(command_id, "opening", beside=child),
            child=child,
            village=village,
            attachment=attachment,
            person=person,
            purpose=Personal(purpose),
        )
        await self._handler.handle(Told(opening, command_id, person))


def _addition(person: str, kept: Kept, kind: AttachmentKind, content: Content) -> Told:
    file = AttachedFile(kind=kind, media_type=content.media_type, size=len(content.data))
    command = AddAttachment(child=kept.child, attachment=kept.attachment, sha256=kept.sha256, file=Personal(file))
    return Told(command, command_id_of(kept, "added"), person)


def command_id_of(kept: Kept, what: str) -> str:
    """No caller can use it up before: the ids that come over HTTP hold no slash."""
    return f"{kept.child}/{kept.attachment}/{what}"
