"""How long a closed file is kept (domain 6.4): policy data, to be decided by the authority.

What has ended is shown to those who may ask for an erasure; nothing is erased by the calendar alone, since a case may
be open that only people know of.
"""

from __future__ import annotations

from datetime import date
from typing import Final, NamedTuple


class Retention(NamedTuple):
    """From its first day on, a file is kept for so many years after it was closed."""

    starts: date
    years: int


CLOSED_FILES: Final = (Retention(date.min, 3),)
"""In order of their first days; the last that has begun holds."""


def closed_before(today: date, policy: tuple[Retention, ...] = CLOSED_FILES) -> date:
    """Files that were closed on this day or before have been kept for as long as the policy of the day asks."""
    years = [retention.years for retention in policy if retention.starts <= today][-1]
    try:
        return today.replace(year=today.year - years)
    except ValueError:  # 29 February
        return date(today.year - years, 2, 28)
