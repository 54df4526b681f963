"""Offices that are neither posting nor duty: who holds which role where, and until when (domain 6.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final, assert_never

from shared.commands.command import Aggregate, Command, NotOnFile
from shared.contracts.refusal import Refusal
from shared.contracts.registry import RoleEnded, RoleGranted
from shared.contracts.values import Day, DivisionCode, Role, RoleId, ToldPersonId

OF_A_POSTING: Final = frozenset({Role.FIRST_SECRETARY, Role.GROUP_LEADER, Role.POSTED_CADRE})
OF_A_DUTY: Final = frozenset({Role.CHILD_DIRECTOR, Role.CHILD_SUPERVISOR})


class GrantRole(Command):
    role_id: RoleId
    person: ToldPersonId
    role: Role
    division: DivisionCode
    starts: Day
    ends: Day | None = None


class EndRole(Command):
    """``ends`` is the first day without the role."""

    role_id: RoleId
    ends: Day


class RoleAlreadyGranted(Refusal):
    """This grant is on file already."""

    what_to_do: ClassVar[str] = "Give a new grant an id of its own."


class RoleAlreadyEnded(Refusal):
    """This role has ended already."""

    what_to_do: ClassVar[str] = "Nothing: it has ended."


class RoleIsNotGivenByHand(Refusal):
    """The role ``system`` belongs to the services themselves."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Choose one of the offices of the division."


class RoleComesWithTheRoster(Refusal):
    """This role comes with a posting or a duty, and ends with it."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Put the person into a posting of the village, or name them the holder of the duty."


@dataclass(frozen=True)
class NotGranted:
    pass


@dataclass(frozen=True)
class Held:
    person: str
    division: str


@dataclass(frozen=True)
class Ended:
    division: str


Grant = NotGranted | Held | Ended


def decide(command: GrantRole | EndRole, grant: Grant) -> list[RoleGranted | RoleEnded]:
    match command, grant:
        case GrantRole(role=Role.SYSTEM), _:
            raise RoleIsNotGivenByHand
        case GrantRole(role=role), _ if role in OF_A_POSTING or role in OF_A_DUTY:
            raise RoleComesWithTheRoster
        case GrantRole(), NotGranted():
            return [RoleGranted(**command.model_dump(exclude={"occurred_at"}))]
        case GrantRole(), _:
            raise RoleAlreadyGranted
        case EndRole(), Held(person):
            return [RoleEnded(role_id=command.role_id, person=person, ends=command.ends)]
        case EndRole(), Ended():
            raise RoleAlreadyEnded
        case EndRole(), NotGranted():
            raise NotOnFile
        case _:
            raise AssertionError(command)


def evolve(grant: Grant, event: RoleGranted | RoleEnded) -> Grant:
    match event:
        case RoleGranted():
            return Held(event.person, event.division)
        case RoleEnded():
            return Ended(grant.division if isinstance(grant, Held) else "")
        case _:
            assert_never(event)


ROLE = Aggregate[Grant](NotGranted(), evolve, decide)
