"""A visit to a school (domain 4.2, S43): a teacher's own word of each child asked for, of whatever household it is."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import Field

from services.visits.domain.visit import SAME_FOR_ALL, ChildNamedTwice, OneAnswerForAll, VisitAlreadyLogged, doubted
from shared.commands.command import Aggregate, Command
from shared.contracts.field_work import SchoolVisitLogged, TeachersWord
from shared.contracts.values import (
    ChildId,
    PersonId,
    SchoolId,
    SchoolVisitId,
    ToldPersonId,
    VillageCode,
    VisitDoubt,
)
from shared.standing.standing import Standing


class LogSchoolVisit(Command):
    """All children are of one village. ``visitors`` are those who came along; whoever tells it is one in any case."""

    visit: SchoolVisitId
    school: SchoolId
    village: VillageCode
    words: tuple[TeachersWord, ...] = Field(min_length=1, max_length=60)
    visitors: tuple[ToldPersonId, ...] = Field((), max_length=20)


class LaterSchoolVisit(LogSchoolVisit):
    """One that a device told later, and what had changed meanwhile."""

    doubts: tuple[VisitDoubt, ...] = ()


class JudgedSchoolVisit(LaterSchoolVisit):
    """With the standing of its children on that day; ``later`` says that a device told it."""

    person: PersonId
    standings: dict[ChildId, Standing | None]
    later: bool = False


@dataclass(frozen=True)
class NotLogged:
    pass


@dataclass(frozen=True)
class Logged:
    pass


SchoolVisit = NotLogged | Logged


def decide(command: JudgedSchoolVisit, visit: SchoolVisit) -> list[SchoolVisitLogged]:
    if isinstance(visit, Logged):
        raise VisitAlreadyLogged
    children = [one.child for one in command.words]
    if len(set(children)) < len(children):
        raise ChildNamedTwice
    if len(children) >= SAME_FOR_ALL and len({one.word for one in command.words}) == 1:
        raise OneAnswerForAll
    return [
        SchoolVisitLogged(
            visit=command.visit,
            school=command.school,
            village=command.village,
            visited_on=command.occurred_on,
            words=command.words,
            visitors=tuple(dict.fromkeys((command.person, *command.visitors))),
            on_stale_standing=not all(standing and standing.fresh for standing in command.standings.values()),
            doubts=(*command.doubts, *doubted(children, command.standings, command.village, command.later)),
        )
    ]


def evolve(visit: SchoolVisit, event: SchoolVisitLogged) -> SchoolVisit:
    return Logged()


SCHOOL_VISIT = Aggregate[SchoolVisit](NotLogged(), evolve, decide)
