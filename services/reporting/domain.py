"""The one thing reporting decides so far: that somebody opened a child's file, and why (domain 6.2, rule 1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shared.commands.command import Aggregate, Command, Handling, Target
from shared.contracts.reporting import FileOpened
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


@dataclass(frozen=True)
class Opening:
    pass


def decide(command: OpenFile, opening: Opening) -> list[FileOpened]:
    return [FileOpened(child=command.child, person=command.person, purpose=command.purpose)]


def evolve(opening: Opening, event: FileOpened) -> Opening:
    return opening


OPENING = Aggregate[Opening](Opening(), evolve, decide)


def opening_stream(command_id: str, child: str) -> str:
    """The stream of one opening, beside the child."""
    return derived_id(command_id, "opening", beside=child)


def handlings() -> list[Handling[Any]]:
    return [
        Handling(
            OpenFile,
            action="open_child_file",
            targets=lambda c: (Target(c.opening, OPENING),),
            division=lambda c, _: c.village,
            told_by_state=True,
            file=lambda c: c.child,
        )
    ]
