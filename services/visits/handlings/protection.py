"""Commands on protection reports."""

from __future__ import annotations

from typing import Any

from services.visits.domain import protection_report
from services.visits.domain.protection_report import (
    PROTECTION,
    AlarmBy,
    AlarmProtectionWatch,
    ArrangeTemporaryCare,
    AssessProtection,
    CareArrangedBy,
    CloseProtectionReport,
    FileProtectionReport,
    FilingBy,
    InterventionBy,
    JudgedReport,
    MeasureBy,
    NameReportReader,
    ProtectionAssessmentBy,
    RaiseProtectionReport,
    ReaderNamedBy,
    ReportClosedBy,
    StartGuardianshipIntervention,
    TakeEmergencyMeasure,
    report_stream,
)
from services.visits.policies import RAISER
from shared.commands.command import Handling, Target, as_it_is, told_by
from shared.standing.look_up import StandingLookUp


def handlings(standings: StandingLookUp) -> list[Handling[Any]]:
    async def judged(command: RaiseProtectionReport, person: str) -> JudgedReport:
        found = await standings.on(command.occurred_on, [command.child])
        reporter = command.reporter if person == RAISER and command.reporter else person
        return JudgedReport(**dict(command), person=reporter, standing=found[command.child])

    return [
        Handling(
            RaiseProtectionReport,
            action="raise_protection_report",
            targets=lambda c: (Target(report_stream(c.child, c.situation.reveal()), PROTECTION),),
            division=lambda c, _: c.village,
            follows_files=True,
            learn=judged,
            from_device=as_it_is,
        ),
        Handling(
            AlarmProtectionWatch,
            action="handle_protection_report",
            targets=lambda c: (Target(c.report, PROTECTION),),
            division=lambda c, _: c.village,
            follows_files=True,
            learn=told_by(AlarmBy),
        ),
        _on(FileProtectionReport, FilingBy, "raise_protection_report"),
        _on(NameReportReader, ReaderNamedBy, "handle_protection_report"),
        _on(TakeEmergencyMeasure, MeasureBy, "handle_protection_report"),
        _on(ArrangeTemporaryCare, CareArrangedBy, "handle_protection_report"),
        _on(AssessProtection, ProtectionAssessmentBy, "handle_protection_report"),
        _on(StartGuardianshipIntervention, InterventionBy, "handle_protection_report"),
        _on(CloseProtectionReport, ReportClosedBy, "handle_protection_report"),
    ]


def _on(command: type[Any], by: type[Any], action: str) -> Handling[Any]:
    """A command on a report that was raised: it takes effect in its village."""

    return Handling(
        command,
        action=action,
        targets=lambda c: (Target(c.report, PROTECTION),),
        division=lambda _, states: protection_report.village_of(states[0]),
        told_by_state=True,
        learn=told_by(by),
        from_device=as_it_is,
    )
