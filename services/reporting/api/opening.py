"""Whatever shows what is said of a child: first it is on record who opened it, and why (domain 6.2, rule 1)."""

from __future__ import annotations

import uuid

from services.reporting.domain import OpenFile, OpenHousehold, opening_stream
from shared.commands.command import Told
from shared.commands.handler import Handler
from shared.contracts.sealed import Personal
from shared.web.purpose import stated_purpose


class Opener:
    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    async def open(self, child: str, village: str, person: str, purpose: str | None, *, named: bool = False) -> None:
        """Returns once it is durable. ``named`` are those who may read it by name, whatever office they hold.

        Raises PurposeMissing, NotOnFile.
        """
        stated, command_id = Personal(stated_purpose(purpose)), str(uuid.uuid4())
        stream = opening_stream(command_id, child)
        opening = OpenFile(opening=stream, child=child, village=village, person=person, purpose=stated)
        await self._handler.handle(Told(opening, command_id, person, own_right=named))

    async def open_household(self, household: str, village: str, person: str, purpose: str | None) -> None:
        """As ``open``, of a household's file."""
        stated, command_id = Personal(stated_purpose(purpose)), str(uuid.uuid4())
        stream = opening_stream(command_id, household)
        opening = OpenHousehold(opening=stream, household=household, village=village, person=person, purpose=stated)
        await self._handler.handle(Told(opening, command_id, person))
