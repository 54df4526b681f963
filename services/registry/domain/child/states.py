"""The states of a child's file: open or closed, how far its check has come, and what of it was told (domain 3.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import ClassVar

from shared.contracts.child_file import (
    ChildIdentityRecorded,
    HealthRecorded,
    RegistrationStatusRecorded,
    SchoolingRecorded,
    WelfareRecorded,
)
from shared.contracts.event import Event
from shared.contracts.refusal import Refusal
from shared.contracts.registry import CareSituation, CareSituationRecorded, ParentSituationRecorded, ParentsSituation
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import (
    CareProgramme,
    CitizenNumberStatus,
    FileBlock,
    IdentityDoubt,
    KeyGroup,
    ParentState,
    RiskLevel,
    Sex,
)


class ChildAlreadyRegistered(Refusal):
    """This child is on file already."""

    what_to_do: ClassVar[str] = "Give a new child an id of its own."


class ChildFileIsClosed(Refusal):
    """The child's file is closed."""

    what_to_do: ClassVar[str] = "Reopen the file first."


class ChildFileIsOpen(Refusal):
    """The child's file is open."""

    what_to_do: ClassVar[str] = "Nothing: it is open."


class ChildFileWasMerged(Refusal):
    """The file was merged into another file of the same child."""

    what_to_do: ClassVar[str] = "Tell it of the file that goes on; if they are two children, undo the merge first."


class ChildIsErased(Refusal):
    """The child's file has been erased."""

    status: ClassVar[int] = 410
    what_to_do: ClassVar[str] = (
        "Nothing can be recorded any more; if the child is to be on file again, register it anew."
    )


class Stage(StrEnum):
    """How far the check of a file has come. A draft that nobody submitted counts in figures like any other file."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    TOWNSHIP_REVIEWED = "township_reviewed"
    COUNTY_VERIFIED = "county_verified"
    UNDER_REVIEW = "under_review"
    RETURNED = "returned"


class Block(StrEnum):
    """A part of the file that a verification asks for. Place and care are told with every registration."""

    IDENTITY = "identity"
    FATHER = "father"
    MOTHER = "mother"
    SCHOOL = "school"
    HEALTH = "health"


BlockEvent = (
    ParentSituationRecorded
    | CareSituationRecorded
    | SchoolingRecorded
    | HealthRecorded
    | WelfareRecorded
    | ChildIdentityRecorded
    | RegistrationStatusRecorded
)
"""Tells one block of a file as a whole."""


@dataclass(frozen=True)
class Unknown:
    pass


@dataclass(frozen=True)
class Proposal:
    """What will be recorded when a reviewer accepts it. Neither its finder nor who told the other value decides.

    ``found_at`` is the visit that found it, on the day ``found_on``.
    """

    value: Event
    found_by: str | None
    on_file_by: str | None = None
    found_at: str | None = None
    found_on: date | None = None


@dataclass(frozen=True)
class MergedInto:
    """The file that goes on, and where it stood then."""

    child: str
    village: str


@dataclass(frozen=True, repr=False)
class OnFile:
    """What a file holds as far as rules ask for it. ``since`` is the day it was opened or closed last.

    ``blocks`` holds what was told last of each, as it was recorded;
    ``changed`` are those told, and ``guardian_on`` is when a guardian confirmed, since the last verification or review.
    ``decided`` are the proposals that wait no more. It prints nothing: marks and doubts stand in it as they are.
    """

    residence: str
    since: date
    hukou: str
    born: Personal[date]
    sex: Counted[Sex]
    number: Personal[str] | None
    number_status: Personal[CitizenNumberStatus] | None
    parents: ParentsSituation
    care: CareSituation
    stage: Stage = Stage.DRAFT
    told: frozenset[Block] = frozenset()
    doubts: frozenset[IdentityDoubt] = frozenset()
    key_groups: frozenset[KeyGroup] = frozenset()
    programmes: frozenset[CareProgramme] = frozenset()
    entrusted: Counted[date] | None = None
    blocks: Mapping[FileBlock, BlockEvent] = field(default_factory=dict)
    proposals: Mapping[str, Proposal] = field(default_factory=dict)
    decided: tuple[Proposal, ...] = ()
    risk: Counted[RiskLevel] | None = None
    own_fields: frozenset[str] = frozenset()
    offered_to: str | None = None
    reviewed_by: str | None = None
    changed: frozenset[FileBlock] = frozenset()
    guardian_on: date | None = None
    erasure_requested_by: str | None = None
    merged_into: MergedInto | None = None


@dataclass(frozen=True, repr=False)
class Open(OnFile):
    pass


@dataclass(frozen=True, repr=False)
class Closed(OnFile):
    pass


@dataclass(frozen=True)
class Erased:
    residence: str


Child = Unknown | Open | Closed | Erased


def residence(child: Child) -> str | None:
    """The village a command on this child takes effect in."""
    return None if isinstance(child, Unknown) else child.residence


def offered_to(child: Child) -> str | None:
    """The village that an open file was offered to."""
    return child.offered_to if isinstance(child, Open) else None


def was_merged(file: OnFile) -> ChildFileWasMerged:
    """Names the file that goes on where it stood in the same village, so that whoever may see one may see the other."""
    into = file.merged_into
    named = into is not None and into.village == file.residence
    return ChildFileWasMerged(f"it was merged into {into.child}" if into and named else "")


def missing(file: OnFile) -> list[Block]:
    """What a verification still asks for: of the number its status, of each parent where they are."""
    number_told = file.number_status is not None and file.number_status.get() not in (None, CitizenNumberStatus.UNKNOWN)
    told = {
        Block.IDENTITY: number_told,
        Block.FATHER: file.parents.father.state.get() not in (None, ParentState.UNKNOWN),
        Block.MOTHER: file.parents.mother.state.get() not in (None, ParentState.UNKNOWN),
    }
    return [block for block in Block if not told.get(block, block in file.told)]
