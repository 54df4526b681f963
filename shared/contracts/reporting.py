"""reporting's events: who opened which file, and why (domain sections 4.4 and 6.2)."""

from __future__ import annotations

from typing import ClassVar

from shared.contracts.event import Event
from shared.contracts.sealed import Personal
from shared.contracts.values import ChildId, HouseholdId, PersonId, Text


class FileOpened(Event):
    """Somebody opened a child's file for a purpose."""

    subject: ClassVar[str | None] = "child"

    child: ChildId
    person: PersonId
    purpose: Personal[Text]


class HouseholdFileConsulted(Event):
    """Somebody opened a household's file for a purpose."""

    subject: ClassVar[str | None] = "household"

    household: HouseholdId
    person: PersonId
    purpose: Personal[Text]
