"""Erasure: asked for by one person, approved by another (domain 6.3)."""

from __future__ import annotations

from typing import ClassVar

from shared.commands.command import Command
from shared.contracts.refusal import Refusal
from shared.contracts.registry import SubjectKeyDestroyed
from shared.contracts.sealed import Personal
from shared.contracts.values import ChildId, PersonId, Text


class RequestErasure(Command):
    child: ChildId
    basis: Personal[Text]


class ApproveErasure(Command):
    child: ChildId


class ErasureRequestBy(RequestErasure):
    """The request, with the person who makes it."""

    person: PersonId


class ErasureApprovalBy(ApproveErasure):
    person: PersonId


class ErasureNotRequested(Refusal):
    """Nobody has asked for the erasure of this file."""

    what_to_do: ClassVar[str] = "Let the erasure be requested first, by another person."


class ApproverIsRequester(Refusal):
    """An erasure is approved by another person than the one who asked for it."""

    status: ClassVar[int] = 403
    what_to_do: ClassVar[str] = "Ask a second data protection officer to approve."


def check_two_persons(requested_by: str | None, approved_by: str) -> None:
    """Raises ErasureNotRequested, ApproverIsRequester."""
    if requested_by is None:
        raise ErasureNotRequested
    if requested_by == approved_by:
        raise ApproverIsRequester


def erased(command: ErasureApprovalBy, requested_by: str | None) -> SubjectKeyDestroyed:
    check_two_persons(requested_by, command.person)
    return SubjectKeyDestroyed(child=command.child, approved_by=command.person)
