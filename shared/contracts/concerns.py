"""visits' events on concerns (domain 3.2, 4.2): a problem somebody raised, from there to its closing by another."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from shared.contracts.event import Event
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import Body, ChildId, ConcernId, ConcernKind, Day, PersonId, Text, VillageCode

Severity = Annotated[int, Field(ge=1, le=3)]
"""3 is the gravest."""
About = Annotated[str, StringConstraints(pattern=r"^(child|household|concern)-[0-9a-f-]{36}$")]
"""Whose key seals it: the child's, the household's, or the concern's own when it is about a village."""


class ConcernRaised(Event):
    """Also when what was closed is found again."""

    subject: ClassVar[str | None] = "about"

    concern: ConcernId
    about: About
    village: VillageCode
    kind: Counted[ConcernKind]
    severity: Counted[Severity]
    text: Personal[Text] | None = None
    raised_by: PersonId
    raised_on: Day
    owner: Body
    due: Day
    found_at: str | None = None


class ConcernMoved(Event):
    """It follows its child: to the village where that lives now, or where the file goes on that its own was merged
    into; and back."""

    concern: ConcernId
    about: About
    village: VillageCode


class ConcernAssigned(Event):
    concern: ConcernId
    owner: Body
    assignee: PersonId | None = None
    assigned_by: PersonId
    due: Day


class ConcernProgressed(Event):
    subject: ClassVar[str | None] = "about"

    concern: ConcernId
    about: About
    text: Personal[Text]
    by: PersonId


class ConcernResolved(Event):
    """Whoever owns it says that it is settled; somebody else has to see that."""

    subject: ClassVar[str | None] = "about"

    concern: ConcernId
    about: About
    text: Personal[Text]
    resolved_by: PersonId
    resolved_on: Day


class ConcernClosureVerified(Event):
    """Closed (销号)."""

    concern: ConcernId
    verified_by: PersonId


class ConcernReopened(Event):
    subject: ClassVar[str | None] = "about"

    concern: ConcernId
    about: About
    reason: Personal[Text]
    reopened_by: PersonId
    due: Day


class ConcernEscalated(Event):
    """To the body above."""

    concern: ConcernId
    owner: Body
    escalated_by: PersonId
    due: Day


class ConcernReferred(Event):
    """Passed on to another body, which is asked to answer by a day."""

    concern: ConcernId
    body: Body
    referred_by: PersonId
    due: Day


class ReferralAnswered(Event):
    subject: ClassVar[str | None] = "about"

    concern: ConcernId
    about: About
    body: Body
    answer: Personal[Text]
    recorded_by: PersonId


class ConcernFound(Event):
    """A visit found once more what is open already."""

    concern: ConcernId
    found_at: str
    child: ChildId
