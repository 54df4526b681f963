"""registry's events on keeping one true file of a child: two files become one, and can be two again (domain 4.1)."""

from __future__ import annotations

from typing import ClassVar

from shared.contracts.event import Event
from shared.contracts.sealed import Personal
from shared.contracts.values import ChildId, Day, PersonId, Text, VillageCode


class ChildFilesMerged(Event):
    """Of two files of one child, ``into`` goes on and this one, ``child``, is closed from ``merged_on`` on.

    ``village`` is where the file that goes on stood then. Nothing is copied: what was told here stays here.
    """

    subject: ClassVar[str | None] = "child"

    child: ChildId
    into: ChildId
    village: VillageCode
    merged_on: Day
    reason: Personal[Text]
    merged_by: PersonId


class ChildMergeUndone(Event):
    """They are two children's after all: this file is open again, as if it had never been merged."""

    subject: ClassVar[str | None] = "child"

    child: ChildId
    into: ChildId
    reason: Personal[Text]
    undone_by: PersonId
