"""How long what is kept for how long (domain 6.4): periods as data, and the event by which they are adopted."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final

from pydantic import Field

from shared.contracts.adoption import Adoption, Content, PolicyName
from shared.contracts.event import Fact

Years = Annotated[int, Field(ge=1, le=100)]


class RetentionPeriods(Fact):
    """The defaults are those of domain 6.4, a proposal for the authority. An access log is kept for half a year at
    least by law, so for a year here; protection ends with an age, not before the child is of age."""

    closed_file_years: Years = 3
    photo_years: Years = 1
    import_file_days: Annotated[int, Field(ge=1, le=3660)] = 30
    helper_years: Years = 2
    protected_until_age: Annotated[int, Field(ge=18, le=100)] = 25
    access_log_years: Years = 6


DEFAULT_RETENTION: Final = RetentionPeriods()
DEFAULT_RETENTION_NAME: Final = "RETENTION-1"


class RetentionAdopted(Adoption):
    """From its first day on what belongs to a division and all below it is kept for so long."""

    version: PolicyName
    periods: RetentionPeriods

    @property
    def adopted(self) -> Content:
        return Content(self.version, self.periods)


def years_before(today: date, years: int) -> date:
    """What began to be kept on this day or before has been kept for so many years."""
    try:
        return today.replace(year=today.year - years)
    except ValueError:  # 29 February
        return date(today.year - years, 2, 28)
