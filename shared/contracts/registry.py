"""registry's events: divisions, postings, roles, households, children (domain section 4.1)."""

from __future__ import annotations

from typing import ClassVar

from shared.contracts.child_file import SchoolingRecorded
from shared.contracts.event import Event, Fact
from shared.contracts.households import HouseholdDetails
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import (
    BirthMonth,
    CareKind,
    CareQuality,
    ChildId,
    CitizenNumberStatus,
    CloseReason,
    Count,
    Day,
    DismissReason,
    DivisionCode,
    DivisionId,
    DivisionKind,
    DuplicateId,
    FileHash,
    FindingCode,
    HouseholdId,
    HouseholdPoverty,
    HukouKind,
    ImportId,
    IncapableReason,
    LedgerKind,
    Likeness,
    MadeId,
    Name,
    NodeCode,
    ParentState,
    PersonId,
    Phone,
    PostingId,
    PostingLevel,
    PostingOffice,
    ProposalId,
    ReceiptsId,
    Role,
    RoleId,
    RowVerdict,
    Sex,
    Text,
    VillageCode,
    VisitId,
    WithdrawalReason,
)


class DivisionAdded(Event):
    """A node of the division tree begins. ``parent`` is None only for the root of what was imported."""

    division: DivisionId
    code: DivisionCode
    name: str
    kind: DivisionKind
    parent: DivisionCode | None
    valid_from: Day


class WorkingGroupPosted(Event):
    """A working group or first secretary begins at a village; one posting is one stream."""

    posting: PostingId
    village: VillageCode
    level: PostingLevel
    unit: str
    starts: Day
    leader: PersonId | None = None
    first_secretary: PersonId | None = None


class PostedPerson(Fact):
    """Somebody in a posting; ``since`` is None for who came with it on its first day."""

    person: PersonId
    office: PostingOffice
    since: Day | None = None


class WorkingGroupWithdrawn(Event):
    """``ends`` is the first day without the posting; ``leaving`` are those who were in it to the end.

    Version 1 had a text as reason, and named the first secretary alone.
    """

    schema_version: ClassVar[int] = 2

    posting: PostingId
    village: VillageCode
    ends: Day
    reason: WithdrawalReason
    leaving: tuple[PostedPerson, ...] = ()


class RoleGranted(Event):
    """An office that is neither posting nor duty, from its first day to before its last."""

    role_id: RoleId
    person: PersonId
    role: Role
    division: DivisionCode
    starts: Day
    ends: Day | None = None


class RoleEnded(Event):
    role_id: RoleId
    person: PersonId
    ends: Day


class HouseholdFileOpened(Event):
    """A household's file begins: with the registration of its first child, who stands in ``children``, or without one.

    Version 1 named no child.
    """

    schema_version: ClassVar[int] = 2
    subject: ClassVar[str | None] = "household"

    household: HouseholdId
    village: VillageCode
    head: Personal[Name]
    address: Personal[Text] | None = None
    phone: Personal[Phone] | None = None
    children: tuple[ChildId, ...] = ()
    group: NodeCode | None = None
    poverty: Counted[HouseholdPoverty] | None = None
    details: Personal[HouseholdDetails] | None = None


class ParentDetails(Fact):
    """What is told of a parent beyond the state; ``lost_contact_since`` and ``last_contact`` are days."""

    birth_date: Day | None = None
    citizen_number: str | None = None
    incapable_reason: IncapableReason | None = None
    lost_contact_since: Day | None = None
    last_contact: Day | None = None
    work: Text | None = None
    wechat: bool | None = None


class ParentSituation(Fact):
    """One parent, since the day it holds from. ``away_place`` goes down to the city; ``across_county`` says whether
    that lies outside the home county."""

    state: Counted[ParentState]
    since: Counted[Day] | None = None
    name: Personal[Name] | None = None
    phone: Personal[Phone] | None = None
    away_place: Personal[Text] | None = None
    across_county: Counted[bool] | None = None
    details: Personal[ParentDetails] | None = None


class ParentsSituation(Fact):
    father: ParentSituation
    mother: ParentSituation


class CareSituation(Fact):
    kind: Counted[CareKind]
    living_alone: Counted[bool]
    caregiver: Personal[Name] | None = None
    caregiver_phone: Personal[Phone] | None = None
    note: Personal[Text] | None = None


class ChildRegistered(Event):
    """A child's file begins, with the situation found at the door."""

    schema_version: ClassVar[int] = 2
    subject: ClassVar[str | None] = "child"

    child: ChildId
    household: HouseholdId
    residence: VillageCode
    hukou: DivisionCode
    name: Personal[Name]
    birth_date: Personal[Day]
    citizen_number: Personal[str] | None = None
    birth_month: Counted[BirthMonth]
    sex: Counted[Sex]
    parents: ParentsSituation
    care: CareSituation
    citizen_number_status: Personal[CitizenNumberStatus] | None = None
    hukou_kind: Counted[HukouKind] | None = None


class ParentSituationRecorded(Event):
    schema_version: ClassVar[int] = 2
    subject: ClassVar[str | None] = "child"

    child: ChildId
    parents: ParentsSituation


class CareSituationRecorded(Event):
    """``since`` is the first day it holds; without it the day it was seen."""

    schema_version: ClassVar[int] = 2
    subject: ClassVar[str | None] = "child"

    child: ChildId
    care: CareSituation
    quality: Personal[CareQuality] | None = None
    since: Counted[Day] | None = None


class ChangeProposed(Event):
    """A visit found something else than the file holds; it waits for review. Who found it, and on which day.

    Exactly one of ``care``, ``parents`` and ``schooling`` is there, the latter two as they will be recorded. Until
    version 2 it was the care.
    """

    schema_version: ClassVar[int] = 3
    subject: ClassVar[str | None] = "child"

    proposal: ProposalId
    child: ChildId
    visit: VisitId
    care: CareSituation | None = None
    parents: ParentSituationRecorded | None = None
    schooling: SchoolingRecorded | None = None
    found_by: PersonId | None = None
    found_on: Day | None = None


class ChildFileClosed(Event):
    """The file's first day closed is ``closed_on``. Version 1 knew no file that was merged."""

    schema_version: ClassVar[int] = 2

    child: ChildId
    reason: CloseReason
    closed_on: Day


class ChildFileReopened(Event):
    subject: ClassVar[str | None] = "child"

    child: ChildId
    reason: Personal[Text]
    reopened_on: Day


class ErasureRequested(Event):
    subject: ClassVar[str | None] = "child"

    child: ChildId
    basis: Personal[Text]
    requested_by: PersonId


class SubjectKeyDestroyed(Event):
    """Erasure took effect: the personal key of the subject is gone for ever."""

    child: ChildId
    approved_by: PersonId


class DuplicateSuspected(Event):
    """Two files may be one child's. ``score`` is in bits, ``rule`` the version that gave it, ``reasons`` why.

    ``division`` is the smallest that holds both villages; None where no node of the tree does. ``first`` is the
    smaller of the two ids.
    """

    duplicate: DuplicateId
    first: ChildId
    second: ChildId
    division: DivisionCode | None
    score: int
    rule: str
    reasons: tuple[Likeness, ...]


class DuplicateDismissed(Event):
    """Somebody has looked: the two files are two children's."""

    duplicate: DuplicateId
    first: ChildId
    second: ChildId
    reason: DismissReason
    dismissed_by: PersonId


class ImportBatchReceived(Event):
    """A ledger arrived as a file. ``file_hash`` is its SHA-256; the file itself is in no event."""

    batch: ImportId
    division: DivisionCode
    ledger: LedgerKind
    file_hash: FileHash


class ImportBatchChecked(Event):
    """A dry run came to its end: how many rows would be taken over without and with a warning, and how many not."""

    batch: ImportId
    accepted: Count
    warned: Count
    rejected: Count


class RowReceipt(Fact):
    """What became of one row: the codes of what was found, and the ids of what it registered."""

    row: Count
    verdict: RowVerdict
    codes: tuple[FindingCode, ...] = ()
    made: tuple[MadeId, ...] = ()


class ImportRowsCommitted(Event):
    """The receipts of some neighbouring rows of a batch; each such piece is a stream of its own."""

    receipts_id: ReceiptsId
    batch: ImportId
    rows: tuple[RowReceipt, ...]


class ImportBatchCommitted(Event):
    batch: ImportId
    taken_over: Count
    rejected: Count


class ImportBatchWithdrawn(Event):
    """What the batch had registered is closed again; ``closed`` counts it, without what was closed before."""

    batch: ImportId
    closed: Count
