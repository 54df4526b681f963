"""What reporting decides: that somebody opened the file of a child or a household, and why (domain 6.2, rule 1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shared.commands.command import Aggregate, Command, Handling, Target
from shared.contracts.reporting import FileOpened, HouseholdFileConsulted
from shared.contracts.sealed import Personal
from shared.contracts.values import ChildId, HouseholdId, PersonId, Text, VillageCode
from shared.eventlog.placement import derived_id

SERVICE = "reporting"


class OpenFile(Command):
    """``opening`` makes each opening a stream of its own: earlier ones decide nothing."""

    opening: str
    child: ChildId
    village: VillageCode
    person: PersonId
    purpose: Personal[Text]


class OpenHousehold(Command):
    """As ``OpenFile``, of a household's file."""

    opening: str
    household: HouseholdId
    village: VillageCode
    person: PersonId
    purpose: Personal[Text]


@dataclass(frozen=True)
class Opening:
    pass


def decide(command: OpenFile | OpenHousehold, opening: Opening) -> list[FileOpened | HouseholdFileConsulted]:
    match command:
        case OpenFile():
            return [FileOpened(child=command.child, person=command.person, purpose=command.purpose)]
        case OpenHousehold():
            return [HouseholdFileConsulted(household=command.household, person=command.person, purpose=command.purpose)]


def evolve(opening: Opening, event: FileOpened | HouseholdFileConsulted) -> Opening:
    return opening


OPENING = Aggregate[Opening](Opening(), evolve, decide)


def opening_stream(command_id: str, opened: str) -> str:
    """The stream of one opening, beside the child or the household."""
    return derived_id(command_id, "opening", beside=opened)


def handlings() -> list[Handling[Any]]:
    return [
        Handling(
            command,
            action="open_child_file",
            targets=lambda c: (Target(c.opening, OPENING),),
            division=lambda c, _: c.village,
            told_by_state=True,
        )
        for command in (OpenFile, OpenHousehold)
    ]
