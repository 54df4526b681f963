"""Commands on postings, duties and roles: who works where, with which rights."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, Final

from services.registry.domain import duty, posting
from services.registry.domain.duty import DUTY, NameDutyHolder, RelieveDutyHolder
from services.registry.domain.posting import (
    FOLLOWED,
    POSTING,
    AppointFirstSecretary,
    ChangeGroupLeader,
    JoinPosting,
    LeavePosting,
    PostWorkingGroup,
    RelieveFirstSecretary,
    RotateWorkingGroup,
    WithdrawWorkingGroup,
)
from services.registry.domain.role import ROLE, EndRole, GrantRole
from services.registry.held_places import PlaceLearning
from shared.commands.command import Command, Handling, Target
from shared.contracts.refusal import Refusal


def handlings(places: PlaceLearning) -> list[Handling[Any]]:
    return [
        Handling(
            PostWorkingGroup,
            action="post_working_group",
            targets=lambda c: (Target(c.posting, POSTING),),
            division=lambda c, _: c.village,
            learn=ForAnother(places.posted),
            claims=posting.claims,
        ),
        Handling(
            RotateWorkingGroup,
            action="post_working_group",
            targets=lambda c: (Target(c.posting, POSTING), Target(c.follows, FOLLOWED)),
            division=lambda c, _: c.village,
            learn=ForAnother(places.posted),
            claims=posting.claims,
        ),
        *map(_of_posting, _ON_A_POSTING),
        *(_of_posting(command, ForAnother()) for command in _INTO_A_POSTING),
        _of_posting(AppointFirstSecretary, ForAnother(places.appointed)),
        Handling(
            NameDutyHolder,
            action="name_duty_holder",
            targets=lambda c: (Target(c.duty, DUTY),),
            division=lambda c, _: c.division,
            learn=ForAnother(places.named),
            claims=duty.claims,
        ),
        Handling(
            RelieveDutyHolder,
            action="name_duty_holder",
            targets=lambda c: (Target(c.duty, DUTY),),
            division=lambda _, states: getattr(states[0], "division", None),
            told_by_state=True,
            claims=duty.claims,
        ),
        Handling(
            GrantRole,
            action="grant_role",
            targets=lambda c: (Target(c.role_id, ROLE),),
            division=lambda c, _: c.division,
            learn=ForAnother(),
        ),
        Handling(
            EndRole,
            action="grant_role",
            targets=lambda c: (Target(c.role_id, ROLE),),
            division=lambda _, states: getattr(states[0], "division", None),
            told_by_state=True,
        ),
    ]


_ON_A_POSTING: Final = (
    WithdrawWorkingGroup,
    LeavePosting,
    RelieveFirstSecretary,
)
_INTO_A_POSTING: Final = (JoinPosting, ChangeGroupLeader)


_GETS: Final = ("person", "leader", "first_secretary")
"""The fields of these commands that say who gets an office."""


class OfficeForOneself(Refusal):
    """Nobody gives an office to themselves."""

    status: ClassVar[int] = 403
    what_to_do: ClassVar[str] = "Let another person who may give it decide."


class ForAnother:
    """Refuses an office that somebody gives to themselves; ``learn`` is what else must be known before."""

    def __init__(self, learn: Callable[[Any, str], Awaitable[Command]] | None = None) -> None:
        self._learn = learn

    async def __call__(self, command: Command, person: str) -> Command:
        """Raises OfficeForOneself, and what ``learn`` raises."""
        if person in {getattr(command, field, None) for field in _GETS}:
            raise OfficeForOneself
        return await self._learn(command, person) if self._learn else command


def _of_posting(command: type[Any], learn: Any = None) -> Handling[Any]:
    """A command on a posting that is on file: it takes effect in the posting's village."""
    return Handling(
        command,
        action="post_working_group",
        targets=lambda c: (Target(c.posting, POSTING),),
        division=lambda _, states: getattr(states[0], "village", None),
        told_by_state=True,
        learn=learn,
        claims=posting.claims,
    )
