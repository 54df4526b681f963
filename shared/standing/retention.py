"""How long what is about a child is kept (domain 6.4): policy data, to be decided by the authority.

A closed file is shown to those who may ask for its erasure, and nothing of it is erased by the calendar alone, since a
case may be open that only people know of. A photo is removed on its day.
"""

from __future__ import annotations

from datetime import date
from typing import Final, NamedTuple


class Retention(NamedTuple):
    """From its first day on, something is kept for so many years."""

    starts: date
    years: int


CLOSED_FILES: Final = (Retention(date.min, 3),)
"""After a file was closed. In order of their first days; the last that has begun holds."""

PHOTOS: Final = (Retention(date.min, 1),)
"""After a photo was added."""


def kept_long_enough(today: date, policy: tuple[Retention, ...]) -> date:
    """What began to be kept on this day or before has been kept for as long as the policy of today asks."""
    years = [retention.years for retention in policy if retention.starts <= today][-1]
    try:
        return today.replace(year=today.year - years)
    except ValueError:  # 29 February
        return date(today.year - years, 2, 28)
