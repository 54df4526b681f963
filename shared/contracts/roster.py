"""registry's events of the roster: who is in a posting, and who holds a duty (domain sections 3.1 and 4.1)."""

from __future__ import annotations

from shared.contracts.event import Event
from shared.contracts.registry import PostedPerson
from shared.contracts.values import (
    Day,
    DivisionCode,
    Duty,
    DutyId,
    PersonId,
    PostingId,
    ReliefReason,
    SchoolId,
    VillageCode,
)


class PostingMemberJoined(Event):
    posting: PostingId
    village: VillageCode
    person: PersonId
    starts: Day


class PostingMemberLeft(Event):
    """``starts`` is the day the member joined; ``ends`` the first day without them."""

    posting: PostingId
    village: VillageCode
    person: PersonId
    starts: Day
    ends: Day


class FirstSecretaryAppointed(Event):
    """A first secretary begins in a posting that is there already."""

    posting: PostingId
    village: VillageCode
    person: PersonId
    starts: Day


class FirstSecretaryRelieved(Event):
    """``since`` is None for who came with the posting; ``ends`` is the first day without them."""

    posting: PostingId
    village: VillageCode
    person: PersonId
    since: Day | None
    ends: Day


class GroupLeaderChanged(Event):
    """``former`` leads to the day before ``starts``; None where nobody did."""

    posting: PostingId
    village: VillageCode
    leader: PersonId
    starts: Day
    former: PostedPerson | None = None


class DutyHolderNamed(Event):
    """Somebody takes up a duty in a division; a contact of a school names the school."""

    duty: DutyId
    person: PersonId
    role: Duty
    division: DivisionCode
    starts: Day
    school: SchoolId | None = None


class DutyHolderRelieved(Event):
    """``ends`` is the first day without the duty."""

    duty: DutyId
    person: PersonId
    role: Duty
    division: DivisionCode
    ends: Day
    reason: ReliefReason
