"""What visits does about a visit: it looks whether the visitor's visits together ask for a supervisor's look.

It looks only when the look-up has taken in the visit; the look-up takes in one after the other, so whichever of several
visits came last there finds the others.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import date, timedelta
from typing import Final

from services.visits.domain.plausibility import FlagPlausibility, flag_of
from services.visits.plausibility.look_up import VisitsBehindError, VisitsMade, VisitsOf
from services.visits.plausibility.rules import REACH, Found, Made, findings
from shared.commands.command import business_day
from shared.commands.policies import PolicyOfMany, Wanted
from shared.contracts.oversight import PlausibilityRule
from shared.contracts.visits import VisitLogged
from shared.eventlog.record import Position, Record
from shared.projection.live import LiveModels

LINE: Final = "plausibility"
PATIENCE_SECONDS: Final = 10.0
_AFTER: Final = timedelta(days=1)

CaughtUp = Callable[[Collection[Position]], Awaitable[bool]]


def caught_up_with(live: LiveModels) -> CaughtUp:
    async def caught_up(positions: Collection[Position]) -> bool:
        return await live.wait_for_all(VisitsMade.name, positions, PATIENCE_SECONDS)

    return caught_up


def flagging(visits_of: VisitsOf, caught_up: CaughtUp) -> PolicyOfMany:
    async def on_visits_logged(occurred: Sequence[tuple[Record, VisitLogged]]) -> Sequence[Sequence[Wanted]]:
        """Raises VisitsBehindError."""
        if not await caught_up([record.position for record, _ in occurred]):
            raise VisitsBehindError
        persons = {person for record, event in occurred for person in _visitors(record, event)}
        moments = [record.occurred_at for record, _ in occurred]
        made = await visits_of(persons, min(moments) - REACH, max(moments) + _AFTER)
        found = _Findings(made)
        return [
            [
                _flag(record, person, one)
                for person in _visitors(record, event)
                for one in found.of(person, business_day(record.recorded_at))
                if _concerns(event, one)
            ]
            for record, event in occurred
        ]

    return PolicyOfMany("flag_plausibility", frozenset({"VisitLogged"}), on_visits_logged, opens=frozenset())


class _Findings:
    """What is found in the visits of each person, each time for all visits that are told on one day."""

    def __init__(self, made: Mapping[str, Sequence[Made]]) -> None:
        self._made = made
        self._found: dict[tuple[str, date], list[Found]] = {}

    def of(self, person: str, known_on: date) -> list[Found]:
        if (key := (person, known_on)) not in self._found:
            self._found[key] = findings(self._made.get(person, ()), known_on)
        return self._found[key]


def _visitors(record: Record, event: VisitLogged) -> tuple[str, ...]:
    return event.visitors or (record.actor.id,)


def _concerns(event: VisitLogged, found: Found) -> bool:
    """A quarter is judged by the first visit after it; every other pattern by one of its own."""
    return found.rule is PlausibilityRule.LAST_DAY_OF_QUARTER or event.visit in {one.visit for one in found.visits}


def _flag(record: Record, visitor: str, found: Found) -> Wanted:
    command = FlagPlausibility(
        occurred_at=record.occurred_at,
        rule=found.rule,
        visitor=visitor,
        visits=tuple(one.visit for one in found.visits),
        villages=tuple(reversed(dict.fromkeys(one.village for one in reversed(found.visits)))),
    )
    return Wanted(flag_of(command), command)
