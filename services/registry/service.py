"""registry's application: each command bound to the streams it decides on and to the division it takes effect in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar

import msgspec

from services.registry.division_map import DivisionMap, MapLearning, ParentLearning, ResidenceLearning, TakenOver
from services.registry.domain import child, division, duty, posting
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
from services.registry.domain.division import (
    DIVISION,
    AddDivision,
    AddVillageGroup,
    MergeDivisions,
    RecodeDivision,
    RenameDivision,
    SplitDivision,
    WithdrawDivision,
    division_stream,
)
from services.registry.domain.duty import DUTY, NameDutyHolder, RelieveDutyHolder
from services.registry.domain.household import HOUSEHOLD
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
from services.registry.domain.school import SCHOOL, ChangeSchool, RegisterSchool, division_of
from services.registry.domain.village_profile import PROFILE, RecordVillageProfile, profile_stream
from services.registry.held_places import PlaceLearning
from services.registry.policies import FINDS
from shared.commands.command import Command, Handling, Target
from shared.eventlog.port import Log
from shared.eventlog.record import decode
from shared.privacy.sealing import Sealer

SERVICE = "registry"

C = TypeVar("C", bound=Command)

_CHECKED: Final = frozenset(event.__name__ for event in CHECKED)


def handlings(
    log: Log, sealer: Sealer, divisions: DivisionMap, taken_over: TakenOver, places: PlaceLearning
) -> list[Handling[Any]]:
    """Every command of registry."""
    parents = ParentLearning(log, sealer, divisions)
    return [
        Handling(
            AddDivision,
            action="add_division",
            targets=lambda c: (Target(division_stream(c.code), DIVISION),),
            division=lambda c, _: c.parent,
            learn=parents.division,
            claims=division.claims,
        ),
        Handling(
            AddVillageGroup,
            action="add_village_group",
            targets=lambda c: (Target(division_stream(c.code), DIVISION),),
            division=lambda c, _: c.village,
            learn=parents.group,
        ),
        *(_of_the_map(command, MapLearning(divisions)) for command in _ON_THE_MAP),
        Handling(
            PostWorkingGroup,
            action="post_working_group",
            targets=lambda c: (Target(c.posting, POSTING),),
            division=lambda c, _: c.village,
            learn=places.posted,
            claims=posting.claims,
        ),
        Handling(
            RotateWorkingGroup,
            action="post_working_group",
            targets=lambda c: (Target(c.posting, POSTING), Target(c.follows, FOLLOWED)),
            division=lambda c, _: c.village,
            learn=places.posted,
            claims=posting.claims,
        ),
        *map(_of_posting, _ON_A_POSTING),
        _of_posting(AppointFirstSecretary, places.appointed),
        Handling(
            NameDutyHolder,
            action="name_duty_holder",
            targets=lambda c: (Target(c.duty, DUTY),),
            division=lambda c, _: c.division,
            learn=places.named,
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
            learn=ResidenceLearning(taken_over),
        ),
        Handling(
            RecordVillageProfile,
            action="record_village_profile",
            targets=lambda c: (Target(profile_stream(c.village), PROFILE),),
            division=lambda c, _: c.village,
        ),
        Handling(
            RegisterSchool,
            action="register_school",
            targets=lambda c: (Target(c.school, SCHOOL),),
            division=lambda c, _: c.division,
        ),
        Handling(
            ChangeSchool,
            action="register_school",
            targets=lambda c: (Target(c.school, SCHOOL),),
            division=lambda _, states: division_of(states[0]),
            told_by_state=True,
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
        _of_child(AcceptChange, "decide_change", learn=_by(AcceptanceBy)),
        _of_child(RefuseChange, "decide_change", learn=_by(RefusalBy)),
        _of_child(SubmitChildFile, "submit_child_file", learn=_by(SubmissionBy)),
        _of_child(ReviewChildFile, "review_child_file", learn=_CheckedBy(log, ReviewBy)),
        _of_child(VerifyChildFile, "verify_child_file", learn=_CheckedBy(log, VerificationBy)),
        _of_child(ReturnChildFile, "return_child_file", learn=_by(ReturnBy)),
        _of_child(ConfirmChildFileReview, "submit_child_file"),
        _of_child(AssessRisk, "assess_risk", learn=_by(AssessmentBy)),
        _of_child(OverrideRisk, "override_risk", learn=_by(OverrideBy)),
        _of_child(OfferTransfer, "transfer_child"),
        Handling(
            TakeOverChild,
            action="transfer_child",
            targets=lambda c: (Target(c.child, CHILD),),
            division=lambda _, states: child.offered_to(states[0]),
            told_by_state=True,
            learn=_by(TakeOverBy),
        ),
        _of_child(CloseChildFile, "close_child_file"),
        _of_child(ReopenChildFile, "close_child_file"),
        _of_child(RequestErasure, "request_erasure", learn=_by(ErasureRequestBy)),
        _of_child(ApproveErasure, "approve_erasure", learn=_by(ErasureApprovalBy)),
    ]


_ON_THE_MAP: Final = (RenameDivision, RecodeDivision, MergeDivisions, SplitDivision, WithdrawDivision)


def _of_the_map(command: type[Any], learn: MapLearning) -> Handling[Any]:
    """A change of a division that is in the tree: it takes effect there."""
    return Handling(
        command,
        action="change_division",
        targets=lambda c: (Target(c.division, DIVISION),),
        division=lambda _, states: division.code_of(states[0]),
        told_by_state=True,
        learn=learn,
        claims=division.claims,
    )


_ON_A_POSTING: Final = (
    WithdrawWorkingGroup,
    JoinPosting,
    LeavePosting,
    RelieveFirstSecretary,
    ChangeGroupLeader,
)


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


def _by(told: type[C]) -> Callable[[Command, str], Awaitable[C]]:
    """The command as ``told``, which says who gives it."""

    async def learn(command: Command, person: str) -> C:
        return told(**{**dict(command), "person": person})

    return learn


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
