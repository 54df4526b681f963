"""Commands on access for a time, and the breaking of a glass."""

from __future__ import annotations

from typing import Any

from services.registry.domain.access import (
    ACCESS,
    AT_HOME,
    GLASS,
    AccessApprovalBy,
    AccessRequestBy,
    ApproveAccess,
    BreakBy,
    BreakTheGlass,
    EndAccess,
    RequestAccess,
    division_of,
)
from shared.commands.command import Handling, Target, told_by
from shared.identity.access import anywhere_in_the_county


def handlings() -> list[Handling[Any]]:
    return [
        Handling(
            RequestAccess,
            action="request_access",
            targets=lambda c: (Target(c.access, ACCESS), *_at_home(c.child)),
            division=lambda c, _: c.division,
            learn=told_by(AccessRequestBy, "requested_by"),
        ),
        _of_access(ApproveAccess, "approve_access", learn=told_by(AccessApprovalBy, "approved_by")),
        _of_access(EndAccess, "end_access"),
        Handling(
            BreakTheGlass,
            action="break_glass",
            targets=lambda c: (Target(c.glass, GLASS), *_at_home(c.child)),
            division=lambda c, _: c.village,
            permit=anywhere_in_the_county,
            learn=told_by(BreakBy),
        ),
    ]


def _at_home(child: str | None) -> tuple[Target, ...]:
    return (Target(child, AT_HOME),) if child else ()


def _of_access(command: type[Any], action: str, learn: Any = None) -> Handling[Any]:
    return Handling(
        command,
        action=action,
        targets=lambda c: (Target(c.access, ACCESS),),
        division=lambda _, states: division_of(states[0]),
        told_by_state=True,
        learn=learn,
    )
