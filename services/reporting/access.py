"""What reporting decides about the access log: that somebody read it, and that somebody took note of a broken glass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shared.commands.command import Aggregate, Command, Handling, Target
from shared.contracts.access_log import AccessLogRead, NoticeSeen
from shared.contracts.values import ChildId, Day, GlassId, PersonId, VillageCode
from shared.eventlog.placement import derived_id


class ReadAccessLog(Command):
    """``reading`` makes each reading a stream of its own; ``village`` is where the child lives now."""

    reading: str
    child: ChildId
    village: VillageCode
    person: PersonId
    on: Day


class AcknowledgeNotice(Command):
    """``village`` is where the glass was broken; each person takes note for themselves."""

    notice: GlassId
    village: VillageCode
    person: PersonId


@dataclass(frozen=True)
class Seen:
    seen: bool = False


def decide_reading(command: ReadAccessLog, seen: Seen) -> list[AccessLogRead]:
    return [AccessLogRead(child=command.child, person=command.person, on=command.on)]


def decide_seen(command: AcknowledgeNotice, seen: Seen) -> list[NoticeSeen]:
    """Nothing for who has taken note before."""
    return [] if seen.seen else [NoticeSeen(notice=command.notice, person=command.person)]


def evolve(seen: Seen, event: AccessLogRead | NoticeSeen) -> Seen:
    return Seen(seen=True)


READING = Aggregate[Seen](Seen(), evolve, decide_reading)
NOTICE = Aggregate[Seen](Seen(), evolve, decide_seen)


def reading_stream(command_id: str, child: str) -> str:
    """The stream of one reading, beside the child."""
    return derived_id(command_id, "reading", beside=child)


def seen_stream(notice: str, person: str) -> str:
    """The stream of one person's note of a notice, beside it."""
    return derived_id(f"{notice}/{person}", "seen", beside=notice)


def handlings() -> list[Handling[Any]]:
    return [
        Handling(
            ReadAccessLog,
            action="read_access_log",
            targets=lambda c: (Target(c.reading, READING),),
            division=lambda c, _: c.village,
            told_by_state=True,
        ),
        Handling(
            AcknowledgeNotice,
            action="receive_notices",
            targets=lambda c: (Target(seen_stream(c.notice, c.person), NOTICE),),
            division=lambda c, _: c.village,
            told_by_state=True,
        ),
    ]
