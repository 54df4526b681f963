"""What an authority adopts: policy data with a name, for a division and all below it, from a day on (domain 9)."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from pydantic import StringConstraints

from shared.contracts.event import Event, Fact
from shared.contracts.values import AdoptionId, Day

OfficeCode = Annotated[str, StringConstraints(pattern=r"^(\d{2}|\d{4}|\d{6})$")]
"""A county or above."""

PolicyName = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9-]{1,32}$")]
"""Its content never changes: another version has another name. What is not shipped begins with its division's code."""


class Content(NamedTuple):
    """What was adopted, under its name."""

    name: str
    content: Fact


class Adoption(Event):
    """The part that all adoptions have in common; each kind is an event of its own.

    Without ``may_override`` no division below has a policy of its own as long as this one is in force.
    """

    adoption: AdoptionId
    division: OfficeCode
    starts: Day
    may_override: bool = True

    @property
    def adopted(self) -> Content:
        raise NotImplementedError
