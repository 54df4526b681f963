"""A protection report (强制报告; domain 2c, 3.2): one for each child and situation, open until the county closes it.

A visit that finds the situation raises it in the same step; found again while it is open, it is the same report.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Final, assert_never

from pydantic import AwareDatetime

from services.visits.domain.visit import JudgedAmendment, JudgedVisit
from shared.commands.command import Aggregate, Command, NothingToRecord, NotOnFile
from shared.contracts.event import Event
from shared.contracts.protection import (
    EmergencyMeasureTaken,
    GuardianshipInterventionStarted,
    ProtectionAssessed,
    ProtectionReportClosed,
    ProtectionReportFiled,
    ProtectionReportRaised,
    ProtectionWatchAlarmed,
    Receipt,
    ReportReaderNamed,
    TemporaryCareArranged,
)
from shared.contracts.refusal import Refusal
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
    ToldPersonId,
    VillageCode,
)
from shared.eventlog.placement import derived_id
from shared.standing.standing import ChildNotOnFile, Standing

WATCH: Final = "visits/protection_watch"
"""Who alarms."""


class RaiseProtectionReport(Command):
    """By anyone on duty. ``occurred_at`` is when it was discovered: the clock runs from there.

    ``reporter`` is heard from the policy on what a file says alone, for anybody else it is who tells it.
    """

    child: ChildId
    village: VillageCode
    situation: Counted[Situation]
    facts: Personal[Text] | None = None
    reporter: PersonId | None = None


class JudgedReport(RaiseProtectionReport):
    person: PersonId
    standing: Standing | None


class NameReportReader(Command):
    report: ReportId
    reader: ToldPersonId


class FileProtectionReport(Command):
    """``occurred_at`` is when the police were told."""

    report: ReportId
    unit: Personal[Text]
    channel: ReportChannel
    receipt: Personal[Receipt] | None = None


class TakeEmergencyMeasure(Command):
    report: ReportId
    measure: Counted[EmergencyMeasure]
    note: Personal[Text] | None = None


class ArrangeTemporaryCare(Command):
    report: ReportId
    care: Counted[TemporaryCare]
    where: Personal[Text] | None = None
    since: Day | None = None


class AssessProtection(Command):
    report: ReportId
    result: Personal[Text]


class StartGuardianshipIntervention(Command):
    report: ReportId
    step: Personal[Text]


class CloseProtectionReport(Command):
    report: ReportId
    result: Counted[ReportResult]
    text: Personal[Text]


class AlarmProtectionWatch(Command):
    """By the watch alone: what demands this report was told at ``since``, and none was open a minute later."""

    report: ReportId
    child: ChildId
    village: VillageCode
    since: AwareDatetime


class AlarmBy(AlarmProtectionWatch):
    person: PersonId


class ReaderNamedBy(NameReportReader):
    person: PersonId


class FilingBy(FileProtectionReport):
    person: PersonId


class MeasureBy(TakeEmergencyMeasure):
    person: PersonId


class CareArrangedBy(ArrangeTemporaryCare):
    person: PersonId


class ProtectionAssessmentBy(AssessProtection):
    person: PersonId


class InterventionBy(StartGuardianshipIntervention):
    person: PersonId


class ReportClosedBy(CloseProtectionReport):
    person: PersonId


class ReportIsOpen(NothingToRecord):
    """A report of this situation is open for the child."""

    what_to_do: ClassVar[str] = "Tell what was found to the county, or record it as a visit; the report is under way."


class NotTheWatch(Refusal):
    """Whether a report is late is found out by the service itself."""

    status: ClassVar[int] = 403
    what_to_do: ClassVar[str] = "Raise the report that is missing with RaiseProtectionReport."


class ReportIsClosed(Refusal):
    """The report is closed."""

    what_to_do: ClassVar[str] = "Raise it again if the situation has come back."


class ReportNotFiled(Refusal):
    """Nobody has told the police yet."""

    what_to_do: ClassVar[str] = "Call 110 or the station, then record it with FileProtectionReport."


class ReportNotAssessed(Refusal):
    """The situation has not been assessed."""

    what_to_do: ClassVar[str] = "Assess it first; only a report that was not confirmed is closed without."


class CareBeganLater(Refusal):
    """since: this day lies ahead."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Record temporary care once it has begun."


@dataclass(frozen=True)
class NotRaised:
    pass


@dataclass(frozen=True)
class Report:
    """``assessed`` and ``filed``: how far it has come; it can not go back. ``readers`` are those who may read it."""

    child: str
    village: str
    readers: frozenset[str]
    filed: bool = False
    assessed: bool = False
    closed: bool = False


Protection = NotRaised | Report
OnReport = (
    ReaderNamedBy | FilingBy | MeasureBy | CareArrangedBy | ProtectionAssessmentBy | InterventionBy | ReportClosedBy
)


def village_of(report: Protection) -> str | None:
    """Where a command on this report takes effect."""
    return report.village if isinstance(report, Report) else None


def report_stream(child: str, situation: Situation) -> str:
    """The report of this situation of a child."""
    return derived_id(f"{child}/{situation}", "report", beside=child)


def found(child: str, situation: Situation) -> Aggregate[Protection]:
    """The report that a visit to the child raises, as a target of that visit."""

    def decide_found(visit: JudgedVisit | JudgedAmendment, report: Protection) -> Sequence[Event]:
        if _is_open(report) or child in visit.of_age:
            return []
        return [
            ProtectionReportRaised(
                report=report_stream(child, situation),
                child=child,
                village=visit.village,
                situation=Counted(situation),
                discovered_at=_moment(visit),
                reporter=visit.person,
                visit=visit.visit,
            )
        ]

    return Aggregate(NotRaised(), evolve, decide_found)


def decide(command: JudgedReport | AlarmBy | OnReport, report: Protection) -> Sequence[Event]:
    match command, report:
        case AlarmBy(), _:
            return _alarmed(command, report)
        case JudgedReport(), _ if _is_open(report):
            raise ReportIsOpen
        case JudgedReport(), _:
            _check_known(command)
            return [
                ProtectionReportRaised(
                    report=report_stream(command.child, command.situation.reveal()),
                    child=command.child,
                    village=command.village,
                    situation=command.situation,
                    facts=command.facts,
                    discovered_at=_moment(command),
                    reporter=command.person,
                )
            ]
        case _, NotRaised():
            raise NotOnFile
        case _, Report(closed=True):
            raise ReportIsClosed
        case _, Report():
            return [_on_open(command, report)]
        case _:
            raise AssertionError(command)


def _alarmed(command: AlarmBy, report: Protection) -> list[Event]:
    """Nothing when the report was opened meanwhile."""
    if command.person != WATCH:
        raise NotTheWatch
    if _is_open(report):
        return []
    return [
        ProtectionWatchAlarmed(report=command.report, child=command.child, village=command.village, since=command.since)
    ]


def _check_known(command: JudgedReport) -> None:
    """A closed file is no reason to keep silent."""
    standing = command.standing
    if standing is None or standing.erased or standing.village != command.village:
        raise ChildNotOnFile


def _is_open(report: Protection) -> bool:
    return isinstance(report, Report) and not report.closed


def _moment(command: Command) -> AwareDatetime:
    if command.occurred_at is None:
        raise ValueError("occurred_at is filled in before a command is decided")
    return command.occurred_at


def _on_open(command: OnReport, report: Report) -> Event:
    match command:
        case ReaderNamedBy():
            return ReportReaderNamed(report=command.report, reader=command.reader, named_by=command.person)
        case FilingBy():
            return ProtectionReportFiled(
                report=command.report,
                child=report.child,
                unit=command.unit,
                filed_at=_moment(command),
                channel=command.channel,
                receipt=command.receipt,
                filed_by=command.person,
            )
        case MeasureBy():
            return EmergencyMeasureTaken(
                report=command.report,
                child=report.child,
                measure=command.measure,
                taken_on=command.occurred_on,
                note=command.note,
                recorded_by=command.person,
            )
        case CareArrangedBy():
            if command.since is not None and command.since > command.occurred_on:
                raise CareBeganLater
            return TemporaryCareArranged(
                report=command.report,
                child=report.child,
                care=command.care,
                where=command.where,
                since=command.since or command.occurred_on,
                recorded_by=command.person,
            )
        case ProtectionAssessmentBy():
            if not report.filed:
                raise ReportNotFiled
            return ProtectionAssessed(
                report=command.report, child=report.child, result=command.result, assessed_by=command.person
            )
        case InterventionBy():
            if not report.assessed:
                raise ReportNotAssessed
            return GuardianshipInterventionStarted(
                report=command.report, child=report.child, step=command.step, started_by=command.person
            )
        case ReportClosedBy():
            return _closed(command, report)
        case _:
            assert_never(command)


def _closed(command: ReportClosedBy, report: Report) -> ProtectionReportClosed:
    if not report.filed:
        raise ReportNotFiled
    if not report.assessed and command.result.reveal() is not ReportResult.NOT_CONFIRMED:
        raise ReportNotAssessed
    return ProtectionReportClosed(
        report=command.report,
        child=report.child,
        result=command.result,
        text=command.text,
        closed_by=command.person,
    )


def evolve(report: Protection, event: Event) -> Protection:
    if isinstance(event, ProtectionReportRaised):
        readers = report.readers if isinstance(report, Report) else frozenset[str]()
        return Report(event.child, event.village, readers | {event.reporter})
    if isinstance(event, ProtectionWatchAlarmed):
        return report
    if not isinstance(report, Report):
        raise AssertionError(event)
    match event:
        case ReportReaderNamed():
            return replace(report, readers=report.readers | {event.reader})
        case ProtectionReportFiled():
            return replace(report, filed=True)
        case ProtectionAssessed():
            return replace(report, assessed=True)
        case ProtectionReportClosed():
            return replace(report, closed=True)
        case _:
            return report


PROTECTION = Aggregate[Protection](NotRaised(), evolve, decide)
