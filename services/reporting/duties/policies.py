"""Which visit policy is in force in a village on a day: the nearest division's, where those above allow it one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cached_property
from typing import NamedTuple

from shared.contracts.visit_policy import SHIPPED, VisitPolicy


class Adopted(NamedTuple):
    """``version`` tells two of one day apart: the later told one holds."""

    starts: date
    version: int
    content: VisitPolicy
    may_be_overridden: bool


class Policies:
    """``paths`` are the divisions from the root down to each village, ``adopted`` what each division has adopted."""

    def __init__(self, paths: Mapping[str, Sequence[str]], adopted: Mapping[str, Sequence[Adopted]]) -> None:
        self._paths = paths
        self._adopted = {division: sorted(all_of_it) for division, all_of_it in adopted.items()}

    def on(self, village: str, day: date) -> VisitPolicy:
        """From the root down, the last that holds, until one may not be overridden."""
        found = SHIPPED
        for division in self._paths.get(village, ()):
            begun = [one for one in self._adopted.get(division, ()) if one.starts <= day]
            if begun:
                found = begun[-1].content
                if not begun[-1].may_be_overridden:
                    break
        return found

    @cached_property
    def days(self) -> tuple[date, ...]:
        """Those on which any of them begins."""
        return tuple(sorted({one.starts for all_of_it in self._adopted.values() for one in all_of_it}))
