"""When a verified file is to be looked at again (domain 3.1, 5.2, I4): policy data, to be decided by the authority."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final, NamedTuple


class ReviewCycle(NamedTuple):
    """From its first day on, a file is looked at again so many days after it was verified or confirmed."""

    starts: date
    days: int


HALF_YEARLY: Final = (ReviewCycle(date.min, 183),)
"""In order of their first days; the last that has begun holds."""


def review_due(looked_at: date, policy: tuple[ReviewCycle, ...] = HALF_YEARLY) -> date:
    """The last day for the next look at a file that was verified or confirmed on this day."""
    days = [cycle.days for cycle in policy if cycle.starts <= looked_at][-1]
    return looked_at + timedelta(days=days)
