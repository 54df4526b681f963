"""The allow-list: every field of an event that stands in the clear, for ever, in the log, on Kafka and in backups.

A field belongs here only when it is an id, a division, a date of an event, or of class C1. What says something about a
person is ``Personal`` or ``Counted`` instead. Names are dotted down to the leaf; items of a tuple have no index.
``tests/unit/test_golden_events.py`` holds the models to this list, so that a new clear field is a deliberate act.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

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
    "ChangeProposed": frozenset({"child", "found_by", "found_on", "proposal", "visit"}),
    "ChildFileClosed": frozenset({"child", "closed_on", "reason"}),
    "ChildFileReopened": frozenset({"child", "reopened_on"}),
    "ChildFileSubmitted": frozenset({"child", "submitted_by"}),
    "ChildFileReviewed": frozenset({"child", "reviewed_by"}),
    "ChildFileReturned": frozenset({"child", "level", "returned_by"}),
    "ChildFileVerified": frozenset({"child", "verified_by"}),
    "ChildFileReviewOpened": frozenset({"child"}),
    "ChildFileReviewConfirmed": frozenset({"as_of", "child"}),
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
            *("adoption", "division", "rule", "starts"),
            *("terms.across_county", "terms.away", "terms.care_kinds", "terms.hukou_kinds", "terms.max_age"),
            *("terms.months_away", "terms.parents", "terms.school_states", "terms.unable"),
        }
    ),
    # visits
    "VisitLogged": frozenset(
        {"findings.child", "household", "kind", "on_stale_standing", "purposes", "village", "visit", "visited_on"}
    ),
    # pairing
    "PairFormed": frozenset({"child", "helper", "kind", "pair", "starts", "village"}),
    "PairEnded": frozenset({"child", "ends", "kind", "pair", "reason"}),
    # reporting
    "FileOpened": frozenset({"child", "person"}),
    "HouseholdFileConsulted": frozenset({"household", "person"}),
}
