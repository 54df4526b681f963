"""The allow-list: every field of an event that stands in the clear, for ever, in the log, on Kafka and in backups.

A field belongs here only when it is an id, a division, a date of an event, or of class C1. What says something about a
person is ``Personal`` or ``Counted`` instead. Names are dotted down to the leaf; items of a tuple have no index.
``tests/unit/test_golden_events.py`` holds the models to this list, so that a new clear field is a deliberate act.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from shared.contracts.values import RiskLevel

CLEAR: Final[Mapping[str, frozenset[str]]] = {
    # registry
    "VillageGroupAdded": frozenset({"code", "division", "name", "number", "valid_from", "village"}),
    "DivisionRenamed": frozenset({"code", "division", "name", "valid_from"}),
    "DivisionRecoded": frozenset({"code", "division", "former", "kind", "name", "parent", "valid_from"}),
    "DivisionsMerged": frozenset({"code", "division", "merged", "valid_from"}),
    "DivisionSplit": frozenset({"code", "division", "parts.children", "parts.code", "valid_from"}),
    "DivisionWithdrawn": frozenset({"code", "division", "successors", "valid_to"}),
    "DivisionAdded": frozenset({"code", "division", "kind", "name", "parent", "valid_from"}),
    "WorkingGroupPosted": frozenset({"first_secretary", "leader", "level", "posting", "starts", "unit", "village"}),
    "WorkingGroupWithdrawn": frozenset(
        {"ends", "leaving.office", "leaving.person", "leaving.since", "posting", "reason", "village"}
    ),
    "PostingMemberJoined": frozenset({"person", "posting", "starts", "village"}),
    "PostingMemberLeft": frozenset({"ends", "person", "posting", "starts", "village"}),
    "FirstSecretaryAppointed": frozenset({"person", "posting", "starts", "village"}),
    "FirstSecretaryRelieved": frozenset({"ends", "person", "posting", "since", "village"}),
    "GroupLeaderChanged": frozenset(
        {"former.office", "former.person", "former.since", "leader", "posting", "starts", "village"}
    ),
    "DutyHolderNamed": frozenset({"division", "duty", "person", "role", "school", "starts"}),
    "DutyHolderRelieved": frozenset({"division", "duty", "ends", "person", "reason", "role"}),
    "VillageProfileRecorded": frozenset(
        {
            "as_of",
            "has_childrens_home",
            "households",
            "metres_to_township",
            "migrant_workers",
            "population",
            "poverty",
            "road",
            "rural_minors_under_16",
            "schools",
            "village",
        }
    ),
    "SchoolRegistered": frozenset({"contact.contact", "division", "kind", "name", "school"}),
    "SchoolChanged": frozenset({"closed", "contact.contact", "division", "kind", "name", "school", "since"}),
    "RoleGranted": frozenset({"division", "ends", "person", "role", "role_id", "starts"}),
    "RoleEnded": frozenset({"ends", "person", "role_id"}),
    # households
    "HouseholdFileOpened": frozenset({"children", "group", "household", "village"}),
    "HouseholdFileUpdated": frozenset({"group", "household"}),
    "ChildJoinedHousehold": frozenset({"child", "household"}),
    "HouseholdMoveOffered": frozenset({"household", "to_village"}),
    "HouseholdMoved": frozenset(
        {"children", "from_village", "group", "household", "moved_by", "moved_on", "to_village"}
    ),
    "HouseholdFileClosed": frozenset({"closed_on", "household", "reason"}),
    "HouseholdFileReopened": frozenset({"household", "reopened_on"}),
    "HouseholdsMerged": frozenset({"children", "household", "into", "merged_by"}),
    "HouseholdMergeUndone": frozenset({"household", "into", "undone_by"}),
    "HouseholdTakenIn": frozenset({"children", "household", "merged"}),
    "HouseholdGivenBack": frozenset({"household", "merged"}),
    "HouseholdErasureRequested": frozenset({"household", "requested_by"}),
    "HouseholdKeyDestroyed": frozenset({"approved_by", "household"}),
    # children
    "ChildRegistered": frozenset({"child", "household", "hukou", "residence"}),
    "ParentSituationRecorded": frozenset({"child"}),
    "CareSituationRecorded": frozenset({"child"}),
    "ChangeProposed": frozenset(
        {"child", "found_by", "found_on", "parents.child", "proposal", "schooling.child", "visit"}
    ),
    "ChildFileClosed": frozenset({"child", "closed_on", "reason"}),
    "ChildFileReopened": frozenset({"child", "reopened_on"}),
    "ChildFileSubmitted": frozenset({"child", "submitted_by"}),
    "ChildFileReviewed": frozenset({"child", "reviewed_by"}),
    "ChildFileReturned": frozenset({"child", "level", "returned_by"}),
    "ChildFileVerified": frozenset({"child", "verified_by"}),
    "ChildFileReviewOpened": frozenset({"child"}),
    "ChildFileReviewConfirmed": frozenset({"as_of", "changed", "child", "guardian_on"}),
    "ChildTransferOffered": frozenset({"child", "to_village"}),
    "ChildTransferred": frozenset({"child", "from_village", "moved_on", "taken_over_by", "to_village"}),
    "ChangeAccepted": frozenset({"accepted_by", "child", "found_by", "proposal"}),
    "ChangeRefused": frozenset({"child", "proposal", "refused_by"}),
    "SchoolingRecorded": frozenset({"child"}),
    "HealthRecorded": frozenset({"child"}),
    "WelfareRecorded": frozenset({"child"}),
    "ChildIdentityRecorded": frozenset({"child"}),
    "ChildIdentityCorrected": frozenset({"child"}),
    "IdentityDoubted": frozenset({"child"}),
    "RegistrationStatusRecorded": frozenset({"child", "hukou"}),
    "CaregiverEntrusted": frozenset({"child"}),
    "EntrustmentEnded": frozenset({"child"}),
    "KeyGroupMarked": frozenset({"child"}),
    "KeyGroupCleared": frozenset({"child"}),
    "CareProgrammeJoined": frozenset({"child"}),
    "CareProgrammeLeft": frozenset({"child"}),
    "ErasureRequested": frozenset({"child", "requested_by"}),
    "SubjectKeyDestroyed": frozenset({"approved_by", "child"}),
    "DuplicateSuspected": frozenset({"division", "duplicate", "first", "reasons", "rule", "score", "second"}),
    "DuplicateDismissed": frozenset({"dismissed_by", "duplicate", "first", "reason", "second"}),
    "ImportBatchReceived": frozenset({"batch", "division", "file_hash", "ledger"}),
    "ImportBatchChecked": frozenset({"accepted", "batch", "rejected", "warned"}),
    "ImportRowsCommitted": frozenset({"batch", "receipts_id", "rows.codes", "rows.made", "rows.row", "rows.verdict"}),
    "ImportBatchCommitted": frozenset({"batch", "rejected", "taken_over"}),
    "ImportBatchWithdrawn": frozenset({"batch", "closed"}),
    "RiskAssessed": frozenset({"assessed_by", "child", "instrument", "next_due"}),
    "RiskLevelOverridden": frozenset({"asked_by", "child", "reviewed_by", "until"}),
    "CountingRuleAdopted": frozenset(
        {
            *("adoption", "division", "may_override", "rule", "starts"),
            *("terms.across_county", "terms.away", "terms.care_kinds", "terms.hukou_kinds", "terms.max_age"),
            *("terms.months_away", "terms.parents", "terms.school_states", "terms.unable"),
        }
    ),
    # registry: mapping campaigns
    "MappingCampaignOpened": frozenset({"as_of", "campaign", "division", "ends", "rule", "starts"}),
    "MappingCampaignClosed": frozenset({"campaign", "closed_on"}),
    "HouseholdRosterFixed": frozenset(
        {"campaign", "group", "households.household", "households.number", "mapping", "village"}
    ),
    "HouseholdAddedToRoster": frozenset({"group", "household.household", "household.number", "mapping"}),
    "VillageMappingStarted": frozenset({"campaign", "mapping", "team", "village"}),
    "HouseholdMapped": frozenset({"household", "mapped_on", "mapping"}),
    "VillageMappingConcluded": frozenset({"added", "concluded_on", "groups", "households", "mapping"}),
    "VillageMappingReopened": frozenset({"mapping", "reason", "reopened_on"}),
    # registry: keeping one true file of a child
    "ChildFilesMerged": frozenset({"child", "into", "merged_by", "merged_on", "village"}),
    "ChildMergeUndone": frozenset({"child", "into", "undone_by"}),
    "GuardianConfirmed": frozenset({"child", "confirmed_on"}),
    "ConflictingValueKept": frozenset(
        {
            *("block", "child", "found_by", "found_on", "on_file_by", "on_file_on", "proposal", "rule"),
            *("parents.child", "care.child", "schooling.child", "health.child", "welfare.child", "identity.child"),
            *("registration.child", "registration.hukou"),
        }
    ),
    # what authorities adopt: no word of it is about a person; the values of own fields are sealed
    "RiskInstrumentAdopted": frozenset(
        {
            *("adoption", "division", "instrument", "may_override", "starts"),
            *("content.direction", "content.emergencies", "content.months"),
            *("content.items.code", "content.items.label", "content.items.weight"),
            *("content.items.choices.code", "content.items.choices.points"),
            *("content.bands.at_least", "content.bands.at_most", "content.bands.level", "content.bands.name"),
            *("content.vetoes.choice", "content.vetoes.item", "content.vetoes.level"),
        }
    ),
    "RetentionAdopted": frozenset(
        {
            *("adoption", "division", "may_override", "starts", "version"),
            *("periods.access_log_years", "periods.closed_file_years", "periods.helper_years"),
            *("periods.import_file_days", "periods.photo_years", "periods.protected_until_age"),
        }
    ),
    "OwnFieldsDefined": frozenset(
        {
            *("adoption", "division", "may_override", "starts", "version"),
            *("content.fields.field_class", "content.fields.key", "content.fields.kind", "content.fields.label"),
            *("content.fields.options", "content.fields.required"),
        }
    ),
    "OwnFieldsRecorded": frozenset({"child", "definition"}),
    # registry: access for a time
    "AccessRequested": frozenset(
        {"access", "child", "division", "ends", "opens", "person", "purpose", "requested_by", "starts"}
    ),
    "AccessGranted": frozenset(
        {"access", "approved_by", "child", "division", "ends", "opens", "person", "purpose", "requested_by", "starts"}
    ),
    "AccessEnded": frozenset({"access", "ends", "person"}),
    "GlassBroken": frozenset({"child", "ends", "glass", "person", "reason", "starts", "village"}),
    # visits
    "VisitLogged": frozenset(
        {
            *("doubts", "findings.child", "form", "household", "kind", "next_on", "on_stale_standing", "purposes"),
            *("village", "visit", "visited_on", "visitors"),
        }
    ),
    "VisitAttempted": frozenset({"attempted_on", "children", "household", "next_on", "village", "visit"}),
    "VisitAmended": frozenset({"amended_by", "finding.child", "number", "reason", "visit"}),
    "VisitVerified": frozenset({"method", "verified_by", "visit"}),
    "VisitReturned": frozenset({"reason", "returned_by", "village", "visit", "visitors"}),
    "VisitPolicyAdopted": frozenset(
        {
            *("division", "may_be_overridden", "policy", "starts"),
            *("content.change_days", "content.contact", "content.satisfy"),
            *("content.holidays.name", "content.holidays.starts", "content.holidays.within_days"),
            *(
                f"content.{level}.{days}"
                for level in RiskLevel
                for days in ("contact_days", "grace_days", "home_days", "who")
            ),
        }
    ),
    "MajorChangeReported": frozenset({"change", "child", "happened_on", "reported_by", "village"}),
    "ConcernRaised": frozenset({"about", "concern", "due", "found_at", "owner", "raised_by", "raised_on", "village"}),
    "ConcernFound": frozenset({"child", "concern", "found_at"}),
    "ConcernMoved": frozenset({"about", "concern", "village"}),
    "ConcernAssigned": frozenset({"assigned_by", "assignee", "concern", "due", "owner"}),
    "ConcernProgressed": frozenset({"about", "by", "concern"}),
    "ConcernResolved": frozenset({"about", "concern", "resolved_by", "resolved_on"}),
    "ConcernClosureVerified": frozenset({"concern", "verified_by"}),
    "ConcernReopened": frozenset({"about", "concern", "due", "reopened_by"}),
    "ConcernEscalated": frozenset({"concern", "due", "escalated_by", "owner"}),
    "ConcernReferred": frozenset({"body", "concern", "due", "referred_by"}),
    "ReferralAnswered": frozenset({"about", "body", "concern", "recorded_by"}),
    "ProtectionReportRaised": frozenset({"child", "discovered_at", "report", "reporter", "village", "visit"}),
    "ProtectionWatchAlarmed": frozenset({"child", "report", "since", "village"}),
    "ReportReaderNamed": frozenset({"named_by", "reader", "report"}),
    "ProtectionReportFiled": frozenset({"channel", "child", "filed_at", "filed_by", "report"}),
    "EmergencyMeasureTaken": frozenset({"child", "recorded_by", "report", "taken_on"}),
    "TemporaryCareArranged": frozenset({"child", "recorded_by", "report", "since"}),
    "ProtectionAssessed": frozenset({"assessed_by", "child", "report"}),
    "GuardianshipInterventionStarted": frozenset({"child", "report", "started_by"}),
    "ProtectionReportClosed": frozenset({"child", "closed_by", "report"}),
    # visits: the daily work beside visits
    "SchoolVisitLogged": frozenset(
        {"doubts", "on_stale_standing", "school", "village", "visit", "visited_on", "visitors", "words.child"}
    ),
    "HelpPlanAdopted": frozenset(
        {
            *("adopted_by", "adopted_on", "child", "owner", "plan", "report", "review_on", "steps.due"),
            *("steps.owner", "village"),
        }
    ),
    "HelpPlanProgressed": frozenset({"child", "done", "plan", "told_by"}),
    "HelpPlanReviewed": frozenset({"child", "plan", "review_on", "reviewed_by", "reviewed_on"}),
    "HelpPlanClosed": frozenset({"child", "closed_by", "closed_on", "plan"}),
    "HolidayPlanAdopted": frozenset(
        {"adopted_by", "adopted_on", "ends", "on_duty", "plan", "risks", "starts", "village"}
    ),
    "WorkLogRecorded": frozenset({"collated", "day", "items.kind", "log", "person", "village"}),
    "LeaveTaken": frozenset({"ends", "leave", "person", "starts", "village"}),
    # visits: oversight
    "VisitsAssigned": frozenset({"assigned_by", "assignment", "children", "starts", "village", "visitor"}),
    "VisitPlanned": frozenset({"appointment", "assignee", "child", "kind", "planned_by", "planned_for", "village"}),
    "VisitRescheduled": frozenset({"appointment", "assignee", "planned_for", "reason", "rescheduled_by"}),
    "VisitCancelled": frozenset({"appointment", "cancelled_by", "reason"}),
    "PlausibilityFlagged": frozenset({"flag", "villages", "visitor", "visits"}),
    "PlausibilityCleared": frozenset({"cleared_by", "flag"}),
    # pairing
    "PairFormed": frozenset({"child", "helper", "kind", "pair", "starts", "village"}),
    "PairEnded": frozenset({"child", "ends", "kind", "pair", "reason"}),
    # reporting
    "FileOpened": frozenset({"child", "person"}),
    # consents, attachments, exports
    "PrivacyNoticeGiven": frozenset({"child", "notice", "on"}),
    "ConsentGiven": frozenset({"child", "notice", "on"}),
    "ConsentRefused": frozenset({"child", "on"}),
    "ConsentWithdrawn": frozenset({"child", "on"}),
    "AttachmentAdded": frozenset({"attachment", "child", "sha256"}),
    "AttachmentRemoved": frozenset({"attachment", "child"}),
    "AttachmentOpened": frozenset({"attachment", "child", "person"}),
    "ExportMade": frozenset({"child", "full_numbers", "person"}),
    "HouseholdFileConsulted": frozenset({"household", "person"}),
    # reporting: access log
    "AccessLogRead": frozenset({"child", "on", "person"}),
    "NoticeSeen": frozenset({"notice", "person"}),
    # registry: gaps of the mapping, and matching
    "MappingGapFound": frozenset({"child", "found_by", "found_on", "gap", "source", "village"}),
    "MappingGapSettled": frozenset({"child", "gap", "outcome", "settled_by", "village"}),
    "ListExported": frozenset({"children", "division", "export", "matching", "person", "register_kind"}),
}
