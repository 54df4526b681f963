"""A history of one child's file: opened, moved with, broken into and erased, on days of August 2026."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import count

from shared.contracts.access import GlassBroken
from shared.contracts.child_file import ChildTransferred
from shared.contracts.event import Event
from shared.contracts.registry import SubjectKeyDestroyed
from shared.contracts.reporting import FileOpened
from shared.contracts.sealed import Personal
from shared.contracts.values import GlassReason
from shared.eventlog.placement import new_id
from shared.eventlog.record import Actor
from shared.projection.read_model import Occurred
from tests.support.builders import VILLAGE, a_registered_child
from tests.support.workspace import a_record

NEXT_VILLAGE = "520303105202"
REGISTERED = a_registered_child()
CHILD, GLASS = REGISTERED.child, new_id("glass")
_numbers = count(1)


def on(day: int, event: Event, person: str = "person", office: str = "system", hour: int = 2) -> Occurred:
    """The event as it is recorded on a day of August in China, by somebody in an office of the village."""
    moment = datetime(2026, 8, day, hour, tzinfo=UTC)
    return Occurred(a_record(event, moment, Actor(person, office, VILLAGE), f"event-{next(_numbers)}"), event)


def opened(day: int, person: str, purpose: str = "走访", hour: int = 2) -> Occurred:
    event = FileOpened(child=CHILD, person=person, purpose=Personal(purpose))
    return on(day, event, person, "child_director", hour)


def moved(day: int) -> Occurred:
    return on(
        day,
        ChildTransferred(
            child=CHILD,
            from_village=VILLAGE,
            to_village=NEXT_VILLAGE,
            moved_on=date(2026, 8, 1),
            taken_over_by="supervisor-2",
        ),
    )


def broken(day: int, glass: str = GLASS, child: str | None = None) -> Occurred:
    event = GlassBroken(
        glass=glass,
        person="neighbour",
        village=VILLAGE,
        child=child,
        reason=GlassReason.MISSING,
        starts=date(2026, 8, day),
        ends=date(2026, 8, day + 2),
    )
    return on(day, event, "neighbour", "posted_cadre")


ERASED = SubjectKeyDestroyed(child=CHILD, approved_by="officer")
