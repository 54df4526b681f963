"""Whatever shows what is said of a child: first it is on record who opened it, and why (domain 6.2, rule 1)."""

from __future__ import annotations

import uuid
from typing import Annotated, ClassVar
from urllib.parse import unquote_to_bytes

from fastapi import Header

from services.reporting.domain import OpenFile, opening_stream
from shared.commands.command import Told
from shared.commands.handler import Handler
from shared.contracts.refusal import Refusal
from shared.contracts.sealed import Personal


class PurposeMissing(Refusal):
    """Opening a child's file needs a purpose."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = (
        "Say in the header Guanhu-Purpose what the file is opened for, in 2 to 200 characters of UTF-8."
    )


Purpose = Annotated[str | None, Header(alias="guanhu-purpose")]
"""UTF-8, percent-encoded where the sender can put no Chinese into a header."""


class Opener:
    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    async def open(self, child: str, village: str, person: str, purpose: str | None, *, named: bool = False) -> None:
        """Returns once it is durable. ``named`` are those who may read it by name, whatever office they hold.

        Raises PurposeMissing, NotOnFile.
        """
        stated = _stated(purpose)
        command_id = str(uuid.uuid4())
        opening = OpenFile(
            opening=opening_stream(command_id, child),
            child=child,
            village=village,
            person=person,
            purpose=Personal(stated),
        )
        await self._handler.handle(Told(opening, command_id, person, own_right=named))


def _stated(text: str | None) -> str:
    try:
        # A framework reads headers as Latin-1; what was sent is UTF-8, percent-encoded or as it is.
        stated = unquote_to_bytes((text or "").encode("latin-1")).decode().strip()
    except UnicodeError:
        raise PurposeMissing from None
    if not 2 <= len(stated) <= 200:
        raise PurposeMissing
    return stated
