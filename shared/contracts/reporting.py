"""reporting's events: who opened which file, and why (domain sections 4.4 and 6.2)."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from shared.contracts.event import Event
from shared.contracts.values import ChildId, PersonId


class FileOpened(Event):
    """Somebody opened a child's file for a purpose."""

    subject: ClassVar[str | None] = None

    child: ChildId
    person: PersonId
    purpose: str = Field(min_length=2, max_length=200)
