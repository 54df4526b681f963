"""Commands on children's files, and on the household that the first child opens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from services.registry.division_map import ResidenceLearning, TakenOver
from services.registry.domain import child
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
    ConfirmByGuardian,
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
from services.registry.domain.household import HOUSEHOLD
from services.registry.handlings.late_entries import LateEntries
from services.registry.policies import FINDER
from shared.commands.command import Command, Handling, Target, as_it_is, told_by
from shared.eventlog.port import Log
from shared.eventlog.record import decode

_CHECKED: Final = frozenset(event.__name__ for event in CHECKED)


def handlings(log: Log, taken_over: TakenOver) -> list[Handling[Any]]:
    late = LateEntries(log)
    return [
        Handling(
            RegisterChild,
            action="register_child",
            targets=lambda c: (Target(c.child, CHILD), Target(c.household, HOUSEHOLD)),
            division=lambda c, _: c.residence,
            learn=ResidenceLearning(taken_over),
            from_device=as_it_is,
        ),
        _of_child(RecordParentSituation, "record_child", learn=late),
        _of_child(RecordCareSituation, "record_child", learn=late),
        _of_child(RecordSchooling, "record_child", learn=late),
        _of_child(JoinCareProgramme, "record_child"),
        _of_child(LeaveCareProgramme, "record_child"),
        _of_child(RecordIdentity, "keep_child_file", learn=late),
        _of_child(CorrectIdentity, "keep_child_file"),
        _of_child(RecordRegistrationStatus, "keep_child_file", learn=late),
        _of_child(RecordHealth, "keep_child_file", learn=late),
        _of_child(RecordWelfare, "keep_child_file", learn=late),
        _of_child(EntrustCaregiver, "keep_child_file"),
        _of_child(EndEntrustment, "keep_child_file"),
        _of_child(MarkKeyGroup, "keep_child_file"),
        _of_child(ClearKeyGroup, "keep_child_file"),
        _of_child(ProposeChange, "propose_change", learn=_found_by),
        _of_child(AcceptChange, "decide_change", learn=told_by(AcceptanceBy)),
        _of_child(RefuseChange, "decide_change", learn=told_by(RefusalBy)),
        _of_child(SubmitChildFile, "submit_child_file", learn=told_by(SubmissionBy)),
        _of_child(ReviewChildFile, "review_child_file", learn=_CheckedBy(log, ReviewBy)),
        _of_child(VerifyChildFile, "verify_child_file", learn=_CheckedBy(log, VerificationBy)),
        _of_child(ReturnChildFile, "return_child_file", learn=told_by(ReturnBy)),
        _of_child(ConfirmChildFileReview, "submit_child_file"),
        _of_child(ConfirmByGuardian, "record_child"),
        _of_child(AssessRisk, "assess_risk", learn=told_by(AssessmentBy)),
        _of_child(OverrideRisk, "override_risk", learn=told_by(OverrideBy)),
        _of_child(OfferTransfer, "transfer_child"),
        Handling(
            TakeOverChild,
            action="transfer_child",
            targets=lambda c: (Target(c.child, CHILD),),
            division=lambda _, states: child.offered_to(states[0]),
            told_by_state=True,
            learn=told_by(TakeOverBy),
        ),
        _of_child(CloseChildFile, "close_child_file"),
        _of_child(ReopenChildFile, "close_child_file"),
        _of_child(RequestErasure, "request_erasure", learn=told_by(ErasureRequestBy)),
        _of_child(ApproveErasure, "approve_erasure", learn=told_by(ErasureApprovalBy)),
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
        from_device=as_it_is,
    )


def _residence(_: Command, states: Sequence[Any]) -> str | None:
    return child.residence(states[0])


async def _found_by(command: ProposeChange, person: str) -> ProposeChange:
    """Only the policy on visits tells what another has found."""
    found_by = command.found_by if person == FINDER else person
    return command.model_copy(update={"found_by": found_by})


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
