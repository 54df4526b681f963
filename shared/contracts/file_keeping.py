"""registry's events on keeping one true file of a child (domain 4.1, 9).

Two files become one, and can be two again; two values of one block are both kept until somebody has decided; a
guardian confirms what the file says.
"""

from __future__ import annotations

from typing import ClassVar

from shared.contracts.child_file import (
    ChildIdentityRecorded,
    HealthRecorded,
    RegistrationStatusRecorded,
    SchoolingRecorded,
    WelfareRecorded,
)
from shared.contracts.event import Event, Fact
from shared.contracts.registry import CareSituationRecorded, ParentSituationRecorded
from shared.contracts.sealed import Personal
from shared.contracts.values import (
    ChildId,
    ConfirmationMeans,
    Day,
    FileBlock,
    Guardian,
    Name,
    PersonId,
    ProposalId,
    Text,
    VillageCode,
)


class ChildFilesMerged(Event):
    """Of two files of one child, ``into`` goes on and this one, ``child``, is closed from ``merged_on`` on.

    ``village`` is where the file that goes on stood then. Nothing is copied: what was told here stays here.
    """

    subject: ClassVar[str | None] = "child"

    child: ChildId
    into: ChildId
    village: VillageCode
    merged_on: Day
    reason: Personal[Text]
    merged_by: PersonId


class ChildMergeUndone(Event):
    """They are two children's after all: this file is open again, as if it had never been merged."""

    subject: ClassVar[str | None] = "child"

    child: ChildId
    into: ChildId
    reason: Personal[Text]
    undone_by: PersonId


class ConflictingValueKept(Event):
    """What came late differs from what another has told since: both are kept until a reviewer decides.

    Exactly one block is there, as it will be recorded if it is accepted. ``found_on`` is the day it was seen;
    ``on_file_by`` told what is on file, on the day ``on_file_on``; ``rule`` is the one that left it to a reviewer.
    """

    subject: ClassVar[str | None] = "child"

    child: ChildId
    proposal: ProposalId
    block: FileBlock
    found_by: PersonId
    found_on: Day
    on_file_by: PersonId
    on_file_on: Day
    rule: str
    parents: ParentSituationRecorded | None = None
    care: CareSituationRecorded | None = None
    schooling: SchoolingRecorded | None = None
    health: HealthRecorded | None = None
    welfare: WelfareRecorded | None = None
    identity: ChildIdentityRecorded | None = None
    registration: RegistrationStatusRecorded | None = None


class GuardianConfirmation(Fact):
    """Who says that the file is right, and how: by signing it, or on the phone."""

    by: Guardian
    means: ConfirmationMeans
    name: Name | None = None


class GuardianConfirmed(Event):
    """A parent or caregiver has confirmed the file, on the day ``confirmed_on``."""

    subject: ClassVar[str | None] = "child"

    child: ChildId
    confirmation: Personal[GuardianConfirmation]
    confirmed_on: Day
