"""What reporting decides: that somebody opened a child's file or made an export of it, and why (domain 6.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shared.commands.command import Aggregate, Command, Handling, Target
from shared.contracts.reporting import ExportMade, ExportRequest, FileOpened
from shared.contracts.sealed import Personal
from shared.contracts.values import ChildId, PersonId, Text, VillageCode
from shared.eventlog.placement import derived_id

SERVICE = "reporting"


class OpenFile(Command):
    """``opening`` makes each opening a stream of its own: earlier ones decide nothing."""

    opening: str
    child: ChildId
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


def decide(command: OpenFile | MakeExport, opening: Opening) -> list[FileOpened | ExportMade]:
    match command:
        case OpenFile():
            return [FileOpened(child=command.child, person=command.person, purpose=command.purpose)]
        case MakeExport():
            return [
                ExportMade(
                    child=command.child,
                    person=command.person,
                    full_numbers=command.full_numbers,
                    request=command.request,
                )
            ]


def evolve(opening: Opening, event: FileOpened | ExportMade) -> Opening:
    return opening


OPENING = Aggregate[Opening](Opening(), evolve, decide)


def opening_stream(command_id: str, child: str) -> str:
    """The stream of one opening, beside the child."""
    return derived_id(command_id, "opening", beside=child)


def export_stream(command_id: str, child: str) -> str:
    """The stream of one export, beside the child."""
    return derived_id(command_id, "export", beside=child)


def handlings() -> list[Handling[Any]]:
    return [
        Handling(
            OpenFile,
            action="open_child_file",
            targets=lambda c: (Target(c.opening, OPENING),),
            division=lambda c, _: c.village,
            told_by_state=True,
        ),
        Handling(
            MakeExport,
            action="export_child_file",
            targets=lambda c: (Target(c.export, OPENING),),
            division=lambda c, _: c.village,
            told_by_state=True,
        ),
    ]
