"""visits' events on the daily work beside visits (domain 3.2, 4.2)."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from shared.contracts.event import Event
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import ChildId, Day, MajorChangeId, PersonId, Text, VillageCode


class MajorChangeKind(StrEnum):
    """What asks for a visit within a day (domain 5.3)."""

    DEATH_IN_FAMILY = "death_in_family"
    SERIOUS_ILLNESS = "serious_illness"
    ARREST = "arrest"
    PARENT_GONE = "parent_gone"
    CAREGIVER_GONE = "caregiver_gone"
    DISASTER = "disaster"
    OTHER = "other"


class MajorChangeReported(Event):
    """A major change in a child's life (重大变故): whoever is nearest visits within the time the policy sets."""

    subject: ClassVar[str | None] = "child"

    change: MajorChangeId
    child: ChildId
    village: VillageCode
    kind: Counted[MajorChangeKind]
    text: Personal[Text] | None = None
    happened_on: Day
    reported_by: PersonId
