"""What becomes of the bytes: they go when the log says so, when nobody told it of them, or when their time ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, time, timedelta
from typing import Final

from services.registry.attachments.desk import command_id_of
from services.registry.attachments.store import AttachmentStore
from services.registry.domain.privacy import PRIVACY, ExpireAttachment, privacy_stream
from services.registry.places import Streams
from shared.commands.command import CHINA, Told, business_day
from shared.commands.handler import Handler
from shared.commands.policies import Policy, Wanted
from shared.contracts.consent import AttachmentRemoved
from shared.contracts.refusal import Refusal
from shared.contracts.registry import SubjectKeyDestroyed
from shared.contracts.retention import DEFAULT_RETENTION, years_before
from shared.eventlog.lease import Tenure
from shared.eventlog.record import Record

EVERY: Final = timedelta(minutes=10)
SETTLED: Final = timedelta(hours=1)
"""Bytes that are younger may be those of an upload under way."""
EXPIRES: Final = "registry/expire_photos"
"""Who removes a photo whose time has ended."""


def policies(store: AttachmentStore) -> list[Policy]:
    async def drop(record: Record, event: AttachmentRemoved) -> Sequence[Wanted]:
        await store.drop(event.child, event.attachment)
        return ()

    async def drop_all(record: Record, event: SubjectKeyDestroyed) -> Sequence[Wanted]:
        await store.drop_all(event.child)
        return ()

    return [
        Policy("drop_removed_attachment", "AttachmentRemoved", drop),
        Policy("drop_attachments_of_erased", "SubjectKeyDestroyed", drop_all),
    ]


class Tidying:
    def __init__(
        self, store: AttachmentStore, handler: Handler, streams: Streams, clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._handler = handler
        self._streams = streams
        self._clock = clock

    async def run(self, tenure: Tenure) -> None:
        """Until it is cancelled. Raises what the stores raise; whoever keeps it starts it again."""
        await self._store.prepare()
        try:
            while True:
                if await tenure.hold() is not None:
                    await self.tidy()
                await asyncio.sleep(EVERY.total_seconds())
        finally:
            await tenure.release()

    async def tidy(self) -> None:
        await self._sweep()
        await self._expire()

    async def _sweep(self) -> None:
        """Bytes of which the log does not tell: a process ended, or the log could not be reached, between the two."""
        async for kept in self._store.untold(self._clock() - SETTLED):
            record = await self._streams.state(privacy_stream(kept.child), PRIVACY)
            if kept.attachment in record.attachments:
                await self._store.note_told(kept.child, kept.attachment)
            else:
                await self._store.drop(kept.child, kept.attachment)

    async def _expire(self) -> None:
        """Photos that were kept long enough. Their bytes go by the policy; here too where there is no more to tell."""
        last = years_before(business_day(self._clock()), DEFAULT_RETENTION.photo_years)
        ended = datetime.combine(last + timedelta(days=1), time(), CHINA)
        async for kept in self._store.photos(ended):
            command = ExpireAttachment(child=kept.child, attachment=kept.attachment)
            with suppress(Refusal):
                await self._handler.handle(Told(command, command_id_of(kept, "expired"), EXPIRES, own_right=True))
            await self._store.drop(kept.child, kept.attachment)
