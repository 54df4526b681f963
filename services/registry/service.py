"""registry's application: each command bound to the streams it decides on and to the division it takes effect in."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from services.registry.domain import child, posting
from services.registry.domain.child import (
    CHECKED,
    CHILD,
    AcceptanceBy,
    AcceptChange,
    ApproveErasure,
    AssessmentBy,
    AssessRisk,
    ClearKeyGroup,
    CloseChildFile,
    ConfirmChildFileReview,
    CorrectIdentity,
    EndEntrustment,
    EntrustCaregiver,
    ErasureApprovalBy,
    ErasureRequestBy,
    JoinCareProgramme,
    LeaveCareProgramme,
    MarkKeyGroup,
    OfferTransfer,
    OverrideBy,
    OverrideRisk,
    ProposeChange,
    RecordCareSituation,
    RecordHealth,
    RecordIdentity,
    RecordParentSituation,
    RecordRegistrationStatus,
    RecordSchooling,
    RecordWelfare,
    RefusalBy,
    RefuseChange,
    RegisterChild,
    ReopenChildFile,
    RequestErasure,
    ReturnBy,
    ReturnChildFile,
    ReviewBy,
    ReviewChildFile,
    SubmissionBy,
    SubmitChildFile,
    TakeOverBy,
    TakeOverChild,
    VerificationBy,
    VerifyChildFile,
)
from services.registry.domain.counting_rule import ADOPTED, AdoptCountingRule, adoption_stream
from services.registry.domain.division import DIVISION, AddDivision, division_stream
from services.registry.domain.household import HOUSEHOLD
from services.registry.domain.posting import POSTING, PostWorkingGroup, WithdrawWorkingGroup
from services.registry.domain.role import ROLE, EndRole, GrantRole
from services.registry.policies import FINDS
from shared.commands.command import Command, Handling, Target, UnknownDivision
from shared.eventlog.port import Log
from shared.eventlog.record import decode

SERVICE = "registry"

_CHECKED: Final = frozenset(event.__name__ for event in CHECKED)


def handlings(log: Log) -> list[Handling[Any]]:
    """Every command of registry."""
    return [
        Handling(
            AddDivision,
            action="add_division",
            targets=lambda c: (Target(division_stream(c.code), DIVISION),),
            division=lambda c, _: c.parent,
            learn=_KnownParents(log),
        ),
        Handling(
            PostWorkingGroup,
            action="post_working_group",
            targets=lambda c: (Target(c.posting, POSTING),),
            division=lambda c, _: c.village,
            claims=posting.claims,
        ),
        Handling(
            WithdrawWorkingGroup,
            action="post_working_group",
            targets=lambda c: (Target(c.posting, POSTING),),
            division=lambda _, states: getattr(states[0], "village", None),
            told_by_state=True,
            claims=posting.claims,
        ),
        Handling(
            GrantRole,
            action="grant_role",
            targets=lambda c: (Target(c.role_id, ROLE),),
            division=lambda c, _: c.division,
        ),
        Handling(
            EndRole,
            action="grant_role",
            targets=lambda c: (Target(c.role_id, ROLE),),
            division=lambda _, states: getattr(states[0], "division", None),
            told_by_state=True,
        ),
        Handling(
            AdoptCountingRule,
            action="adopt_counting_rule",
            targets=lambda c: (Target(adoption_stream(c.division), ADOPTED),),
            division=lambda c, _: c.division,
        ),
        Handling(
            RegisterChild,
            action="register_child",
            targets=lambda c: (Target(c.child, CHILD), Target(c.household, HOUSEHOLD)),
            division=lambda c, _: c.residence,
        ),
        _of_child(RecordParentSituation, "record_child"),
        _of_child(RecordCareSituation, "record_child"),
        _of_child(RecordSchooling, "record_child"),
        _of_child(JoinCareProgramme, "record_child"),
        _of_child(LeaveCareProgramme, "record_child"),
        _of_child(RecordIdentity, "keep_child_file"),
        _of_child(CorrectIdentity, "keep_child_file"),
        _of_child(RecordRegistrationStatus, "keep_child_file"),
        _of_child(RecordHealth, "keep_child_file"),
        _of_child(RecordWelfare, "keep_child_file"),
        _of_child(EntrustCaregiver, "keep_child_file"),
        _of_child(EndEntrustment, "keep_child_file"),
        _of_child(MarkKeyGroup, "keep_child_file"),
        _of_child(ClearKeyGroup, "keep_child_file"),
        _of_child(ProposeChange, "propose_change", learn=_found_by),
        _of_child(AcceptChange, "decide_change", learn=_accepted_by),
        _of_child(RefuseChange, "decide_change", learn=_refused_by),
        _of_child(SubmitChildFile, "submit_child_file", learn=_submitted_by),
        _of_child(ReviewChildFile, "review_child_file", learn=_CheckedBy(log, ReviewBy)),
        _of_child(VerifyChildFile, "verify_child_file", learn=_CheckedBy(log, VerificationBy)),
        _of_child(ReturnChildFile, "return_child_file", learn=_returned_by),
        _of_child(ConfirmChildFileReview, "submit_child_file"),
        _of_child(AssessRisk, "assess_risk", learn=_assessed_by),
        _of_child(OverrideRisk, "override_risk", learn=_overridden_by),
        _of_child(OfferTransfer, "transfer_child"),
        Handling(
            TakeOverChild,
            action="transfer_child",
            targets=lambda c: (Target(c.child, CHILD),),
            division=lambda _, states: child.offered_to(states[0]),
            told_by_state=True,
            learn=_taken_over_by,
        ),
        _of_child(CloseChildFile, "close_child_file"),
        _of_child(ReopenChildFile, "close_child_file"),
        _of_child(RequestErasure, "request_erasure", learn=_requested_by),
        _of_child(ApproveErasure, "approve_erasure", learn=_approved_by),
    ]


def _of_child(command: type[Any], action: str, learn: Any = None) -> Handling[Any]:
    """A command on a child that is on file: it takes effect where the child lives."""
    return Handling(
        command,
        action=action,
        targets=lambda c: (Target(c.child, CHILD),),
        division=_residence,
        told_by_state=True,
        learn=learn,
    )


def _residence(_: Command, states: Sequence[Any]) -> str | None:
    return child.residence(states[0])


async def _found_by(command: ProposeChange, person: str) -> ProposeChange:
    """Only the policy on visits tells what another has found."""
    found_by = command.found_by if person == f"{SERVICE}/{FINDS}" else person
    return command.model_copy(update={"found_by": found_by})


async def _accepted_by(command: AcceptChange, person: str) -> AcceptanceBy:
    return AcceptanceBy(**dict(command), person=person)


async def _refused_by(command: RefuseChange, person: str) -> RefusalBy:
    return RefusalBy(**dict(command), person=person)


async def _assessed_by(command: AssessRisk, person: str) -> AssessmentBy:
    return AssessmentBy(**dict(command), person=person)


async def _overridden_by(command: OverrideRisk, person: str) -> OverrideBy:
    return OverrideBy(**dict(command), person=person)


async def _taken_over_by(command: TakeOverChild, person: str) -> TakeOverBy:
    return TakeOverBy(**dict(command), person=person)


async def _submitted_by(command: SubmitChildFile, person: str) -> SubmissionBy:
    return SubmissionBy(**dict(command), person=person)


async def _returned_by(command: ReturnChildFile, person: str) -> ReturnBy:
    return ReturnBy(**dict(command), person=person)


class _CheckedBy:
    """Tells a check who makes it, and who entered what is to be checked: all that was told since the county's last."""

    def __init__(self, log: Log, check: type[ReviewBy] | type[VerificationBy]) -> None:
        self._log = log
        self._check = check

    async def __call__(self, command: ReviewChildFile | VerifyChildFile, person: str) -> ReviewBy | VerificationBy:
        return self._check(**dict(command), person=person, authors=await self._authors(command.child))

    async def _authors(self, stream: str) -> frozenset[str]:
        """Of what was proposed and accepted, the finder is the author, not the reviewer who took it over."""
        authors: set[str] = set()
        taken_over = ""
        for record in map(decode, await self._log.load(stream)):
            match record.type:
                case "ChildFileVerified":
                    authors.clear()
                case "ChangeAccepted":
                    taken_over = record.command_id
                    authors.add(msgspec.json.decode(record.data).get("found_by", ""))
                case told if told in _CHECKED and record.command_id != taken_over:
                    authors.add(record.actor.id)
        return frozenset(authors - {""})


async def _requested_by(command: RequestErasure, person: str) -> ErasureRequestBy:
    return ErasureRequestBy(**dict(command), person=person)


async def _approved_by(command: ApproveErasure, person: str) -> ErasureApprovalBy:
    return ErasureApprovalBy(**dict(command), person=person)


class _KnownParents:
    """Lets a division be added only below one that is in registry's own log."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._known: set[str] = set()
        self._turn = asyncio.Lock()

    async def __call__(self, command: AddDivision, person: str) -> AddDivision:
        async with self._turn:  # a township is asked for by its first village, not by all of them
            if command.parent is not None and command.parent not in self._known:
                if not await self._log.load(division_stream(command.parent)):
                    raise UnknownDivision(f"parent: {command.parent} is not in the division tree")
                self._known.add(command.parent)
        return command
