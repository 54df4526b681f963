"""A protection report: raised by whoever finds it, filed, followed up, and closed by the county alone."""

from datetime import date, timedelta
from typing import Any

import pytest

from services.visits.domain import protection_report
from services.visits.domain.protection_report import (
    PROTECTION,
    CareArrangedBy,
    CareBeganLater,
    FilingBy,
    InterventionBy,
    JudgedReport,
    MeasureBy,
    ProtectionAssessmentBy,
    ReaderNamedBy,
    ReportClosedBy,
    ReportIsClosed,
    ReportIsOpen,
    ReportNotAssessed,
    ReportNotFiled,
    report_stream,
)
from services.visits.domain.visit import JudgedVisit
from shared.commands.command import Command, NotOnFile
from shared.contracts.protection import (
    EmergencyMeasureTaken,
    GuardianshipInterventionStarted,
    ProtectionAssessed,
    ProtectionReportClosed,
    ProtectionReportFiled,
    ProtectionReportRaised,
    ReportReaderNamed,
    TemporaryCareArranged,
)
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import EmergencyMeasure, ReportChannel, ReportResult, Role, Situation, TemporaryCare
from shared.eventlog.placement import new_id
from shared.identity.access import RIGHTS
from shared.standing.standing import ChildNotOnFile, Standing
from tests.support.builders import TOLD, VILLAGE, a_visit
from tests.support.specification import given

HOUSEHOLD = new_id("household")
CHILD = new_id("child", beside=HOUSEHOLD)
REPORT = report_stream(CHILD, Situation.WITHOUT_CARE)
DAY = date(2026, 8, 14)
TEXT = Personal("独自居住三周")


def wish(**changes: Any) -> JudgedReport:
    fields: dict[str, Any] = {
        "occurred_at": TOLD,
        "child": CHILD,
        "village": VILLAGE,
        "situation": Counted(Situation.WITHOUT_CARE),
        "facts": TEXT,
        "person": "alice",
        "standing": Standing(VILLAGE, open=True),
    }
    return JudgedReport(**fields | changes)


def told(command: type[Command], **fields: Any) -> Any:
    return command(**{"report": REPORT, "person": "chen", "occurred_at": TOLD} | fields)


RAISED = ProtectionReportRaised(
    report=REPORT,
    child=CHILD,
    village=VILLAGE,
    situation=Counted(Situation.WITHOUT_CARE),
    facts=TEXT,
    discovered_at=TOLD,
    reporter="alice",
)
FILED = ProtectionReportFiled(
    report=REPORT, child=CHILD, unit=TEXT, filed_at=TOLD, channel=ReportChannel.STATION, filed_by="chen"
)
ASSESSED = ProtectionAssessed(report=REPORT, child=CHILD, result=TEXT, assessed_by="chen")


def closing(result: ReportResult) -> ReportClosedBy:
    return told(ReportClosedBy, result=Counted(result), text=TEXT)  # type: ignore[no-any-return]


def closed(result: ReportResult) -> ProtectionReportClosed:
    return ProtectionReportClosed(report=REPORT, child=CHILD, result=Counted(result), text=TEXT, closed_by="chen")


def test_a_report_is_raised_once_for_a_child_and_a_situation():
    given(PROTECTION).when(wish()).then(RAISED)
    given(PROTECTION, RAISED).when(wish()).then_refused(ReportIsOpen)
    assert report_stream(CHILD, Situation.ORGANISED_BEGGING) != REPORT


def test_a_closed_file_is_no_reason_to_keep_silent_and_a_child_unknown_there_is():
    given(PROTECTION).when(wish(standing=Standing(VILLAGE, open=False))).then(RAISED)
    for unknown in (None, Standing("520303105202", open=True), Standing(VILLAGE, open=True, erased=True)):
        given(PROTECTION).when(wish(standing=unknown)).then_refused(ChildNotOnFile)


def test_a_report_is_filed_followed_up_assessed_and_closed():
    filing = told(FilingBy, unit=TEXT, channel=ReportChannel.STATION)
    given(PROTECTION, RAISED).when(filing).then(FILED)
    measure = told(MeasureBy, measure=Counted(EmergencyMeasure.PARENTS_ORDERED_BACK))
    given(PROTECTION, RAISED).when(measure).then(
        EmergencyMeasureTaken(report=REPORT, child=CHILD, measure=measure.measure, taken_on=DAY, recorded_by="chen")
    )
    care = told(CareArrangedBy, care=Counted(TemporaryCare.RELATIVE))
    given(PROTECTION, RAISED, FILED).when(care).then(
        TemporaryCareArranged(report=REPORT, child=CHILD, care=care.care, since=DAY, recorded_by="chen")
    )
    given(PROTECTION, RAISED, FILED).when(told(ProtectionAssessmentBy, result=TEXT)).then(ASSESSED)
    given(PROTECTION, RAISED, FILED, ASSESSED).when(told(InterventionBy, step=TEXT)).then(
        GuardianshipInterventionStarted(report=REPORT, child=CHILD, step=TEXT, started_by="chen")
    )
    given(PROTECTION, RAISED, FILED, ASSESSED).when(closing(ReportResult.SAFE)).then(closed(ReportResult.SAFE))


def test_the_steps_of_a_report_are_not_skipped():
    given(PROTECTION, RAISED).when(told(ProtectionAssessmentBy, result=TEXT)).then_refused(ReportNotFiled)
    given(PROTECTION, RAISED, FILED).when(told(InterventionBy, step=TEXT)).then_refused(ReportNotAssessed)
    given(PROTECTION, RAISED).when(closing(ReportResult.NOT_CONFIRMED)).then_refused(ReportNotFiled)
    given(PROTECTION, RAISED, FILED).when(closing(ReportResult.SAFE)).then_refused(ReportNotAssessed)
    given(PROTECTION, RAISED, FILED).when(closing(ReportResult.NOT_CONFIRMED)).then(closed(ReportResult.NOT_CONFIRMED))
    later = told(CareArrangedBy, care=Counted(TemporaryCare.RELATIVE), since=DAY + timedelta(1))
    given(PROTECTION, RAISED).when(later).then_refused(CareBeganLater)


def test_whoever_is_to_read_a_report_is_named():
    given(PROTECTION, RAISED).when(told(ReaderNamedBy, reader="dan")).then(
        ReportReaderNamed(report=REPORT, reader="dan", named_by="chen")
    )


def test_a_closed_report_takes_nothing_more_and_is_raised_again_when_it_comes_back():
    over = (RAISED, FILED, ASSESSED, closed(ReportResult.SAFE))
    given(PROTECTION, *over).when(told(InterventionBy, step=TEXT)).then_refused(ReportIsClosed)
    given(PROTECTION, *over).when(wish()).then(RAISED)


ON_A_REPORT = [
    told(ReaderNamedBy, reader="dan"),
    told(FilingBy, unit=TEXT, channel=ReportChannel.STATION),
    told(MeasureBy, measure=Counted(EmergencyMeasure.SHELTER)),
    told(CareArrangedBy, care=Counted(TemporaryCare.RELATIVE)),
    told(ProtectionAssessmentBy, result=TEXT),
    told(InterventionBy, step=TEXT),
    closing(ReportResult.SAFE),
]


@pytest.mark.parametrize("command", ON_A_REPORT, ids=lambda command: type(command).__name__)
def test_nothing_is_told_of_a_report_that_nobody_raised(command):
    given(PROTECTION).when(command).then_refused(NotOnFile)


def test_the_village_raises_and_files_a_report_and_can_do_no_more_with_it():
    for role in (
        Role.CHILD_DIRECTOR,
        Role.FIRST_SECRETARY,
        Role.GROUP_LEADER,
        Role.POSTED_CADRE,
        Role.CHILD_SUPERVISOR,
    ):
        assert "raise_protection_report" in RIGHTS[role]
        assert "handle_protection_report" not in RIGHTS[role]


def test_a_visit_raises_what_it_finds_unless_it_is_open_or_the_child_is_of_age():
    visit = a_visit(HOUSEHOLD, CHILD)
    finding = JudgedVisit(**dict(visit), person="alice", standings={CHILD: Standing(VILLAGE, open=True)})
    found = protection_report.found(CHILD, Situation.WITHOUT_CARE)
    from_visit = RAISED.model_copy(update={"facts": None, "visit": visit.visit})
    given(found).when(finding).then(from_visit)
    given(found, RAISED).when(finding).then()
    given(found).when(finding.model_copy(update={"of_age": frozenset({CHILD})})).then()
