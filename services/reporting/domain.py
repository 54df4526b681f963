"""What reporting decides: that somebody opened the file of a child or a household, or made an export of it, and why
(domain 6.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shared.commands.command import Aggregate, Command, Handling, Target
from shared.contracts.reporting import ExportMade, ExportRequest, FileOpened, HouseholdFileConsulted
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


class MakeExport(Command):
    """``export`` makes each export a stream of its own."""

    export: str
    child: ChildId
    village: VillageCode
    person: PersonId
    full_numbers: bool
    request: Personal[ExportRequest]


@dataclass(frozen=True)
class Opening:
    pass


Recorded = FileOpened | HouseholdFileConsulted | ExportMade


def decide(command: OpenFile | OpenHousehold | MakeExport, opening: Opening) -> list[Recorded]:
    match command:
        case OpenFile():
            return [FileOpened(child=command.child, person=command.person, purpose=command.purpose)]
        case OpenHousehold():
            return [HouseholdFileConsulted(household=command.household, person=command.person, purpose=command.purpose)]
        case MakeExport():
            return [
                ExportMade(
                    child=command.child,
                    person=command.person,
                    full_numbers=command.full_numbers,
                    request=command.request,
                )
            ]


def evolve(opening: Opening, event: Recorded) -> Opening:
    return opening


OPENING = Aggregate[Opening](Opening(), evolve, decide)


def opening_stream(command_id: str, opened: str) -> str:
    """The stream of one opening, beside the child or the household."""
    return derived_id(command_id, "opening", beside=opened)


def export_stream(command_id: str, child: str) -> str:
    """The stream of one export, beside the child."""
    return derived_id(command_id, "export", beside=child)


def handlings() -> list[Handling[Any]]:
    return [
        *(_opening(command) for command in (OpenFile, OpenHousehold)),
        Handling(
            MakeExport,
            action="export_child_file",
            targets=lambda c: (Target(c.export, OPENING),),
            division=lambda c, _: c.village,
            told_by_state=True,
        ),
    ]


def _opening(command: type[Any]) -> Handling[Any]:
    return Handling(
        command,
        action="open_child_file",
        targets=lambda c: (Target(c.opening, OPENING),),
        division=lambda c, _: c.village,
        told_by_state=True,
        file=lambda c: c.child if isinstance(c, OpenFile) else None,
    )
