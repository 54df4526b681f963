"""Commands on a child's privacy record: notices, consents, and what is kept with the file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from services.registry.domain import child
from services.registry.domain.privacy import (
    ON_FILE,
    OPENING,
    PRIVACY,
    AddAttachment,
    ExpireAttachment,
    GiveConsent,
    GivePrivacyNotice,
    OpenAttachment,
    RefuseConsent,
    RemoveAttachment,
    WithdrawConsent,
    privacy_stream,
)
from shared.commands.command import Command, Handling, Target

KEEP: Final = "keep_attachment"
READ: Final = "read_sensitive"
"""Whatever is kept with a file is of class C3: a face, or a signed form with numbers on it (domain 6.1)."""


def handlings() -> list[Handling[Any]]:
    return [
        *(_of_record(c, "record_consent") for c in (GivePrivacyNotice, GiveConsent, RefuseConsent, WithdrawConsent)),
        _of_record(RemoveAttachment, KEEP),
    ]


def desk_handlings() -> list[Handling[Any]]:
    """What registry's desk for attachments tells of itself; none of it is taken over HTTP as a command."""
    return [
        _of_record(AddAttachment, KEEP),
        _of_record(ExpireAttachment, KEEP),
        Handling(
            OpenAttachment,
            action=READ,
            targets=lambda c: (Target(c.opening, OPENING),),
            division=lambda c, _: c.village,
            told_by_state=True,
        ),
    ]


def _of_record(command: type[Any], action: str) -> Handling[Any]:
    """It takes effect where the child lives, and is decided by the child's own file too."""
    return Handling(
        command,
        action=action,
        targets=lambda c: (Target(privacy_stream(c.child), PRIVACY), Target(c.child, ON_FILE)),
        division=_residence,
        told_by_state=True,
    )


def _residence(_: Command, states: Sequence[Any]) -> str | None:
    return child.residence(states[1])
