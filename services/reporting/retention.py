"""How long a closed file is kept (domain 6.4): by the periods that are in force where the child lived last.

What has ended is shown to those who may ask for an erasure; nothing is erased by the calendar alone, since a case may
be open that only people know of.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from shared.adoption.in_force import in_force
from shared.adoption.read_model import Adoptions
from shared.contracts.retention import (
    DEFAULT_RETENTION,
    DEFAULT_RETENTION_NAME,
    RetentionAdopted,
    RetentionPeriods,
    years_before,
)
from shared.identity.access import Directory


class Kept(NamedTuple):
    """Files of these villages that were closed on ``until`` or before have been kept for as long as is asked."""

    version: str
    until: date
    villages: Sequence[str]


class Retention:
    def __init__(self, adoptions: Adoptions, directory: Directory) -> None:
        self._adoptions = adoptions
        self._directory = directory

    async def kept(self, villages: Collection[str], today: date) -> list[Kept]:
        """The villages by what is in force there today."""
        places = await self._directory.places(villages)
        paths = {village: place.path for village, place in places.items()}
        adopted = await self._adoptions.of(RetentionAdopted, {code for path in paths.values() for code in path})
        periods: dict[str, RetentionPeriods] = {DEFAULT_RETENTION_NAME: DEFAULT_RETENTION}
        held: defaultdict[str, list[str]] = defaultdict(list)
        for village, path in paths.items():
            found = in_force(path, adopted, today)
            name = DEFAULT_RETENTION_NAME if found is None else found.name
            if found is not None and name not in periods:
                periods[name] = RetentionPeriods.model_validate(found.content)
            held[name].append(village)
        return _by_version(held, periods, today)


def _by_version(villages: Mapping[str, list[str]], periods: Mapping[str, RetentionPeriods], today: date) -> list[Kept]:
    return [Kept(name, closed_before(today, periods[name]), held) for name, held in sorted(villages.items())]


def closed_before(today: date, periods: RetentionPeriods = DEFAULT_RETENTION) -> date:
    """Files that were closed on this day or before have been kept for as long as the periods ask."""
    return years_before(today, periods.closed_file_years)
