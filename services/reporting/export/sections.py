"""Which events stand in an export, under which heading, and what they are called in Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple


class Section(NamedTuple):
    title: str
    events: Mapping[str, str]
    """Titles by event."""


SECTIONS: Final[Mapping[str, Section]] = {
    "identity": Section(
        "身份与住址",
        {
            "ChildRegistered": "登记建档",
            "ChildIdentityRecorded": "登记身份信息",
            "ChildIdentityCorrected": "更正身份信息",
            "IdentityDoubted": "身份信息存疑",
            "RegistrationStatusRecorded": "登记户籍",
            "ChildTransferOffered": "提出转出",
            "ChildTransferred": "转入接收",
        },
    ),
    "household": Section(
        "家庭",
        {
            "HouseholdFileOpened": "建立家庭档案",
            "HouseholdFileUpdated": "更新家庭档案",
            "ChildJoinedHousehold": "儿童列入家庭",
            "HouseholdMoved": "家庭迁移",
            "HouseholdsMerged": "家庭档案并入另一户",
            "HouseholdTakenIn": "并入另一户的家庭档案",
        },
    ),
    "family": Section(
        "父母与照护",
        {
            "ParentSituationRecorded": "登记父母情况",
            "CareSituationRecorded": "登记照护情况",
            "CaregiverEntrusted": "委托照护",
            "EntrustmentEnded": "终止委托照护",
        },
    ),
    "school": Section("就学", {"SchoolingRecorded": "登记就学情况"}),
    "health": Section("健康与救助", {"HealthRecorded": "登记健康状况", "WelfareRecorded": "登记救助帮扶"}),
    "marks": Section(
        "重点对象与风险",
        {
            "KeyGroupMarked": "列入重点对象",
            "KeyGroupCleared": "移出重点对象",
            "CareProgrammeJoined": "加入关爱项目",
            "CareProgrammeLeft": "退出关爱项目",
            "RiskAssessed": "风险评估",
            "RiskLevelOverridden": "调整风险等级",
        },
    ),
    "check": Section(
        "审核与变更",
        {
            "ChildFileSubmitted": "提交审核",
            "ChildFileReviewed": "乡镇复核",
            "ChildFileReturned": "退回补正",
            "ChildFileVerified": "县级核实",
            "ChildFileReviewOpened": "变更后重新审核",
            "ChildFileReviewConfirmed": "半年核对无变化",
            "ChangeProposed": "走访发现不一致",
            "ChangeAccepted": "采纳走访发现",
            "ChangeRefused": "不采纳走访发现",
            "ChildFileClosed": "关闭档案",
            "ChildFileReopened": "重新打开档案",
            "ErasureRequested": "申请删除",
            "ConflictingValueKept": "不同来源的值待定",
            "GuardianConfirmed": "监护人确认",
            "OwnFieldsRecorded": "登记本县自定栏目",
            "MappingGapFound": "发现摸排遗漏",
            "MappingGapSettled": "摸排遗漏已处理",
            "ChildFilesMerged": "档案并入另一档案",
            "ChildMergeUndone": "撤销档案合并",
        },
    ),
    "visits": Section(
        "走访",
        {
            "VisitLogged": "走访",
            "VisitAttempted": "上门未遇",
            "VisitAmended": "更正走访记录",
            "MajorChangeReported": "报告重大变故",
            "SchoolVisitLogged": "到校走访",
            "VisitPlanned": "约定走访",
            "HelpPlanAdopted": "制定帮扶方案",
            "HelpPlanProgressed": "帮扶进展",
            "HelpPlanReviewed": "复核帮扶方案",
            "HelpPlanClosed": "结束帮扶方案",
        },
    ),
    "concerns": Section(
        "问题与办理",
        {
            "ConcernRaised": "提出问题",
            "ConcernFound": "再次发现",
            "ConcernProgressed": "办理进展",
            "ConcernResolved": "办结",
            "ConcernReopened": "重新办理",
            "ReferralAnswered": "转办答复",
        },
    ),
    "pairs": Section("结对帮扶", {"PairFormed": "结对", "PairEnded": "结束结对"}),
    "consents": Section(
        "告知与同意",
        {
            "PrivacyNoticeGiven": "告知个人信息处理",
            "ConsentGiven": "同意",
            "ConsentRefused": "不同意",
            "ConsentWithdrawn": "撤回同意",
        },
    ),
    "attachments": Section("照片与附件", {"AttachmentAdded": "存入附件", "AttachmentRemoved": "删除附件"}),
    "openings": Section(
        "谁打开过档案",
        {
            "FileOpened": "打开档案",
            "AttachmentOpened": "查看附件",
            "ExportMade": "导出档案",
            "AccessRequested": "申请限时查阅",
            "AccessGranted": "准予限时查阅",
            "GlassBroken": "紧急查阅",
            "AccessLogRead": "查询查阅记录",
        },
    ),
}

_CASE: Final = "a protected case, released by hand"

LEFT_OUT: Final[Mapping[str, str]] = {
    "ProtectionReportRaised": _CASE,
    "ProtectionReportFiled": _CASE,
    "EmergencyMeasureTaken": _CASE,
    "TemporaryCareArranged": _CASE,
    "ProtectionAssessed": _CASE,
    "GuardianshipInterventionStarted": _CASE,
    "ProtectionReportClosed": _CASE,
    "ProtectionWatchAlarmed": _CASE,
    "ConcernMoved": "the move of the child is told",
    "SubjectKeyDestroyed": "after it there is nothing to export",
    "DivisionSplit": "its children are divisions",
    "ListExported": "its children are a number",
    "VisitsAssigned": "who visits a village's children says nothing of one of them",
}
"""Events that name a child and stand in no export, with the reason.

What is of class C4 belongs here: a report may be about the very person who asks for the copy, so its release is decided
by case and by hand (domain 6.1, 6.2).
"""

TITLES: Final[Mapping[str, str]] = {
    event: title for section in SECTIONS.values() for event, title in section.events.items()
}
