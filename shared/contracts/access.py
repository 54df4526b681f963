"""registry's events of access for a time: asked for, granted, ended, and glasses broken (domain sections 4.1 and 6.2).

That a grant expires follows from its day; no event tells it. Reasons are codes: what a file is opened for is told with
the opening, sealed.
"""

from __future__ import annotations

from typing import Literal

from shared.contracts.event import Event
from shared.contracts.values import (
    Access,
    AccessId,
    AccessPurpose,
    ChildId,
    Day,
    DivisionCode,
    GlassId,
    GlassReason,
    PersonId,
    VillageCode,
)

Opened = Literal[Access.PERSONAL_DATA, Access.SENSITIVE_DATA]


class AccessRequested(Event):
    """Somebody asks that ``person`` may see the files of a division, or the one of ``child``, who lives there."""

    access: AccessId
    person: PersonId
    opens: Opened
    purpose: AccessPurpose
    division: DivisionCode
    child: ChildId | None = None
    starts: Day
    ends: Day
    requested_by: PersonId


class AccessGranted(AccessRequested):
    """Another person has approved it, from its first day to before ``ends``."""

    approved_by: PersonId


class AccessEnded(Event):
    """Before its time; ``ends`` is the first day without it. One that was asked for and not granted ends so too."""

    access: AccessId
    person: PersonId
    ends: Day


class GlassBroken(Event):
    """In an emergency, somebody opened the files of a village, or the one of ``child``, for ``starts`` to before
    ``ends``."""

    glass: GlassId
    person: PersonId
    village: VillageCode
    child: ChildId | None = None
    reason: GlassReason
    starts: Day
    ends: Day
