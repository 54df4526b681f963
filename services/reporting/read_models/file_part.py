"""What the events of a child's file beyond its first shape change on the card: its check, and its blocks."""

from __future__ import annotations

from datetime import date
from typing import Final

from services.reporting.read_models.name_keys import name_keys
from services.reporting.read_models.shown import care_of, care_recorded, day, opened, parents_of, told, value
from services.reporting.reviews import review_due
from shared.commands.command import business_day
from shared.contracts.child_file import (
    CaregiverEntrusted,
    CareProgrammeJoined,
    CareProgrammeLeft,
    ChangeAccepted,
    ChangeRefused,
    ChildFileReturned,
    ChildFileReviewConfirmed,
    ChildFileReviewed,
    ChildFileReviewOpened,
    ChildFileSubmitted,
    ChildFileVerified,
    ChildIdentityCorrected,
    ChildIdentityRecorded,
    ChildTransferOffered,
    EntrustmentEnded,
    HealthRecorded,
    IdentityDoubted,
    KeyGroupCleared,
    KeyGroupMarked,
    RegistrationStatusRecorded,
    SchoolingRecorded,
    WelfareRecorded,
)
from shared.contracts.event import Event
from shared.contracts.file_keeping import ConflictingValueKept, GuardianConfirmed
from shared.contracts.own_fields import OwnFieldsRecorded, RecordedFields
from shared.contracts.registry import CareSituationRecorded, ChangeProposed, ParentSituationRecorded
from shared.contracts.risk import RiskAssessed, RiskLevelOverridden
from shared.contracts.values import FileBlock
from shared.eventlog.record import Record
from shared.projection.read_model import Document

EVENTS: Final = frozenset(
    {
        "OwnFieldsRecorded",
        "RiskAssessed",
        "RiskLevelOverridden",
        "ChildTransferOffered",
        "ChangeProposed",
        "ConflictingValueKept",
        "ChangeAccepted",
        "ChangeRefused",
        "ChildFileSubmitted",
        "ChildFileReviewed",
        "ChildFileReturned",
        "ChildFileVerified",
        "ChildFileReviewOpened",
        "ChildFileReviewConfirmed",
        "GuardianConfirmed",
        "SchoolingRecorded",
        "HealthRecorded",
        "WelfareRecorded",
        "ChildIdentityRecorded",
        "ChildIdentityCorrected",
        "IdentityDoubted",
        "RegistrationStatusRecorded",
        "CaregiverEntrusted",
        "EntrustmentEnded",
        "KeyGroupMarked",
        "KeyGroupCleared",
        "CareProgrammeJoined",
        "CareProgrammeLeft",
    }
)

DRAFT: Final = "draft"
_SHOWN_AS: Final = {"kind": "hukou_kind"}


def change_file(file: Document, record: Record, event: Event) -> None:
    """Changes the card's part ``file`` in place."""
    match event:
        case RiskAssessed():
            file["risk"] = _assessment(event) | {"assessed_on": business_day(record.occurred_at).isoformat()}
        case RiskLevelOverridden():
            file.setdefault("risk", {})["override"] = _override(event)
        case OwnFieldsRecorded():
            file["own_fields"] = _own_fields(file.get("own_fields", {}), event)
        case ChildTransferOffered():
            file["offered_to"] = event.to_village
        case ChangeProposed() | ConflictingValueKept() | ChangeAccepted() | ChangeRefused():
            _change_proposals(file, event)
        case SchoolingRecorded():
            file["schooling"] = opened(event.schooling) | told(since=day(event.since))
        case HealthRecorded():
            file["health"] = opened(event.health)
        case WelfareRecorded():
            file["welfare"] = opened(event.welfare)
        case ChildIdentityRecorded():
            # A number that is told no more is shown no more.
            file.update({"citizen_number": None} | opened(event.identity))
        case ChildIdentityCorrected():
            _correct(file, opened(event.correction))
        case IdentityDoubted():
            _set_or_drop(file, "doubts", [doubt.value for doubt in event.doubts.get() or ()])
        case RegistrationStatusRecorded():
            file.update(hukou=event.hukou, hukou_kind=value(event.kind))
        case CaregiverEntrusted():
            file["entrustment"] = opened(event.entrustment) | told(starts=day(event.starts))
        case EntrustmentEnded():
            file.setdefault("entrustment", {}).update(told(ends=day(event.ends)))
        case GuardianConfirmed():
            file["guardian"] = file_facts(event)
        case KeyGroupMarked() | KeyGroupCleared():
            _mark(file, "key_groups", value(event.group), isinstance(event, KeyGroupMarked))
        case CareProgrammeJoined() | CareProgrammeLeft():
            _mark(file, "care_programmes", value(event.programme), isinstance(event, CareProgrammeJoined))
        case _:
            _change_check(file.setdefault("check", {"stage": DRAFT}), record, event)


def _assessment(event: RiskAssessed) -> Document:
    """A new assessment ends an override. Of an emergency the card says that there was one: which, is class C4."""
    answers = event.answers.get()
    return told(
        level=value(event.level),
        instrument=event.instrument,
        next_due=event.next_due.isoformat(),
        emergency=True if answers is not None and answers.emergencies else None,
        **opened(event.outcome),
    )


def _own_fields(held: Document, event: OwnFieldsRecorded) -> Document:
    """What is no longer asked for stays as it was recorded; what was taken back is gone."""
    told = event.recorded.get() or RecordedFields(fields=())
    taken_back = {one.key for one in told.fields if one.value is None}
    changed = {
        one.key: {
            "label": one.label,
            "value": one.value,
            "class": one.field_class.value,
            "definition": event.definition,
        }
        for one in told.fields
        if one.value is not None
    }
    return {key: one for key, one in held.items() if key not in taken_back} | changed


def _override(event: RiskLevelOverridden) -> Document:
    return told(level=value(event.level), until=event.until.isoformat(), reason=event.reason.get())


def _change_proposals(
    file: Document, event: ChangeProposed | ConflictingValueKept | ChangeAccepted | ChangeRefused
) -> None:
    """What was found and what was on file then, each with who told it and when, until a reviewer decides."""
    proposals = file.setdefault("proposals", {})
    if isinstance(event, ConflictingValueKept):
        found = kept_facts(event)
        proposals[event.proposal] = told(
            block=event.block.value,
            found=found,
            found_by=event.found_by,
            found_on=event.found_on.isoformat(),
            on_file=_on_file(file, event.block, found),
            on_file_by=event.on_file_by,
            on_file_since=event.on_file_on.isoformat(),
        )
    elif isinstance(event, ChangeProposed) and event.care is None:
        found, block = _found_facts(event), FileBlock.PARENTS if event.parents else FileBlock.SCHOOLING
        proposals[event.proposal] = told(
            block=block.value,
            found=found,
            found_by=event.found_by,
            found_on=event.found_on and event.found_on.isoformat(),
            visit=event.visit,
            on_file=_on_file(file, block, found),
        )
    elif isinstance(event, ChangeProposed):
        proposals[event.proposal] = told(
            found=_found_facts(event),
            found_by=event.found_by,
            found_on=event.found_on and event.found_on.isoformat(),
            visit=event.visit,
            on_file=file.get("care"),
            on_file_by=file.get("care_told", {}).get("by"),
            on_file_since=file.get("care_told", {}).get("on"),
        )
    else:
        proposals.pop(event.proposal, None)
    if not proposals:
        del file["proposals"]


def _found_facts(event: ChangeProposed) -> Document:
    recorded = event.parents or event.schooling
    if recorded is not None:
        return file_facts(recorded)
    return {} if event.care is None else care_of(event.care)


def kept_facts(event: ConflictingValueKept) -> Document:
    kept: Event = getattr(event, event.block.value)
    return file_facts(kept)


def _on_file(file: Document, block: FileBlock, found: Document) -> Document:
    """What the card shows of the block now: some blocks have a place of their own, others stand in the file itself."""
    held: Document = file.get(block.value) or told(**{name: file.get(_SHOWN_AS.get(name, name)) for name in found})
    return held


def care_told(record: Record) -> Document:
    """Who told the care situation that is on file, and on which day."""
    return {"by": record.actor.id, "on": business_day(record.occurred_at).isoformat()}


def _correct(file: Document, correction: Document) -> None:
    correction.pop("reason", None)
    file.update(correction)
    if "name" in correction:
        file.update(name_keys(correction["name"]))
    if "citizen_number" in correction:
        file["citizen_number_status"] = "present"


def _mark(file: Document, where: str, code: str | None, marked: bool) -> None:
    codes = set(file.get(where, ())) - {code}
    _set_or_drop(file, where, sorted(codes | {code}) if marked and code else sorted(codes))


def _set_or_drop(file: Document, where: str, codes: list[str]) -> None:
    if codes:
        file[where] = codes
    else:
        file.pop(where, None)


def _change_check(check: Document, record: Record, event: Event) -> None:
    match event:
        case ChildFileSubmitted():
            check["stage"] = "submitted"
            check.pop("returned_for", None)
        case ChildFileReviewed():
            check["stage"] = "township_reviewed"
        case ChildFileReturned():
            check.update(stage="returned", returned_by=event.level.value, returned_for=event.reason.get())
        case ChildFileVerified():
            check["stage"] = "county_verified"
            check.update(_confirmed("verified_on", business_day(record.occurred_at)))
        case ChildFileReviewOpened():
            check["stage"] = "under_review"
        case ChildFileReviewConfirmed():
            check.update(_confirmed("confirmed_on", event.as_of))
            _set_or_drop(check, "changed", [block.value for block in event.changed])
        case _:
            raise TypeError(f"{type(event).__name__} is no event of a child's file")


def _confirmed(what: str, on: date) -> Document:
    return {what: on.isoformat(), "due_on": review_due(on).isoformat()}


def file_facts(event: Event) -> Document:
    """What the time line shows of such an event."""
    match event:
        case RiskAssessed():
            return _assessment(event)
        case RiskLevelOverridden():
            return _override(event)
        case OwnFieldsRecorded():
            return _own_fields({}, event)
        case ChildTransferOffered():
            return told(to=event.to_village, reason=event.reason.get())
        case ChangeProposed():
            return _found_facts(event)
        case ConflictingValueKept():
            return told(block=event.block.value, found_on=event.found_on.isoformat(), **kept_facts(event))
        case ParentSituationRecorded():
            return parents_of(event.parents)
        case CareSituationRecorded():
            return care_recorded(event)
        case ChangeRefused():
            return told(reason=event.reason.get())
        case SchoolingRecorded():
            return opened(event.schooling)
        case HealthRecorded():
            return opened(event.health)
        case WelfareRecorded():
            return opened(event.welfare)
        case ChildIdentityRecorded():
            return opened(event.identity)
        case ChildIdentityCorrected():
            return opened(event.correction)
        case RegistrationStatusRecorded():
            return told(hukou=event.hukou, kind=value(event.kind))
        case CaregiverEntrusted():
            return opened(event.entrustment) | told(starts=day(event.starts))
        case EntrustmentEnded():
            return told(ends=day(event.ends), reason=event.reason.get())
        case KeyGroupMarked() | KeyGroupCleared():
            return told(group=value(event.group), reason=event.reason.get())
        case CareProgrammeJoined() | CareProgrammeLeft():
            return told(programme=value(event.programme))
        case GuardianConfirmed():
            return opened(event.confirmation) | told(confirmed_on=event.confirmed_on.isoformat())
        case ChildFileReviewConfirmed():
            guardian_on = event.guardian_on and event.guardian_on.isoformat()
            changed = [block.value for block in event.changed]
            return told(as_of=event.as_of.isoformat(), changed=changed or None, guardian_on=guardian_on)
        case ChildFileReturned():
            return told(level=event.level.value, reason=event.reason.get())
        case _:
            return {}
