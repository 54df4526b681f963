"""What a privacy record holds: the last notice, the last answer for each purpose, and what is kept with the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from shared.contracts.consent import AttachmentKind, Basis, ConsentPurpose


class Answer(StrEnum):
    GIVEN = "given"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Notice:
    """Which text was given last, and on which day."""

    version: str
    on: date


@dataclass(frozen=True, repr=False)
class Answered:
    """The last answer for a purpose; ``notice`` is the text that was known then."""

    answer: Answer
    basis: Basis
    notice: str
    on: date


@dataclass(frozen=True, repr=False)
class Attached:
    """``sha256`` is that of the sealed bytes."""

    kind: AttachmentKind | None
    sha256: str


@dataclass(frozen=True, repr=False)
class PrivacyRecord:
    """``removed`` are the ids of attachments that were there: none is used a second time."""

    notice: Notice | None = None
    answers: Mapping[ConsentPurpose, Answered] = field(default_factory=dict)
    attachments: Mapping[str, Attached] = field(default_factory=dict)
    removed: frozenset[str] = frozenset()

    def in_force(self, purpose: ConsentPurpose) -> bool:
        answered = self.answers.get(purpose)
        return answered is not None and answered.answer is Answer.GIVEN
