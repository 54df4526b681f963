"""visits' events on protection reports (强制报告; domain 2c, 3.2): class C4, readable by named persons alone."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import AwareDatetime, Field

from shared.contracts.event import Event
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import (
    ChildId,
    Day,
    EmergencyMeasure,
    PersonId,
    ReportChannel,
    ReportId,
    ReportResult,
    Situation,
    TemporaryCare,
    Text,
    VillageCode,
    VisitId,
)

Receipt = Annotated[str, Field(min_length=1, max_length=60)]


class ProtectionReportRaised(Event):
    """The clock runs from ``discovered_at``. ``readers`` are named; more are named by ``ReportReaderNamed``."""

    subject: ClassVar[str | None] = "child"

    report: ReportId
    child: ChildId
    village: VillageCode
    situation: Counted[Situation]
    facts: Personal[Text] | None = None
    discovered_at: AwareDatetime
    reporter: PersonId
    visit: VisitId | None = None


class ProtectionWatchAlarmed(Event):
    """What was told at ``since`` demands this report, and a minute later none was open."""

    report: ReportId
    child: ChildId
    village: VillageCode
    since: AwareDatetime


class ReportReaderNamed(Event):
    report: ReportId
    reader: PersonId
    named_by: PersonId


class ProtectionReportFiled(Event):
    """Told to the police, who gave a receipt (报案回执)."""

    subject: ClassVar[str | None] = "child"

    report: ReportId
    child: ChildId
    unit: Personal[Text]
    filed_at: AwareDatetime
    channel: ReportChannel
    receipt: Personal[Receipt] | None = None
    filed_by: PersonId


class EmergencyMeasureTaken(Event):
    subject: ClassVar[str | None] = "child"

    report: ReportId
    child: ChildId
    measure: Counted[EmergencyMeasure]
    taken_on: Day
    note: Personal[Text] | None = None
    recorded_by: PersonId


class TemporaryCareArranged(Event):
    subject: ClassVar[str | None] = "child"

    report: ReportId
    child: ChildId
    care: Counted[TemporaryCare]
    where: Personal[Text] | None = None
    since: Day
    recorded_by: PersonId


class ProtectionAssessed(Event):
    """What civil affairs found out, and whether the guardianship has to be looked at by a court."""

    subject: ClassVar[str | None] = "child"

    report: ReportId
    child: ChildId
    result: Personal[Text]
    assessed_by: PersonId


class GuardianshipInterventionStarted(Event):
    subject: ClassVar[str | None] = "child"

    report: ReportId
    child: ChildId
    step: Personal[Text]
    started_by: PersonId


class ProtectionReportClosed(Event):
    subject: ClassVar[str | None] = "child"

    report: ReportId
    child: ChildId
    result: Counted[ReportResult]
    text: Personal[Text]
    closed_by: PersonId
