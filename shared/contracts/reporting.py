"""reporting's events: who opened which file, and why (domain sections 4.4 and 6.2)."""

from __future__ import annotations

from typing import ClassVar

from shared.contracts.consent import Declarant
from shared.contracts.event import Event, Fact
from shared.contracts.sealed import Personal
from shared.contracts.values import ChildId, HouseholdId, Name, PersonId, Text


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


class ExportRequest(Fact):
    """Who asked for an export of a person's file, and why: ``relation`` is theirs to the child."""

    relation: Declarant
    name: Name
    reason: Text


class ExportMade(Event):
    """All that is on record of a person was made ready to be handed out, by ``person``, at somebody's request.

    ``full_numbers`` says that citizen numbers stood in it unmasked.
    """

    subject: ClassVar[str | None] = "child"

    child: ChildId
    person: PersonId
    full_numbers: bool
    request: Personal[ExportRequest]
